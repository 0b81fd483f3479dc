/* Facts 1.10, 7.12. */
#include "backup.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "errors.h"
#include "handlers.h"
#include "inventory.h"
#include "page.h"
#include "restore.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

#define CONFIG "backup"

enum { PASSPHRASE_LENGTH = 8, HISTORY = 100 };

static json_t *config_of(const struct sim_nsx *sim)
{
    json_t *config = nsx_table_tree(&sim->intent.tables[NSX_SETTINGS], CONFIG);
    return config != NULL
               ? config
               : json_make("{s:b, s:i}", "backup_enabled", 0, "inventory_summary_interval", 240);
}

/* --- configuration ---------------------------------------------------------------------------- */

/* Secrets are never given back. */
void nsx_backup_config_get(struct sim_nsx *sim, struct nsx_request *request,
                           struct nsx_answer *answer)
{
    json_t *config = config_of(sim);
    nsx_answer_json(answer, 200, nsx_shown(sim, request, config));
}

static int is_strong(const char *passphrase)
{
    int lower = 0, upper = 0, digit = 0, special = 0;
    for (const char *at = passphrase; *at != '\0'; at++) {
        lower |= islower((unsigned char)*at);
        upper |= isupper((unsigned char)*at);
        digit |= isdigit((unsigned char)*at);
        special |= ispunct((unsigned char)*at);
    }
    return strlen(passphrase) >= PASSPHRASE_LENGTH && lower && upper && digit && special;
}

static json_t *scheme_of(const json_t *config)
{
    const json_t *server = json_object_get(config, "remote_file_server");
    return json_object_get(json_object_get(server, "protocol"), "authentication_scheme");
}

void nsx_backup_config_put(struct sim_nsx *sim, struct nsx_request *request,
                           struct nsx_answer *answer)
{
    const json_t *body = nsx_body(request, answer);
    if (body == NULL)
        return;
    const char *passphrase = json_text(body, "passphrase");
    cleanup_json json_t *old = config_of(sim), *config = json_clone(body);
    if (passphrase != NULL && !is_strong(passphrase)) {
        nsx_error(answer, 400, 29105, "node-services",
                  "The passphrase needs 8 characters, with lower and upper case letters, digits "
                  "and special characters.");
        return;
    }
    /* Only digests stay here; what is left out keeps its old value. */
    char digest[DIGEST_TEXT_SIZE];
    if (passphrase != NULL) {
        digest_text_of(passphrase, strlen(passphrase), digest);
        json_put_text(config, "_sim_passphrase", digest);
    } else if (json_text(old, "_sim_passphrase") != NULL) {
        json_put_text(config, "_sim_passphrase", json_text(old, "_sim_passphrase"));
    }
    json_object_del(config, "passphrase");
    json_object_del(scheme_of(config), "password");
    nsx_put(sim, NSX_SETTINGS, CONFIG, config);
    nsx_backup_config_get(sim, request, answer);
}

char *nsx_backup_passphrase(const struct sim_nsx *sim)
{
    cleanup_json json_t *config = config_of(sim);
    const char *digest = json_text(config, "_sim_passphrase");
    return text_copy(digest == NULL ? "" : digest);
}

void nsx_backup_action(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    (void)sim;
    if (nsx_query_is(request, "action", "retrieve_ssh_fingerprint"))
        nsx_answer_json(answer, 200,
                        json_make("{s:s}", "ssh_fingerprint",
                                  "SHA256:c2ltdWxhdGVkLWZpbGUtc2VydmVyLWZpbmdlcnByaW50"));
    else
        nsx_error(answer, 400, 255, "common-services", "Missing or unknown action.");
}

/* --- taking a backup -------------------------------------------------------------------------- */

static void note(struct sim_nsx *sim, const char *kind, int64_t start_ms, const char *failure)
{
    json_t *list = json_object_get(sim->backup_history, kind);
    json_t *entry = json_make("{s:s, s:I, s:I, s:b}", "backup_id", sim->node_id, "start_time",
                              (json_int_t)start_ms, "end_time", (json_int_t)nsx_now(sim), "success",
                              failure == NULL);
    if (failure != NULL) {
        json_put_text(entry, "error_code", failure);
        json_put(entry, "error_message", json_sprintf("The backup failed: %s.", failure));
    }
    json_array_insert_new(list, 0, entry);
    if (json_array_size(list) > HISTORY)
        json_array_remove(list, HISTORY);
}

/* publish_fqdns decides under which address a backup stands. */
static const char *published_address(const struct sim_nsx *sim)
{
    cleanup_json json_t *management =
        nsx_table_tree(&sim->intent.tables[NSX_SETTINGS], "management");
    return json_flag(management, "publish_fqdns") ? sim->fqdn : sim->address;
}

static void add(struct sim_nsx *sim, int64_t start_ms)
{
    sim->backups = memory_resize(sim->backups, sim->backup_count + 1, sizeof *sim->backups);
    struct nsx_backup *backup = &sim->backups[sim->backup_count++];
    *backup = (struct nsx_backup){.timestamp_ms = start_ms,
                                  .node_id = text_copy(sim->node_id),
                                  .address = text_copy(published_address(sim)),
                                  .version = text_copy(sim->version),
                                  .inventory = nsx_inventory_dump(sim)};
    cleanup_free char *passphrase = nsx_backup_passphrase(sim);
    snprintf(backup->passphrase, sizeof backup->passphrase, "%s", passphrase);
    nsx_intent_copy(&backup->intent, &sim->intent);
}

int64_t nsx_backup_take(struct sim_nsx *sim)
{
    static const char *const kinds[] = {"cluster", "node", "inventory"};
    int64_t now = nsx_now(sim);
    add(sim, now);
    for (size_t i = 0; i < 3; i++)
        note(sim, kinds[i], now, NULL);
    return now;
}

static void finish(struct sim_nsx *sim, void *argument)
{
    int64_t start = json_whole(sim->backup_running, "start_time", 0);
    (void)argument;
    note(sim, "cluster", start, sim->backup_failure);
    note(sim, "node", start, sim->backup_failure);
    if (sim->backup_failure != NULL)
        nsx_backups_drop_last(sim);
    free(sim->backup_failure);
    sim->backup_failure = NULL;
    json_decref(sim->backup_running);
    sim->backup_running = NULL;
}

static void second_step(struct sim_nsx *sim, void *argument)
{
    json_put_text(sim->backup_running, "current_step", "BACKUP_CREATING_NODE_BACKUP");
    nsx_timer_set(&sim->clock, nsx_now(sim) + sim->backup_step_ms, finish, argument);
}

static void begin(struct sim_nsx *sim)
{
    int64_t now = nsx_now(sim);
    /* The state is that of the beginning. */
    add(sim, now);
    sim->backup_running =
        json_make("{s:s, s:s, s:s, s:I}", "operation_type", "BACKUP", "backup_id", sim->node_id,
                  "current_step", "BACKUP_CREATING_CLUSTER_BACKUP", "start_time", (json_int_t)now);
    nsx_timer_set(&sim->clock, now + sim->backup_step_ms, second_step, NULL);
}

void nsx_cluster_action(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    cleanup_json json_t *config = config_of(sim);
    int summary = nsx_query_is(request, "action", "summarize_inventory_to_remote");
    if (!summary && !nsx_query_is(request, "action", "backup_to_remote")) {
        nsx_error(answer, 400, 255, "common-services", "Missing or unknown action.");
    } else if (json_object_get(config, "remote_file_server") == NULL ||
               json_text(config, "_sim_passphrase") == NULL) {
        nsx_error(answer, 400, 29102, "node-services",
                  "There is no remote file server or no passphrase configured for backups.");
    } else if (sim->backup_running != NULL) {
        nsx_error(answer, 409, 29103, "node-services", "Another backup is running.");
    } else if (summary) {
        note(sim, "inventory", nsx_now(sim), NULL);
        nsx_answer_empty(answer, 200);
    } else {
        nsx_note_effect(sim, "start", "backup", "cluster", NULL);
        begin(sim);
        nsx_answer_empty(answer, 200);
    }
}

/* --- what was taken --------------------------------------------------------------------------- */

static json_t *status_of(const struct sim_nsx *sim)
{
    return sim->backup_running != NULL ? json_clone(sim->backup_running)
                                       : json_make("{s:s}", "operation_type", "NONE");
}

static json_t *history_of(const struct sim_nsx *sim)
{
    return json_make("{s:O, s:O, s:O}", "cluster_backup_statuses",
                     json_object_get(sim->backup_history, "cluster"), "node_backup_statuses",
                     json_object_get(sim->backup_history, "node"), "inventory_backup_statuses",
                     json_object_get(sim->backup_history, "inventory"));
}

static int is_finished(const struct sim_nsx *sim, const struct nsx_backup *backup)
{
    return sim->backup_running == NULL ||
           json_whole(sim->backup_running, "start_time", 0) != backup->timestamp_ms;
}

static json_t *timestamps_of(const struct sim_nsx *sim)
{
    json_t *list = json_array();
    for (size_t i = sim->backup_count; i > 0; i--) {
        const struct nsx_backup *backup = &sim->backups[i - 1];
        if (is_finished(sim, backup))
            json_add(list,
                     json_make("{s:s, s:s, s:I, s:[s]}", "node_id", backup->node_id, "ip_address",
                               backup->address, "timestamp", (json_int_t)backup->timestamp_ms,
                               "restore_type", "REGULAR_RESTORE"));
    }
    return list;
}

void nsx_backup_status(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    (void)request;
    nsx_answer_json(answer, 200, status_of(sim));
}

void nsx_backup_history(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    (void)request;
    nsx_answer_json(answer, 200, history_of(sim));
}

void nsx_backup_overview(struct sim_nsx *sim, struct nsx_request *request,
                         struct nsx_answer *answer)
{
    nsx_answer_json(answer, 200,
                    json_make("{s:o, s:o, s:o, s:o, s:o}", "backup_config",
                              nsx_shown(sim, request, config_of(sim)),
                              "current_backup_operation_status", status_of(sim),
                              "backup_operation_history", history_of(sim), "results",
                              timestamps_of(sim), "restore_status", nsx_restore_json(sim)));
}

/* The file server is reached with the configuration of this appliance. */
void nsx_backup_timestamps(struct sim_nsx *sim, struct nsx_request *request,
                           struct nsx_answer *answer)
{
    cleanup_json json_t *config = config_of(sim);
    if (json_object_get(config, "remote_file_server") == NULL)
        nsx_error(answer, 400, 29102, "node-services",
                  "There is no remote file server configured for backups.");
    else
        nsx_page(sim, request, timestamps_of(sim), answer);
}

int nsx_backup_find(const struct sim_nsx *sim, const char *node_id, int64_t timestamp_ms)
{
    for (size_t i = sim->backup_count; i > 0; i--) {
        const struct nsx_backup *backup = &sim->backups[i - 1];
        if ((node_id == NULL || strcmp(backup->node_id, node_id) == 0) &&
            (timestamp_ms == 0 || backup->timestamp_ms == timestamp_ms) && is_finished(sim, backup))
            return (int)(i - 1);
    }
    return -1;
}

void nsx_backups_drop_last(struct sim_nsx *sim)
{
    struct nsx_backup *backup = &sim->backups[--sim->backup_count];
    free(backup->node_id);
    free(backup->address);
    free(backup->version);
    nsx_intent_clear(&backup->intent);
    json_decref(backup->inventory);
}

void nsx_backups_clear(struct sim_nsx *sim)
{
    while (sim->backup_count > 0)
        nsx_backups_drop_last(sim);
    free(sim->backups);
    sim->backups = NULL;
}
