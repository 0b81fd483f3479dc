#include "cli/backups-command.h"

#include <stdio.h>
#include <string.h>

#include "backup/backup-source.h"
#include "backup/manifest.h"
#include "backup/set-pick.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/keygen-command.h"
#include "cli/message.h"
#include "cli/prune-command.h"
#include "cli/staged-sets.h"
#include "cli/store-view.h"
#include "cli/table.h"
#include "config/path.h"

/* ---- list -------------------------------------------------------------------------------------
 */

/* What a column shows of nested members. */
static void flatten(json_t *rows)
{
    size_t index = 0;
    json_t *row = NULL;
    json_array_foreach (rows, index, row) {
        const json_t *verified = json_object_get(row, "verified");
        json_put_text(row, "verified_state", json_text(verified, "state"));
        json_put_text(row, "verified_at", json_text(verified, "at"));
    }
}

static int list(const struct arguments *arguments, struct error *reterr)
{
    static const struct table_column columns[] = {
        {"SET", "set", 0},     {"PROVIDER", "provider", 0},       {"SITE", "site", 0},
        {"STATE", "state", 0}, {"VERIFIED", "verified_state", 0}, {"CREATED", "created", 0},
        {"BYTES", "size", 0},  {"VERIFIED AT", "verified_at", 1}, {"ENCRYPTED", "encrypted", 1},
        {"PATH", "path", 1},   {"PROBLEM", "problem", 1},         {NULL, NULL, 0},
    };
    cleanup_store_view struct store_view *view = store_view_new(arguments, arguments->store);
    cleanup_json json_t *rows = NULL;
    cleanup_json json_t *staged = NULL;
    if (staged_sets_list(arguments, &staged, reterr) != 0 ||
        store_view_list(view, arguments->provider, 0, &rows, reterr) != 0)
        return -1;
    (void)json_array_extend(staged, rows);
    flatten(staged);
    table_print(stdout, arguments->output, columns, "set", staged, "no backup sets");
    return EXIT_DONE;
}

/* ---- which set --------------------------------------------------------------------------------
 */

/* 0: *ret_row, owned by the caller; SET_NOT_THERE: none of that name in the store; -1. */
static int pick(const struct arguments *arguments, struct store_view *view, json_t **ret_row,
                struct error *reterr)
{
    cleanup_free char *place = store_view_place(arguments->store);
    const struct set_wish wish = {arguments->provider, arguments->site, arguments->operands[0],
                                  place, 0};
    cleanup_json json_t *rows = NULL;
    const json_t *row = NULL;
    if (store_view_list(view, arguments->provider, 0, &rows, reterr) != 0)
        return -1;
    int picked = set_pick(rows, &wish, &row, reterr);
    if (picked == 0)
        *ret_row = json_clone(row);
    return picked;
}

static int is_path(const char *what)
{
    return strchr(what, '/') != NULL;
}

static int pick_or_fail(const struct arguments *arguments, struct store_view *view,
                        json_t **ret_row, struct error *reterr)
{
    cleanup_free char *place = store_view_place(arguments->store);
    const struct set_wish wish = {arguments->provider, arguments->site, arguments->operands[0],
                                  place, 0};
    int picked = pick(arguments, view, ret_row, reterr);
    return picked == SET_NOT_THERE ? set_pick_nothing(&wish, reterr) : picked;
}

/* ---- verify -----------------------------------------------------------------------------------
 */

static const struct table_column verify_columns[] = {
    {"SET", "set", 0},       {"STATE", "state", 0},   {"ARTIFACTS", "artifacts", 0},
    {"PROVEN", "proven", 0}, {"DIGEST", "digest", 0}, {NULL, NULL, 0},
};

/* -1 when a key was given to open them with. */
static int tell_unopened(const struct arguments *arguments, const json_t *result,
                         struct error *reterr)
{
    const long long encrypted = (long long)json_whole(result, "encrypted", 0);
    const json_t *unopened = json_object_get(result, "unopened");
    if (encrypted == 0 || text_equal(json_text(result, "read"), "decrypted"))
        return 0;
    if (arguments->read_data && json_array_size(json_object_get(arguments->keeping, "identity")))
        return error_set(
            reterr, EXIT_REFUSED,
            "the stored bytes are whole, but the private key opens %zu artifact%s not: "
            "'%s'",
            json_array_size(unopened), json_array_size(unopened) == 1 ? "" : "s",
            json_string_value(json_array_get(unopened, 0)));
    message(MESSAGE_WARNING,
            "of %lld encrypted artifacts only the stored bytes were proven, not that they can be "
            "opened: that needs %sthe private key (--identity)",
            encrypted, arguments->read_data ? "" : "--read-data and ");
    return 0;
}

static int report_damage(const json_t *result, struct error *reterr)
{
    cleanup_buffer struct buffer problems = BUFFER_INIT(65536);
    const long long count = (long long)json_whole(result, "problem_count", 0);
    size_t index = 0;
    const json_t *problem = NULL;
    json_array_foreach (json_object_get(result, "problems"), index, problem)
        (void)buffer_format(&problems, "%s'%s': %s", index > 0 ? "; " : "",
                            json_text(problem, "artifact"), json_text(problem, "problem"));
    (void)error_set(reterr, EXIT_BLOCKED, "backup '%s' is not what it was: %lld problem%s",
                    json_text(result, "set"), count, count == 1 ? "" : "s");
    return error_detail(reterr, "%s", problems.size > 0 ? problems.data : "");
}

static int verify_in_store(const struct arguments *arguments, struct store_view *view,
                           const json_t *row, struct error *reterr)
{
    cleanup_json json_t *result = NULL;
    if (store_view_do(view, "verify",
                      json_make("{s:s, s:s, s:b, s:b}", "provider", json_text(row, "provider"),
                                "set", json_text(row, "set"), "read_data", arguments->read_data,
                                "record", 1),
                      &result, reterr) != 0)
        return -1;
    if (!json_flag(result, "recorded"))
        message(MESSAGE_WARNING, "that it was verified is not written down: %s",
                json_text(result, "record_problem"));
    if (!text_equal(json_text(result, "state"), "whole"))
        return report_damage(result, reterr);
    json_put_text(result, "proven",
                  text_equal(json_text(result, "read"), "decrypted") ? "content" : "stored bytes");
    cleanup_json json_t *rows = json_make("[O]", result);
    table_print(stdout, arguments->output, verify_columns, "set", rows, NULL);
    return tell_unopened(arguments, result, reterr) == 0 ? EXIT_DONE : -1;
}

/* A set folder anywhere, or a bare vendor file. */
static int verify_path(const struct arguments *arguments, struct error *reterr)
{
    const char *what = arguments->operands[0];
    cleanup_free char *path = is_path(what) ? text_copy(what) : text_format("./%s", what);
    struct backup_source *source = NULL;
    if (backup_source_find("", "", NULL, path, &source, reterr) != 0)
        return -1;
    int result = backup_source_verify(source, reterr);
    if (result == 0) {
        const json_t *artifacts = json_object_get(source->open, "artifacts");
        cleanup_json json_t *rows =
            json_make("[{s:s, s:s, s:I, s:s, s:s}]", "set", source->name, "state", "whole",
                      "artifacts", (json_int_t)json_object_size(artifacts), "proven",
                      "stored bytes", "digest", source->digest);
        table_print(stdout, arguments->output, verify_columns, "set", rows, NULL);
        if (arguments->read_data)
            message(MESSAGE_WARNING, "--read-data is for sets of a store");
    }
    backup_source_free(source);
    return result == 0 ? EXIT_DONE : -1;
}

static int verify(const struct arguments *arguments, struct error *reterr)
{
    cleanup_store_view struct store_view *view = store_view_new(arguments, arguments->store);
    cleanup_json json_t *row = NULL;
    if (is_path(arguments->operands[0]))
        return verify_path(arguments, reterr);
    int picked = pick(arguments, view, &row, reterr);
    if (picked == SET_NOT_THERE && access(arguments->operands[0], F_OK) == 0)
        return verify_path(arguments, reterr);
    if (picked == SET_NOT_THERE)
        return pick_or_fail(arguments, view, &row, reterr);
    return picked == 0 ? verify_in_store(arguments, view, row, reterr) : -1;
}

/* ---- show -------------------------------------------------------------------------------------
 */

static int read_manifest(const struct arguments *arguments, struct store_view *view,
                         const json_t *row, json_t **ret_manifest, struct error *reterr)
{
    cleanup_free char *folder = text_format("%s/shown-XXXXXX", arguments->state_folder);
    char digest[DIGEST_TEXT_SIZE];
    if (file_make_folder(arguments->state_folder, reterr) != 0)
        return -1;
    if (mkdtemp(folder) == NULL)
        return error_set(reterr, EXIT_FAILED, "cannot write to '%s'", arguments->state_folder);
    int result = store_view_do(view, "manifest",
                               json_make("{s:s, s:s, s:s}", "provider", json_text(row, "provider"),
                                         "set", json_text(row, "set"), "folder", folder),
                               NULL, reterr);
    if (result == 0)
        result = manifest_read(folder, ret_manifest, digest, reterr);
    (void)file_remove_tree(folder, NULL);
    return result;
}

static void print_line(const json_t *object, const char *key, const char *title)
{
    const char *text = json_text(object, key);
    if (text != NULL)
        (void)printf("%-12s %s\n", title, text);
}

static void print_set(const struct arguments *arguments, const json_t *row, const json_t *manifest)
{
    static const struct table_column columns[] = {
        {"ARTIFACT", "name", 0},   {"BYTES", "size", 0},    {"ENCRYPTION", "encryption", 0},
        {"TYPE", "media_type", 0}, {"SHA256", "sha256", 1}, {NULL, NULL, 0}};
    const json_t *verified = json_object_get(row, "verified");
    size_t index = 0;
    const json_t *entry = NULL;
    print_line(row, "set", "set");
    print_line(row, "path", "path");
    print_line(row, "state", "state");
    print_line(manifest, "provider", "provider");
    print_line(manifest, "site", "site");
    print_line(manifest, "created", "created");
    print_line(manifest, "run", "run");
    print_line(manifest, "salvor", "salvor");
    print_line(row, "digest", "digest");
    if (json_is_object(verified))
        (void)printf("%-12s %s on %s, %s\n", "verified", json_text(verified, "state"),
                     json_text(verified, "at"),
                     text_equal(json_text(verified, "read"), "decrypted") ? "content"
                                                                          : "stored bytes");
    json_array_foreach (json_object_get(manifest, "recipients"), index, entry)
        (void)printf("%-12s %s\n", "recipient", json_string_value(entry));
    json_array_foreach (json_object_get(manifest, "left_out"), index, entry)
        (void)printf("%-12s %s\n", "left out", json_text(entry, "name"));
    (void)fputc('\n', stdout);
    table_print(stdout, arguments->output, columns, "name", json_object_get(manifest, "artifacts"),
                "no artifacts");
}

static int show(const struct arguments *arguments, struct error *reterr)
{
    cleanup_store_view struct store_view *view = store_view_new(arguments, arguments->store);
    cleanup_json json_t *row = NULL;
    cleanup_json json_t *manifest = NULL;
    if (pick_or_fail(arguments, view, &row, reterr) != 0 ||
        read_manifest(arguments, view, row, &manifest, reterr) != 0)
        return -1;
    if (arguments->output == OUTPUT_JSON || arguments->output == OUTPUT_YAML) {
        cleanup_json json_t *data = json_make("{s:O, s:O}", "set", row, "manifest", manifest);
        table_print_value(stdout, arguments->output, data);
    } else if (arguments->output == OUTPUT_NAME) {
        (void)puts(json_text(row, "set"));
    } else {
        print_set(arguments, row, manifest);
    }
    return EXIT_DONE;
}

/* ---- export -----------------------------------------------------------------------------------
 */

static int export(const struct arguments *arguments, struct error *reterr)
{
    static const struct table_column columns[] = {{"PATH", "path", 0},
                                                  {"ARTIFACTS", "artifacts", 0},
                                                  {"DECRYPTED", "decrypted", 0},
                                                  {"BYTES", "bytes", 0},
                                                  {NULL, NULL, 0}};
    cleanup_store_view struct store_view *view = store_view_new(arguments, arguments->store);
    cleanup_free char *folder = path_absolute(NULL, arguments->operands[1]);
    for (size_t size = strlen(folder); size > 1 && folder[size - 1] == '/'; size--)
        folder[size - 1] = '\0';
    cleanup_json json_t *row = NULL;
    cleanup_json json_t *result = NULL;
    size_t index = 0;
    const json_t *name = NULL;
    if (pick_or_fail(arguments, view, &row, reterr) != 0 ||
        store_view_do(view, "export",
                      json_make("{s:s, s:s, s:s}", "provider", json_text(row, "provider"), "set",
                                json_text(row, "set"), "folder", folder),
                      &result, reterr) != 0)
        return -1;
    json_array_foreach (json_object_get(result, "left_out"), index, name)
        message(MESSAGE_WARNING, "the set was made without artifact '%s'", json_string_value(name));
    cleanup_json json_t *rows = json_make("[O]", result);
    table_print(stdout, arguments->output, columns, "path", rows, NULL);
    return EXIT_DONE;
}

/* ---- check-store ------------------------------------------------------------------------------
 */

static int check_store(const struct arguments *arguments, struct error *reterr)
{
    static const struct table_column columns[] = {
        {"CHECK", "check", 0},     {"STATE", "state", 0}, {"NEEDED FOR", "needed_for", 0},
        {"PROBLEM", "problem", 0}, {"HINT", "hint", 1},   {NULL, NULL, 0}};
    cleanup_store_view struct store_view *view = store_view_new(arguments, arguments->store);
    cleanup_free char *place = store_view_place(arguments->store);
    cleanup_json json_t *result = NULL;
    size_t index = 0;
    const json_t *row = NULL;
    size_t failed = 0;
    const char *hint = NULL;
    if (store_view_do(view, "check", json_object(), &result, reterr) != 0)
        return -1;
    const json_t *rows = json_object_get(result, "rows");
    table_print(stdout, arguments->output, columns, "check", rows, NULL);
    json_array_foreach (rows, index, row) {
        if (!text_equal(json_text(row, "state"), "failed"))
            continue;
        failed++;
        hint = hint == NULL ? json_text(row, "hint") : hint;
    }
    if (failed == 0)
        return EXIT_DONE;
    (void)error_set(reterr, EXIT_FAILED, "'%s' cannot be used for everything: %zu check%s failed",
                    place, failed, failed == 1 ? "" : "s");
    return hint != NULL ? error_hint(reterr, "%s", hint) : -1;
}

/* ---- the command ------------------------------------------------------------------------------
 */

int backups_command(const struct arguments *arguments, struct error *reterr)
{
    static const struct {
        const char *action;
        int (*run)(const struct arguments *arguments, struct error *reterr);
    } actions[] = {
        {"list", list},
        {"show", show},
        {"verify", verify},
        {"export", export},
        {"push", staged_sets_push},
        {"prune", prune_command},
        {"check-store", check_store},
        {"keygen", keygen_command},
    };
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (text_equal(arguments->action, actions[i].action))
            return actions[i].run(arguments, reterr);
    }
    return error_set(reterr, EXIT_USAGE, "'backups' cannot '%s'", arguments->action);
}
