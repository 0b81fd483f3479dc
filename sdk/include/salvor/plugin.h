/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/plugin.h - the plugin ABI of salvor: the descriptor, the hooks, the one exported function.
 *
 * A plugin is a shared object named salvor_<name>.so (hyphens of the name become underscores) that
 * exports one function, salvor_plugin_v1, and nothing else. It returns a constant descriptor: who
 * the plugin is, its options, the documented procedures with every step row, the findings it can
 * raise, and the hooks. Everything that documentation, review or `salvor plugin show` needs stands
 * in the descriptor; hooks only look, plan and run single rows.
 *
 * ABI 0.x is unstable: host and plugin must have the same minor. From 1.0 on fields are only
 * appended, zero means "as before", and old plugins keep running.
 *
 * Rules for plugins:
 * - Hooks run one at a time on the main thread of a worker process. A hook may start threads but
 *   joins them before it returns.
 * - Keep no state between calls: each call may run in a new process.
 * - Do not fork, exec, exit, change working directory, umask, signal handlers or locale, touch
 *   descriptors 0 to 2, or write files except below paths that the host hands out.
 * - No exception or panic leaves a hook.
 * - Never loop to retry: the step row and the HTTP layer do that.
 */
#ifndef SALVOR_PLUGIN_H
#define SALVOR_PLUGIN_H

#include <salvor/host.h>
#include <salvor/services.h>
#include <salvor/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SALVOR_ABI_MAGIC 0x53414c56u /* "SALV" */
#define SALVOR_ABI_MAJOR 0u
#define SALVOR_ABI_MINOR 1u
#define SALVOR_ABI_TAG "salvor" /* a fork that changes the ABI changes this */

/* ---- options -------------------------------------------------------------------------------- */

#define SALVOR_OPTION_STRING 1000u
#define SALVOR_OPTION_INTEGER 2000u
#define SALVOR_OPTION_BOOLEAN 3000u
#define SALVOR_OPTION_DURATION 4000u /* "30s", "5m"; handed over in milliseconds */
#define SALVOR_OPTION_SIZE 5000u     /* "10MiB"; handed over in bytes */
#define SALVOR_OPTION_PATH 6000u     /* made absolute by the host */
#define SALVOR_OPTION_URL 7000u      /* scheme and host are checked */
#define SALVOR_OPTION_CHOICE 8000u   /* one of `choices` */
#define SALVOR_OPTION_LIST 9000u     /* of strings; the flag may be repeated */

#define SALVOR_OPTION_REQUIRED 1u /* a command it belongs to is refused without it */
#define SALVOR_OPTION_SECRET 2u   /* given by reference (env:, file:, exec:), never shown */

/* Commands that an option belongs to (a mask); it is a flag there, and --set works everywhere. */
#define SALVOR_ON_DISCOVER 1u
#define SALVOR_ON_BACKUP 2u
#define SALVOR_ON_VALIDATE 4u
#define SALVOR_ON_RESTORE 8u /* also plan and drill */
#define SALVOR_ON_POST_RESYNC 16u
#define SALVOR_ON_ALL 0xffffffffu

struct salvor_option {
    const char *name;          /* [a-z][a-z0-9-]{0,31}; not one of the core's own flags */
    const char *value_name;    /* for help: "URL"; NULL: from the type */
    const char *default_value; /* as a user would write it; NULL: none */
    const char *help;          /* one line, lower case, no full stop */
    const char *choices;       /* CHOICE: "operator|native|auto"; else NULL */
    const char *since;         /* plugin version that introduced it: "0.1" */
    uint32_t type;             /* SALVOR_OPTION_STRING ... */
    uint32_t flags;            /* SALVOR_OPTION_REQUIRED | SALVOR_OPTION_SECRET */
    uint32_t commands;         /* SALVOR_ON_* mask */
    uint32_t reserved;         /* 0 */
};

/* ---- procedures: stages of step rows -------------------------------------------------------- */

#define SALVOR_ROW_MANUAL 1u     /* a person does it; the check sees that it was done */
#define SALVOR_ROW_IDEMPOTENT 2u /* running it again changes nothing more */
#define SALVOR_ROW_JOB 4u        /* its work goes on detached; check_step asks the job */

/*
 * One documented step. The plan names a row, a target and parameters only, so that what a step may
 * do, how long and how often is what this table says.
 */
struct salvor_row {
    const char *id;           /* unique in the plugin: "delete-orphan-policies" */
    const char *title;        /* imperative, as the vendor's page calls it */
    const char *statements;   /* ids of vendor statements, space-separated: "PAGE-041 PAGE-042" */
    const char *instructions; /* MANUAL: exactly what the person does; else NULL. "{name}" stands
                                 for the plan's parameter of that name */
    const char *undo;         /* id of the procedure that undoes it, or NULL */
    uint64_t deadline_ms;     /* for one attempt with its checks; never 0 */
    uint32_t effect;          /* SALVOR_EFFECT_* */
    uint32_t flags;           /* SALVOR_ROW_* */
    uint32_t attempts;        /* on SALVOR_RETRY, in all; 1: never again */
    uint32_t backoff_ms;      /* before the second attempt; doubles, with jitter */
    uint32_t check_every_ms;  /* between two checks while waiting for the goal; 0: 1000 */
    uint32_t reserved;        /* 0 */
};

/* A stage is planned, shown and approved as a whole, from what the stages before it found. */
struct salvor_stage {
    const char *id; /* unique in the procedure */
    const char *title;
    const struct salvor_row *rows; /* in the vendor's order */
    uint32_t row_count;
    uint32_t row_size; /* sizeof(struct salvor_row) at compile time */
};

#define SALVOR_PROCEDURE_BACKUP 1000u
#define SALVOR_PROCEDURE_RESTORE 2000u
#define SALVOR_PROCEDURE_POST_RESYNC 3000u
#define SALVOR_PROCEDURE_UNDO 4000u /* taken only when named with --path */

/* One documented way through: what `--path` names. */
struct salvor_procedure {
    const char *id; /* unique in the plugin: "in-place" */
    const char *title;
    const char *document; /* title of the vendor's page it encodes */
    const char *versions; /* product versions that the page covers, as text */
    const struct salvor_stage *stages;
    uint32_t stage_count;
    uint32_t stage_size; /* sizeof(struct salvor_stage) */
    uint32_t kind;       /* SALVOR_PROCEDURE_* */
    uint32_t reserved;   /* 0 */
};

/* ---- findings ------------------------------------------------------------------------------- */

#define SALVOR_FINDING_WAIVABLE 1u /* --waive ID --reason TEXT may lower it for one run */

struct salvor_finding {
    const char *id;         /* "VERSION-MISMATCH" */
    const char *title;      /* what is wrong, one line */
    const char *statements; /* vendor statement ids, space-separated; NULL: the tool's own rule */
    const char *remedy;     /* what to do about it */
    uint32_t severity;      /* SALVOR_SEVERITY_*, the most it can be raised with */
    uint32_t flags;         /* SALVOR_FINDING_* */
};

/* ---- declared reads ------------------------------------------------------------------------- */

/*
 * A command that reads by declaration: its arguments, word by word, where "*" stands for any one
 * word and a last "**" for any number of further words. The first word is compared with the file
 * name of the program. For an interpreter, `script_sha256` is the digest of the only script that
 * may be its argument "{script}"; data go to its standard input.
 */
struct salvor_declared_read {
    const char *id;
    const char *pattern;       /* "etcdctl endpoint status **", words separated by one space */
    const char *reason;        /* why it changes nothing */
    const char *script_sha256; /* or NULL */
};

/* ---- needed services ------------------------------------------------------------------------ */

struct salvor_need {
    const char *interface_name; /* "salvor.exec" */
    uint32_t min_version;
    uint32_t required; /* 1: the plugin is refused without it; 0: it asks get_interface */
};

/* ---- hooks ---------------------------------------------------------------------------------- */

/* What the hooks validate, backup, restore and post_resync are asked for. */
struct salvor_request {
    uint32_t struct_size;
    uint32_t procedure_kind; /* SALVOR_PROCEDURE_*; 0 in validate */
    const char *procedure;   /* asked for by --path; NULL: choose from evidence, call plan.decide */
    const char *stage;       /* stage to plan; NULL: the first of the chosen procedure */
    const char *source;      /* set, file or URL named by --from; NULL: none */
    const char *source_folder; /* local folder or file that holds it, readable; NULL: none */
    const char *results; /* JSON array of the finished steps: [{"step","row","target","result"}] */
};

/* One instance of a row, as the approved plan names it. */
struct salvor_step {
    uint32_t struct_size;
    uint32_t attempt;     /* 1 for the first */
    const char *instance; /* unique in the run: "restore/2" */
    const char *procedure;
    const char *stage;
    const char *row;
    const char *target;     /* what it acts on; "" when the row needs none */
    const char *parameters; /* JSON object, exactly as planned */
    const char *job_id;     /* id for salvor.exec jobs of this step, frozen with the plan */
    const char *results;    /* as in salvor_request */
    const char *source;
    const char *source_folder;
};

/*
 * The hooks. All are called on the worker's main thread, one at a time. NULL: not offered.
 * Effects: read only, except run_step, which may do what its row declares.
 */
struct salvor_hooks {
    uint32_t struct_size;
    uint32_t reserved; /* 0 */

    /* Looks at the live systems: items and facts through salvor.inventory. Mandatory. */
    salvor_status (*discover)(salvor_call *call);

    /* Can this backup be restored, here and now? Findings through salvor.findings. With nothing but
     * a source it works offline. */
    salvor_status (*validate)(salvor_call *call, const struct salvor_request *request);

    /* Plan one stage through salvor.plan. They change nothing. */
    salvor_status (*backup)(salvor_call *call, const struct salvor_request *request);
    salvor_status (*restore)(salvor_call *call, const struct salvor_request *request);
    salvor_status (*post_resync)(salvor_call *call, const struct salvor_request *request);

    /* Executes exactly one row instance; its result (a JSON object) through salvor.plan's
     * step_result. Mandatory when any of the plan hooks is there. */
    salvor_status (*run_step)(salvor_call *call, const struct salvor_step *step);

    /* Has the row instance reached its goal? Answers by looking, never from memory. Mandatory
     * with run_step. On a status other than OK the answer is taken as UNKNOWN. A drill also asks it
     * before its turn, when the steps before are not done: it says what it sees then, too. */
    salvor_status (*check_step)(salvor_call *call, const struct salvor_step *step,
                                uint32_t *ret_answer);

    /* Looks again at the facts named in the JSON array `names` and puts their present values
     * through salvor.inventory. A fact that no longer exists is simply not put. Mandatory when the
     * plugin has facts of class identity or guard. */
    salvor_status (*observe)(salvor_call *call, const char *names);
};

/* ---- the descriptor ------------------------------------------------------------------------- */

/* Constant data of the plugin; the host copies it at once and never looks again. */
struct salvor_plugin {
    uint32_t magic;          /* SALVOR_ABI_MAGIC; this and the next four never move */
    uint16_t abi_major;      /* SALVOR_ABI_MAJOR */
    uint16_t abi_minor;      /* SALVOR_ABI_MINOR */
    uint32_t struct_size;    /* sizeof(struct salvor_plugin) */
    uint16_t min_host_minor; /* oldest host minor it truly works with */
    uint16_t reserved;       /* 0 */
    char abi_tag[16];        /* SALVOR_ABI_TAG */
    uint64_t flags;          /* 0; an unknown bit is refused */
    const char *name;        /* [a-z][a-z0-9-]{0,31}; the file is salvor_<name>.so */
    const char *version;     /* of the plugin */
    const char *summary;     /* one line */
    const char *maintainer;  /* name <address> */
    const char *homepage;    /* URL or NULL */
    const char *license;     /* SPDX expression */
    const struct salvor_option *options;
    const struct salvor_procedure *procedures;
    const struct salvor_finding *findings;
    const struct salvor_declared_read *declared_reads;
    const struct salvor_need *needs;
    const struct salvor_hooks *hooks;
    uint32_t option_count,
        option_size; /* each array with its element size, so that elements grow */
    uint32_t procedure_count, procedure_size;
    uint32_t finding_count, finding_size;
    uint32_t declared_read_count, declared_read_size;
    uint32_t need_count, need_size;
};

/* The entry function. Pure: no I/O, no thread, nothing to free. NULL after host->log() refuses. */
typedef const struct salvor_plugin *(*salvor_plugin_entry)(const struct salvor_host *host);

#define SALVOR_ENTRY_SYMBOL "salvor_plugin_v1"

#if defined(__GNUC__)
#define SALVOR_EXPORT __attribute__((visibility("default")))
#else
#define SALVOR_EXPORT
#endif

#ifdef __cplusplus
#define SALVOR_EXTERN_C extern "C"
#else
#define SALVOR_EXTERN_C extern
#endif

/*
 * Statically bundled plugins need distinct names: such a build defines SALVOR_PLUGIN_MODULE to the
 * plugin's name with underscores, and the host's generated table refers to <module>_LTX_<symbol>.
 */
#ifdef SALVOR_PLUGIN_MODULE
#define SALVOR_ENTRY_PASTE2(module, symbol) module##_LTX_##symbol
#define SALVOR_ENTRY_PASTE(module, symbol) SALVOR_ENTRY_PASTE2(module, symbol)
#define SALVOR_ENTRY_NAME SALVOR_ENTRY_PASTE(SALVOR_PLUGIN_MODULE, salvor_plugin_v1)
#else
#define SALVOR_ENTRY_NAME salvor_plugin_v1
#endif

/* Defines the entry function, returning the address of `descriptor`. No semicolon is needed. */
#define SALVOR_REGISTER_PLUGIN(descriptor)                                        \
    SALVOR_EXTERN_C SALVOR_EXPORT const struct salvor_plugin *SALVOR_ENTRY_NAME(  \
        const struct salvor_host *host);                                          \
    const struct salvor_plugin *SALVOR_ENTRY_NAME(const struct salvor_host *host) \
    {                                                                             \
        (void)host;                                                               \
        return &(descriptor);                                                     \
    }

/* First members of every descriptor initialiser, in C and C++. */
#define SALVOR_PLUGIN_HEAD                                                              \
    SALVOR_ABI_MAGIC, SALVOR_ABI_MAJOR, SALVOR_ABI_MINOR, sizeof(struct salvor_plugin), \
        SALVOR_ABI_MINOR, 0, SALVOR_ABI_TAG, 0

/* The count-and-size pairs of an array. */
#define SALVOR_ARRAY(array) \
    (uint32_t)(sizeof(array) / sizeof((array)[0])), (uint32_t)sizeof((array)[0])
#define SALVOR_NO_ARRAY 0, 0

/* The same with the array, for descriptors with designated initialisers (C99, C++20):
 * `SALVOR_WITH(option, options)` sets .options, .option_count and .option_size. */
#define SALVOR_WITH(member, array)                                              \
    .member##s = (array), .member##_count = sizeof(array) / sizeof((array)[0]), \
    .member##_size = sizeof((array)[0])

#ifdef __cplusplus
}
#endif

#endif
