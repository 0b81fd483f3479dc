/* From the command line to what the engine takes, for every command that makes or resumes a run. */
#ifndef SALVOR_CLI_RUN_REQUEST_H
#define SALVOR_CLI_RUN_REQUEST_H

#include "backup/backup-source.h"
#include "cli/arguments.h"
#include "config/site.h"
#include "engine/engine.h"

struct run_request {
    struct engine_request engine;
    struct engine_consent consent;
    struct engine_drill drill;
    /* what the two above point into */
    struct site *site;
    struct backup_source *source;
    json_t *sealing;
    json_t *waivers;
    json_t *manual;
    json_t *approvals;
};

/*
 * Checks the site's options for the commands in the mask `commands` and finds the backup of --from.
 * `kind`: SALVOR_PROCEDURE_*, 0 for commands that only look. `ui` is copied. Clear it afterwards.
 */
int run_request_make(const struct arguments *arguments, uint32_t kind, uint32_t commands,
                     const struct engine_ui *ui, struct run_request *ret_request,
                     struct error *reterr);
void run_request_clear(struct run_request *request);

/* What plugins may use, as the configuration says now. */
struct client_limits run_request_limits(const struct arguments *arguments);

/* What --recipient and --without-secrets of a resume say; NULL: nothing. Owned by the caller. */
json_t *run_request_new_sealing(const struct arguments *arguments);

/* Consent alone, for resume; `request` holds nothing else then. */
void run_request_consent(const struct arguments *arguments, struct run_request *ret_request);

#define cleanup_run_request __attribute__((cleanup(run_request_clear)))

#endif
