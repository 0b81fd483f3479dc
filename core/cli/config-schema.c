#include <salvor/plugin.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/config-command.h"
#include "config/config-table.h"

#define REFERENCE_PATTERN "^(env|file|exec):.+$"
#define RECIPIENT_PATTERN "^salvor-pk1[A-Za-z0-9_-]{48}$"
#define SERVER_PATTERN "^https?://([^]/?#@:[ ]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]+)?$"
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

static json_t *words_schema(const char *words)
{
    json_t *list = json_array();
    for (const char *at = words; *at != '\0';) {
        size_t size = strcspn(at, " ");
        json_add(list, json_stringn(at, size));
        at += size + (at[size] == ' ');
    }
    return json_make("{s:o}", "enum", list);
}

/* One, or a list of them. */
static json_t *one_or_more(json_t *item)
{
    cleanup_json json_t *own = item;
    return json_make("{s:[O, {s:s, s:O}]}", "anyOf", own, "type", "array", "items", own);
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
        return text_like(REFERENCE_PATTERN);
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
        return one_or_more(any_text());
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
    case MEMBER_COUNT:
        schema = text_or_number_like("^0*[1-9][0-9]*$");
        json_put(schema, "minimum", json_integer(1));
        break;
    case MEMBER_CHOICE:
        schema = words_schema(member->choices);
        break;
    case MEMBER_SERVER:
        schema = text_like(SERVER_PATTERN);
        break;
    case MEMBER_SECRET:
        schema = text_like(REFERENCE_PATTERN);
        break;
    case MEMBER_SECRETS:
        schema = one_or_more(text_like(REFERENCE_PATTERN));
        break;
    case MEMBER_RECIPIENTS:
        schema = one_or_more(text_like(RECIPIENT_PATTERN));
        break;
    case MEMBER_TEXT:
    case MEMBER_FOLDER:
    case MEMBER_FILE:
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

/* A map that is all table; nothing at all is allowed too. */
static json_t *table_schema(const struct config_member *members)
{
    return json_make("{s:[s,s], s:o, s:b}", "type", "object", "null", "properties",
                     members_schema(members), "additionalProperties", 0);
}

/* A map of named things; nothing at all is allowed too. */
static json_t *named(json_t *schema)
{
    return json_make("{s:[s,s], s:{s:s}, s:o}", "type", "object", "null", "propertyNames",
                     "pattern", "^" CONFIG_NAME_PATTERN "$", "additionalProperties", schema);
}

/* Of one type of store; `said`: the type has to stand there. */
static json_t *store_schema(const char *type, int said)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    for (const struct config_member *member = config_store_members; member->name != NULL;
         member++) {
        if (member->only != NULL && !text_equal(member->only, type))
            continue;
        json_put(properties, member->name, member_schema(member));
        if (member->required)
            json_add(required, json_string(member->name));
    }
    json_put(json_object_get(properties, "type"), "enum", json_make("[s]", type));
    if (said)
        json_add(required, json_string("type"));
    return json_make("{s:o, s:o, s:b}", "properties", properties, "required", required,
                     "additionalProperties", 0);
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
    json_t *store = json_make("{s:s, s:[o, o]}", "type", "object", "anyOf",
                              store_schema("folder", 0), store_schema("s3", 1));
    json_t *defaults = table_schema(config_default_members);
    json_t *limits = table_schema(config_limit_members);
    json_t *properties = json_make("{s:o, s:o, s:o, s:o}", "sites", named(site), "stores",
                                   named(store), "defaults", defaults, "limits", limits);
    return json_make("{s:s, s:s, s:[s,s], s:o, s:b, s:o}", "$schema",
                     "https://json-schema.org/draft/2020-12/schema", "title",
                     "configuration of salvor", "type", "object", "null", "properties", properties,
                     "additionalProperties", 0, "$defs", definitions);
}
