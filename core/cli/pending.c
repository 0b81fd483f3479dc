/* Stand-ins until the rooms that own these functions are there; weak, so that the real ones win. */
#include <stdlib.h>

#include "plugin/plugin-find.h"

#include "base/banned.h"

__attribute__((weak)) int plugin_find(const char *name, const char *const *folders,
                                      struct plugin_file **ret_file, struct error *reterr)
{
    (void)folders;
    (void)ret_file;
    return error_set(reterr, EXIT_USAGE, "there is no plugin for provider '%s'", name);
}

__attribute__((weak)) void plugin_file_free(struct plugin_file *file)
{
    if (file == NULL)
        return;
    plugin_info_free(file->info);
    free(file->path);
    free(file->build_id);
    free(file);
}
