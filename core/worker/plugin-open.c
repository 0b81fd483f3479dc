#include "worker/plugin-open.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/loader.h"
#include "plugin/plugin-info.h"
#include "worker/host-table.h"
#include "worker/interfaces.h"

int plugin_open(struct worker_session *session, const char *path, char **ret_build_id,
                struct error *reterr)
{
    struct loader_request request = {.path = path,
                                     .name = json_text(session->open, "name"),
                                     .host = host_table(),
                                     .inspect = json_flag(session->open, "inspect")};
    request.interfaces = interface_versions(&request.interface_count);
    const struct loaded_plugin *plugin = NULL;
    if (loader_load(&request, &plugin, reterr) != 0)
        return -1;
    if (plugin->notice != NULL)
        host_table()->log(NULL, SALVOR_LOG_WARNING, plugin->notice);
    session->descriptor = (json_t *)plugin->descriptor;
    /* An unfinished plugin is only described: it gets no hooks and need not keep the rules. */
    if (!request.inspect) {
        struct plugin_info *info = NULL;
        if (plugin_info_parse(session->descriptor, &info, reterr) != 0)
            return -1;
        session->plugin = info;
        session->hooks = &plugin->hooks;
    }
    *ret_build_id = text_copy(plugin->build_id);
    return 0;
}
