#include "config/config.h"

#include <salvor/plugin.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "config/checker.h"
#include "config/config-file.h"
#include "config/config-table.h"
#include "config/path.h"
#include "config/yaml.h"

struct site_entry {
    struct member_values members; /* of config_site_members */
    const struct yaml_node *node; /* all members, options among them */
};

struct store_entry {
    struct member_values members; /* of config_store_members */
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
    struct member_values defaults; /* of config_default_members */
    struct member_values limits;   /* of config_limit_members */
};

static int check_name(struct checker *checker, const char *what, const char *text, size_t line,
                      size_t column)
{
    if (config_name_is_good(text))
        return 1;
    checker_complain(checker, line, column,
                     "letters, digits, '.', '_' and '-', at most 63, first a letter or digit",
                     text_format("'%s' is no name for a %s", text, what));
    return 0;
}

/* NULL when it is not given. */
static const struct config_value *value_of(const struct member_values *values,
                                           const struct config_member *table, const char *name)
{
    int index = member_index(table, name);
    return index >= 0 && values->texts[index].text != NULL ? &values->texts[index] : NULL;
}

static int64_t number_of(const struct member_values *values, const struct config_member *table,
                         const char *name)
{
    int index = member_index(table, name);
    return index >= 0 ? values->numbers[index] : 0;
}

static const struct site_entry *find_site(const struct config *config, const char *site)
{
    for (size_t i = 0; config->site_names[i] != NULL; i++)
        if (text_equal(config->site_names[i], site))
            return &config->sites[i];
    return NULL;
}

/* ---- sites, stores, defaults ----------------------------------------------------------------- */

static void check_option_value(struct checker *checker, const struct yaml_entry *entry)
{
    const struct yaml_node *value = entry->value;
    cleanup_free char *what = text_format("option '%s'", entry->key);
    if (value->kind == YAML_NOTHING)
        checker_complain(checker, entry->line, entry->column, NULL,
                         text_format("%s has no value", what));
    if (value->kind == YAML_MAP)
        checker_complain(checker, value->line, value->column, NULL,
                         text_format("%s must be a text or a list of texts, not a map", what));
    for (size_t i = 0; value->kind == YAML_LIST && i < value->count; i++)
        if (value->entries[i].value->kind != YAML_TEXT)
            checker_complain(checker, value->entries[i].line, value->entries[i].column, NULL,
                             text_format("%s must be a list of texts, not of %ss", what,
                                         yaml_kind_name(value->entries[i].value->kind) + 2));
}

static void read_site(struct checker *checker, const struct yaml_entry *entry,
                      struct site_entry *site)
{
    cleanup_free char *what = text_format("site '%s'", entry->key);
    check_name(checker, "site", entry->key, entry->line, entry->column);
    if (!checker_has_kind(checker, entry, what, YAML_MAP))
        return;
    site->node = entry->value;
    for (size_t i = 0; i < entry->value->count; i++) {
        const struct yaml_entry *member = &entry->value->entries[i];
        if (!checker_member(checker, config_site_members, member, &site->members))
            check_option_value(checker, member);
    }
    const struct yaml_entry *provider = yaml_member(entry->value, "provider");
    const struct config_value *name = value_of(&site->members, config_site_members, "provider");
    if (provider == NULL)
        checker_complain(checker, entry->line, entry->column, "add `provider: NAME` to it",
                         text_format("%s has no provider", what));
    else if (name != NULL && !config_provider_is_good(name->text))
        checker_complain(checker, provider->value->line, provider->value->column, NULL,
                         text_format("'%s' is no name for a provider", name->text));
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

/* A member of another type of store is a mistake. */
static void check_belongs(struct checker *checker, const struct yaml_entry *found,
                          const struct config_member *member, const char *what, const char *type,
                          int is_said)
{
    cleanup_free char *hint = is_said ? NULL : text_format("add `type: %s` to it", member->only);
    if (!text_equal(member->only, type))
        checker_complain(
            checker, found->line, found->column, hint,
            text_format("'%s' does not belong to %s of type '%s'", member->name, what, type));
}

static void check_store(struct checker *checker, const struct yaml_entry *entry, const char *what,
                        const struct store_entry *store)
{
    const struct config_value *said = value_of(&store->members, config_store_members, "type");
    const char *type = said != NULL ? said->text : "folder";
    cleanup_buffer struct buffer missing = BUFFER_INIT(4096);
    cleanup_buffer struct buffer hint = BUFFER_INIT(4096);
    for (const struct config_member *member = config_store_members; member->name != NULL;
         member++) {
        const struct yaml_entry *found = yaml_member(entry->value, member->name);
        if (member->only == NULL)
            continue;
        if (found != NULL)
            check_belongs(checker, found, member, what, type, said != NULL);
        if (found == NULL && member->required && text_equal(member->only, type)) {
            (void)buffer_format(&hint, "%s `%s:`", missing.size > 0 ? "," : "add", member->name);
            (void)buffer_format(&missing, "%s%s", missing.size > 0 ? ", " : "", member->name);
        }
    }
    if (missing.size > 0)
        checker_complain(checker, entry->line, entry->column, hint.data,
                         text_format("%s has no %s", what, missing.data));
}

static void read_store(struct checker *checker, const struct yaml_entry *entry,
                       struct store_entry *store)
{
    cleanup_free char *what = text_format("store '%s'", entry->key);
    check_name(checker, "store", entry->key, entry->line, entry->column);
    size_t before = checker->problems->total;
    if (!checker_has_kind(checker, entry, what, YAML_MAP))
        return;
    for (size_t i = 0; i < entry->value->count; i++) {
        const struct yaml_entry *member = &entry->value->entries[i];
        if (!checker_member(checker, config_store_members, member, &store->members))
            checker_no_member(checker, config_store_members, member, what);
    }
    if (checker->problems->total == before) /* the type may be none */
        check_store(checker, entry, what, store);
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

/* ---- the whole ------------------------------------------------------------------------------- */

static void check_is_known(struct checker *checker, const struct config_value *value,
                           const char *what, const char *const *names)
{
    if (value == NULL)
        return;
    for (size_t i = 0; names[i] != NULL; i++)
        if (text_equal(names[i], value->text))
            return;
    const char *nearest = text_nearest(value->text, names);
    cleanup_free char *hint = nearest != NULL ? text_format("did you mean '%s'?", nearest) : NULL;
    problems_add(checker->problems, hint, "%s: there is no %s '%s'", value->origin, what,
                 value->text);
}

/* Of a map that is all table: "defaults". */
static void read_table(struct checker *checker, const struct yaml_entry *map,
                       const struct config_member *table, struct member_values *values)
{
    cleanup_free char *where = text_format("'%s'", map->key);
    for (size_t i = 0; i < map->value->count; i++) {
        const struct yaml_entry *entry = &map->value->entries[i];
        if (!checker_member(checker, table, entry, values))
            checker_no_member(checker, table, entry, where);
    }
}

/* Below these no worker would get anywhere, whatever its plugin does. */
static void read_limits(struct checker *checker, const struct yaml_entry *map)
{
    static const struct {
        const char *name;
        const char *least;
        int64_t number;
    } floors[] = {{"worker-memory", "64MiB", INT64_C(64) << 20}, {"worker-cpu", "1s", 1000}};
    struct member_values *limits = &checker->config->limits;
    read_table(checker, map, config_limit_members, limits);
    for (size_t i = 0; i < sizeof floors / sizeof *floors; i++) {
        int64_t number = number_of(limits, config_limit_members, floors[i].name);
        const struct yaml_entry *entry = yaml_member(map->value, floors[i].name);
        if (number > 0 && number < floors[i].number)
            checker_complain(
                checker, entry->value->line, entry->value->column, NULL,
                text_format("'%s' must be at least %s", floors[i].name, floors[i].least));
    }
}

/* The same options lead to the same systems: a copied block that was only marked is no site for
 * practice. */
static void check_practice(struct checker *checker, const char *site)
{
    const struct config *config = checker->config;
    const struct site_entry *entry = find_site(config, site);
    cleanup_json json_t *options = NULL;
    cleanup_json json_t *origins = NULL;
    if (!config_site_is_practice(config, site))
        return;
    config_site_options(config, site, NULL, &options, &origins);
    for (size_t i = 0; config->site_names[i] != NULL; i++) {
        const char *other = config->site_names[i];
        const struct config_value *provider = config_site_provider(config, other);
        cleanup_json json_t *others = NULL;
        cleanup_json json_t *ignored = NULL;
        if (config_site_is_practice(config, other) || provider == NULL ||
            !text_equal(provider->text, config_site_provider(config, site)->text))
            continue;
        config_site_options(config, other, NULL, &others, &ignored);
        if (!json_equal(options, others))
            continue;
        const struct yaml_entry *mark = yaml_member(entry->node, "practice");
        checker_complain(checker, mark->line, mark->column,
                         "a drill overwrites the site: give it the options of another one",
                         text_format("site '%s' is marked for practice, but its options are those "
                                     "of site '%s', which is not",
                                     site, other));
    }
}

static void read_root(struct checker *checker, const struct yaml_node *root)
{
    struct config *config = checker->config;
    if (root->kind == YAML_NOTHING)
        return;
    if (root->kind != YAML_MAP) {
        checker_complain(
            checker, root->line, root->column, "it has the keys sites, stores, defaults and limits",
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
            checker_unknown(checker, entry, "the configuration", config_root_keys);
            continue;
        }
        /* `sites:` with nothing below is a file that is about to be filled */
        if (entry->value->kind == YAML_NOTHING || !checker_has_kind(checker, entry, what, YAML_MAP))
            continue;
        if (text_equal(entry->key, "sites"))
            read_sites(checker, entry->value);
        else if (text_equal(entry->key, "stores"))
            read_stores(checker, entry->value);
        else if (text_equal(entry->key, "limits"))
            read_limits(checker, entry);
        else
            read_table(checker, entry, config_default_members, &config->defaults);
    }
    for (size_t i = 0; config->site_names[i] != NULL; i++)
        check_is_known(checker, config_site_store(config, config->site_names[i]), "store",
                       config->store_names);
    check_is_known(checker, config_default(config, "site"), "site", config->site_names);
    check_is_known(checker, config_default(config, "store"), "store", config->store_names);
}

struct config *config_empty(void)
{
    struct config *config = memory_new(1, sizeof *config);
    config->site_names = memory_new(1, sizeof(char *));
    config->store_names = memory_new(1, sizeof(char *));
    return config;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; config->sites != NULL && config->site_names[i] != NULL; i++)
        member_values_clear(&config->sites[i].members);
    for (size_t i = 0; config->stores != NULL && config->store_names[i] != NULL; i++)
        member_values_clear(&config->stores[i].members);
    member_values_clear(&config->defaults);
    member_values_clear(&config->limits);
    free(config->site_names);
    free(config->sites);
    free(config->store_names);
    free(config->stores);
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
    struct checker checker = {config, config->name, config->folder, problems};
    read_root(&checker, config->root);
    for (size_t i = 0; problems->total == before && config->site_names[i] != NULL; i++)
        check_practice(&checker, config->site_names[i]);
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

int config_has_site(const struct config *config, const char *site)
{
    return find_site(config, site) != NULL;
}

const struct config_value *config_site_member(const struct config *config, const char *site,
                                              const char *name)
{
    const struct site_entry *entry = find_site(config, site);
    return entry != NULL ? value_of(&entry->members, config_site_members, name) : NULL;
}

const struct config_value *config_site_provider(const struct config *config, const char *site)
{
    return config_site_member(config, site, "provider");
}

const struct config_value *config_site_store(const struct config *config, const char *site)
{
    return config_site_member(config, site, "store");
}

int config_site_is_practice(const struct config *config, const char *site)
{
    const struct site_entry *entry = site != NULL ? find_site(config, site) : NULL;
    return entry != NULL && number_of(&entry->members, config_site_members, "practice") != 0;
}

int64_t config_site_drill_every_ms(const struct config *config, const char *site)
{
    const struct site_entry *entry = find_site(config, site);
    int64_t own =
        entry != NULL ? number_of(&entry->members, config_site_members, "drill-every") : 0;
    return own > 0 ? own : number_of(&config->defaults, config_default_members, "drill-every");
}

static const struct store_entry *find_store(const struct config *config, const char *store)
{
    for (size_t i = 0; config->store_names[i] != NULL; i++)
        if (text_equal(config->store_names[i], store))
            return &config->stores[i];
    return NULL;
}

/* The values of one of the three places and their table; NULL when there is no such place. */
static const struct member_values *place_of(const struct config *config, const char *site,
                                            const char *store,
                                            const struct config_member **ret_table)
{
    const struct site_entry *of_site = site != NULL ? find_site(config, site) : NULL;
    const struct store_entry *of_store = store != NULL ? find_store(config, store) : NULL;
    *ret_table = site != NULL    ? config_site_members
                 : store != NULL ? config_store_members
                                 : config_default_members;
    if (site != NULL)
        return of_site != NULL ? &of_site->members : NULL;
    if (store != NULL)
        return of_store != NULL ? &of_store->members : NULL;
    return &config->defaults;
}

json_t *config_members(const struct config *config, const char *site, const char *store)
{
    const struct config_member *table = NULL;
    const struct member_values *values = place_of(config, site, store, &table);
    return values != NULL ? member_values_json(values, table) : json_object();
}

const struct config_value *config_written(const struct config *config, const char *site,
                                          const char *store, const char *member)
{
    const struct config_member *table = NULL;
    const struct member_values *values = place_of(config, site, store, &table);
    int index = member_index(table, member);
    return values != NULL && index >= 0 && values->texts[index].origin != NULL
               ? &values->texts[index]
               : NULL;
}

json_t *config_store(const struct config *config, const char *store)
{
    if (find_store(config, store) == NULL)
        return NULL;
    json_t *settings = config_members(config, NULL, store);
    json_put_text(settings, "name", store);
    if (json_object_get(settings, "type") == NULL)
        json_put_text(settings, "type", "folder");
    return settings;
}

/* What is given there of how backups are kept goes over what was said before. */
static void keep_as(json_t *keeping, json_t *given)
{
    static const char *const names[] = {"recipients", "encrypt", "identity", "keep-last",
                                        "keep-for"};
    cleanup_json json_t *own = given;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *value = json_object_get(own, names[i]);
        if (value != NULL)
            json_put(keeping, names[i], json_incref(value));
    }
}

json_t *config_keeping(const struct config *config, const char *site, const char *store)
{
    json_t *keeping = json_object();
    keep_as(keeping, config_members(config, NULL, NULL));
    if (store != NULL)
        keep_as(keeping, config_members(config, NULL, store));
    if (site != NULL)
        keep_as(keeping, config_members(config, site, NULL));
    return keeping;
}

const struct config_value *config_default(const struct config *config, const char *name)
{
    return value_of(&config->defaults, config_default_members, name);
}

int64_t config_default_timeout_ms(const struct config *config)
{
    return number_of(&config->defaults, config_default_members, "timeout");
}

int64_t config_worker_memory(const struct config *config)
{
    return number_of(&config->limits, config_limit_members, "worker-memory");
}

int64_t config_worker_cpu_ms(const struct config *config)
{
    return number_of(&config->limits, config_limit_members, "worker-cpu");
}

const struct config_value *config_limit(const struct config *config, const char *name)
{
    return value_of(&config->limits, config_limit_members, name);
}

const char *const *config_plugin_folders(const struct config *config)
{
    static const char *const none[] = {NULL};
    return config->defaults.folders != NULL ? config->defaults.folders : none;
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
        if (member_index(config_site_members, member->key) >= 0)
            continue;
        const struct plugin_option *option =
            info != NULL ? plugin_info_option(info, member->key) : NULL;
        int is_path = option != NULL && option->type == SALVOR_OPTION_PATH;
        cleanup_free char *origin =
            text_format("%s:%zu:%zu", config->name, member->line, member->column);
        json_put(*ret_options, member->key, option_json(config, member->value, is_path));
        json_put_text(*ret_origins, member->key, origin);
    }
}
