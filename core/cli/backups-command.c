#include "cli/backups-command.h"

#include <stdio.h>

#include "backup/backup-set.h"
#include "backup/backup-source.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/keygen-command.h"
#include "cli/table.h"

static int list(const struct arguments *arguments, struct error *reterr)
{
    static const struct table_column columns[] = {
        {"SET", "set", 0},     {"PROVIDER", "provider", 0}, {"SITE", "site", 0},
        {"STATE", "state", 0}, {"CREATED", "created", 0},   {"BYTES", "size", 0},
        {"PATH", "path", 1},   {"PROBLEM", "problem", 1},   {NULL, NULL, 0}};
    const char *store = arguments->store_folder;
    cleanup_json json_t *sets = NULL;
    if (backup_set_list(store, arguments->provider, &sets, reterr) != 0)
        return -1;
    table_print(stdout, arguments->output, columns, "set", sets, "no backup sets");
    return EXIT_DONE;
}

/* A set's name alone says its provider: names begin with the time of their run. */
static int find_set(const char *store, const struct arguments *arguments,
                    struct backup_source **ret_source, struct error *reterr)
{
    const char *what = arguments->operands[0];
    cleanup_json json_t *sets = NULL;
    size_t index = 0;
    const json_t *set = NULL;
    if (backup_set_list(store, arguments->provider, &sets, reterr) != 0)
        return -1;
    json_array_foreach (sets, index, set) {
        if (text_equal(json_text(set, "set"), what))
            return backup_source_find(store, json_text(set, "provider"), NULL, what, ret_source,
                                      reterr);
    }
    if (arguments->provider == NULL && text_equal(what, "latest")) {
        (void)error_set(reterr, EXIT_USAGE, "the latest set of which provider?");
        return error_hint(reterr, "say it with --provider NAME");
    }
    return backup_source_find(store, arguments->provider != NULL ? arguments->provider : "",
                              arguments->site, what, ret_source, reterr);
}

static int verify(const struct arguments *arguments, struct error *reterr)
{
    static const struct table_column columns[] = {{"SET", "set", 0},
                                                  {"STATE", "state", 0},
                                                  {"ARTIFACTS", "artifacts", 0},
                                                  {"DIGEST", "digest", 0},
                                                  {NULL, NULL, 0}};
    const char *store = arguments->store_folder;
    struct backup_source *source = NULL;
    if (find_set(store, arguments, &source, reterr) != 0)
        return -1;
    int result = backup_source_verify(source, reterr);
    if (result == 0) {
        const json_t *artifacts = json_object_get(source->open, "artifacts");
        cleanup_json json_t *rows =
            json_make("[{s:s, s:s, s:I, s:s}]", "set", source->name, "state", "whole", "artifacts",
                      (json_int_t)json_object_size(artifacts), "digest", source->digest);
        table_print(stdout, arguments->output, columns, "set", rows, NULL);
    }
    backup_source_free(source);
    return result == 0 ? EXIT_DONE : -1;
}

int backups_command(const struct arguments *arguments, struct error *reterr)
{
    if (text_equal(arguments->action, "keygen"))
        return keygen_command(arguments, reterr);
    return text_equal(arguments->action, "verify") ? verify(arguments, reterr)
                                                   : list(arguments, reterr);
}
