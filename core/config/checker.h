/* Reading YAML nodes with complaints that say file, line and column; for the files of this room. */
#ifndef SALVOR_CONFIG_CHECKER_H
#define SALVOR_CONFIG_CHECKER_H

#include <stdint.h>

#include "config/config-table.h"
#include "config/config.h"
#include "config/problems.h"
#include "config/yaml.h"

struct checker {
    struct config *config; /* that is being read, for its reader */
    const char *name;      /* what complaints call the file */
    const char *folder;    /* relative paths start here; NULL: the working folder */
    struct problems *problems;
};

/* Members of a map as its table names them, in the order of the table. */
struct member_values {
    struct config_value texts[CONFIG_MEMBER_LIMIT]; /* text NULL: not given, or a list */
    int64_t numbers[CONFIG_MEMBER_LIMIT]; /* flag, count, milliseconds, bytes; 0: not given */
    const char **folders; /* of the table's list of folders: owned texts, ends with NULL; or NULL */
    json_t *lists;        /* secrets, recipients: name -> array of texts; or NULL */
};

/* Adds a problem; `message` is freed. Always -1. */
int checker_complain(struct checker *checker, size_t line, size_t column, const char *hint,
                     char *message);

/* 1 when the entry's value is of the kind; else complains, calling the entry `what`. */
int checker_has_kind(struct checker *checker, const struct yaml_entry *entry, const char *what,
                     enum yaml_kind wanted);

/* Complains of a key that `where` does not know, with the nearest one that it does. */
void checker_unknown(struct checker *checker, const struct yaml_entry *entry, const char *where,
                     const char *const *known);

/* "FILE:LINE:COLUMN"; owned by the caller. */
char *checker_origin(const struct checker *checker, size_t line, size_t column);

/* A text, or a path made absolute, with its origin; -1 when the value is of another kind. */
int checker_text(struct checker *checker, const struct yaml_entry *entry,
                 struct config_value *value);
int checker_path(struct checker *checker, const struct yaml_entry *entry,
                 struct config_value *value);

void config_value_clear(struct config_value *value);

/* Takes the entry when the table (ending with a NULL name) has it: 1. 0: it is not in the table. */
int checker_member(struct checker *checker, const struct config_member *table,
                   const struct yaml_entry *entry, struct member_values *values);

/* Complains of a key that is not in the table. */
void checker_no_member(struct checker *checker, const struct config_member *table,
                       const struct yaml_entry *entry, const char *where);

/* Place of a name in a table, or -1. */
int member_index(const struct config_member *table, const char *name);

/* What is given: name -> text, number, boolean or array. Owned by the caller. */
json_t *member_values_json(const struct member_values *values, const struct config_member *table);

void member_values_clear(struct member_values *values);

#endif
