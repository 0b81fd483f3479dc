#include "plugin/loader.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/builtin-plugins.h"
#include "plugin/describe.h"
#include "plugin/descriptor-compare.h"
#include "plugin/elf-note.h"
#include "plugin/host-abi.h"
#include "plugin/module.h"
#include "plugin/trust.h"

struct loaded {
    struct loaded_plugin public;
    const struct module *module; /* NULL: bundled */
    struct loaded *next;
};

static struct loaded *loaded_plugins;

/* 1: `*ret_plugin` is it; 0: none of that name is here; -1: the name is taken. */
static int look_up(const struct loader_request *request, const struct loaded_plugin **ret_plugin,
                   struct error *reterr)
{
    for (const struct loaded *at = loaded_plugins; at != NULL; at = at->next) {
        if (!text_equal(at->public.name, request->name))
            continue;
        int same = at->module == NULL
                       ? request->path == NULL
                       : request->path != NULL && module_is(at->module, request->path);
        if (!same)
            return error_set(reterr, EXIT_USAGE, "plugin '%s' already loaded from '%s'",
                             request->name,
                             at->public.path != NULL ? at->public.path : "the program itself");
        *ret_plugin = &at->public;
        return 1;
    }
    return 0;
}

/* ---- before any of its code runs ------------------------------------------------------------- */

static int read_note(const struct loader_request *request, struct plugin_note *ret_note,
                     struct error *reterr)
{
    if (request->path[0] != '/')
        return error_set(reterr, EXIT_USAGE, "cannot load plugin '%s': path '%s' is not absolute",
                         request->name, request->path);
    if (!request->inspect && trust_check(request->name, request->path, reterr) != 0)
        return -1;
    cleanup_elf struct elf_file file = ELF_FILE_INIT;
    if (elf_open(request->path, &file, reterr) != 0)
        return -1;
    /* The parent has refused a file without a note; here only a note that lies matters. */
    return note_look(&file, ret_note, reterr);
}

/* ---- its entry ------------------------------------------------------------------------------- */

static int load_fault(const struct loader_request *request, const char *fault, struct error *reterr)
{
    error_set(reterr, EXIT_USAGE, "cannot load plugin '%s': %s", request->name, fault);
    if (strstr(fault, "cannot open shared object file") != NULL)
        return error_hint(reterr, "a library that it needs is missing: 'ldd %s' names it",
                          request->path);
    return error_hint(reterr, "it was built for other libraries than this machine has: rebuild it "
                              "here, or install its package for this system");
}

/* The host's entry symbol, or that of another major, which only makes the refusal clearer. */
static int find_entry(const struct module *module, salvor_plugin_entry *ret_entry)
{
    module_function function = module_find(module, SALVOR_ENTRY_SYMBOL);
    memcpy(ret_entry, &function, sizeof function);
    if (function != NULL)
        return 1;
    for (int major = 9; major >= 0; major--) {
        cleanup_free char *symbol = text_format("salvor_plugin_v%d", major);
        if (module_find(module, symbol) != NULL)
            return major;
    }
    return -1;
}

static const struct builtin_plugin *find_builtin(const char *name)
{
    for (const struct builtin_plugin *plugin = salvor_builtin_plugins; plugin->name != NULL;
         plugin++) {
        if (text_equal(plugin->name, name))
            return plugin;
    }
    return NULL;
}

/* `facts->entry_major` says what was found; *ret_entry is valid when it is the host's own. */
static int open_plugin(const struct loader_request *request, struct negotiate_plugin *facts,
                       const struct module **ret_module, salvor_plugin_entry *ret_entry,
                       struct error *reterr)
{
    if (request->path == NULL) {
        const struct builtin_plugin *builtin = find_builtin(request->name);
        if (builtin == NULL)
            return error_set(reterr, EXIT_USAGE, "plugin '%s' is not part of this program",
                             request->name);
        facts->entry_major = 1;
        *ret_entry = builtin->entry;
        return 0;
    }
    cleanup_free char *fault = NULL;
    const struct module *module = module_open(request->path, &fault);
    if (module == NULL)
        return load_fault(request, fault, reterr);
    facts->entry_major = find_entry(module, ret_entry);
    *ret_module = module;
    return 0;
}

/* ---- its descriptor ---------------------------------------------------------------------------
 */

static int compare_note(const struct loader_request *request, const struct plugin_note *note,
                        const json_t *descriptor, struct error *reterr)
{
    cleanup_json json_t *noted = json_loadb(note->text, note->size, JSON_REJECT_DUPLICATES, NULL);
    cleanup_free char *place =
        noted != NULL ? descriptor_difference(noted, descriptor) : text_copy("the whole");
    if (place == NULL)
        return 0;
    error_set(reterr, EXIT_USAGE, "note of plugin '%s' differs from its descriptor", request->name);
    error_detail(reterr, "at '%s'", place);
    return error_hint(reterr, "rebuild it, or write its note anew: 'salvor plugin note %s'",
                      request->path);
}

static int read_descriptor(const struct loader_request *request, salvor_plugin_entry entry,
                           struct negotiate_plugin *facts, struct description *ret_description,
                           char **ret_notice, struct error *reterr)
{
    const struct negotiate_host host = host_abi(request->interfaces, request->interface_count);
    enum negotiate_relation relation = NEGOTIATE_SAME;
    if (negotiate(&host, facts, &relation, reterr) != 0)
        return -1;
    const struct salvor_plugin *address = entry(request->host);
    if (address == NULL) {
        error_set(reterr, EXIT_USAGE, "plugin '%s' refused to start", request->name);
        return error_detail(reterr, "its entry function returned no descriptor");
    }
    if (describe_head(address, facts, reterr) != 0 ||
        negotiate(&host, facts, &relation, reterr) != 0 ||
        describe_plugin(address, facts, ret_description, reterr) != 0)
        return -1;
    /* A note may be written where the plugin's services are not there. */
    if (request->inspect)
        facts->need_count = 0;
    if (negotiate(&host, facts, &relation, reterr) != 0)
        return -1;
    *ret_notice = negotiate_notice(&host, facts, relation);
    return 0;
}

static const struct loaded_plugin *remember(const struct loader_request *request,
                                            const struct module *module,
                                            struct description *description,
                                            struct plugin_note *note, const char *notice)
{
    struct loaded *loaded = memory_new(1, sizeof *loaded);
    loaded->public = (struct loaded_plugin){
        .name = take_pointer(description->name),
        .path = request->path != NULL ? text_copy(request->path) : NULL,
        .build_id = note->build_id != NULL ? take_pointer(note->build_id) : text_copy(""),
        .notice = notice,
        .hooks = description->hooks,
        .descriptor = take_pointer(description->json)};
    loaded->module = module;
    loaded->next = loaded_plugins;
    loaded_plugins = loaded;
    return &loaded->public;
}

int loader_load(const struct loader_request *request, const struct loaded_plugin **ret_plugin,
                struct error *reterr)
{
    int known = look_up(request, ret_plugin, reterr);
    if (known != 0)
        return known > 0 ? 0 : -1;
    cleanup_note struct plugin_note note = {NULL, 0, NULL};
    if (request->path != NULL && read_note(request, &note, reterr) != 0)
        return -1;
    struct negotiate_plugin facts = {.requested = request->name,
                                     .path = request->path != NULL ? request->path : request->name};
    const struct module *module = NULL;
    salvor_plugin_entry entry = NULL;
    cleanup_description struct description description = {.json = NULL};
    cleanup_free char *notice = NULL;
    if (open_plugin(request, &facts, &module, &entry, reterr) != 0 ||
        read_descriptor(request, entry, &facts, &description, &notice, reterr) != 0)
        return -1;
    if (!request->inspect && note.text != NULL &&
        compare_note(request, &note, description.json, reterr) != 0)
        return -1;
    *ret_plugin = remember(request, module, &description, &note, take_pointer(notice));
    return 0;
}
