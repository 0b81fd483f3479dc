#include "config/config.h"

#include <salvor/plugin.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "config/config-file.h"
#include "config/config-table.h"
#include "config/path.h"
#include "config/yaml.h"

struct site_entry {
    struct config_value provider, store; /* text NULL: not given */
    const struct yaml_node *node;        /* all members, options among them */
};

struct store_entry {
    struct config_value folder;
};

struct config {
    char *path;              /* NULL without a file */
    char *name;              /* what errors call the file */
    char *folder;            /* of the file; NULL without one */
    struct yaml_node *root;  /* NULL without a file */
    const char **site_names; /* ends with NULL; texts of the tree */
    struct site_entry *sites;
    const char **store_names;
    struct store_entry *stores;
    struct config_value *defaults; /* in the order of config_default_members; text NULL: unset */
    int64_t timeout_ms;
    const char **plugin_folders; /* owned texts, ends with NULL */
};

/* What a check needs; `problems` collects. */
struct checker {
    struct config *config;
    struct problems *problems;
};

static int complain(struct checker *checker, size_t line, size_t column, const char *hint,
                    char *message)
{
    problems_add(checker->problems, hint, "%s:%zu:%zu: %s", checker->config->name, line, column,
                 message);
    free(message);
    return -1;
}

static char *origin_of(const struct config *config, size_t line, size_t column)
{
    return text_format("%s:%zu:%zu", config->name, line, column);
}

static int has_kind(struct checker *checker, const struct yaml_entry *entry, const char *what,
                    enum yaml_kind wanted)
{
    const struct yaml_node *value = entry->value;
    if (value->kind == wanted)
        return 1;
    if (value->kind == YAML_NOTHING)
        complain(checker, entry->line, entry->column, NULL, text_format("%s has no value", what));
    else
        complain(checker, value->line, value->column, NULL,
                 text_format("%s must be %s, not %s", what, yaml_kind_name(wanted),
                             yaml_kind_name(value->kind)));
    return 0;
}

static void complain_unknown(struct checker *checker, const struct yaml_entry *entry,
                             const char *where, const char *const *known)
{
    const char *nearest = text_nearest(entry->key, known);
    cleanup_free char *hint = NULL;
    if (nearest != NULL) {
        hint = text_format("did you mean '%s'?", nearest);
    } else {
        hint = text_copy("there are:");
        for (size_t i = 0; known[i] != NULL; i++) {
            char *longer = text_format("%s%s %s", hint, i > 0 ? "," : "", known[i]);
            free(hint);
            hint = longer;
        }
    }
    complain(checker, entry->line, entry->column, hint,
             text_format("unknown key '%s' in %s", entry->key, where));
}

/* ---- scalars --------------------------------------------------------------------------------- */

static int check_name(struct checker *checker, const char *what, const char *text, size_t line,
                      size_t column)
{
    if (config_name_is_good(text))
        return 1;
    complain(checker, line, column,
             "letters, digits, '.', '_' and '-', at most 63, first a letter or digit",
             text_format("'%s' is no name for a %s", text, what));
    return 0;
}

/* Text member as a value with its origin; -1 when it is of another kind. */
static int take_text(struct checker *checker, const struct yaml_entry *entry,
                     struct config_value *value)
{
    cleanup_free char *what = text_format("'%s'", entry->key);
    if (!has_kind(checker, entry, what, YAML_TEXT))
        return -1;
    value->text = text_copy(entry->value->text);
    value->origin = origin_of(checker->config, entry->value->line, entry->value->column);
    return 0;
}

static int take_path(struct checker *checker, const struct yaml_entry *entry,
                     struct config_value *value)
{
    if (take_text(checker, entry, value) != 0)
        return -1;
    char *absolute = path_absolute(checker->config->folder, value->text);
    free((char *)value->text);
    value->text = absolute;
    return 0;
}

static void free_value(struct config_value *value)
{
    free((char *)value->text);
    free((char *)value->origin);
}

/* ---- sites, stores, defaults ----------------------------------------------------------------- */

static void check_option_value(struct checker *checker, const struct yaml_entry *entry)
{
    const struct yaml_node *value = entry->value;
    cleanup_free char *what = text_format("option '%s'", entry->key);
    if (value->kind == YAML_NOTHING)
        complain(checker, entry->line, entry->column, NULL, text_format("%s has no value", what));
    if (value->kind == YAML_MAP)
        complain(checker, value->line, value->column, NULL,
                 text_format("%s must be a text or a list of texts, not a map", what));
    for (size_t i = 0; value->kind == YAML_LIST && i < value->count; i++)
        if (value->entries[i].value->kind != YAML_TEXT)
            complain(checker, value->entries[i].line, value->entries[i].column, NULL,
                     text_format("%s must be a list of texts, not of %ss", what,
                                 yaml_kind_name(value->entries[i].value->kind) + 2));
}

static void read_site(struct checker *checker, const struct yaml_entry *entry,
                      struct site_entry *site)
{
    cleanup_free char *what = text_format("site '%s'", entry->key);
    check_name(checker, "site", entry->key, entry->line, entry->column);
    if (!has_kind(checker, entry, what, YAML_MAP))
        return;
    site->node = entry->value;
    for (size_t i = 0; i < entry->value->count; i++) {
        const struct yaml_entry *member = &entry->value->entries[i];
        if (text_equal(member->key, "provider"))
            (void)take_text(checker, member, &site->provider);
        else if (text_equal(member->key, "store"))
            (void)take_text(checker, member, &site->store);
        else
            check_option_value(checker, member);
    }
    const struct yaml_entry *provider = yaml_member(entry->value, "provider");
    if (provider == NULL)
        complain(checker, entry->line, entry->column, "add `provider: NAME` to it",
                 text_format("%s has no provider", what));
    else if (site->provider.text != NULL && !config_provider_is_good(site->provider.text))
        complain(checker, provider->value->line, provider->value->column, NULL,
                 text_format("'%s' is no name for a provider", site->provider.text));
}

static void read_sites(struct checker *checker, const struct yaml_node *map)
{
    struct config *config = checker->config;
    config->site_names = memory_resize(config->site_names, map->count + 1, sizeof(char *));
    config->sites = memory_new(map->count, sizeof *config->sites);
    for (size_t i = 0; i < map->count; i++) {
        config->site_names[i] = map->entries[i].key;
        config->site_names[i + 1] = NULL;
        read_site(checker, &map->entries[i], &config->sites[i]);
    }
}

static void read_store(struct checker *checker, const struct yaml_entry *entry,
                       struct store_entry *store)
{
    cleanup_free char *what = text_format("store '%s'", entry->key);
    check_name(checker, "store", entry->key, entry->line, entry->column);
    if (!has_kind(checker, entry, what, YAML_MAP))
        return;
    for (size_t i = 0; i < entry->value->count; i++) {
        const struct yaml_entry *member = &entry->value->entries[i];
        if (text_equal(member->key, "path")) {
            (void)take_path(checker, member, &store->folder);
        } else if (text_equal(member->key, "type")) {
            if (has_kind(checker, member, "'type'", YAML_TEXT) &&
                !text_equal(member->value->text, "folder"))
                complain(checker, member->value->line, member->value->column,
                         "this salvor has stores of type: folder",
                         text_format("unknown store type '%s'", member->value->text));
        } else {
            complain_unknown(checker, member, what, config_store_keys);
        }
    }
    if (yaml_member(entry->value, "path") == NULL)
        complain(checker, entry->line, entry->column, "add `path: FOLDER` to it",
                 text_format("%s has no path", what));
}

static void read_stores(struct checker *checker, const struct yaml_node *map)
{
    struct config *config = checker->config;
    config->store_names = memory_resize(config->store_names, map->count + 1, sizeof(char *));
    config->stores = memory_new(map->count, sizeof *config->stores);
    for (size_t i = 0; i < map->count; i++) {
        config->store_names[i] = map->entries[i].key;
        config->store_names[i + 1] = NULL;
        read_store(checker, &map->entries[i], &config->stores[i]);
    }
}

static void read_plugin_folders(struct checker *checker, const struct yaml_entry *entry)
{
    struct config *config = checker->config;
    if (!has_kind(checker, entry, "'plugin-dirs'", YAML_LIST))
        return;
    config->plugin_folders =
        memory_resize(config->plugin_folders, entry->value->count + 1, sizeof(char *));
    size_t used = 0;
    for (size_t i = 0; i < entry->value->count; i++) {
        const struct yaml_node *item = entry->value->entries[i].value;
        if (item->kind != YAML_TEXT)
            complain(checker, item->line, item->column, NULL,
                     text_copy("'plugin-dirs' must be a list of texts"));
        else
            config->plugin_folders[used++] = path_absolute(config->folder, item->text);
    }
    config->plugin_folders[used] = NULL;
}

static void read_default(struct checker *checker, const struct yaml_entry *entry)
{
    struct config *config = checker->config;
    for (size_t i = 0; config_default_members[i].name != NULL; i++) {
        const struct config_member *member = &config_default_members[i];
        struct config_value *value = &config->defaults[i];
        if (!text_equal(member->name, entry->key))
            continue;
        switch (member->kind) {
        case MEMBER_FOLDER:
            (void)take_path(checker, entry, value);
            return;
        case MEMBER_FOLDERS:
            read_plugin_folders(checker, entry);
            return;
        case MEMBER_DURATION:
            if (take_text(checker, entry, value) == 0 &&
                (text_parse_duration(value->text, &config->timeout_ms) != 0 ||
                 config->timeout_ms <= 0))
                complain(checker, entry->value->line, entry->value->column,
                         "write a number with its unit: 90s, 10m, 2h",
                         text_format("'%s' is not a duration", value->text));
            return;
        case MEMBER_TEXT:
            (void)take_text(checker, entry, value);
            return;
        }
    }
    const char *names[CONFIG_MEMBER_LIMIT + 1] = {NULL};
    for (size_t i = 0; config_default_members[i].name != NULL; i++)
        names[i] = config_default_members[i].name;
    complain_unknown(checker, entry, "'defaults'", names);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void check_is_known(struct checker *checker, const struct config_value *value,
                           const char *what, const char *const *names)
{
    if (value->text == NULL)
        return;
    for (size_t i = 0; names[i] != NULL; i++)
        if (text_equal(names[i], value->text))
            return;
    const char *nearest = text_nearest(value->text, names);
    cleanup_free char *hint = nearest != NULL ? text_format("did you mean '%s'?", nearest) : NULL;
    problems_add(checker->problems, hint, "%s: there is no %s '%s'", value->origin, what,
                 value->text);
}

static void read_root(struct checker *checker, const struct yaml_node *root)
{
    struct config *config = checker->config;
    if (root->kind == YAML_NOTHING)
        return;
    if (root->kind != YAML_MAP) {
        complain(checker, root->line, root->column, "it has the keys sites, stores and defaults",
                 text_format("a configuration must be a map, not %s", yaml_kind_name(root->kind)));
        return;
    }
    for (size_t i = 0; i < root->count; i++) {
        const struct yaml_entry *entry = &root->entries[i];
        cleanup_free char *what = text_format("'%s'", entry->key);
        const char *const *known = config_root_keys;
        int is_known = 0;
        for (; *known != NULL; known++)
            is_known |= text_equal(*known, entry->key);
        if (!is_known) {
            complain_unknown(checker, entry, "the configuration", config_root_keys);
            continue;
        }
        /* `sites:` with nothing below is a file that is about to be filled */
        if (entry->value->kind == YAML_NOTHING || !has_kind(checker, entry, what, YAML_MAP))
            continue;
        if (text_equal(entry->key, "sites"))
            read_sites(checker, entry->value);
        else if (text_equal(entry->key, "stores"))
            read_stores(checker, entry->value);
        else
            for (size_t j = 0; j < entry->value->count; j++)
                read_default(checker, &entry->value->entries[j]);
    }
    for (size_t i = 0; config->site_names[i] != NULL; i++)
        check_is_known(checker, &config->sites[i].store, "store", config->store_names);
    for (size_t i = 0; config_default_members[i].name != NULL; i++) {
        if (text_equal(config_default_members[i].name, "site"))
            check_is_known(checker, &config->defaults[i], "site", config->site_names);
        if (text_equal(config_default_members[i].name, "store"))
            check_is_known(checker, &config->defaults[i], "store", config->store_names);
    }
}

struct config *config_empty(void)
{
    struct config *config = memory_new(1, sizeof *config);
    config->site_names = memory_new(1, sizeof(char *));
    config->store_names = memory_new(1, sizeof(char *));
    config->plugin_folders = memory_new(1, sizeof(char *));
    config->defaults = memory_new(CONFIG_MEMBER_LIMIT, sizeof *config->defaults);
    return config;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; config->sites != NULL && config->site_names[i] != NULL; i++) {
        free_value(&config->sites[i].provider);
        free_value(&config->sites[i].store);
    }
    for (size_t i = 0; config->stores != NULL && config->store_names[i] != NULL; i++)
        free_value(&config->stores[i].folder);
    for (size_t i = 0; i < CONFIG_MEMBER_LIMIT; i++)
        free_value(&config->defaults[i]);
    for (size_t i = 0; config->plugin_folders[i] != NULL; i++)
        free((char *)config->plugin_folders[i]);
    free(config->site_names);
    free(config->sites);
    free(config->store_names);
    free(config->stores);
    free(config->defaults);
    free(config->plugin_folders);
    free(config->path);
    free(config->name);
    free(config->folder);
    yaml_free(config->root);
    free(config);
}

static void clear_config(struct config **config)
{
    config_free(*config);
}

int config_parse(const char *text, size_t size, const char *name, struct config **ret_config,
                 struct problems *problems)
{
    __attribute__((cleanup(clear_config))) struct config *config = config_empty();
    size_t before = problems->total;
    const char *slash = strrchr(name, '/');
    config->path = text_copy(name);
    config->name = text_copy(name);
    cleanup_free char *folder =
        slash == NULL ? text_copy(".") : text_copy_span(name, (size_t)(slash - name) + 1);
    config->folder = slash == NULL ? path_absolute(NULL, "") : path_absolute(NULL, folder);
    cleanup_error struct error err = ERROR_INIT;
    if (yaml_parse(text, size, name, &config->root, &err) != 0)
        return problems_add_error(problems, &err);
    struct checker checker = {config, problems};
    read_root(&checker, config->root);
    if (problems->total > before)
        return -1;
    *ret_config = take_pointer(config);
    return 0;
}

int config_load_all(const char *path, struct config **ret_config, struct problems *problems)
{
    cleanup_free char *found = NULL;
    cleanup_free char *text = NULL;
    size_t size = 0;
    cleanup_error struct error err = ERROR_INIT;
    if (config_file_read(path, &found, &text, &size, &err) != 0)
        return problems_add_error(problems, &err);
    if (found == NULL) {
        *ret_config = config_empty();
        return 0;
    }
    return config_parse(text, size, found, ret_config, problems);
}

int config_load(const char *path, struct config **ret_config, struct error *reterr)
{
    cleanup_problems struct problems problems = PROBLEMS_INIT;
    if (config_load_all(path, ret_config, &problems) != 0)
        return problems_error(&problems, reterr);
    return 0;
}

/* ---- asking ---------------------------------------------------------------------------------- */

const char *config_path(const struct config *config)
{
    return config->path;
}

const char *const *config_sites(const struct config *config)
{
    return config->site_names;
}

const char *const *config_stores(const struct config *config)
{
    return config->store_names;
}

static const struct site_entry *find_site(const struct config *config, const char *site)
{
    for (size_t i = 0; config->site_names[i] != NULL; i++)
        if (text_equal(config->site_names[i], site))
            return &config->sites[i];
    return NULL;
}

int config_has_site(const struct config *config, const char *site)
{
    return find_site(config, site) != NULL;
}

static const struct config_value *given(const struct config_value *value)
{
    return value->text != NULL ? value : NULL;
}

const struct config_value *config_site_provider(const struct config *config, const char *site)
{
    const struct site_entry *entry = find_site(config, site);
    return entry != NULL ? given(&entry->provider) : NULL;
}

const struct config_value *config_site_store(const struct config *config, const char *site)
{
    const struct site_entry *entry = find_site(config, site);
    return entry != NULL ? given(&entry->store) : NULL;
}

const struct config_value *config_store_folder(const struct config *config, const char *store)
{
    for (size_t i = 0; config->store_names[i] != NULL; i++)
        if (text_equal(config->store_names[i], store))
            return given(&config->stores[i].folder);
    return NULL;
}

const struct config_value *config_default(const struct config *config, const char *name)
{
    for (size_t i = 0; config_default_members[i].name != NULL; i++)
        if (text_equal(config_default_members[i].name, name))
            return given(&config->defaults[i]);
    return NULL;
}

int64_t config_default_timeout_ms(const struct config *config)
{
    return config->timeout_ms;
}

const char *const *config_plugin_folders(const struct config *config)
{
    return config->plugin_folders;
}

static json_t *option_json(const struct config *config, const struct yaml_node *value, int is_path)
{
    if (value->kind == YAML_LIST) {
        json_t *list = json_array();
        for (size_t i = 0; i < value->count; i++)
            json_add(list, json_string(value->entries[i].value->text));
        return list;
    }
    if (!is_path || *value->text == '\0') /* that an empty path is none, others say */
        return json_string(value->text);
    cleanup_free char *absolute = path_absolute(config->folder, value->text);
    return json_string(absolute);
}

void config_site_options(const struct config *config, const char *site,
                         const struct plugin_info *info, json_t **ret_options, json_t **ret_origins)
{
    *ret_options = json_object();
    *ret_origins = json_object();
    const struct site_entry *entry = find_site(config, site);
    if (entry == NULL || entry->node == NULL)
        return;
    for (size_t i = 0; i < entry->node->count; i++) {
        const struct yaml_entry *member = &entry->node->entries[i];
        if (text_equal(member->key, "provider") || text_equal(member->key, "store"))
            continue;
        const struct plugin_option *option =
            info != NULL ? plugin_info_option(info, member->key) : NULL;
        int is_path = option != NULL && option->type == SALVOR_OPTION_PATH;
        cleanup_free char *origin = origin_of(config, member->line, member->column);
        json_put(*ret_options, member->key, option_json(config, member->value, is_path));
        json_put_text(*ret_origins, member->key, origin);
    }
}
