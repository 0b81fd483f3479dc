#include "worker/plugin-open.h"

#include <dlfcn.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/describe.h"
#include "plugin/negotiate.h"
#include "plugin/plugin-info.h"
#include "worker/host-table.h"
#include "worker/interfaces.h"

static struct negotiate_host this_host(void)
{
    struct negotiate_host host = {
        .major = SALVOR_ABI_MAJOR,
        .minor = SALVOR_ABI_MINOR,
        .tag = SALVOR_ABI_TAG,
        .magic = SALVOR_ABI_MAGIC,
        .first_size = sizeof(struct salvor_plugin),
    };
    host.interfaces = interface_versions(&host.interface_count);
    return host;
}

/* Never closed: code of a plugin may be reached until the process ends. */
static void *load(const char *path, struct negotiate_plugin *plugin, struct error *reterr)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        (void)error_set(reterr, EXIT_USAGE, "cannot load plugin '%s': %s", plugin->requested,
                        dlerror()); // NOLINT(concurrency-mt-unsafe)
        return NULL;
    }
    void *symbol = dlsym(handle, SALVOR_ENTRY_SYMBOL);
    plugin->entry_major = symbol != NULL ? 1 : -1;
    return symbol;
}

int plugin_open(struct worker_session *session, const char *path, char **ret_build_id,
                struct error *reterr)
{
    static struct description description;
    static struct plugin_info *info;
    struct negotiate_host host = this_host();
    struct negotiate_plugin plugin = {.requested = json_text(session->open, "name"), .path = path};
    cleanup_error struct error err = ERROR_INIT;
    salvor_plugin_entry entry = NULL;
    void *symbol = load(path, &plugin, &err);
    if (error_is_set(&err))
        return error_move(reterr, &err);
    if (negotiate(&host, &plugin, NULL, reterr) != 0)
        return -1;
    memcpy(&entry, &symbol, sizeof entry);
    const void *address = entry(host_table());
    if (address == NULL)
        return error_set(reterr, EXIT_USAGE, "plugin '%s' refuses to run here", plugin.requested);
    if (describe_head(address, &plugin, reterr) != 0 ||
        negotiate(&host, &plugin, NULL, reterr) != 0 ||
        describe_plugin(address, &plugin, &description, reterr) != 0 ||
        negotiate(&host, &plugin, NULL, reterr) != 0 ||
        plugin_info_parse(description.json, &info, reterr) != 0)
        return -1;
    session->descriptor = description.json;
    session->plugin = info;
    session->hooks = &description.hooks;
    *ret_build_id = text_copy("");
    return 0;
}
