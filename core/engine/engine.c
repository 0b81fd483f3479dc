#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <salvor/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/backup-set.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "engine/drill.h"
#include "engine/interrupt.h"
#include "engine/lease.h"
#include "engine/own-set.h"
#include "engine/policy.h"
#include "engine/procedure.h"
#include "engine/request.h"
#include "engine/run-record.h"
#include "engine/run.h"
#include "engine/stage.h"
#include "host/secrets.h"
#include "journal/run-folder.h"
#include "plugin/negotiate.h"

struct engine {
    struct run run;
    struct run_folder *folder; /* NULL: the journal is in memory */
    struct site_lock *lock;
    struct backup_set *set;     /* of a backup */
    struct plugin_file *plugin; /* owned after a reopen */
    struct backup_source *source;
    json_t *record; /* the run record: everything that a resume needs */
    json_t *backup; /* what engine_backup hands out */
    json_t *rehearsal;
    char *temporary; /* folder of a run without a run folder */
    uint32_t kind;
    int has_effect; /* may change something: takes the lock, is closed at its end */
};

/* ---- the worker's surroundings ----------------------------------------------------------- */

static char *subfolder(const char *folder, const char *name)
{
    return text_format("%s/%s", folder, name);
}

static int make_subfolders(const char *folder, struct error *reterr)
{
    static const char *const names[] = {"scratch", "jobs", "ledger", "artifacts", NULL};
    for (size_t i = 0; names[i] != NULL; i++) {
        cleanup_free char *path = subfolder(folder, names[i]);
        if (file_make_folder(path, reterr) != 0)
            return -1;
    }
    return 0;
}

static json_t *open_body(const struct engine *engine, const char *record_folder,
                         const char *replay_folder)
{
    const char *folder = engine->run.folder;
    cleanup_free char *scratch = subfolder(folder, "scratch");
    cleanup_free char *jobs = subfolder(folder, "jobs");
    cleanup_free char *ledger = subfolder(folder, "ledger");
    cleanup_free char *own_artifacts = subfolder(folder, "artifacts");
    json_t *opened = json_object_get(json_object_get(engine->record, "source"), "open");
    cleanup_json json_t *source = opened != NULL ? json_incref(opened) : json_null();
    return json_make("{s:O, s:s, s:s, s:s, s:s, s:s, s:O, s:O?, s:s?, s:s?}", "options",
                     json_object_get(engine->record, "options"), "run_folder", folder,
                     "scratch_folder", scratch, "jobs_folder", jobs, "ledger_folder", ledger,
                     "artifact_folder",
                     engine->set != NULL ? backup_set_folder(engine->set) : own_artifacts, "source",
                     source, "seal", json_object_get(engine->record, "seal"), "record",
                     record_folder, "replay", replay_folder);
}

/* What begin and resume say of the worker alike. */
struct worker_order {
    const char *plugin_path;
    const char *record_folder; /* or NULL */
    const char *replay_folder; /* or NULL */
    struct client_limits limits;
};

/* Nothing is taken yet; its service worker starts when something is. */
static void start_lease(struct engine *engine, int per_call, int debug)
{
    cleanup_free char *scratch = subfolder(engine->run.folder, "scratch");
    cleanup_json json_t *open =
        json_make("{s:s, s:s}", "run_folder", engine->run.folder, "scratch_folder", scratch);
    const struct lease_settings settings = {
        .open = open,
        .provider = json_text(engine->record, "provider"),
        .site = json_text(engine->record, "site"),
        .per_call = per_call,
        .debug = debug,
    };
    engine->run.lease = lease_new(&settings);
}

static int start_client(struct engine *engine, const struct worker_order *order,
                        struct error *reterr)
{
    if (make_subfolders(engine->run.folder, reterr) != 0)
        return -1;
    cleanup_json json_t *open = open_body(engine, order->record_folder, order->replay_folder);
    const struct client_settings settings = {
        .plugin_path = order->plugin_path,
        .plugin_name = engine->run.info->name,
        .open = open,
        .per_call = text_equal(getenv("SALVOR_WORKER"), "per-call"),
        .debug = getenv("SALVOR_DEBUG") != NULL,
        .limits = order->limits,
    };
    engine->run.client = client_new(&settings);
    engine->run.lock = json_object_get(engine->record, "lock");
    if (engine->has_effect)
        start_lease(engine, settings.per_call, settings.debug);
    engine->run.desk = secrets_new(engine->run.secrets, engine->run.folder);
    return secrets_ask_person(engine->run.desk, reterr);
}

/* ---- a new run --------------------------------------------------------------------------- */

/* Looking must work even where nothing can be written: the journal is in memory then. */
static int begin_in_memory(struct engine *engine, struct error *why, struct error *reterr)
{
    const char *base = getenv("TMPDIR");
    engine->temporary = text_format("%s/salvor-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(engine->temporary) == NULL) {
        free(take_pointer(engine->temporary));
        return error_move(reterr, why);
    }
    engine->run.id = "unrecorded";
    engine->run.folder = engine->temporary;
    run_log(&engine->run, SALVOR_LOG_WARNING, "this is not recorded: %s", why->message);
    return journal_create(NULL, &engine->run.journal, reterr);
}

static int begin_on_disk(struct engine *engine, const struct engine_request *request,
                         struct error *reterr)
{
    if (run_folder_create(request->state_folder, request->command, &engine->folder, reterr) != 0)
        return -1;
    engine->run.id = engine->folder->id;
    engine->run.folder = engine->folder->path;
    cleanup_free char *path = run_folder_journal(engine->folder);
    return journal_create(path, &engine->run.journal, reterr);
}

static int begin_record(struct engine *engine, const struct engine_request *request,
                        struct error *reterr)
{
    cleanup_error struct error why = ERROR_INIT;
    if (begin_on_disk(engine, request, &why) == 0)
        return 0;
    int looks_only = request->kind == 0 || request->dry_run;
    if (!looks_only || why.code == EXIT_USAGE)
        return error_move(reterr, &why);
    return begin_in_memory(engine, &why, reterr);
}

static int take_lock(struct engine *engine, const char *state_folder, struct error *reterr)
{
    const json_t *record = engine->record;
    if (!engine->has_effect)
        return 0;
    return site_lock_take(state_folder, json_text(record, "provider"), json_text(record, "site"),
                          engine->run.id, &engine->lock, reterr);
}

static struct engine *engine_new(const struct engine_ui *ui)
{
    struct engine *engine = memory_new(1, sizeof *engine);
    engine->run.ui = *ui;
    engine->run.id = "";
    engine->run.state = run_state_new();
    return engine;
}

static int begin(struct engine *engine, const struct engine_request *request, struct error *reterr)
{
    struct run *run = &engine->run;
    run->info = request->plugin->info;
    run->build_id = request->plugin->build_id;
    run->secrets = request->site->secrets;
    engine->kind = request->kind;
    engine->has_effect = request->kind != 0 && !request->dry_run;
    if (request_check(request, reterr) != 0 || drill_check_request(request, reterr) != 0 ||
        begin_record(engine, request, reterr) != 0)
        return -1;
    kill_point("-", "run-created");
    engine->record = run_record_make(request, run->id);
    if (request->source != NULL)
        run->source = json_object_get(engine->record, "source");
    if (take_lock(engine, request->state_folder, reterr) != 0 ||
        own_set_begin(&engine->run, engine->record, &engine->set, reterr) != 0)
        return -1;
    if (run_record(run, "run", json_clone(engine->record), JOURNAL_DURABLE, reterr) != 0)
        return -1;
    kill_point("-", "run-recorded");
    if (engine->set != NULL)
        own_set_look(run, engine->record);
    const struct worker_order order = {request->plugin->path, request->record_folder,
                                       request->replay_folder, request->limits};
    return start_client(engine, &order, reterr);
}

int engine_begin(const struct engine_request *request, struct engine **ret_engine,
                 struct error *reterr)
{
    struct engine *engine = engine_new(&request->ui);
    if (begin(engine, request, reterr) != 0) {
        /* refused before it was one: nothing that could be resumed or reported is left */
        if (engine->folder != NULL && engine->run.state->run == NULL)
            (void)file_remove_tree(engine->folder->path, NULL);
        engine_free(engine);
        return -1;
    }
    *ret_engine = engine;
    return 0;
}

/* ---- an old one -------------------------------------------------------------------------- */

static int fold(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    (void)sequence;
    return run_state_apply(data, body, reterr);
}

static int check_resumable(const struct engine *engine, struct error *reterr)
{
    const struct run_state *state = engine->run.state;
    const char *id = engine->run.id;
    if (state->run == NULL) {
        (void)error_set(reterr, EXIT_FAILED, "run '%s' has no first record", id);
        return error_hint(reterr, "it was killed before it did anything; start again");
    }
    if (state->closed) /* one that is done but was killed before it was closed is closed now */
        return error_set(reterr, EXIT_USAGE, "run '%s' is finished; there is nothing to resume",
                         id);
    if (json_whole(state->run, "kind", 0) == 0 || json_flag(state->run, "dry_run")) {
        (void)error_set(reterr, EXIT_USAGE, "run '%s' only looked; there is nothing to resume", id);
        return error_hint(reterr, "run 'salvor %s' again", json_text(state->run, "command"));
    }
    return 0;
}

static int check_site(const struct engine *engine, const char *site, struct error *reterr)
{
    const char *of_run = json_text(engine->run.state->run, "site");
    if (site == NULL || text_equal(site, of_run))
        return 0;
    return error_set(reterr, EXIT_USAGE, "run '%s' is of site '%s', not '%s'", engine->run.id,
                     of_run, site);
}

/* One set is sealed in one way, to its end: only a run that named none yet may be given one. */
static int check_sealing(const struct engine *engine, const json_t *sealing, struct error *reterr)
{
    const json_t *then = json_object_get(engine->run.state->run, "seal");
    if (sealing == NULL)
        return 0;
    if (json_whole(engine->run.state->run, "kind", 0) != SALVOR_PROCEDURE_BACKUP)
        return error_set(reterr, EXIT_USAGE, "run '%s' is no backup: nothing of it is encrypted",
                         engine->run.id);
    if (json_array_size(json_object_get(then, "recipients")) == 0 &&
        !json_flag(then, "without_secrets"))
        return 0;
    (void)error_set(reterr, EXIT_USAGE, "backup '%s' began %s", engine->run.id,
                    json_flag(then, "without_secrets") ? "with --without-secrets"
                                                       : "with other recipients");
    return error_hint(reterr, "go on without the flag, or begin a new backup");
}

static int check_plugin(const struct engine *engine, int accept, struct error *reterr)
{
    const json_t *then = json_object_get(engine->record, "plugin");
    const struct plugin_file *now = engine->plugin;
    char sha256[DIGEST_TEXT_SIZE];
    if (accept)
        return 0;
    if (plugin_file_digest(now, sha256, reterr) != 0)
        return -1;
    const struct plugin_identity of_journal = {
        json_text(engine->record, "provider"), json_text(then, "version"),
        json_text(then, "build_id"), json_text(then, "sha256")};
    const struct plugin_identity installed = {now->info->name, now->info->version, now->build_id,
                                              sha256};
    return negotiate_resume(&of_journal, &installed, reterr);
}

static int reopen_source(struct engine *engine, struct error *reterr)
{
    const json_t *then = json_object_get(engine->record, "source");
    if (!json_is_object(then))
        return 0;
    if (backup_source_find(json_text(engine->record, "store_folder"),
                           json_text(engine->record, "provider"), NULL, json_text(then, "path"),
                           &engine->source, reterr) != 0)
        return -1;
    if (!text_equal(engine->source->digest, json_text(then, "digest"))) {
        (void)error_set(reterr, EXIT_REFUSED, "backup '%s' is not the one that run '%s' began with",
                        json_text(then, "path"), engine->run.id);
        return error_hint(reterr, "put the backup of then back in its place");
    }
    engine->run.source = then;
    return 0;
}

static int record_settlements(struct engine *engine, const json_t *settlements,
                              struct error *reterr)
{
    struct run *run = &engine->run;
    size_t index = 0;
    const json_t *settlement = NULL;
    json_array_foreach (settlements, index, settlement) {
        const char *name = json_text(settlement, "step");
        const struct step_state *step = run_state_step(run->state, name);
        if (step == NULL || (step->phase != STEP_UNKNOWN && !step->seen_unknown)) {
            (void)error_set(reterr, EXIT_USAGE,
                            "run '%s' has no step '%s' whose outcome is unknown", run->id, name);
            return error_hint(reterr, "'salvor report %s' shows where it stands", run->id);
        }
        json_t *record = json_clone(settlement);
        json_put_text(record, "who", run_who(run));
        if (run_record(run, "settle", record, JOURNAL_DURABLE, reterr) != 0)
            return -1;
    }
    return 0;
}

static int reopen(struct engine *engine, const struct engine_resume *resume, struct error *reterr)
{
    struct run *run = &engine->run;
    if (run_folder_open(resume->state_folder, resume->run, &engine->folder, reterr) != 0)
        return -1;
    run->id = engine->folder->id;
    run->folder = engine->folder->path;
    cleanup_free char *path = run_folder_journal(engine->folder);
    if (journal_open(path, &run->journal, reterr) != 0 ||
        journal_each(run->journal, fold, run->state, reterr) != 0 ||
        check_resumable(engine, reterr) != 0 || check_site(engine, resume->site, reterr) != 0 ||
        check_sealing(engine, resume->sealing, reterr) != 0 ||
        drill_check_resume(run->state->run, resume->practice_sites, reterr) != 0)
        return -1;
    engine->record = json_incref(run->state->run);
    engine->kind = (uint32_t)json_whole(engine->record, "kind", 0);
    engine->has_effect = 1;
    run->secrets = json_object_get(engine->record, "secrets");
    if (plugin_find(json_text(engine->record, "provider"), resume->plugin_folders, &engine->plugin,
                    reterr) != 0 ||
        check_plugin(engine, resume->accept_plugin_change, reterr) != 0 ||
        procedure_check_manual(engine->plugin->info, resume->manual, reterr) != 0)
        return -1;
    run->info = engine->plugin->info;
    run->build_id = engine->plugin->build_id;
    if (reopen_source(engine, reterr) != 0 ||
        take_lock(engine, resume->state_folder, reterr) != 0 ||
        own_set_begin(&engine->run, engine->record, &engine->set, reterr) != 0)
        return -1;
    if (run_record(run, "resume",
                   json_make("{s:I, s:s, s:b, s:O?, s:O?}", "pid", (json_int_t)getpid(), "who",
                             run_who(run), "accept_plugin_change", resume->accept_plugin_change,
                             "manual", resume->manual, "seal", resume->sealing),
                   JOURNAL_DURABLE, reterr) != 0 ||
        record_settlements(engine, resume->settlements, reterr) != 0)
        return -1;
    const struct worker_order order = {engine->plugin->path, resume->record_folder,
                                       resume->replay_folder, resume->limits};
    return start_client(engine, &order, reterr);
}

int engine_reopen(const struct engine_resume *resume, struct engine **ret_engine,
                  struct error *reterr)
{
    struct engine *engine = engine_new(&resume->ui);
    if (reopen(engine, resume, reterr) != 0) {
        engine_free(engine);
        return -1;
    }
    *ret_engine = engine;
    return 0;
}

/* ---- the work ---------------------------------------------------------------------------- */

static json_t *asked_procedure(const struct engine *engine)
{
    return json_object_get(engine->record, "procedure");
}

static struct stage_order order_of(const struct engine *engine,
                                   const struct engine_consent *consent, json_t *policy,
                                   const char *policy_sha256)
{
    return (struct stage_order){
        .kind = engine->kind,
        .asked_for = json_string_value(asked_procedure(engine)),
        .waivers = json_object_get(engine->record, "waivers"),
        .manual = engine->run.state->manual,
        .approval = {consent->approvals, policy, policy_sha256, consent->yes},
        .patience = consent->patience,
    };
}

int engine_discover(struct engine *engine, struct error *reterr)
{
    return procedure_discover(&engine->run, reterr);
}

int engine_validate(struct engine *engine, struct error *reterr)
{
    if (procedure_validate(&engine->run, reterr) != 0)
        return -1;
    return procedure_check_blockers(&engine->run, json_object_get(engine->record, "waivers"),
                                    reterr);
}

int engine_plan(struct engine *engine, const struct engine_consent *consent, struct error *reterr)
{
    const struct stage_order order = order_of(engine, consent, NULL, NULL);
    return procedure_plan(&engine->run, &order, reterr);
}

int engine_rehearse(struct engine *engine, const struct engine_consent *consent,
                    struct error *reterr)
{
    const struct stage_order order = order_of(engine, consent, NULL, NULL);
    if (procedure_plan(&engine->run, &order, reterr) != 0)
        return -1;
    json_decref(engine->rehearsal);
    engine->rehearsal = NULL;
    return drill_rehearse(&engine->run, &order, json_flag(engine->record, "post_resync"),
                          &engine->rehearsal, reterr);
}

int engine_run(struct engine *engine, const struct engine_consent *consent, struct error *reterr)
{
    cleanup_json json_t *policy = NULL;
    char sha256[DIGEST_TEXT_SIZE] = "";
    if (consent->policy_file != NULL &&
        policy_load(consent->policy_file, &policy, sha256, reterr) != 0)
        return -1;
    const struct stage_order order = order_of(engine, consent, policy, sha256);
    int post_resync = json_flag(engine->record, "post_resync");
    if (json_flag(engine->record, "dry_run"))
        return error_set(reterr, EXIT_FAILED, "run '%s' only plans", engine->run.id);
    if (procedure_run(&engine->run, &order, post_resync, reterr) != 0)
        return -1;
    if (json_is_object(json_object_get(engine->record, "drill")) &&
        drill_ran(&engine->run, reterr) != 0)
        return -1;
    return own_set_finish(&engine->run, engine->record, &engine->set, &engine->backup, reterr);
}

/* ---- the end ----------------------------------------------------------------------------- */

static const char *end_status(enum exit_code code)
{
    switch (code) {
    case EXIT_DONE:
        return "done";
    case EXIT_BLOCKED:
        return "blocked";
    case EXIT_WAITS:
        return "waits";
    case EXIT_REFUSED:
        return "refused";
    case EXIT_OUTCOME_UNKNOWN:
        return "unknown";
    case EXIT_INTERRUPTED:
        return "interrupted";
    default:
        return "failed";
    }
}

/* The run is over for good: what only its steps needed goes away. */
static void close_run(struct engine *engine)
{
    struct run *run = &engine->run;
    cleanup_free char *scratch = subfolder(run->folder, "scratch");
    cleanup_error struct error err = ERROR_INIT;
    if (secrets_destroy_sealed(run->folder, &err) != 0 || file_remove_tree(scratch, &err) != 0)
        run_log(run, SALVOR_LOG_WARNING, "%s", err.message);
    (void)run_record(run, "close", NULL, JOURNAL_DURABLE, NULL);
}

enum exit_code engine_end(struct engine *engine, const struct error *err)
{
    struct run *run = &engine->run;
    int failed = err != NULL && error_is_set(err);
    enum exit_code code = failed ? err->code : EXIT_DONE;
    cleanup_error struct error lost = ERROR_INIT;
    if (code == EXIT_INTERRUPTED || interrupt_timed_out())
        (void)run_record(run, "interrupt", json_make("{s:i}", "signal", interrupt_signal()),
                         JOURNAL_EVIDENCE, NULL);
    (void)lease_record(run, NULL);
    json_t *record = json_make("{s:s, s:i}", "status", end_status(code), "exit_code", (int)code);
    if (failed)
        json_put(record, "error",
                 json_make("{s:s, s:s?, s:s?}", "message", err->message, "detail", err->detail,
                           "hint", err->hint));
    if (run_record(run, "end", record, JOURNAL_DURABLE, &lost) != 0) {
        run_log(run, SALVOR_LOG_WARNING, "the end of run '%s' is not recorded: %s", run->id,
                lost.message);
        lease_release(run, NULL);
        return failed ? code : EXIT_FAILED;
    }
    kill_point("-", "end-committed");
    if (code == EXIT_DONE && engine->has_effect)
        close_run(engine);
    char head[DIGEST_TEXT_SIZE];
    journal_head(run->journal, head);
    if (engine->has_effect)
        run_log(run, SALVOR_LOG_INFO, "journal head of run '%s': %s", run->id, head);
    lease_release(run, head);
    return code;
}

const char *engine_run_id(const struct engine *engine)
{
    return engine->run.id;
}

const struct run_state *engine_state(const struct engine *engine)
{
    return engine->run.state;
}

const struct plugin_info *engine_plugin(const struct engine *engine)
{
    return engine->run.info;
}

const json_t *engine_backup(const struct engine *engine)
{
    return engine->backup;
}

const json_t *engine_rehearsal(const struct engine *engine)
{
    return engine->rehearsal;
}

struct object_visit {
    const char *step;
    void (*visit)(void *data, const char *name);
    void *data;
    json_t *names; /* of the newest plan only: an older one of the same stage was planned anew */
};

static int collect_objects(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    struct object_visit *visit = data;
    (void)sequence;
    (void)reterr;
    const char *type = json_text(body, "type");
    if (text_equal(type, "phase") || text_equal(type, "plan"))
        return 0;
    if (text_equal(type, "objects") && text_equal(json_text(body, "step"), visit->step))
        (void)json_array_extend(visit->names, json_object_get(body, "names"));
    return 0;
}

int engine_each_object(struct engine *engine, const char *step,
                       void (*visit)(void *data, const char *name), void *data,
                       struct error *reterr)
{
    cleanup_json json_t *names = json_array();
    struct object_visit walk = {step, visit, data, names};
    if (journal_each(engine->run.journal, collect_objects, &walk, reterr) != 0)
        return -1;
    /* The newest plan's objects are the last ones, as many as the plan counts. */
    const struct step_state *planned = run_state_step(engine->run.state, step);
    const json_t *objects = planned != NULL ? json_object_get(planned->planned, "objects") : NULL;
    size_t count = (size_t)json_whole(objects, "count", 0);
    size_t all = json_array_size(names);
    for (size_t i = all > count ? all - count : 0; i < all; i++)
        visit(data, json_string_value(json_array_get(names, i)));
    return 0;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    run_finish(&engine->run);
    backup_set_close(engine->set);
    site_lock_release(engine->lock);
    if (engine->temporary != NULL)
        (void)file_remove_tree(engine->temporary, NULL);
    run_folder_close(engine->folder);
    plugin_file_free(engine->plugin);
    backup_source_free(engine->source);
    json_decref(engine->record);
    json_decref(engine->backup);
    json_decref(engine->rehearsal);
    free(engine->temporary);
    free(engine);
}
