#include "plugin/lint.h"

#include <salvor/plugin.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/descriptor-compare.h"
#include "plugin/descriptor-rules.h"
#include "plugin/elf-dynamic.h"
#include "plugin/elf-note.h"
#include "plugin/search.h"
#include "plugin/vocabulary.h"

static void add(json_t *problems, const char *level, const char *id, const char *hint,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

static void add(json_t *problems, const char *level, const char *id, const char *hint,
                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *message = text_vformat(format, args);
    va_end(args);
    json_t *problem = json_make("{s:s, s:s, s:s}", "id", id, "level", level, "message", message);
    json_put_text(problem, "hint", hint);
    json_add(problems, problem);
}

/* ---- what the linker made -------------------------------------------------------------------- */

/* What a plugin must not do by itself, and what there is in its place. */
static const struct {
    const char *function;
    const char *hint;
} forbidden[] = {
#define COMMANDS "commands run through the service 'salvor.exec'"
#define ENDING "return a status; the worker ends when its work is done"
#define PROCESS_WIDE "it changes the whole worker, which belongs to salvor"
    {"system", COMMANDS},
    {"popen", COMMANDS},
    {"fork", COMMANDS},
    {"vfork", COMMANDS},
    {"_Fork", COMMANDS},
    {"execl", COMMANDS},
    {"execle", COMMANDS},
    {"execlp", COMMANDS},
    {"execv", COMMANDS},
    {"execve", COMMANDS},
    {"execveat", COMMANDS},
    {"execvp", COMMANDS},
    {"execvpe", COMMANDS},
    {"fexecve", COMMANDS},
    {"posix_spawn", COMMANDS},
    {"posix_spawnp", COMMANDS},
    {"daemon", COMMANDS},
    {"forkpty", COMMANDS},
    {"wordexp", COMMANDS},
    {"exit", ENDING},
    {"_exit", ENDING},
    {"_Exit", ENDING},
    {"quick_exit", ENDING},
    {"atexit", ENDING},
    {"on_exit", ENDING},
    {"chdir", PROCESS_WIDE},
    {"fchdir", PROCESS_WIDE},
    {"chroot", PROCESS_WIDE},
    {"umask", PROCESS_WIDE},
    {"signal", PROCESS_WIDE},
    {"bsd_signal", PROCESS_WIDE},
    {"sysv_signal", PROCESS_WIDE},
    {"sigaction", PROCESS_WIDE},
    {"__sysv_signal", PROCESS_WIDE},
    {"sigset", PROCESS_WIDE},
    {"setlocale", PROCESS_WIDE},
    {"setuid", PROCESS_WIDE},
    {"setgid", PROCESS_WIDE},
    {"setrlimit", PROCESS_WIDE},
    {"prctl", PROCESS_WIDE},
    {NULL, NULL}};

static const char *const printing[] = {
    "printf",  "__printf_chk", "vprintf",          "__vprintf_chk", "puts",
    "putchar", "perror",       "putchar_unlocked", "psignal",       NULL};

static void check_exports(json_t *problems, const struct elf_dynamic *dynamic)
{
    int entry = 0;
    for (size_t i = 0; i < dynamic->exported.count; i++) {
        if (text_equal(dynamic->exported.items[i], SALVOR_ENTRY_SYMBOL))
            entry = 1;
        else
            add(problems, "error", "export-extra",
                "compile with -fvisibility=hidden and link with the SDK's version script",
                "it exports '%s'; only '%s' may be seen", dynamic->exported.items[i],
                SALVOR_ENTRY_SYMBOL);
    }
    if (!entry)
        add(problems, "error", "export-missing",
            "a plugin ends with SALVOR_REGISTER_PLUGIN(descriptor)", "it exports no function '%s'",
            SALVOR_ENTRY_SYMBOL);
}

static void check_calls(json_t *problems, const struct elf_dynamic *dynamic)
{
    for (size_t i = 0; i < dynamic->needed.count; i++) {
        const char *name = dynamic->needed.items[i];
        for (size_t j = 0; forbidden[j].function != NULL; j++) {
            if (text_equal(forbidden[j].function, name))
                add(problems, "error", "forbidden-call", forbidden[j].hint, "it calls '%s'", name);
        }
        for (size_t j = 0; printing[j] != NULL; j++) {
            if (text_equal(printing[j], name))
                add(problems, "warning", "prints", "use host->log() and host->report()",
                    "it calls '%s'; standard output is not the plugin's", name);
        }
    }
}

/* Constructors that compilers bring along: C's frame_dummy, the argument vector of Rust's standard
 * library, and those of sanitizers. */
static int is_usual_constructor(const char *name)
{
    return text_equal(name, "frame_dummy") || strstr(name, "ARGV_INIT_ARRAY") != NULL ||
           text_starts(name, "asan.module_ctor") || text_starts(name, "sancov.module_ctor") ||
           text_starts(name, "_sub_I_00099_");
}

static void check_constructors(json_t *problems, const struct elf_dynamic *dynamic)
{
    static const char hint[] = "nothing may run before the entry function: initialise constants "
                               "statically, or in the hooks";
    if (!dynamic->has_symbols) {
        if (dynamic->constructors.count > 1)
            add(problems, "warning", "constructor", "lint the file before it is stripped",
                "it runs %zu functions when it is loaded, and names none of them",
                dynamic->constructors.count);
        return;
    }
    for (size_t i = 0; i < dynamic->constructors.count; i++) {
        const char *name = dynamic->constructors.items[i];
        if (!is_usual_constructor(name))
            add(problems, "error", "constructor", hint, "it runs '%s' when it is loaded",
                name[0] != '\0' ? name : "a nameless function");
    }
}

static void check_linking(json_t *problems, const struct elf_dynamic *dynamic)
{
    check_exports(problems, dynamic);
    check_calls(problems, dynamic);
    check_constructors(problems, dynamic);
    if (!dynamic->binds_now)
        add(problems, "error", "bind-now", "link with -Wl,-z,now",
            "a missing function would end the worker at its first call");
    if (dynamic->writes_text)
        add(problems, "error", "text-relocation", "compile with -fPIC",
            "its code must be made writable to be loaded");
    for (size_t i = 0; i < dynamic->run_paths.count; i++)
        add(problems, "warning", "run-path", "link without -rpath",
            "it looks for libraries in '%s'", dynamic->run_paths.items[i]);
}

/* ---- what it says of itself ------------------------------------------------------------------ */

/* 1 when the descriptor keeps all of them. */
static int check_rules(json_t *problems, const json_t *descriptor)
{
    cleanup_json json_t *broken = descriptor_problems(descriptor);
    size_t index = 0;
    json_t *rule = NULL;
    json_array_foreach (broken, index, rule)
        add(problems, "error", json_text(rule, "id"), NULL, "%s", json_text(rule, "message"));
    return json_array_size(broken) == 0;
}

/* Help stands in tables and sentences of salvor; titles of rows are the vendor's own words. */
static void check_wording(json_t *problems, const char *owner, const char *text)
{
    int capital = text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z';
    if (capital || text_ends(text, "."))
        add(problems, "warning", "wording", "lower case first, no full stop last", "%s: help '%s'",
            owner, text);
}

static void check_row(json_t *problems, const json_t *row)
{
    cleanup_free char *owner = text_format("row '%s'", json_text(row, "id"));
    uint32_t effect = number_for(words_effect, json_text(row, "effect"));
    if (effect >= SALVOR_EFFECT_CHANGE && json_array_size(json_object_get(row, "statements")) == 0)
        add(problems, "warning", "row-statements",
            "name the statements of the vendor's document that ask for it",
            "%s: it changes something, but names no vendor statement", owner);
    if (json_whole(row, "attempts", 1) > 1 && json_whole(row, "backoff_ms", 0) == 0)
        add(problems, "warning", "row-backoff", "give backoff_ms",
            "%s: it is tried again without a pause", owner);
}

static void check_rows(json_t *problems, const json_t *descriptor)
{
    size_t i = 0;
    json_t *procedure = NULL;
    json_array_foreach (json_object_get(descriptor, "procedures"), i, procedure) {
        size_t j = 0;
        json_t *stage = NULL;
        json_array_foreach (json_object_get(procedure, "stages"), j, stage) {
            size_t k = 0;
            json_t *row = NULL;
            json_array_foreach (json_object_get(stage, "rows"), k, row)
                check_row(problems, row);
        }
    }
}

static void check_needs(json_t *problems, const json_t *descriptor)
{
    static const char *const known[] = {
        SALVOR_INVENTORY, SALVOR_FINDINGS, SALVOR_PLAN, SALVOR_SECRET, SALVOR_EXEC, SALVOR_STREAM,
        SALVOR_LEDGER,    SALVOR_BATCH,    SALVOR_HTTP, SALVOR_KUBE,   SALVOR_SSH,  NULL};
    size_t index = 0;
    json_t *need = NULL;
    json_array_foreach (json_object_get(descriptor, "needs"), index, need) {
        const char *name = json_text(need, "interface");
        const char *const *service = known;
        while (*service != NULL && !text_equal(*service, name))
            service++;
        if (*service != NULL)
            continue;
        const char *nearest = text_nearest(name, known);
        cleanup_free char *hint =
            nearest != NULL ? text_format("did you mean '%s'?", nearest) : NULL;
        add(problems, "warning", "need-unknown", hint,
            "it needs the service '%s', which this salvor has never heard of", name);
    }
}

static void check_style(json_t *problems, const json_t *descriptor)
{
    size_t index = 0;
    json_t *item = NULL;
    check_needs(problems, descriptor);
    json_array_foreach (json_object_get(descriptor, "options"), index, item) {
        cleanup_free char *owner = text_format("option '%s'", json_text(item, "name"));
        check_wording(problems, owner, json_text(item, "help"));
        if (json_text(item, "since") == NULL)
            add(problems, "warning", "option-since", "give the version of the plugin",
                "%s: it does not say since when it exists", owner);
    }
    check_rows(problems, descriptor);
}

/* Where packages put it, or beside the file. */
static int has_man_page(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    cleanup_free char *folder =
        slash != NULL ? text_copy_span(path, (size_t)(slash - path)) : text_copy(".");
    const char *folders[] = {SALVOR_MAN_FOLDER "/man7", folder};
    for (size_t i = 0; i < 2; i++) {
        cleanup_free char *page = text_format("%s/salvor-%s.7", folders[i], name);
        cleanup_free char *packed = text_format("%s.gz", page);
        if (access(page, F_OK) == 0 || access(packed, F_OK) == 0)
            return 1;
    }
    return 0;
}

/* ---- the note -------------------------------------------------------------------------------- */

static void check_note(json_t *problems, const json_t *noted, const struct plugin_note *note,
                       const json_t *descriptor)
{
    static const char hint[] = "'salvor plugin note FILE' writes it";
    if (note->text == NULL) {
        add(problems, "error", "note-missing", hint, "it has no note '%s'", NOTE_SECTION);
        return;
    }
    if (noted == NULL) {
        add(problems, "error", "note-broken", hint, "its note is not JSON");
        return;
    }
    cleanup_free char *place = descriptor != NULL ? descriptor_difference(noted, descriptor) : NULL;
    if (place != NULL)
        add(problems, "error", "note-differs", hint, "its note differs from its descriptor at '%s'",
            place);
    if (note->build_id[0] == '\0')
        add(problems, "warning", "build-id", "link with -Wl,--build-id",
            "it has no build id: a resume compares the whole file");
}

static void check_loading(json_t *problems, const struct lint_subject *subject)
{
    const struct error *err = subject->load_error;
    if (subject->descriptor != NULL || err == NULL)
        return;
    cleanup_free char *message = err->detail != NULL
                                     ? text_format("%s: %s", err->message, err->detail)
                                     : text_copy(err->message);
    add(problems, "error", "load", err->hint, "%s", message);
}

int lint_file(const struct lint_subject *subject, json_t **ret_problems, struct error *reterr)
{
    cleanup_elf struct elf_file file = ELF_FILE_INIT;
    cleanup_dynamic struct elf_dynamic dynamic = {.binds_now = 0};
    cleanup_note struct plugin_note note = {NULL, 0, NULL};
    if (elf_open(subject->path, &file, reterr) != 0 ||
        elf_dynamic_read(&file, &dynamic, reterr) != 0 || note_look(&file, &note, reterr) != 0)
        return -1;
    json_t *problems = json_make("[]");
    const char *slash = strrchr(subject->path, '/');
    cleanup_free char *name = plugin_name_of_file(slash != NULL ? slash + 1 : subject->path);
    if (name == NULL)
        add(problems, "error", "file-name",
            "the file of plugin 'a-b' must be named 'salvor_a_b.so'",
            "it is not named as a plugin file");
    check_linking(problems, &dynamic);
    check_loading(problems, subject);
    cleanup_json json_t *noted =
        note.text != NULL ? json_loadb(note.text, note.size, JSON_REJECT_DUPLICATES, NULL) : NULL;
    check_note(problems, noted, &note, subject->descriptor);
    /* What cannot be loaded may still say enough of itself to be helped. */
    const json_t *descriptor = subject->descriptor != NULL ? subject->descriptor : noted;
    if (descriptor != NULL && check_rules(problems, descriptor))
        check_style(problems, descriptor);
    if (name != NULL && !has_man_page(subject->path, name))
        add(problems, "warning", "man-page", "operators look for it first",
            "there is no manual page salvor-%s(7)", name);
    *ret_problems = problems;
    return 0;
}

int lint_failed(const json_t *problems)
{
    size_t index = 0;
    json_t *problem = NULL;
    json_array_foreach (problems, index, problem) {
        if (text_equal(json_text(problem, "level"), "error"))
            return 1;
    }
    return 0;
}
