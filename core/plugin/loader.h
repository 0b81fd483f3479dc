/*
 * Brings a plugin into this process: only the worker does. Whatever can be refused is refused
 * before a hook runs, each reason with its own error (exit code 2).
 */
#ifndef SALVOR_PLUGIN_LOADER_H
#define SALVOR_PLUGIN_LOADER_H

#include <jansson.h>
#include <salvor/plugin.h>

#include "base/error.h"
#include "plugin/negotiate.h"

struct loader_request {
    const char *path;               /* absolute, links resolved; NULL: bundled into the program */
    const char *name;               /* what was asked for */
    const struct salvor_host *host; /* given to the plugin's entry function */
    const struct interface_version *interfaces; /* what get_interface() will have */
    size_t interface_count;
    int inspect; /* for the plugin's author, who writes the note and wants all problems listed:
                    trust and needed services are not asked, the note is not compared */
};

/* Lives as long as the process; nothing in it leads into the plugin but the hooks. */
struct loaded_plugin {
    const char *name;
    const char *path;     /* NULL: bundled */
    const char *build_id; /* "" when there is none */
    const char *notice;   /* worth telling the operator (other ABI minor), or NULL */
    struct salvor_hooks hooks;
    const json_t *descriptor;
};

/* The rules of the descriptor are not checked here: plugin_info_parse() does.
 * Asking again for a plugin that is already here gives the same one; another file of the same name
 * is refused. */
int loader_load(const struct loader_request *request, const struct loaded_plugin **ret_plugin,
                struct error *reterr);

#endif
