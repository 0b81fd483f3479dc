/*
 * What the engine tells and asks the person, whatever shows it: terminal, plain lines, JSON. All
 * texts are redacted before they get here. Members may be NULL: nobody is told, nobody can be
 * asked.
 */
#ifndef SALVOR_ENGINE_UI_H
#define SALVOR_ENGINE_UI_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

struct engine_ui {
    void *data;
    /* level: SALVOR_LOG_* */
    void (*log)(void *data, uint32_t level, const char *text);
    /* "discover", "validate", "plan", "stage" begins; `about` names what, or is NULL. */
    void (*phase)(void *data, const char *phase, const char *about);
    void (*findings)(void *data, const json_t *findings);
    /* A plan that is about to be approved: the plan record (docs/internals.md). */
    void (*plan)(void *data, const json_t *record);
    void (*step_begin)(void *data, const json_t *step, size_t number, size_t count, int attempt);
    /* status: as in an outcome record; `error` is NULL when it went well. */
    void (*step_end)(void *data, const json_t *step, const char *status, int64_t duration_ms,
                     const struct error *error);
    void (*progress)(void *data, uint64_t done, uint64_t total, const char *what);
    void (*note)(void *data, const char *text);
    /* Every 100 ms or so while something goes on, for what is redrawn. */
    void (*tick)(void *data);
    /* What a person has to do now, with all parameters filled in. */
    void (*manual)(void *data, const json_t *step, const char *instructions);
    /* 1 yes, 0 no, -1 nobody can be asked. */
    int (*ask)(void *data, const char *question);
    /* As ask; yes only when exactly `expected` was typed. */
    int (*ask_text)(void *data, const char *question, const char *expected);
    /* Name of the person for the journal; may be NULL: the login name is used. */
    const char *(*who)(void *data);
};

#endif
