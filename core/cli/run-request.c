#include "cli/run-request.h"

#include <salvor/plugin.h>
#include <stdlib.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/source-finder.h"
#include "cli/target.h"
#include "config/config.h"
#include "seal/identity.h"

static json_t *texts(const char *const *list)
{
    json_t *array = json_array();
    for (; list != NULL && *list != NULL; list++)
        json_add(array, json_string(*list));
    return array;
}

static json_t *waivers_of(const struct arguments *arguments)
{
    json_t *array = json_array();
    for (const struct waiver *waiver = arguments->waivers;
         waiver != NULL && waiver->finding != NULL; waiver++)
        json_add(array,
                 json_make("{s:s, s:s}", "finding", waiver->finding, "reason", waiver->reason));
    return array;
}

void run_request_consent(const struct arguments *arguments, struct run_request *ret_request)
{
    ret_request->approvals = texts(arguments->approve);
    ret_request->consent = (struct engine_consent){
        .approvals = ret_request->approvals,
        .policy_file = arguments->policy_file,
        .yes = arguments->yes,
        .patience = arguments->wait == SWITCH_ON    ? PATIENCE_LOOK
                    : arguments->wait == SWITCH_OFF ? PATIENCE_NONE
                                                    : PATIENCE_ASK,
    };
}

struct client_limits run_request_limits(const struct arguments *arguments)
{
    return (struct client_limits){config_worker_memory(arguments->config),
                                  config_worker_cpu_ms(arguments->config)};
}

static int find_source(const struct arguments *arguments, struct run_request *request,
                       struct error *reterr)
{
    if (arguments->from == NULL)
        return 0;
    return source_find(arguments, arguments->from, &request->source, reterr);
}

/* OPEN's "seal": who can read what this run writes. */
static int set_sealing(const struct arguments *arguments, uint32_t kind,
                       struct run_request *request, struct error *reterr)
{
    json_t *recipients = json_object_get(arguments->keeping, "recipients");
    const int all = text_equal(json_text(arguments->keeping, "encrypt"), "all");
    const int for_run = kind != SALVOR_PROCEDURE_BACKUP;
    if (all && !for_run && json_array_size(recipients) == 0) {
        (void)error_set(reterr, EXIT_USAGE, "all is to be encrypted, but there is no recipient");
        return error_hint(reterr, "'salvor backups keygen FILE' makes a key; give its recipient "
                                  "with --recipient or as 'recipients' in salvor.yaml");
    }
    request->sealing = json_make("{s:O?, s:b, s:b, s:b}", "recipients", recipients, "all", all,
                                 "without_secrets", arguments->without_secrets, "for_run", for_run);
    return 0;
}

json_t *run_request_new_sealing(const struct arguments *arguments)
{
    if (arguments->recipients == NULL && !arguments->without_secrets)
        return NULL;
    return json_make("{s:O?, s:b, s:b, s:b}", "recipients", arguments->recipients, "all", 0,
                     "without_secrets", arguments->without_secrets, "for_run", 0);
}

/* Private keys are secrets of the run like those of the site's options. */
static void add_identity(const struct arguments *arguments, json_t *secrets)
{
    size_t index = 0;
    const json_t *reference = NULL;
    json_array_foreach (json_object_get(arguments->keeping, "identity"), index, reference) {
        cleanup_free char *name = identity_secret_name(index);
        json_put_text(secrets, name, json_string_value(reference));
    }
}

int run_request_make(const struct arguments *arguments, uint32_t kind, uint32_t commands,
                     const struct engine_ui *ui, struct run_request *ret_request,
                     struct error *reterr)
{
    struct run_request *request = ret_request;
    *request = (struct run_request){.site = NULL};
    run_request_consent(arguments, request);
    request->waivers = waivers_of(arguments);
    request->manual = texts(arguments->manual);
    const char *site = arguments->into != NULL ? arguments->into : arguments->site;
    if (target_site(arguments, arguments->plugin->info, site, commands, &request->site, reterr) !=
            0 ||
        set_sealing(arguments, kind, request, reterr) != 0 ||
        find_source(arguments, request, reterr) != 0)
        return -1;
    add_identity(arguments, request->site->secrets);
    request->drill =
        (struct engine_drill){arguments->site != NULL ? arguments->site : request->site->name,
                              config_site_is_practice(arguments->config, site)};
    request->engine = (struct engine_request){
        .command = arguments->command->name,
        .kind = kind,
        .asked_for = arguments->path,
        .path_reason = arguments->path_reason,
        .plugin = arguments->plugin,
        .site = request->site,
        .source = request->source,
        .sealing = request->sealing,
        .waivers = request->waivers,
        .manual = request->manual,
        .post_resync = !arguments->no_post_resync,
        .drill = arguments->command->id == COMMAND_DRILL ? &request->drill : NULL,
        .dry_run = arguments->dry_run,
        .state_folder = arguments->state_folder,
        .store_folder = arguments->store_folder,
        .store = arguments->store,
        .record_folder = arguments->record_folder,
        .replay_folder = arguments->replay_folder,
        .limits = run_request_limits(arguments),
        .ui = *ui,
    };
    return 0;
}

void run_request_clear(struct run_request *request)
{
    site_free(request->site);
    backup_source_free(request->source);
    json_decref(request->sealing);
    json_decref(request->waivers);
    json_decref(request->manual);
    json_decref(request->approvals);
    *request = (struct run_request){.site = NULL};
}
