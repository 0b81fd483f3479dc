/* Data for standard output in the formats of -o: one JSON value, five ways to print it. */
#ifndef SALVOR_CLI_TABLE_H
#define SALVOR_CLI_TABLE_H

#include <jansson.h>
#include <stdio.h>

#include "cli/arguments.h"

/* A column shows one member of each row. */
struct table_column {
    const char *title; /* "VERSION" */
    const char *key;   /* member; texts, numbers, booleans; arrays are joined, absent is "-" */
    int wide;          /* only with -o wide */
};

/*
 * Prints `rows` (array of objects, borrowed): table and wide as aligned columns with a heading,
 * json and yaml as the array itself, name as `name_key` of each row on a line of its own. An empty
 * table prints `nothing` ("no runs") to standard error, unless quiet. `columns` ends with a NULL
 * title.
 */
void table_print(FILE *out, enum output_format format, const struct table_column *columns,
                 const char *name_key, const json_t *rows, const char *nothing);

/* One value as JSON (indented, sorted keys) or YAML. */
void table_print_value(FILE *out, enum output_format format, const json_t *value);

/* The value as YAML text, owned by the caller. */
char *table_yaml(const json_t *value);

#endif
