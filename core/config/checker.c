#include "config/checker.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "config/path.h"
#include "config/secret-reference.h"
#include "seal/key-text.h"

int checker_complain(struct checker *checker, size_t line, size_t column, const char *hint,
                     char *message)
{
    problems_add(checker->problems, hint, "%s:%zu:%zu: %s", checker->name, line, column, message);
    free(message);
    return -1;
}

int checker_has_kind(struct checker *checker, const struct yaml_entry *entry, const char *what,
                     enum yaml_kind wanted)
{
    const struct yaml_node *value = entry->value;
    if (value->kind == wanted)
        return 1;
    if (value->kind == YAML_NOTHING)
        checker_complain(checker, entry->line, entry->column, NULL,
                         text_format("%s has no value", what));
    else
        checker_complain(checker, value->line, value->column, NULL,
                         text_format("%s must be %s, not %s", what, yaml_kind_name(wanted),
                                     yaml_kind_name(value->kind)));
    return 0;
}

void checker_unknown(struct checker *checker, const struct yaml_entry *entry, const char *where,
                     const char *const *known)
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
    checker_complain(checker, entry->line, entry->column, hint,
                     text_format("unknown key '%s' in %s", entry->key, where));
}

char *checker_origin(const struct checker *checker, size_t line, size_t column)
{
    return text_format("%s:%zu:%zu", checker->name, line, column);
}

/* ---- scalars --------------------------------------------------------------------------------- */

int checker_text(struct checker *checker, const struct yaml_entry *entry,
                 struct config_value *value)
{
    cleanup_free char *what = text_format("'%s'", entry->key);
    if (!checker_has_kind(checker, entry, what, YAML_TEXT))
        return -1;
    value->text = text_copy(entry->value->text);
    value->origin = checker_origin(checker, entry->value->line, entry->value->column);
    return 0;
}

int checker_path(struct checker *checker, const struct yaml_entry *entry,
                 struct config_value *value)
{
    if (checker_text(checker, entry, value) != 0)
        return -1;
    char *absolute = path_absolute(checker->folder, value->text);
    free((char *)value->text);
    value->text = absolute;
    return 0;
}

void config_value_clear(struct config_value *value)
{
    free((char *)value->text);
    free((char *)value->origin);
    *value = (struct config_value){NULL, NULL};
}

/* ---- members of a table ---------------------------------------------------------------------- */

int member_index(const struct config_member *table, const char *name)
{
    for (int i = 0; table[i].name != NULL; i++) {
        if (text_equal(table[i].name, name))
            return i;
    }
    return -1;
}

static void take_number(struct checker *checker, const struct yaml_entry *entry,
                        enum member_kind kind, struct config_value *value, int64_t *ret_number)
{
    if (checker_text(checker, entry, value) != 0)
        return;
    size_t line = entry->value->line;
    size_t column = entry->value->column;
    int is_size = kind == MEMBER_SIZE;
    int parsed = is_size ? text_parse_size(value->text, ret_number)
                         : text_parse_duration(value->text, ret_number);
    if (parsed != 0 || *ret_number <= 0)
        checker_complain(
            checker, line, column,
            is_size ? "write a number with its unit: 64KiB, 512MiB, 2GiB"
                    : "write a number with its unit: 90s, 10m, 2h",
            text_format("'%s' is not a %s", value->text, is_size ? "size" : "duration"));
}

static void take_flag(struct checker *checker, const struct yaml_entry *entry,
                      struct config_value *value, int64_t *ret_number)
{
    if (checker_text(checker, entry, value) != 0)
        return;
    *ret_number = text_equal(value->text, "true");
    if (!*ret_number && !text_equal(value->text, "false"))
        checker_complain(
            checker, entry->value->line, entry->value->column, "write true or false",
            text_format("'%s' must be true or false, not '%s'", entry->key, value->text));
}

static void take_folders(struct checker *checker, const struct yaml_entry *entry,
                         const char ***ret_folders)
{
    cleanup_free char *what = text_format("'%s'", entry->key);
    if (!checker_has_kind(checker, entry, what, YAML_LIST))
        return;
    const char **folders = memory_new(entry->value->count + 1, sizeof *folders);
    size_t used = 0;
    for (size_t i = 0; i < entry->value->count; i++) {
        const struct yaml_node *item = entry->value->entries[i].value;
        if (item->kind != YAML_TEXT)
            checker_complain(checker, item->line, item->column, NULL,
                             text_format("%s must be a list of texts", what));
        else
            folders[used++] = path_absolute(checker->folder, item->text);
    }
    *ret_folders = folders;
}

static void take_count(struct checker *checker, const struct yaml_entry *entry,
                       struct config_value *value, int64_t *ret_number)
{
    if (checker_text(checker, entry, value) != 0)
        return;
    if (text_parse_integer(value->text, ret_number) != 0 || *ret_number <= 0)
        checker_complain(checker, entry->value->line, entry->value->column,
                         "write a whole number from 1 on",
                         text_format("'%s' is not a number for '%s'", value->text, entry->key));
}

/* 1 when `text` is among the space-separated words. */
static int is_among(const char *words, const char *text)
{
    cleanup_free char *copy = text_copy(words);
    char *rest = NULL;
    for (const char *word = strtok_r(copy, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        if (text_equal(word, text))
            return 1;
    }
    return 0;
}

static void take_choice(struct checker *checker, const struct yaml_entry *entry,
                        const char *choices, struct config_value *value)
{
    const char *second = strchr(choices, ' '); /* every choice so far is one of two */
    cleanup_free char *hint =
        text_format("write %.*s or %s", (int)(second - choices), choices, second + 1);
    if (checker_text(checker, entry, value) == 0 && !is_among(choices, value->text))
        checker_complain(checker, entry->value->line, entry->value->column, hint,
                         text_format("unknown %s '%s'", entry->key, value->text));
}

/* HOST or [IPV6], and behind it :PORT or nothing. */
static int is_host_and_port(const char *text)
{
    size_t size = 0;
    if (*text == '[') {
        size = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
        size = size > 1 && text[size] == ']' ? size + 1 : 0;
    } else {
        size = strcspn(text, "/?#@:[] ");
    }
    if (size == 0)
        return 0;
    size_t digits = text[size] == ':' ? strspn(text + size + 1, "0123456789") : 0;
    return text[size] == '\0' || (digits > 0 && text[size + 1 + digits] == '\0');
}

/* Scheme, host and port and nothing else: what is behind would silently be lost. */
static void take_server(struct checker *checker, const struct yaml_entry *entry,
                        struct config_value *value)
{
    if (checker_text(checker, entry, value) != 0)
        return;
    const char *host = text_starts(value->text, "https://")  ? value->text + 8
                       : text_starts(value->text, "http://") ? value->text + 7
                                                             : "";
    if (!is_host_and_port(host))
        checker_complain(checker, entry->value->line, entry->value->column,
                         "write https://HOST or https://HOST:PORT",
                         text_format("'%s' is not a server for '%s'", value->text, entry->key));
}

/* The text of a secret must not come back in a message. */
static void check_secret(struct checker *checker, const struct yaml_entry *entry,
                         const struct yaml_node *value)
{
    if (secret_reference_check(value->text, NULL) != 0)
        checker_complain(
            checker, value->line, value->column,
            "write env:NAME, file:PATH, exec:COMMAND or prompt:, never the secret itself",
            text_format("'%s' is not given by reference", entry->key));
}

static void check_recipient(struct checker *checker, const struct yaml_node *value)
{
    cleanup_error struct error err = ERROR_INIT;
    unsigned char key[SEAL_KEY_SIZE];
    if (recipient_parse(value->text, key, &err) != 0)
        checker_complain(checker, value->line, value->column, err.hint, text_copy(err.message));
}

/* A text or a list of texts. */
static void take_list(struct checker *checker, const struct yaml_entry *entry,
                      enum member_kind kind, struct config_value *ret_origin, json_t **lists)
{
    const struct yaml_node *value = entry->value;
    cleanup_free char *what = text_format("'%s'", entry->key);
    size_t count = value->kind == YAML_LIST ? value->count : 1;
    cleanup_json json_t *list = json_array();
    if (value->kind != YAML_LIST && !checker_has_kind(checker, entry, what, YAML_TEXT))
        return;
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *item = value->kind == YAML_LIST ? value->entries[i].value : value;
        if (item->kind != YAML_TEXT) {
            checker_complain(checker, item->line, item->column, NULL,
                             text_format("%s must be a list of texts", what));
            return;
        }
        if (kind == MEMBER_SECRETS)
            check_secret(checker, entry, item);
        else
            check_recipient(checker, item);
        json_add(list, json_string(item->text));
    }
    ret_origin->origin = checker_origin(checker, value->line, value->column);
    if (*lists == NULL)
        *lists = json_object();
    json_put(*lists, entry->key, json_incref(list));
}

int checker_member(struct checker *checker, const struct config_member *table,
                   const struct yaml_entry *entry, struct member_values *values)
{
    int index = member_index(table, entry->key);
    if (index < 0)
        return 0;
    struct config_value *value = &values->texts[index];
    switch (table[index].kind) {
    case MEMBER_TEXT:
        (void)checker_text(checker, entry, value);
        break;
    case MEMBER_FOLDER:
    case MEMBER_FILE:
        (void)checker_path(checker, entry, value);
        break;
    case MEMBER_FOLDERS:
        take_folders(checker, entry, &values->folders);
        break;
    case MEMBER_DURATION:
    case MEMBER_SIZE:
        take_number(checker, entry, table[index].kind, value, &values->numbers[index]);
        break;
    case MEMBER_FLAG:
        take_flag(checker, entry, value, &values->numbers[index]);
        break;
    case MEMBER_COUNT:
        take_count(checker, entry, value, &values->numbers[index]);
        break;
    case MEMBER_CHOICE:
        take_choice(checker, entry, table[index].choices, value);
        break;
    case MEMBER_SERVER:
        take_server(checker, entry, value);
        break;
    case MEMBER_SECRET:
        if (checker_text(checker, entry, value) == 0)
            check_secret(checker, entry, entry->value);
        break;
    case MEMBER_SECRETS:
    case MEMBER_RECIPIENTS:
        take_list(checker, entry, table[index].kind, value, &values->lists);
        break;
    }
    return 1;
}

static json_t *value_json(const struct member_values *values, const struct config_member *table,
                          int index)
{
    const char *text = values->texts[index].text;
    switch (table[index].kind) {
    case MEMBER_FOLDERS: /* asked for by itself */
        return NULL;
    case MEMBER_SECRETS:
    case MEMBER_RECIPIENTS:
        return json_incref(json_object_get(values->lists, table[index].name));
    case MEMBER_FLAG:
        return text != NULL ? json_boolean(values->numbers[index] != 0) : NULL;
    case MEMBER_DURATION:
    case MEMBER_SIZE:
    case MEMBER_COUNT:
        return text != NULL ? json_integer(values->numbers[index]) : NULL;
    default:
        return text != NULL ? json_string(text) : NULL;
    }
}

json_t *member_values_json(const struct member_values *values, const struct config_member *table)
{
    json_t *given = json_object();
    for (int i = 0; table[i].name != NULL; i++) {
        json_t *value = value_json(values, table, i);
        if (value != NULL)
            json_put(given, table[i].name, value);
    }
    return given;
}

void checker_no_member(struct checker *checker, const struct config_member *table,
                       const struct yaml_entry *entry, const char *where)
{
    const char *names[CONFIG_MEMBER_LIMIT + 1] = {NULL};
    for (size_t i = 0; table[i].name != NULL; i++)
        names[i] = table[i].name;
    checker_unknown(checker, entry, where, names);
}

void member_values_clear(struct member_values *values)
{
    for (size_t i = 0; i < CONFIG_MEMBER_LIMIT; i++)
        config_value_clear(&values->texts[i]);
    for (size_t i = 0; values->folders != NULL && values->folders[i] != NULL; i++)
        free((char *)values->folders[i]);
    free(values->folders);
    values->folders = NULL;
    json_decref(values->lists);
    values->lists = NULL;
}
