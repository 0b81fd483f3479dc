/*
 * The command line, understood: which command, about what, with which flags. All texts live as long
 * as the struct. Flags are in flags.c, commands in commands.c; a provider's options are flags of
 * the commands they belong to.
 */
#ifndef SALVOR_CLI_ARGUMENTS_H
#define SALVOR_CLI_ARGUMENTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/commands.h"
#include "plugin/plugin-find.h"

struct config;

enum show {
    SHOW_NOTHING,
    SHOW_VERSION, /* --version */
    SHOW_HELP     /* --help; `command` is NULL for the overview */
};

enum output_format {
    OUTPUT_TABLE,
    OUTPUT_WIDE,
    OUTPUT_JSON,
    OUTPUT_YAML,
    OUTPUT_NAME,
    OUTPUT_TEXT, /* report */
    OUTPUT_MARKDOWN,
    OUTPUT_HTML
};

enum switch_state { SWITCH_UNSET = -1, SWITCH_OFF = 0, SWITCH_ON = 1 };

/* --waive FINDING --reason TEXT */
struct waiver {
    const char *finding;
    const char *reason;
};

/* --settle STEP=done|not-done [--reason TEXT] */
struct settlement {
    const char *step;
    int done;
    const char *reason; /* or NULL */
};

struct arguments {
    enum show show;
    const struct command *command;
    const char *action;          /* "list" of `plugin list`; NULL for commands without actions */
    const char *const *operands; /* what stands behind command and action; ends with NULL */
    size_t operand_count;

    /* what it is about */
    const char *provider; /* of --provider or of the site; NULL: none was needed */
    const char *site;     /* name in the configuration; NULL: the options given are all */
    const struct plugin_file *plugin; /* of the provider; NULL without one */
    const struct config *config;      /* never NULL once parsed; empty when there is no file */
    json_t *options; /* given by flags and --set: name -> text, or array of texts when repeated */
    json_t *origins; /* the same names -> "--set", "--kubeconfig": what errors call them */
    const char *state_folder;          /* absolute; --state-dir, configuration or the default */
    const char *const *plugin_folders; /* --plugin-dir, then the configuration's; ends with NULL */
    const json_t *store; /* --store, the site's, the default store, else {"name":"local","type":
                            "folder","path": `sets` in the state folder}: see config_store */
    const char *store_folder; /* absolute, where sets are made: the store's own, or that of a store
                                 elsewhere in `staging` of the state folder */
    json_t *keeping;          /* see config_keeping; flags go over it */
    const json_t *recipients; /* --recipient, or NULL */
    const char *config_file;  /* --config as given, or NULL */

    /* the run */
    const char *from;             /* --from, for validate also the operand, for drill else
                                     "latest"; NULL: none */
    const char *into;             /* --into, or NULL */
    const char *path;             /* --path; NULL: chosen from evidence */
    const char *path_reason;      /* --reason behind --path, or NULL */
    const char *const *approve;   /* --approve hashes, 64 lower-case hexadecimal digits each */
    const char *policy_file;      /* --policy, or NULL */
    const char *const *manual;    /* --manual steps */
    const struct waiver *waivers; /* ends with a NULL finding */
    const struct settlement *settlements; /* ends with a NULL step */
    const char *record_folder;            /* --record, or NULL */
    const char *replay_folder;            /* --replay, or NULL */
    int yes;                              /* --yes */
    int dry_run;                          /* --dry-run */
    int no_post_resync;                   /* --no-post-resync */
    int accept_plugin_change;             /* --accept-plugin-change */
    int verify;                           /* report --verify */
    int without_secrets;                  /* --without-secrets */
    int read_data;                        /* --read-data */
    enum switch_state wait;               /* --wait[=false] */
    int64_t timeout_ms;                   /* --timeout; 0: none */

    /* how it is shown */
    enum output_format output; /* the command's first format unless -o says otherwise */
    int log_json;              /* --log-format json */
    int verbosity;             /* -1 quiet, 0, 1 for -v, 2 for -v -v */

    struct arguments_memory *memory; /* what the texts above live in */
};

/*
 * Finds the plugin of a provider. The default is plugin_find; tests give their own. `folders` ends
 * with NULL.
 */
typedef int (*plugin_finder)(const char *name, const char *const *folders,
                             struct plugin_file **ret_file, struct error *reterr);

/*
 * Understands the whole line (argv[0] is the program), reads the configuration and finds the
 * provider's plugin as far as the command needs them. Every mistake of the line is named in one
 * error (exit code 2): the first as message, the others as detail. *ret_arguments is also set, as
 * far as understood, when -1 is returned (messages must already obey --log-format); free it.
 */
int arguments_parse(int argc, char **argv, plugin_finder find, struct arguments **ret_arguments,
                    struct error *reterr);
void arguments_free(struct arguments *arguments);

#endif
