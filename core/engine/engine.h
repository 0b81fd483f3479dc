/*
 * A run from its first record to its end: made anew from a request, or opened again from its
 * journal. Commands of the command line stand on this.
 */
#ifndef SALVOR_ENGINE_ENGINE_H
#define SALVOR_ENGINE_ENGINE_H

#include <jansson.h>

#include "backup/backup-source.h"
#include "base/error.h"
#include "config/site.h"
#include "engine/approval.h"
#include "engine/run-state.h"
#include "engine/step.h"
#include "engine/ui.h"
#include "host/client.h"
#include "plugin/plugin-find.h"

struct engine;

/* What the person at the command line may say at the start and again at each resume. */
struct engine_consent {
    const json_t *approvals; /* array of plan hashes */
    const char *policy_file; /* or NULL */
    int yes;
    enum patience patience; /* with steps that a person does */
};

/* What a drill is: engine/drill.h. */
struct engine_drill {
    const char *of; /* site whose recovery is rehearsed; that of the request is the one worked on */
    int practice;   /* the one worked on is marked for practice: it may be overwritten */
};

struct engine_request {
    const char *command;     /* "restore": for the run id and the record */
    uint32_t kind;           /* SALVOR_PROCEDURE_*; 0: the command only looks */
    const char *asked_for;   /* --path, or NULL */
    const char *path_reason; /* or NULL */
    const struct plugin_file *plugin;
    const struct site *site;
    const struct backup_source *source; /* or NULL */
    const json_t *sealing; /* {"recipients":[…],"all","without_secrets","for_run"}: how artifacts
                              are encrypted; NULL: none is, and no sensitive one is taken */
    const json_t *waivers; /* array of {"finding","reason"}, or NULL */
    const json_t *manual;  /* array of row or step names, or NULL */
    int post_resync;       /* go on to it after a restore */
    const struct engine_drill *drill; /* or NULL */
    int dry_run;
    const char *state_folder;
    const char *store_folder;  /* where a set is made */
    const json_t *store;       /* where it belongs, as config_store has it; NULL: that folder */
    const char *record_folder; /* or NULL */
    const char *replay_folder; /* or NULL */
    struct client_limits limits;
    struct engine_ui ui;
};

/* -1 when the policy file cannot be used: asked before a run is begun, so that none is left. */
int engine_check_consent(const struct engine_consent *consent, struct error *reterr);

/*
 * Makes the run: its folder, journal and first record. A command that only looks goes on with a
 * journal in memory when the state folder cannot be written, and says so. A run with effect takes
 * the site's lock and is refused (exit code 5) while another holds it. The request is borrowed
 * until engine_free.
 */
int engine_begin(const struct engine_request *request, struct engine **ret_engine,
                 struct error *reterr);

struct engine_resume {
    const char *run;  /* id, unique prefix, or "last" */
    const char *site; /* that the run has to be of, or NULL */
    const char *state_folder;
    const char *const *plugin_folders;
    const json_t *settlements; /* array of {"step","as","reason"}, or NULL */
    const json_t *manual;      /* array that replaces the one of before, or NULL */
    const json_t *sealing; /* as in engine_request: of a backup that began without a recipient and
                              stopped at a sensitive artifact; or NULL */
    const char *const *practice_sites; /* marked for practice now: a drill goes on only there */
    int accept_plugin_change;          /* another build of the plugin may go on */
    const char *record_folder;
    const char *replay_folder;
    struct client_limits limits; /* of now, not of then */
    struct engine_ui ui;
};

/*
 * Opens a run again: checks its journal, that it can go on, that plugin and backup are the same,
 * and records the resume with the operator's settlements. Identity is rechecked by engine_run.
 */
int engine_reopen(const struct engine_resume *resume, struct engine **ret_engine,
                  struct error *reterr);

/* The work; each leaves its outcome to engine_end. */
int engine_discover(struct engine *engine, struct error *reterr);
int engine_validate(struct engine *engine, struct error *reterr);
int engine_plan(struct engine *engine, const struct engine_consent *consent, struct error *reterr);
/* engine_plan, then drill_rehearse; for a drill without effect. */
int engine_rehearse(struct engine *engine, const struct engine_consent *consent,
                    struct error *reterr);
int engine_run(struct engine *engine, const struct engine_consent *consent, struct error *reterr);

/*
 * Records the end (with `err` when the work failed, else NULL or an unset error) and returns the
 * exit code. A finished run with effect is closed: its scratch folder and secrets are removed.
 */
enum exit_code engine_end(struct engine *engine, const struct error *err);

/* For what is printed afterwards. */
const char *engine_run_id(const struct engine *engine);
const struct run_state *engine_state(const struct engine *engine);
const struct plugin_info *engine_plugin(const struct engine *engine);
/* {"name","digest","path","store"} of the set that a backup made; NULL before. Borrowed. */
const json_t *engine_backup(const struct engine *engine);
/* What engine_rehearse tried and what not; NULL before. Borrowed. */
const json_t *engine_rehearsal(const struct engine *engine);
/* Visits the names of the objects that a planned step touches, in order. */
int engine_each_object(struct engine *engine, const char *step,
                       void (*visit)(void *data, const char *name), void *data,
                       struct error *reterr);

void engine_free(struct engine *engine);

#endif
