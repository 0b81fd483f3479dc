#include "cli/config-command.h"

#include <salvor/plugin.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/message.h"
#include "cli/table.h"
#include "cli/target.h"
#include "config/config-table.h"
#include "config/config.h"
#include "config/lock-setting.h"
#include "config/path.h"
#include "config/site.h"

static void free_config(struct config **config)
{
    config_free(*config);
}
#define cleanup_config __attribute__((cleanup(free_config)))

static void free_files(struct plugin_file ***files)
{
    plugin_files_free(*files);
}
#define cleanup_files __attribute__((cleanup(free_files)))

static const struct plugin_info *find_info(struct plugin_file *const *plugins, const char *name)
{
    for (; *plugins != NULL; plugins++)
        if ((*plugins)->info != NULL && text_equal((*plugins)->info->name, name))
            return (*plugins)->info;
    return NULL;
}

/* ---- check ----------------------------------------------------------------------------------- */

static void check_site(const struct config *config, const char *name, const char *const *folders,
                       struct problems *problems, struct problems *warnings)
{
    const struct config_value *provider = config_site_provider(config, name);
    cleanup_error struct error err = ERROR_INIT;
    struct plugin_file *plugin = NULL;
    if (plugin_find(provider->text, folders, &plugin, &err) != 0) {
        error_prefix(&err, "%s", provider->origin);
        problems_add_error(problems, &err);
        return;
    }
    cleanup_json json_t *given = NULL;
    cleanup_json json_t *origins = NULL;
    struct site *site = NULL;
    config_site_options(config, name, plugin->info, &given, &origins);
    int result = site_check(name, plugin->info, given, origins, 0, &site, problems);
    site_free(site);
    site = NULL;
    cleanup_json json_t *members = config_members(config, name, NULL);
    cleanup_json json_t *lock = NULL;
    if (lock_setting_take(members, NULL, &lock, &err) != 0) {
        error_prefix(&err, "site '%s'", name);
        problems_add_error(problems, &err);
    }
    /* what is missing may come from the command line */
    if (result == 0 && site_lacks_options(plugin->info, given, SALVOR_ON_ALL))
        (void)site_check(name, plugin->info, given, origins, SALVOR_ON_ALL, &site, warnings);
    site_free(site);
    plugin_file_free(plugin);
}

static json_t *problems_json(const struct problems *problems)
{
    json_t *list = json_array();
    for (size_t i = 0; i < problems->count; i++)
        json_add(list, json_make("{s:s, s:s?}", "message", problems->list[i].message, "hint",
                                 problems->list[i].hint));
    return list;
}

static void say(const struct problems *problems, void (*tell)(const struct error *err))
{
    for (size_t i = 0; i < problems->count; i++) {
        cleanup_error struct error err = ERROR_INIT;
        error_set(&err, EXIT_USAGE, "%s", problems->list[i].message);
        if (problems->list[i].hint != NULL)
            error_hint(&err, "%s", problems->list[i].hint);
        tell(&err);
    }
    if (problems->total > problems->count)
        message(MESSAGE_ERROR, "and %zu more", problems->total - problems->count);
}

static size_t count_of(const char *const *names)
{
    size_t count = 0;
    while (names[count] != NULL)
        count++;
    return count;
}

static int check(const struct arguments *arguments, struct error *reterr)
{
    cleanup_config struct config *config = NULL;
    cleanup_problems struct problems problems = PROBLEMS_INIT;
    cleanup_problems struct problems warnings = PROBLEMS_INIT;
    if (config_load_all(arguments->config_file, &config, &problems) == 0) {
        if (config_path(config) == NULL) {
            cleanup_free char *user = path_user_config();
            error_set(reterr, EXIT_USAGE, "there is no configuration file");
            return error_hint(reterr, "it is looked for at %s%s/etc/salvor/salvor.yaml",
                              user != NULL ? user : "", user != NULL ? " and " : "");
        }
        cleanup_free const char **folders = target_folders(arguments, config);
        const char *const *sites = config_sites(config);
        for (size_t i = 0; sites[i] != NULL; i++)
            check_site(config, sites[i], folders, &problems, &warnings);
    }
    const char *path = config != NULL ? config_path(config) : arguments->config_file;
    if (arguments->output != OUTPUT_TABLE) {
        cleanup_json json_t *result =
            json_make("{s:s?, s:o, s:o}", "file", path, "problems", problems_json(&problems),
                      "warnings", problems_json(&warnings));
        table_print_value(stdout, arguments->output, result);
    } else {
        say(&problems, message_error);
        say(&warnings, message_warn_error);
        if (problems.count == 0)
            (void)printf("%s: ok, sites: %zu, stores: %zu\n", path, count_of(config_sites(config)),
                         count_of(config_stores(config)));
    }
    return problems.total > 0 ? EXIT_USAGE : EXIT_DONE;
}

/* ---- show ------------------------------------------------------------------------------------ */

/* `value` is stolen. */
static void add_row(json_t *rows, const char *origin, json_t *value, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void add_row(json_t *rows, const char *origin, json_t *value, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *setting = text_vformat(format, args);
    va_end(args);
    json_add(rows,
             json_make("{s:s, s:o, s:s}", "setting", setting, "value", value, "origin", origin));
}

/* Where a secret comes from is no secret, but a command may hold one. */
static json_t *masked(const char *reference)
{
    if (reference != NULL && (text_starts(reference, "env:") || text_starts(reference, "file:")))
        return json_string(reference);
    return json_string(reference != NULL && text_starts(reference, "exec:") ? "exec:***" : "***");
}

/* New: as it was written, but for secrets, which are masked. */
static json_t *open_value(const struct config_member *member, const struct config_value *written,
                          json_t *value)
{
    size_t index = 0;
    json_t *reference = NULL;
    if (member->kind == MEMBER_SECRET)
        return masked(json_string_value(value));
    if (member->kind != MEMBER_SECRETS)
        return written->text != NULL ? json_string(written->text) : json_incref(value);
    json_t *list = json_array();
    json_array_foreach (value, index, reference)
        json_add(list, masked(json_string_value(reference)));
    return list;
}

/* Members of `defaults`, a store or a site; "LEAD.NAME". */
static void show_members(json_t *rows, const struct config *config, const char *site,
                         const char *store, const char *lead, const struct config_member *table)
{
    cleanup_json json_t *given = config_members(config, site, store);
    for (; table->name != NULL; table++) {
        const struct config_value *written = config_written(config, site, store, table->name);
        json_t *value = json_object_get(given, table->name);
        if (value != NULL && written != NULL && !text_equal(table->name, "state-dir"))
            add_row(rows, written->origin, open_value(table, written, value), "%s.%s", lead,
                    table->name);
    }
}

static void show_site(json_t *rows, const struct config *config, const char *name,
                      const struct plugin_info *info)
{
    cleanup_free char *lead = text_format("sites.%s", name);
    show_members(rows, config, name, NULL, lead, config_site_members);
    cleanup_json json_t *given = NULL;
    cleanup_json json_t *origins = NULL;
    config_site_options(config, name, info, &given, &origins);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach (given, key, value) {
        const struct plugin_option *option = info != NULL ? plugin_info_option(info, key) : NULL;
        int is_open = option != NULL && !option->secret;
        add_row(rows, json_text(origins, key),
                is_open ? json_incref(value) : masked(json_string_value(value)), "sites.%s.%s",
                name, key);
    }
    for (size_t i = 0; info != NULL && i < info->option_count; i++) {
        const struct plugin_option *option = &info->options[i];
        if (option->default_value != NULL && json_object_get(given, option->name) == NULL)
            add_row(rows, "default of the provider",
                    option->secret ? masked(option->default_value)
                                   : json_string(option->default_value),
                    "sites.%s.%s", name, option->name);
    }
}

json_t *config_overview(const struct arguments *arguments, const struct config *config,
                        struct plugin_file *const *plugins)
{
    json_t *rows = json_array();
    if (config_path(config) != NULL)
        add_row(rows, arguments->config_file != NULL ? "--config" : "found",
                json_string(config_path(config)), "file");
    const struct config_value *state = config_default(config, "state-dir");
    cleanup_free char *usual = path_default_state_folder();
    if (!text_equal(arguments->state_folder, usual))
        add_row(rows, "--state-dir", json_string(arguments->state_folder), "state-dir");
    else if (state != NULL)
        add_row(rows, state->origin, json_string(state->text), "state-dir");
    else
        add_row(rows, "default", json_string(usual), "state-dir");
    for (size_t i = 0; arguments->plugin_folders[i] != NULL; i++)
        add_row(rows, "--plugin-dir", json_string(arguments->plugin_folders[i]), "plugin-dirs");
    for (size_t i = 0; config_plugin_folders(config)[i] != NULL; i++)
        add_row(rows, config_path(config), json_string(config_plugin_folders(config)[i]),
                "plugin-dirs");
    show_members(rows, config, NULL, NULL, "defaults", config_default_members);
    for (const struct config_member *member = config_limit_members; member->name != NULL;
         member++) {
        const struct config_value *value = config_limit(config, member->name);
        if (value != NULL)
            add_row(rows, value->origin, json_string(value->text), "limits.%s", member->name);
    }
    const char *const *stores = config_stores(config);
    for (size_t i = 0; stores[i] != NULL; i++) {
        cleanup_free char *lead = text_format("stores.%s", stores[i]);
        show_members(rows, config, NULL, stores[i], lead, config_store_members);
    }
    const char *const *sites = config_sites(config);
    for (size_t i = 0; sites[i] != NULL; i++)
        show_site(rows, config, sites[i],
                  find_info(plugins, config_site_provider(config, sites[i])->text));
    return rows;
}

/* ---- the command ----------------------------------------------------------------------------- */

int config_command(const struct arguments *arguments, struct error *reterr)
{
    if (text_equal(arguments->action, "check"))
        return check(arguments, reterr);
    cleanup_config struct config *config = NULL;
    if (config_load(arguments->config_file, &config, reterr) != 0)
        return -1;
    cleanup_free const char **folders = target_folders(arguments, config);
    cleanup_files struct plugin_file **plugins = NULL;
    cleanup_json json_t *refused = NULL;
    if (plugin_find_all(folders, &plugins, &refused, reterr) != 0)
        return -1;
    if (text_equal(arguments->action, "schema")) {
        cleanup_json json_t *schema = config_schema(plugins);
        table_print_value(stdout, arguments->output, schema);
        return EXIT_DONE;
    }
    static const struct table_column columns[] = {
        {"SETTING", "setting", 0}, {"VALUE", "value", 0}, {"ORIGIN", "origin", 0}, {NULL, NULL, 0}};
    cleanup_json json_t *rows = config_overview(arguments, config, plugins);
    table_print(stdout, arguments->output, columns, "setting", rows, "nothing is configured");
    return EXIT_DONE;
}
