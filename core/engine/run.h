/*
 * One run: its journal, its state, its worker. Everything that happens to a run passes through
 * here: records are written and folded in the same motion, hooks are called with the frozen facts,
 * and what a plugin sends meanwhile is redacted, recorded and shown.
 */
#ifndef SALVOR_ENGINE_RUN_H
#define SALVOR_ENGINE_RUN_H

#include <jansson.h>
#include <salvor/types.h>

#include "base/error.h"
#include "engine/plan.h"
#include "engine/run-state.h"
#include "engine/ui.h"
#include "host/client.h"
#include "journal/journal.h"
#include "plugin/plugin-info.h"

struct secrets;
struct lease; /* engine/lease.h */

struct run {
    const char *id;
    const char *folder;
    const struct plugin_info *info;
    const char *build_id;
    const json_t *secrets;   /* option name -> reference */
    struct secrets *desk;    /* owned; answers the worker about them, NULL until it asks */
    const json_t *lock;      /* of the site's settings (config/lock-setting.h), or NULL */
    const json_t *source;    /* {"name","path","digest"}, or NULL */
    struct engine_ui ui;     /* a copy; members may be NULL */
    struct journal *journal; /* owned */
    struct client *client;   /* owned */
    struct lease *lease;     /* owned; NULL in a run without effect */
    struct run_state *state; /* owned */
    /* of the call under way */
    const char *hook;
    const char *step;
    int attempt;
    struct plan_builder *builder; /* plan hooks only */
    json_t *observed;             /* observe only: name -> value */
    int64_t interrupted_at;       /* monotonic ms of the first Ctrl-C seen; 0: none */
    int told_waiting;
    struct error record_error; /* writing the journal failed while the call went on */
};

/* Redacts, appends and folds one record; `body` is stolen. */
int run_record(struct run *run, const char *type, json_t *body, enum journal_durability durability,
               struct error *reterr);

/* A CALL body for `hook` with the run's facts and results; further members are the caller's. */
json_t *run_call_body(const struct run *run, const char *hook, uint32_t effect,
                      int64_t deadline_ms);

/* Calls the hook; `body` is stolen. -1 also when the journal could not be written meanwhile. */
int run_call(struct run *run, json_t *body, struct client_outcome *ret_outcome,
             struct error *reterr);

/* The error of an outcome that is not (DONE, OK), with the exit code that it leads to. Returns -1.
 */
int run_outcome_error(struct client_outcome *outcome, struct error *reterr);

/* 1 once the operator asked to stop. */
int run_interrupted(const struct run *run);

/* Waits, keeping journal and display alive; -1 when the operator asked to stop meanwhile. */
int run_sleep(struct run *run, int64_t milliseconds);

/* "run 'ID' was interrupted …", exit code 130. Always -1. */
int run_interrupted_error(const struct run *run, struct error *reterr);

/* Name of the person for the journal. */
const char *run_who(const struct run *run);

/* Members of `run->ui` that may be NULL, called safely. */
void run_tell_phase(const struct run *run, const char *phase, const char *about);
void run_log(const struct run *run, uint32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Shows the findings that the newest call of `hook` raised. */
void run_tell_findings(const struct run *run, const char *hook);

/* Closes journal and worker, frees what is owned; not `run` itself. */
void run_finish(struct run *run);

#endif
