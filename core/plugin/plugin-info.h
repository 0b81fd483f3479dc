/*
 * What a descriptor says (docs/internals.md, "The descriptor as JSON"), checked and typed for the
 * parent, which never loads the plugin itself.
 */
#ifndef SALVOR_PLUGIN_PLUGIN_INFO_H
#define SALVOR_PLUGIN_PLUGIN_INFO_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

struct plugin_option {
    const char *name;
    const char *value_name;    /* or NULL */
    const char *default_value; /* or NULL */
    const char *help;
    const char **choices; /* ends with NULL; NULL when not a choice */
    const char *since;    /* or NULL */
    uint32_t type;        /* SALVOR_OPTION_STRING ... */
    uint32_t commands;    /* SALVOR_ON_* mask */
    int required;
    int secret;
};

struct plugin_row {
    const char *id;
    const char *title;
    const char **statements;  /* ends with NULL */
    const char *instructions; /* or NULL */
    const char *undo;         /* or NULL */
    uint32_t effect;          /* SALVOR_EFFECT_* */
    int manual;
    int idempotent;
    int job;
    int64_t deadline_ms;
    int64_t attempts;
    int64_t backoff_ms;
    int64_t check_every_ms;
};

struct plugin_stage {
    const char *id;
    const char *title;
    struct plugin_row *rows;
    size_t row_count;
};

struct plugin_procedure {
    const char *id;
    const char *title;
    const char *document;
    const char *versions;
    uint32_t kind; /* SALVOR_PROCEDURE_* */
    struct plugin_stage *stages;
    size_t stage_count;
};

struct plugin_finding {
    const char *id;
    const char *title;
    const char **statements;
    const char *remedy;
    uint32_t severity; /* SALVOR_SEVERITY_* */
    int waivable;
};

struct plugin_info {
    const json_t *json; /* the descriptor JSON that all texts here point into */
    const char *name;
    const char *version;
    const char *summary;
    const char *abi; /* "0.1" */
    struct plugin_option *options;
    size_t option_count;
    struct plugin_procedure *procedures;
    size_t procedure_count;
    struct plugin_finding *findings;
    size_t finding_count;
};

/* Checks and types a descriptor; keeps a reference to `json`. The caller frees the result. */
int plugin_info_parse(json_t *json, struct plugin_info **ret_info, struct error *reterr);
void plugin_info_free(struct plugin_info *info);

/* NULL when there is none of that name. */
const struct plugin_option *plugin_info_option(const struct plugin_info *info, const char *name);
const struct plugin_procedure *plugin_info_procedure(const struct plugin_info *info,
                                                     const char *id);
const struct plugin_finding *plugin_info_finding(const struct plugin_info *info, const char *id);
const struct plugin_stage *plugin_procedure_stage(const struct plugin_procedure *procedure,
                                                  const char *id);
const struct plugin_row *plugin_stage_row(const struct plugin_stage *stage, const char *id);
/* 1 when `name` is a row of the procedure, or could be a step of one of its stages
 * ("PROCEDURE/STAGE/3"). */
int plugin_procedure_names_step(const struct plugin_procedure *procedure, const char *name);
/* 1 when the plugin offers the hook ("post_resync"). */
int plugin_info_has_hook(const struct plugin_info *info, const char *hook);

#endif
