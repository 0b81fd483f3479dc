/*
 * What a journal says about its run, in one JSON object: the report of `-o json`, and what the
 * other formats are rendered from. Made from the records alone, also from a damaged journal as far
 * as it can be read. Layout: docs/internals.md, "The report".
 */
#ifndef SALVOR_REPORT_MODEL_H
#define SALVOR_REPORT_MODEL_H

#include <jansson.h>

#include "base/error.h"
#include "journal/journal.h"

struct report_request {
    const char *run;  /* what the report calls the run when the journal does not say */
    const char *path; /* of the journal, for the reader */
    int running;      /* a process works on the run now */
    int verify;       /* also prove file structure and known heads */
    const char *const *known_heads; /* hexadecimal, NULL-terminated, or NULL; only with verify */
    const json_t *more_heads;       /* [{"head","from"},…] found elsewhere, or NULL; the same */
};

/*
 * Never fails for what is in the journal: damage is a part of the report ("damage",
 * "verification"). -1 only when a known head is not a head (exit code 2). The report is the
 * caller's.
 */
int report_model(struct journal *journal, const struct report_request *request, json_t **ret_report,
                 struct error *reterr);

/* 0 when the report stands on a sound journal and what was to be verified is; else 1. */
int report_exit_code(const json_t *report);

#endif
