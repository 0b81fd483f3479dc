/*
 * The state machine of a restore. Facts 1.11, 7.11: INITIAL → RUNNING (11 steps) →
 * SUSPENDED_FOR_USER_ACTION → RUNNING → SUCCESS or FAILED; services restart on the way.
 */
#include "restore.h"

#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "backup.h"
#include "change.h"
#include "endpoint.h"
#include "errors.h"
#include "handlers.h"
#include "inventory.h"
#include "search-index.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum {
    STEP_VALIDATE = 2, /* build and passphrase */
    STEP_DATABASE = 4, /* services are down, everything is replaced */
    STEP_SERVICES = 5, /* they come back */
    STEP_OPERATOR = 6, /* instructions */
    STEP_RESTART = 9,  /* services restart once more */
    SETTLE_MS = 60000
};

static const char *const step_names[NSX_RESTORE_STEPS + 1] = {"",
                                                              "RESTORE_INITIATED",
                                                              "RESTORE_BACKUP_VALIDATED",
                                                              "RESTORE_BACKUP_COPIED",
                                                              "RESTORE_DATABASE",
                                                              "RESTORE_SERVICES_STARTED",
                                                              "RESTORE_USER_ACTIONS",
                                                              "RESTORE_NODES_CHECKED",
                                                              "RESTORE_SEARCH_REINDEXED",
                                                              "RESTORE_SERVICES_RESTARTED",
                                                              "RESTORE_CONTROL_PLANE_SYNCED",
                                                              "RESTORE_FINISHED"};

static void step_done(struct sim_nsx *sim, void *argument);
static void services_starting(struct sim_nsx *sim, void *argument);

static int is_value(const struct sim_nsx *sim, const char *value)
{
    return strcmp(sim->restore.value, value) == 0;
}

static void become(struct sim_nsx *sim, const char *value, const char *description)
{
    sim->restore.value = value;
    free(sim->restore.description);
    sim->restore.description = text_copy(description);
}

static void set_service(struct sim_nsx *sim, enum nsx_service service)
{
    sim->service = service;
    sim->must_reopen = 1;
    nsx_world_changed(sim);
    if (service != NSX_SERVICE_DOWN)
        return;
    nsx_forget_sessions(sim);
    nsx_adapters_disconnect(sim);
}

/* --- what a restore does ---------------------------------------------------------------------- */

static void roll_back(struct sim_nsx *sim, size_t index)
{
    const struct nsx_backup *backup = &sim->backups[index];
    nsx_intent_clear(&sim->intent);
    nsx_intent_copy(&sim->intent, &backup->intent);
    nsx_forget_principal_index(sim);
    nsx_world_changed(sim);
    nsx_forget_marked(sim);
    nsx_adapters_forget(sim);
    nsx_inventory_clear(sim);
    if (nsx_switch_is(sim, SW_RESTORE_INVENTORY, "from-backup"))
        nsx_inventory_load(sim, backup->inventory);
    free(sim->node_id);
    sim->node_id = text_copy(backup->node_id);
    json_array_clear(sim->alarms);
    sim->version_state++;
    /* The index still holds what was before. */
    nsx_search_break(sim);
    for (int i = 1; i < sim->manager_count; i++)
        sim->managers[i].is_off = 1;
    sim->must_reopen = 1;
}

static void succeed(struct sim_nsx *sim)
{
    become(sim, "SUCCESS", "Restore completed successfully");
    sim->restore.end_ms = nsx_now(sim);
    sim->control_stable_ms = sim->restore.end_ms + SETTLE_MS;
    set_service(sim, NSX_SERVICE_UP);
    if (nsx_switch_is(sim, SW_RESTORE_CERTIFICATE, "new-until-success"))
        nsx_certificate_back(sim);
}

void nsx_restore_at_once(struct sim_nsx *sim, size_t backup)
{
    nsx_restore_clear(sim);
    sim->restore.backup = backup;
    sim->restore.id = nsx_uuid(sim);
    sim->restore.start_ms = nsx_now(sim);
    sim->restore.step = NSX_RESTORE_STEPS;
    set_service(sim, NSX_SERVICE_DOWN);
    roll_back(sim, backup);
    succeed(sim);
}

void nsx_redeploy(struct sim_nsx *sim)
{
    nsx_restore_clear(sim);
    become(sim, "INITIAL", "");
    nsx_intent_clear(&sim->intent);
    nsx_forget_principal_index(sim);
    nsx_world_changed(sim);
    nsx_forget_marked(sim);
    nsx_adapters_forget(sim);
    nsx_inventory_clear(sim);
    nsx_forget_sessions(sim);
    nsx_search_refresh(sim);
    json_array_clear(sim->alarms);
    free(sim->node_id);
    sim->node_id = nsx_uuid(sim);
    json_object_clear(sim->backup_history);
    json_object_update_new(sim->backup_history,
                           json_make("{s:[], s:[], s:[]}", "cluster", "node", "inventory"));
    for (int i = 1; i < sim->manager_count; i++)
        sim->managers[i].is_off = 1;
    sim->service = NSX_SERVICE_UP;
    sim->must_reopen = 1;
    if (nsx_switch_is(sim, SW_RESTORE_CERTIFICATE, "new-until-success"))
        nsx_certificate_other(sim);
}

void nsx_restore_clear(struct sim_nsx *sim)
{
    nsx_timer_drop(&sim->clock, step_done, NULL);
    nsx_timer_drop(&sim->clock, services_starting, NULL);
    free(sim->restore.description);
    free(sim->restore.id);
    free(sim->restore.instruction_id);
    sim->restore = (struct nsx_restore){.value = "INITIAL", .fail_at = sim->restore.fail_at};
}

/* --- its steps -------------------------------------------------------------------------------- */

static void fail(struct sim_nsx *sim, const char *why)
{
    become(sim, "FAILED", why);
    if (sim->service == NSX_SERVICE_DOWN || sim->service == NSX_SERVICE_GATEWAY)
        set_service(sim, NSX_SERVICE_STARTING);
}

/* Why the step cannot succeed, NULL when it can; new. */
static char *step_failure(struct sim_nsx *sim)
{
    const struct nsx_backup *backup = &sim->backups[sim->restore.backup];
    if (sim->restore.fail_at == sim->restore.step) {
        sim->restore.fail_at = 0;
        return text_format("Step %s failed.", step_names[sim->restore.step]);
    }
    if (sim->restore.step != STEP_VALIDATE)
        return NULL;
    if (strcmp(backup->version, sim->version) != 0)
        return text_format("The backup was taken with product version %s, this appliance has %s.",
                           backup->version, sim->version);
    return strcmp(backup->passphrase, sim->restore.passphrase) == 0
               ? NULL
               : text_copy("The backup cannot be decrypted with the configured passphrase.");
}

static void ask_operator(struct sim_nsx *sim)
{
    free(sim->restore.instruction_id);
    sim->restore.instruction_id = nsx_uuid(sim);
    become(sim, "SUSPENDED_FOR_USER_ACTION", "Restore waits for an action of the user");
}

static void services_starting(struct sim_nsx *sim, void *argument)
{
    (void)argument;
    if (sim->service == NSX_SERVICE_GATEWAY || sim->service == NSX_SERVICE_DOWN)
        set_service(sim, NSX_SERVICE_STARTING);
}

static void start_step(struct sim_nsx *sim, int step)
{
    int64_t now = nsx_now(sim), length = sim->restore_step_ms;
    sim->restore.step = step;
    become(sim, "RUNNING", "Restore is running");
    if (step == STEP_DATABASE) {
        set_service(sim, NSX_SERVICE_DOWN);
        if (nsx_switch_is(sim, SW_RESTORE_CERTIFICATE, "new-until-success"))
            nsx_certificate_other(sim);
    } else if (step == STEP_SERVICES) {
        set_service(sim, NSX_SERVICE_GATEWAY);
        nsx_timer_set(&sim->clock, now + length / 2, services_starting, NULL);
    } else if (step == STEP_RESTART) {
        set_service(sim, NSX_SERVICE_DOWN);
        nsx_timer_set(&sim->clock, now + length / 2, services_starting, NULL);
    } else if (step == STEP_OPERATOR && sim->restore_instructions > 0) {
        sim->restore.instruction = 0;
        ask_operator(sim);
        return;
    }
    nsx_timer_set(&sim->clock, now + length, step_done, NULL);
}

static void step_done(struct sim_nsx *sim, void *argument)
{
    (void)argument;
    cleanup_free char *failure = step_failure(sim);
    if (failure != NULL) {
        sim->restore.is_suspending = 0;
        fail(sim, failure);
        return;
    }
    if (sim->restore.step == STEP_DATABASE)
        roll_back(sim, sim->restore.backup);
    if (sim->restore.step == NSX_RESTORE_STEPS) {
        succeed(sim);
    } else if (sim->restore.is_suspending) {
        sim->restore.is_suspending = 0;
        services_starting(sim, NULL);
        become(sim, "SUSPENDED_BY_USER", "Restore was suspended by the user");
    } else {
        start_step(sim, sim->restore.step + 1);
    }
}

/* --- status ----------------------------------------------------------------------------------- */

static json_t *endpoint(const char *action)
{
    return json_make("{s:s, s:o, s:s}", "action", "POST", "href",
                     json_sprintf("/cluster/restore?action=%s", action), "rel", "self");
}

static json_t *instruction(const struct sim_nsx *sim)
{
    static const char *const names[] = {"Confirm that the other manager nodes are powered off",
                                        "Re-add the compute managers",
                                        "Confirm the list of fabric nodes"};
    return json_make("{s:s, s:s, s:[s], s:[s,s]}", "id", sim->restore.instruction_id, "name",
                     names[sim->restore.instruction % 3], "actions",
                     "Follow the instruction, then advance the restore.", "fields", "id",
                     "display_name");
}

static const char *shown_value(const struct sim_nsx *sim)
{
    if (is_value(sim, "INITIAL") && nsx_switch_is(sim, SW_RESTORE_INITIAL, "NOT_STARTED"))
        return "NOT_STARTED";
    if (sim->restore.is_suspending && nsx_switch_is(sim, SW_RESTORE_SUSPENDING, "shown"))
        return "SUSPENDING";
    return sim->restore.value;
}

static json_t *time_or_null(int64_t ms)
{
    return ms == 0 ? json_null() : json_integer(ms);
}

json_t *nsx_restore_json(const struct sim_nsx *sim)
{
    const struct nsx_restore *restore = &sim->restore;
    const char *description = restore->description == NULL ? "" : restore->description;
    json_t *status =
        json_make("{s:{s:s, s:s}, s:i, s:[], s:[], s:[]}", "status", "value", shown_value(sim),
                  "description", description, "total_steps", NSX_RESTORE_STEPS, "endpoints",
                  "instructions", "not_allowed_actions");
    json_t *endpoints = json_object_get(status, "endpoints");
    if (is_value(sim, "INITIAL"))
        return status;
    int waits = is_value(sim, "SUSPENDED_FOR_USER_ACTION");
    if (is_value(sim, "RUNNING") && !restore->is_suspending)
        json_add(endpoints, endpoint("suspend"));
    if (is_value(sim, "SUSPENDED_BY_USER"))
        json_add(endpoints, endpoint("resume"));
    if (waits) {
        json_add(endpoints, endpoint("advance"));
        json_add(json_object_get(status, "instructions"), instruction(sim));
    }
    if (is_value(sim, "FAILED"))
        json_add(endpoints, endpoint("retry"));
    if (waits || is_value(sim, "SUSPENDED_BY_USER") || is_value(sim, "FAILED"))
        json_add(endpoints, endpoint("cancel"));
    if (!is_value(sim, "SUCCESS") && !is_value(sim, "ABORTED"))
        json_add(json_object_get(status, "not_allowed_actions"), json_string("VC_UPDATES"));
    json_put_text(status, "id", restore->id);
    json_put(status, "backup_timestamp", json_integer(sim->backups[restore->backup].timestamp_ms));
    json_put(status, "restore_start_time", time_or_null(restore->start_ms));
    json_put(status, "restore_end_time", time_or_null(restore->end_ms));
    json_put(status, "step",
             json_make("{s:i, s:s, s:s, s:{s:s, s:s}}", "step_number", restore->step, "value",
                       step_names[restore->step], "description", step_names[restore->step],
                       "status", "value", is_value(sim, "ABORTED") ? "FAILED" : restore->value,
                       "description", description));
    if (is_value(sim, "SUCCESS") && nsx_switch_is(sim, SW_RESYNC_FLAG, "present"))
        json_put_text(status, "antrea_resync_status",
                      nsx_now(sim) < sim->control_stable_ms ? "IN_PROGRESS" : "COMPLETED");
    return status;
}

/* --- the API ---------------------------------------------------------------------------------- */

void nsx_restore_status(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *component = nsx_query(request, "restore_component");
    if (component != NULL && strcmp(component, "LOCAL_MANAGER") != 0 &&
        strcmp(component, "GLOBAL_MANAGER") != 0)
        nsx_error(answer, 400, 255, "common-services", "restore_component is unknown.");
    else
        nsx_answer_json(answer, 200, nsx_restore_json(sim));
}

void nsx_restore_instructions(struct sim_nsx *sim, struct nsx_request *request,
                              struct nsx_answer *answer)
{
    const char *id = nsx_query(request, "instruction_id");
    if (!is_value(sim, "SUSPENDED_FOR_USER_ACTION") || !text_equal(id, sim->restore.instruction_id))
        nsx_error(answer, 400, 29151, "node-services", "There is no instruction with this id.");
    else
        nsx_answer_json(answer, 200, json_make("{s:[], s:i}", "results", "result_count", 0));
}

static void conflict(const struct sim_nsx *sim, const char *action, struct nsx_answer *answer)
{
    if (nsx_switch_is(sim, SW_RESTORE_CONFLICT_BODY, "status"))
        nsx_answer_json(answer, 409, nsx_restore_json(sim));
    else
        nsx_error(answer, 409, 29150, "node-services",
                  "The action %s is not possible while the restore is %s.", action,
                  sim->restore.value);
}

/* The passphrase counts as it is now; a plain retry goes on with the old one. */
static void read_passphrase(struct sim_nsx *sim)
{
    cleanup_free char *passphrase = nsx_backup_passphrase(sim);
    snprintf(sim->restore.passphrase, sizeof sim->restore.passphrase, "%s", passphrase);
}

static int address_fits(const struct sim_nsx *sim, const struct nsx_backup *backup)
{
    return strcmp(backup->address, sim->address) == 0 || strcmp(backup->address, sim->fqdn) == 0;
}

static void start(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const json_t *body = nsx_body(request, answer);
    if (body == NULL)
        return;
    const char *node_id = json_text(body, "node_id");
    int64_t timestamp = json_whole(body, "timestamp", -1);
    int index = node_id == NULL || timestamp <= 0 ? -1 : nsx_backup_find(sim, node_id, timestamp);
    cleanup_free char *passphrase = nsx_backup_passphrase(sim);
    if (index < 0) {
        nsx_error(answer, 400, 29152, "node-services",
                  "There is no backup of this node with this timestamp.");
        return;
    }
    if (!address_fits(sim, &sim->backups[index])) {
        nsx_error(answer, 400, 29153, "node-services",
                  "The backup belongs to %s, this appliance is %s.", sim->backups[index].address,
                  sim->address);
        return;
    }
    if (passphrase[0] == '\0') {
        nsx_error(answer, 400, 29102, "node-services", "There is no passphrase configured.");
        return;
    }
    for (int i = 1; i < sim->manager_count; i++)
        if (!sim->managers[i].is_off) {
            json_add(sim->violations,
                     json_sprintf("restore started while manager %d was running", i));
            break;
        }
    nsx_restore_clear(sim);
    sim->restore.backup = (size_t)index;
    sim->restore.id = nsx_uuid(sim);
    sim->restore.start_ms = nsx_now(sim);
    read_passphrase(sim);
    nsx_note_effect(sim, "start", "restore", sim->restore.id, NULL);
    start_step(sim, 1);
    nsx_answer_json(answer, 200, nsx_restore_json(sim));
}

static void advance(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const json_t *body = nsx_body(request, answer);
    if (body == NULL)
        return;
    const json_t *first = json_array_get(json_object_get(body, "data"), 0);
    if (!text_equal(json_text(first, "id"), sim->restore.instruction_id) ||
        !json_is_array(json_object_get(first, "resources"))) {
        nsx_error(answer, 400, 29151, "node-services", "There is no instruction with this id.");
        return;
    }
    nsx_note_effect(sim, "advance", "restore", sim->restore.id, NULL);
    if (++sim->restore.instruction < sim->restore_instructions)
        ask_operator(sim);
    else
        start_step(sim, STEP_OPERATOR + 1);
    nsx_answer_json(answer, 200, nsx_restore_json(sim));
}

static void retry(struct sim_nsx *sim, const char *action, struct nsx_answer *answer)
{
    if (!is_value(sim, "FAILED")) {
        conflict(sim, action, answer);
        return;
    }
    nsx_note_effect(sim, action, "restore", sim->restore.id, NULL);
    start_step(sim, sim->restore.step);
    nsx_answer_json(answer, 200, nsx_restore_json(sim));
}

void nsx_restore_retry_updated(struct sim_nsx *sim, struct nsx_request *request,
                               struct nsx_answer *answer)
{
    (void)request;
    read_passphrase(sim);
    retry(sim, "retry_with_updated_config", answer);
}

/* Whether the state allows it; 0 after answering 409. */
static int is_possible(const struct sim_nsx *sim, const char *action, struct nsx_answer *answer)
{
    int runs = is_value(sim, "RUNNING"), waits = is_value(sim, "SUSPENDED_FOR_USER_ACTION");
    int rests = is_value(sim, "SUSPENDED_BY_USER"), failed = is_value(sim, "FAILED");
    int possible = (strcmp(action, "start") == 0 && !runs && !waits && !rests) ||
                   (strcmp(action, "advance") == 0 && waits) ||
                   (strcmp(action, "suspend") == 0 && runs) ||
                   (strcmp(action, "resume") == 0 && rests) ||
                   (strcmp(action, "cancel") == 0 && (waits || rests || failed)) ||
                   (strcmp(action, "retry") == 0 && failed);
    if (!possible)
        conflict(sim, action, answer);
    return possible;
}

void nsx_restore_action(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    static const char *const known[] = {"start", "advance", "suspend", "resume", "cancel", "retry"};
    const char *action = nsx_query(request, "action");
    int is_known = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        is_known |= text_equal(action, known[i]);
    if (!is_known ||
        (strcmp(action, "resume") == 0 && nsx_switch_is(sim, SW_RESTORE_RESUME, "missing"))) {
        nsx_error(answer, 400, 255, "common-services", "Missing or unknown action.");
        return;
    }
    if (!is_possible(sim, action, answer))
        return;
    if (strcmp(action, "start") == 0) {
        start(sim, request, answer);
        return;
    }
    if (strcmp(action, "advance") == 0) {
        advance(sim, request, answer);
        return;
    }
    if (strcmp(action, "retry") == 0) {
        retry(sim, action, answer);
        return;
    }
    nsx_note_effect(sim, action, "restore", sim->restore.id, NULL);
    if (strcmp(action, "suspend") == 0) {
        sim->restore.is_suspending = 1;
    } else if (strcmp(action, "resume") == 0) {
        start_step(sim, sim->restore.step + 1);
    } else {
        become(sim, "ABORTED", "Restore was cancelled");
        set_service(sim, NSX_SERVICE_UP);
    }
    nsx_answer_json(answer, 200, nsx_restore_json(sim));
}
