#include "config/site.h"

#include <salvor/plugin.h>
#include <stdlib.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "config/path.h"
#include "config/problems.h"
#include "config/secret-reference.h"
#include "plugin/option-value.h"

struct builder {
    const struct plugin_info *info;
    const json_t *origins;
    struct problems *problems;
    struct site *site;
};

static const char *origin_of(const struct builder *builder, const char *name)
{
    const char *origin = json_is_string(builder->origins) ? json_string_value(builder->origins)
                                                          : json_text(builder->origins, name);
    return origin != NULL ? origin : "options";
}

static void complain_unknown(struct builder *builder, const char *name)
{
    const struct plugin_info *info = builder->info;
    cleanup_free const char **names = memory_new(info->option_count + 1, sizeof *names);
    for (size_t i = 0; i < info->option_count; i++)
        names[i] = info->options[i].name;
    const char *nearest = text_nearest(name, names);
    cleanup_free char *hint = nearest != NULL
                                  ? text_format("did you mean '%s'?", nearest)
                                  : text_format("`salvor plugin show %s` lists them", info->name);
    problems_add(builder->problems, hint, "%s: unknown option '%s' for provider '%s'",
                 origin_of(builder, name), name, info->name);
}

static int complain(struct builder *builder, const struct plugin_option *option, struct error *err)
{
    error_prefix(err, "%s: option '%s'", origin_of(builder, option->name), option->name);
    return problems_add_error(builder->problems, err);
}

static int complain_text(struct builder *builder, const struct plugin_option *option,
                         const char *what)
{
    cleanup_error struct error err = ERROR_INIT;
    error_set(&err, EXIT_USAGE, "%s", what);
    return complain(builder, option, &err);
}

static void take_secret(struct builder *builder, const struct plugin_option *option,
                        const char *reference)
{
    cleanup_error struct error err = ERROR_INIT;
    if (secret_reference_check(reference, &err) != 0)
        complain(builder, option, &err);
    else
        json_put_text(builder->site->secrets, option->name, reference);
}

/* Typed value of one text, or NULL with a problem noted. */
static json_t *typed(struct builder *builder, const struct plugin_option *option, const char *text)
{
    cleanup_error struct error err = ERROR_INIT;
    json_t *value = NULL;
    if (option_value_parse(option, text, &value, &err) != 0) {
        complain(builder, option, &err);
        return NULL;
    }
    if (option->type == SALVOR_OPTION_PATH) {
        cleanup_free char *absolute = path_absolute(NULL, text);
        json_decref(value);
        value = json_string(absolute);
    }
    return value;
}

static void take_list(struct builder *builder, const struct plugin_option *option,
                      const json_t *texts)
{
    cleanup_json json_t *list = json_array();
    size_t index = 0;
    json_t *text = NULL;
    json_array_foreach (texts, index, text) {
        cleanup_json json_t *one = typed(builder, option, json_string_value(text));
        if (one == NULL)
            return;
        json_array_extend(list, one);
    }
    json_put(builder->site->options, option->name, take_pointer(list));
}

static void take_value(struct builder *builder, const struct plugin_option *option,
                       const json_t *value)
{
    int is_list = json_is_array(value);
    if (is_list && option->type != SALVOR_OPTION_LIST) {
        complain_text(builder, option, "it takes one value, not several");
        return;
    }
    if (is_list) {
        take_list(builder, option, value);
        return;
    }
    const char *text = json_string_value(value);
    if (option->secret) {
        take_secret(builder, option, text);
        return;
    }
    json_t *result = typed(builder, option, text);
    if (result != NULL)
        json_put(builder->site->options, option->name, result);
}

static int is_missing(const struct plugin_option *option, const json_t *given, uint32_t commands)
{
    return option->required && option->default_value == NULL &&
           (option->commands & commands) != 0 && json_object_get(given, option->name) == NULL;
}

int site_lacks_options(const struct plugin_info *info, const json_t *given, uint32_t commands)
{
    for (size_t i = 0; i < info->option_count; i++)
        if (is_missing(&info->options[i], given, commands))
            return 1;
    return 0;
}

static void check_required(struct builder *builder, const json_t *given, uint32_t commands)
{
    cleanup_buffer struct buffer names = BUFFER_INIT(65536);
    cleanup_buffer struct buffer settings = BUFFER_INIT(65536);
    for (size_t i = 0; i < builder->info->option_count; i++) {
        const struct plugin_option *option = &builder->info->options[i];
        if (!is_missing(option, given, commands))
            continue;
        buffer_format(&names, "%s'%s'", names.size > 0 ? ", " : "", option->name);
        buffer_format(&settings, " --set %s=%s", option->name,
                      option->secret               ? "env:NAME"
                      : option->value_name != NULL ? option->value_name
                                                   : "VALUE");
    }
    if (names.size == 0)
        return;
    cleanup_free char *hint =
        text_format("give%s, or write it into the site of salvor.yaml", settings.data);
    problems_add(builder->problems, hint, "site '%s' of provider '%s' lacks %s",
                 builder->site->name, builder->info->name, names.data);
}

static void take_defaults(struct builder *builder, const json_t *given)
{
    for (size_t i = 0; i < builder->info->option_count; i++) {
        const struct plugin_option *option = &builder->info->options[i];
        if (option->default_value == NULL || json_object_get(given, option->name) != NULL)
            continue;
        cleanup_json json_t *text = json_string(option->default_value);
        take_value(builder, option, text);
    }
}

int site_check(const char *name, const struct plugin_info *info, const json_t *given,
               const json_t *origins, uint32_t commands, struct site **ret_site,
               struct problems *problems)
{
    size_t before = problems->total;
    struct site *site = memory_new(1, sizeof *site);
    site->name = text_copy(name);
    site->provider = text_copy(info->name);
    site->options = json_object();
    site->secrets = json_object();
    struct builder builder = {info, origins, problems, site};
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach ((json_t *)given, key, value) {
        const struct plugin_option *option = plugin_info_option(info, key);
        if (option == NULL)
            complain_unknown(&builder, key);
        else
            take_value(&builder, option, value);
    }
    take_defaults(&builder, given);
    check_required(&builder, given, commands);
    if (problems->total > before) {
        site_free(site);
        return -1;
    }
    *ret_site = site;
    return 0;
}

int site_from_options(const char *name, const struct plugin_info *info, const json_t *given,
                      const json_t *origins, uint32_t commands, struct site **ret_site,
                      struct error *reterr)
{
    cleanup_problems struct problems problems = PROBLEMS_INIT;
    if (site_check(name, info, given, origins, commands, ret_site, &problems) != 0)
        return problems_error(&problems, reterr);
    return 0;
}

void site_free(struct site *site)
{
    if (site == NULL)
        return;
    free(site->name);
    free(site->provider);
    json_decref(site->options);
    json_decref(site->secrets);
    json_decref(site->lock);
    free(site);
}
