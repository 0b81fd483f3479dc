#include "cli/target.h"

#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/arguments-memory.h"
#include "config/config.h"
#include "config/lock-setting.h"
#include "config/path.h"

static void set_folders(struct arguments *arguments)
{
    struct arguments_memory *memory = arguments->memory;
    const struct config_value *state = config_default(memory->config, "state-dir");
    char *folder = NULL;
    if (memory->given_state_folder != NULL)
        folder = path_absolute(NULL, memory->given_state_folder);
    else if (state != NULL)
        folder = text_copy(state->text);
    else
        folder = path_default_state_folder();
    arguments->state_folder = arguments_keep(arguments, folder);

    struct text_list *folders = &memory->plugin_folders;
    for (size_t i = 0; i < folders->count; i++)
        folders->items[i] = arguments_keep(arguments, path_absolute(NULL, folders->items[i]));
    const char *const *more = config_plugin_folders(memory->config);
    for (; *more != NULL; more++)
        text_list_add(folders, *more);
    if (folders->count > 0)
        arguments->plugin_folders = folders->items;
}

/* Names joined by ", "; owned by the caller. */
static char *joined(const char *const *names)
{
    cleanup_buffer struct buffer text = BUFFER_INIT(65536);
    for (size_t i = 0; names[i] != NULL; i++)
        buffer_format(&text, "%s%s", i > 0 ? ", " : "", names[i]);
    return buffer_take(&text);
}

static int unknown_name(const struct config *config, const char *what, const char *name,
                        const char *const *names, struct error *reterr)
{
    const char *file = config_path(config);
    const char *nearest = text_nearest(name, names);
    if (file == NULL) {
        error_set(reterr, EXIT_USAGE, "there is no %s '%s': there is no configuration file", what,
                  name);
        return error_hint(reterr, "give --config FILE, or write /etc/salvor/salvor.yaml");
    }
    error_set(reterr, EXIT_USAGE, "there is no %s '%s' in '%s'", what, name, file);
    if (nearest != NULL)
        return error_hint(reterr, "did you mean '%s'?", nearest);
    cleanup_free char *list = joined(names);
    return *list != '\0' ? error_hint(reterr, "there are: %s", list) : -1;
}

/* Where sets of a store that is no folder are made before they go there. */
static char *staging_folder(const struct arguments *arguments, const char *store)
{
    return text_format("%s/staging/%s", arguments->state_folder, store);
}

static int set_store(struct arguments *arguments, struct error *reterr)
{
    struct arguments_memory *memory = arguments->memory;
    const struct config_value *fallback = config_default(memory->config, "store");
    const struct config_value *of_site =
        arguments->site != NULL ? config_site_store(memory->config, arguments->site) : NULL;
    const char *name = memory->given_store != NULL ? memory->given_store
                       : of_site != NULL           ? of_site->text
                       : fallback != NULL          ? fallback->text
                                                   : NULL;
    if (name == NULL) {
        cleanup_free char *path = text_format("%s/sets", arguments->state_folder);
        memory->store =
            json_make("{s:s, s:s, s:s}", "name", "local", "type", "folder", "path", path);
    } else {
        memory->store = config_store(memory->config, name);
    }
    if (memory->store == NULL)
        return unknown_name(memory->config, "store", name, config_stores(memory->config), reterr);
    const char *path = json_text(memory->store, "path");
    arguments->store = memory->store;
    arguments->store_folder =
        arguments_keep(arguments, path != NULL ? text_copy(path) : staging_folder(arguments, name));
    json_decref(arguments->keeping);
    arguments->keeping = config_keeping(memory->config, arguments->site, name);
    return 0;
}

static int use_site(struct arguments *arguments, const char *site, struct error *reterr)
{
    struct arguments_memory *memory = arguments->memory;
    if (!config_has_site(memory->config, site))
        return unknown_name(memory->config, "site", site, config_sites(memory->config), reterr);
    const char *provider = config_site_provider(memory->config, site)->text;
    if (memory->given_provider != NULL && !text_equal(memory->given_provider, provider)) {
        error_set(reterr, EXIT_USAGE, "site '%s' is of provider '%s', not '%s'", site, provider,
                  memory->given_provider);
        return error_hint(reterr, "leave --provider out");
    }
    arguments->site = site;
    arguments->provider = provider;
    return 0;
}

static int choose_site(struct arguments *arguments, struct error *reterr)
{
    struct arguments_memory *memory = arguments->memory;
    const struct config_value *usual = config_default(memory->config, "site");
    const char *const *sites = config_sites(memory->config);
    if (usual != NULL)
        return use_site(arguments, usual->text, reterr);
    if (sites[0] != NULL && sites[1] == NULL)
        return use_site(arguments, sites[0], reterr);
    if (sites[0] == NULL) {
        error_set(reterr, EXIT_USAGE, "'%s' needs a provider", arguments->command->name);
        return error_hint(reterr, "give --provider NAME; `salvor plugin list` lists them");
    }
    cleanup_free char *list = joined(sites);
    error_set(reterr, EXIT_USAGE, "'%s' needs a site: '%s' has several", arguments->command->name,
              config_path(memory->config));
    return error_hint(reterr, "give --site NAME, one of: %s", list);
}

/* --provider alone never takes options of a site in the file: half of one site and half of another
 * would be worse than an error. */
static int set_site(struct arguments *arguments, int needed, struct error *reterr)
{
    struct arguments_memory *memory = arguments->memory;
    if (memory->given_site != NULL)
        return use_site(arguments, memory->given_site, reterr);
    if (memory->given_provider != NULL) {
        arguments->provider = memory->given_provider;
        return 0;
    }
    return needed ? choose_site(arguments, reterr) : 0;
}

static int load_config(struct arguments *arguments, struct error *reterr)
{
    struct arguments_memory *memory = arguments->memory;
    if (config_load(memory->given_config, &memory->config, reterr) == 0)
        return 0;
    memory->config = config_empty();
    return -1;
}

int target_find(struct arguments *arguments, plugin_finder find, struct error *reterr)
{
    struct arguments_memory *memory = arguments->memory;
    enum command_need need = arguments->command->need;
    int for_help = arguments->show == SHOW_HELP || arguments->command->id == COMMAND_HELP;
    int named = memory->given_provider != NULL || memory->given_site != NULL;
    if (for_help)
        need = named ? NEED_PROVIDER : NEED_NOTHING;
    int result = 0;
    if (need == NEED_NOTHING)
        memory->config = config_empty();
    else
        result = load_config(arguments, reterr);
    arguments->config = memory->config;
    arguments->config_file = memory->given_config;
    set_folders(arguments);
    if (result != 0)
        return -1;
    if (arguments->timeout_ms == 0)
        arguments->timeout_ms = config_default_timeout_ms(memory->config);
    if (need == NEED_NOTHING)
        return 0;
    if (set_site(arguments, need == NEED_PROVIDER, reterr) != 0 ||
        set_store(arguments, reterr) != 0)
        return -1;
    if (need != NEED_PROVIDER)
        return 0;
    if (find(arguments->provider, arguments->plugin_folders, &memory->plugin, reterr) != 0)
        return -1;
    arguments->plugin = memory->plugin;
    return 0;
}

void target_prepare(struct arguments *arguments)
{
    if (arguments->config != NULL)
        return;
    (void)load_config(arguments, NULL);
    arguments->config = arguments->memory->config;
    set_folders(arguments);
}

int target_plugin(const struct arguments *arguments, const char *provider,
                  struct plugin_file **ret_plugin, struct error *reterr)
{
    return plugin_find(provider, arguments->plugin_folders, ret_plugin, reterr);
}
/* A site of the configuration for `provider`, or NULL. */
static const char *site_of_provider(const struct config *config, const char *provider)
{
    const char *const *sites = config_sites(config);
    for (size_t i = 0; sites[i] != NULL; i++)
        if (text_equal(config_site_provider(config, sites[i])->text, provider))
            return sites[i];
    return NULL;
}

int target_site(const struct arguments *arguments, const struct plugin_info *info, const char *site,
                uint32_t commands, struct site **ret_site, struct error *reterr)
{
    cleanup_json json_t *given = NULL;
    cleanup_json json_t *origins = NULL;
    cleanup_json json_t *lock = NULL;
    if (site != NULL && !config_has_site(arguments->config, site))
        return unknown_name(arguments->config, "site", site, config_sites(arguments->config),
                            reterr);
    if (site != NULL &&
        !text_equal(config_site_provider(arguments->config, site)->text, info->name))
        return error_set(reterr, EXIT_USAGE, "site '%s' is of provider '%s', not '%s'", site,
                         config_site_provider(arguments->config, site)->text, info->name);
    config_site_options(arguments->config, site, info, &given, &origins);
    json_object_update(given, arguments->options);
    json_object_update(origins, arguments->origins);
    cleanup_json json_t *members =
        site != NULL ? config_members(arguments->config, site, NULL) : NULL;
    if (lock_setting_take(members, given, &lock, reterr) != 0)
        return -1;
    if (site_from_options(site != NULL ? site : "default", info, given, origins, commands, ret_site,
                          reterr) == 0) {
        (*ret_site)->lock = take_pointer(lock);
        return 0;
    }
    const char *other = site == NULL ? site_of_provider(arguments->config, info->name) : NULL;
    if (other != NULL && site_lacks_options(info, given, commands)) {
        cleanup_free char *before = text_copy(reterr != NULL && reterr->hint ? reterr->hint : "");
        error_hint(reterr, "%s\n'%s' has site '%s' of this provider: --site %s", before,
                   config_path(arguments->config), other, other);
    }
    return -1;
}

const char **target_folders(const struct arguments *arguments, const struct config *config)
{
    size_t count = 0;
    const char **folders = memory_new(1, sizeof *folders);
    const char *const *const sources[] = {arguments->plugin_folders, config_plugin_folders(config)};
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; sources[s][i] != NULL; i++) {
            folders = memory_resize(folders, count + 2, sizeof *folders);
            folders[count++] = sources[s][i];
            folders[count] = NULL;
        }
    }
    return folders;
}
