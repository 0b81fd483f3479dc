#include "engine/run-record.h"

#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/json.h"
#include "engine/drill.h"

static json_t *source_record(const struct backup_source *source)
{
    if (source == NULL)
        return json_null();
    return json_make("{s:s, s:s, s:s, s:O}", "name", source->name, "digest", source->digest, "path",
                     source->path, "open", source->open);
}

/* A file that cannot be read has no digest: a resume then asks when there is no build id either. */
static json_t *plugin_record(const struct plugin_file *plugin)
{
    char sha256[DIGEST_TEXT_SIZE];
    int read = plugin_file_digest(plugin, sha256, NULL) == 0;
    return json_make("{s:s, s:s, s:s, s:s, s:s?}", "path", plugin->path, "version",
                     plugin->info->version, "build_id", plugin->build_id, "abi", plugin->info->abi,
                     "sha256", read ? sha256 : NULL);
}

json_t *run_record_make(const struct engine_request *request, const char *id)
{
    const struct plugin_file *plugin = request->plugin;
    cleanup_json json_t *source = source_record(request->source);
    return json_make(
        "{s:s, s:s, s:s, s:I, s:o, s:s, s:O, s:O, s:O, s:O?, s:s?, s:s?, s:o, s:o, "
        "s:o, s:O?, s:b, s:b, s:s, s:s, s:O?, s:s, s:I}",
        "run", id, "command", request->command, "provider", plugin->info->name, "kind",
        (json_int_t)request->kind, "plugin", plugin_record(plugin), "site", request->site->name,
        "options", request->site->options, "secrets", request->site->secrets, "source", source,
        "seal", request->sealing, "procedure", request->asked_for, "path_reason",
        request->path_reason, "waivers",
        request->waivers != NULL ? json_clone(request->waivers) : json_array(), "manual",
        request->manual != NULL ? json_clone(request->manual) : json_array(), "drill",
        drill_record(request->drill), "lock", request->site->lock, "post_resync",
        request->post_resync, "dry_run", request->dry_run, "state_folder", request->state_folder,
        "store_folder", request->store_folder, "store", request->store, "salvor", SALVOR_VERSION,
        "pid", (json_int_t)getpid());
}
