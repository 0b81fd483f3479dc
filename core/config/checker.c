#include "config/checker.h"

#include <stdlib.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "config/path.h"

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
    }
    return 1;
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
}
