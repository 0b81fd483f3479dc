#include <salvor/plugin.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/config-command.h"
#include "config/config-table.h"

#define DURATION_PATTERN "^[0-9]+(ms|s|m|h|d)$"
#define SIZE_PATTERN "^[0-9]+(B|KB|KiB|MB|MiB|GB|GiB)?$"

/* A plain scalar may look like a number or boolean to a YAML reader; salvor takes its text. */
static json_t *any_text(void)
{
    return json_make("{s:[s,s,s]}", "type", "string", "number", "boolean");
}

static json_t *text_like(const char *pattern)
{
    return json_make("{s:s, s:s}", "type", "string", "pattern", pattern);
}

static json_t *text_or_number_like(const char *pattern)
{
    return json_make("{s:[s,s], s:s}", "type", "string", "integer", "pattern", pattern);
}

static json_t *flag_schema(void)
{
    return json_make("{s:[b,b,s,s]}", "enum", 1, 0, "true", "false");
}

static json_t *choice_schema(const char **choices)
{
    json_t *list = json_array();
    for (size_t i = 0; choices[i] != NULL; i++)
        json_add(list, json_string(choices[i]));
    return json_make("{s:o}", "enum", list);
}

static json_t *type_schema(const struct plugin_option *option)
{
    if (option->secret)
        return text_like("^(env|file|exec):.+$");
    switch (option->type) {
    case SALVOR_OPTION_INTEGER:
        return text_or_number_like("^-?[0-9]+$");
    case SALVOR_OPTION_BOOLEAN:
        return flag_schema();
    case SALVOR_OPTION_DURATION:
        return text_like(DURATION_PATTERN);
    case SALVOR_OPTION_SIZE:
        return text_or_number_like(SIZE_PATTERN);
    case SALVOR_OPTION_PATH:
        return json_make("{s:s, s:i}", "type", "string", "minLength", 1);
    case SALVOR_OPTION_URL:
        return text_like("^[A-Za-z0-9][A-Za-z0-9+.-]*://[^/?#:@][^ ]*$");
    case SALVOR_OPTION_CHOICE:
        return choice_schema(option->choices);
    case SALVOR_OPTION_LIST:
        return json_make("{s:[o, {s:s, s:o}]}", "anyOf", any_text(), "type", "array", "items",
                         any_text());
    default:
        return any_text();
    }
}

static json_t *option_schema(const struct plugin_option *option)
{
    json_t *schema = type_schema(option);
    json_put_text(schema, "description", option->help);
    if (option->default_value != NULL)
        json_put_text(schema, "default", option->default_value);
    return schema;
}

static json_t *provider_schema(const struct plugin_info *info)
{
    json_t *properties = json_object();
    for (const struct config_member *member = config_site_members; member->name != NULL; member++)
        json_put(properties, member->name, json_true());
    for (size_t i = 0; i < info->option_count; i++)
        json_put(properties, info->options[i].name, option_schema(&info->options[i]));
    return json_make("{s:s, s:o, s:b}", "description", info->summary, "properties", properties,
                     "additionalProperties", 0);
}

static json_t *member_schema(const struct config_member *member)
{
    json_t *schema = NULL;
    switch (member->kind) {
    case MEMBER_DURATION:
        schema = text_like(DURATION_PATTERN);
        break;
    case MEMBER_SIZE:
        schema = text_or_number_like(SIZE_PATTERN);
        break;
    case MEMBER_FLAG:
        schema = flag_schema();
        break;
    case MEMBER_FOLDERS:
        schema = json_make("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
        break;
    case MEMBER_TEXT:
    case MEMBER_FOLDER:
        schema = json_make("{s:s}", "type", "string");
        break;
    }
    json_put_text(schema, "description", member->help);
    return schema;
}

static json_t *members_schema(const struct config_member *members)
{
    json_t *properties = json_object();
    for (; members->name != NULL; members++)
        json_put(properties, members->name, member_schema(members));
    return properties;
}

/* A map of named things; nothing at all is allowed too. */
static json_t *named(json_t *schema)
{
    return json_make("{s:[s,s], s:{s:s}, s:o}", "type", "object", "null", "propertyNames",
                     "pattern", "^" CONFIG_NAME_PATTERN "$", "additionalProperties", schema);
}

json_t *config_schema(struct plugin_file *const *plugins)
{
    json_t *definitions = json_object();
    json_t *names = json_array();
    json_t *rules = json_array();
    for (; *plugins != NULL; plugins++) {
        const struct plugin_info *info = (*plugins)->info;
        if (info == NULL)
            continue;
        cleanup_free char *reference = text_format("#/$defs/%s", info->name);
        json_put(definitions, info->name, provider_schema(info));
        json_add(names, json_string(info->name));
        json_add(rules, json_make("{s:{s:{s:{s:s}}}, s:{s:s}}", "if", "properties", "provider",
                                  "const", info->name, "then", "$ref", reference));
    }
    json_t *site_members = members_schema(config_site_members);
    if (json_array_size(names) > 0)
        json_put(json_object_get(site_members, "provider"), "enum", names);
    else
        json_decref(names);
    json_t *site = json_make("{s:s, s:[s], s:o}", "type", "object", "required", "provider",
                             "properties", site_members);
    if (json_array_size(rules) > 0)
        json_put(site, "allOf", rules);
    else
        json_decref(rules);
    json_t *store_members = members_schema(config_store_members);
    json_put(json_object_get(store_members, "type"), "enum", json_make("[s]", "folder"));
    json_t *store = json_make("{s:s, s:[s], s:o, s:b}", "type", "object", "required", "path",
                              "properties", store_members, "additionalProperties", 0);
    json_t *defaults = json_make("{s:[s,s], s:o, s:b}", "type", "object", "null", "properties",
                                 members_schema(config_default_members), "additionalProperties", 0);
    json_t *properties = json_make("{s:o, s:o, s:o}", "sites", named(site), "stores", named(store),
                                   "defaults", defaults);
    return json_make("{s:s, s:s, s:[s,s], s:o, s:b, s:o}", "$schema",
                     "https://json-schema.org/draft/2020-12/schema", "title",
                     "configuration of salvor", "type", "object", "null", "properties", properties,
                     "additionalProperties", 0, "$defs", definitions);
}
