#include "cli/plugin-command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/display.h"
#include "cli/message.h"
#include "cli/plugin-show.h"
#include "cli/table.h"
#include "cli/target.h"
#include "config/config.h"
#include "host/client.h"
#include "plugin/elf-note.h"
#include "plugin/lint.h"
#include "plugin/plugin-find.h"
#include "plugin/plugin-list.h"
#include "plugin/search.h"

static void free_config(struct config **config)
{
    config_free(*config);
}
#define cleanup_config __attribute__((cleanup(free_config)))

/* ---- list ------------------------------------------------------------------------------------ */

/* In a table the reason stands where a usable plugin has its summary; names are only those that
 * may be used. */
static json_t *rows_to_show(json_t *rows, enum output_format format)
{
    json_t *shown = json_make("[]");
    size_t index = 0;
    json_t *row = NULL;
    json_array_foreach (rows, index, row) {
        if (!json_flag(row, "usable")) {
            if (format == OUTPUT_NAME)
                continue;
            cleanup_free char *summary = text_format("unusable: %s", json_text(row, "message"));
            json_put_text(row, "summary", summary);
        }
        json_add(shown, json_incref(row));
    }
    return shown;
}

static int list(const struct arguments *arguments, struct error *reterr)
{
    static const struct table_column columns[] = {{"NAME", "name", 0}, {"VERSION", "version", 0},
                                                  {"ABI", "abi", 0},   {"SUMMARY", "summary", 0},
                                                  {"PATH", "path", 0}, {NULL, NULL, 0}};
    cleanup_config struct config *config = NULL;
    cleanup_json json_t *found = NULL;
    if (config_load(arguments->config_file, &config, reterr) != 0)
        return -1;
    cleanup_free const char **folders = target_folders(arguments, config);
    if (plugin_list(folders, &found, reterr) != 0)
        return -1;
    cleanup_json json_t *rows = rows_to_show(found, arguments->output);
    table_print(stdout, arguments->output, columns, "name", rows, "no plugins");
    return EXIT_DONE;
}

/* ---- show ------------------------------------------------------------------------------------ */

static int show(const struct arguments *arguments, struct error *reterr)
{
    const char *subject = arguments->operands[0];
    struct plugin_file *file = NULL;
    cleanup_config struct config *config = NULL;
    if (config_load(arguments->config_file, &config, reterr) != 0)
        return -1;
    cleanup_free const char **folders = target_folders(arguments, config);
    int result = strchr(subject, '/') != NULL ? plugin_find_file(subject, 0, &file, reterr)
                                              : plugin_find(subject, folders, &file, reterr);
    if (result != 0)
        return -1;
    plugin_show(stdout, arguments->output, file);
    plugin_file_free(file);
    return EXIT_DONE;
}

/* ---- lint and note ----------------------------------------------------------------------------
 */

/* The configuration is not read here: builds of plugins run these two, and what stands in the home
 * of the builder must not matter. */

/* Loads an unfinished plugin in a worker; its descriptor is owned by the caller. */
static int ask_worker(const char *path, json_t **ret_descriptor, struct error *reterr)
{
    cleanup_free char *name = plugin_name_of_file(strrchr(path, '/') + 1);
    if (name == NULL)
        return search_refuse_name(path, reterr);
    cleanup_json json_t *open = json_make("{s:b}", "inspect", 1);
    const struct client_settings settings = {
        .plugin_path = path, .plugin_name = name, .open = open};
    struct client *client = client_new(&settings);
    const json_t *descriptor = NULL;
    int result = client_descriptor(client, &descriptor, reterr);
    if (result == 0)
        *ret_descriptor = json_clone(descriptor);
    client_free(client);
    return result;
}

/* The file as it lies there, without links; its name is that of the operand. */
static char *absolute(const char *file, struct error *reterr)
{
    const char *slash = strrchr(file, '/');
    cleanup_free char *folder =
        slash == NULL ? text_copy(".") : text_copy_span(file, (size_t)(slash - file) + 1);
    cleanup_free char *real = realpath(folder, NULL);
    if (real == NULL) {
        (void)error_errno(reterr, EXIT_USAGE, errno, "cannot open plugin file '%s'", file);
        return NULL;
    }
    return text_format("%s/%s", strcmp(real, "/") == 0 ? "" : real,
                       slash == NULL ? file : slash + 1);
}

static void print_problems(const char *file, const json_t *problems)
{
    size_t index = 0;
    json_t *problem = NULL;
    json_array_foreach (problems, index, problem) {
        const char *hint = json_text(problem, "hint");
        cleanup_free char *text = display_safe(json_text(problem, "message"), 0);
        cleanup_free char *safe_hint = hint != NULL ? display_safe(hint, 0) : NULL;
        (void)printf("%s: %s[%s]: %s\n", file, json_text(problem, "level"),
                     json_text(problem, "id"), text);
        if (safe_hint != NULL)
            (void)printf("  hint: %s\n", safe_hint);
    }
}

static int lint(const struct arguments *arguments, struct error *reterr)
{
    const char *file = arguments->operands[0];
    cleanup_free char *path = absolute(file, reterr);
    cleanup_json json_t *descriptor = NULL;
    cleanup_json json_t *problems = NULL;
    cleanup_error struct error fault = ERROR_INIT;
    struct elf_file elf = ELF_FILE_INIT;
    if (path == NULL || elf_open(path, &elf, reterr) != 0)
        return -1;
    elf_close(&elf);
    int loaded = ask_worker(path, &descriptor, &fault) == 0;
    const struct lint_subject subject = {path, descriptor, loaded ? NULL : &fault};
    if (lint_file(&subject, &problems, reterr) != 0)
        return -1;
    if (arguments->output == OUTPUT_JSON || arguments->output == OUTPUT_YAML)
        table_print_value(stdout, arguments->output, problems);
    else
        print_problems(file, problems);
    if (json_array_size(problems) == 0)
        message(MESSAGE_INFO, "'%s': no problems", file);
    return lint_failed(problems) ? EXIT_FAILED : EXIT_DONE;
}

static int note(const struct arguments *arguments, struct error *reterr)
{
    cleanup_free char *path = absolute(arguments->operands[0], reterr);
    cleanup_json json_t *descriptor = NULL;
    if (path == NULL || ask_worker(path, &descriptor, reterr) != 0)
        return -1;
    struct plugin_info *info = NULL;
    if (plugin_info_parse(descriptor, &info, reterr) != 0)
        return -1;
    plugin_info_free(info);
    cleanup_free char *text = json_canonical(descriptor);
    return note_write(path, path, text, reterr) == 0 ? EXIT_DONE : -1;
}

/* ---- the command ------------------------------------------------------------------------------
 */

int plugin_command(const struct arguments *arguments, struct error *reterr)
{
    static const struct {
        const char *action;
        int (*run)(const struct arguments *arguments, struct error *reterr);
    } actions[] = {{"list", list}, {"show", show}, {"lint", lint}, {"note", note}};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (text_equal(actions[i].action, arguments->action))
            return actions[i].run(arguments, reterr);
    }
    return error_set(reterr, EXIT_USAGE, "'plugin' cannot '%s'", arguments->action);
}
