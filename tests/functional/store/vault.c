/*
 * A provider for tests of stores and encryption: its site is a folder with a file `config` that
 * anybody may read and a file `keys` that holds a secret. The backup has both, the second one
 * marked sensitive, and `--bulk SIZE` adds bytes that no compression makes smaller.
 */
#include <fcntl.h>
#include <salvor/helpers.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define CHUNK (256u << 10)

static const struct salvor_option options[] = {
    {"folder", "DIR", NULL, "folder with the files 'config' and 'keys'", NULL, "0.1",
     SALVOR_OPTION_PATH, SALVOR_OPTION_REQUIRED,
     SALVOR_ON_DISCOVER | SALVOR_ON_BACKUP | SALVOR_ON_RESTORE, 0},
    {"bulk", "SIZE", "0", "bytes of a third artifact", NULL, "0.1", SALVOR_OPTION_SIZE, 0,
     SALVOR_ON_BACKUP, 0},
};

#define ROW(name, what, does)                                                                   \
    {                                                                                           \
        .id = (name), .title = (what), .statements = "VAULT-001", .effect = (does),             \
        .flags = SALVOR_ROW_IDEMPOTENT, .deadline_ms = 300000, .attempts = 2, .backoff_ms = 100 \
    }

static const struct salvor_row save_rows[] = {
    ROW("save-config", "save the configuration", SALVOR_EFFECT_DECLARED_READ),
    ROW("save-keys", "save the keys", SALVOR_EFFECT_DECLARED_READ),
    ROW("save-bulk", "save the bulk", SALVOR_EFFECT_DECLARED_READ),
};

static const struct salvor_row put_back_rows[] = {
    ROW("put-back", "put a file back", SALVOR_EFFECT_CHANGE),
};

static const struct salvor_stage save_stages[] = {
    {"save", "save the vault", save_rows, SALVOR_ARRAY(save_rows)},
};

static const struct salvor_stage put_back_stages[] = {
    {"put-back", "put the files back", put_back_rows, SALVOR_ARRAY(put_back_rows)},
};

static const struct salvor_procedure procedures[] = {
    {"save", "save the vault", "Manual of the vault, chapter 1", "all", save_stages,
     SALVOR_ARRAY(save_stages), SALVOR_PROCEDURE_BACKUP, 0},
    {"put-back", "put the files back", "Manual of the vault, chapter 2", "all", put_back_stages,
     SALVOR_ARRAY(put_back_stages), SALVOR_PROCEDURE_RESTORE, 0},
};

static const struct salvor_finding findings[] = {
    {"VAULT-READ", "an artifact was read to its proven end", NULL, "nothing to do",
     SALVOR_SEVERITY_INFO, 0},
};

static const struct salvor_need needs[] = {
    {SALVOR_STREAM, 1, 1},
    {SALVOR_INVENTORY, 1, 1},
    {SALVOR_PLAN, 1, 1},
    {SALVOR_FINDINGS, 1, 1},
};

/* What the rows are about: artifact, file of the site, flags of the stream. */
struct part {
    const char *row;
    const char *artifact;
    const char *file;
    uint32_t flags;
};

static const struct part parts[] = {
    {"save-config", "config.txt", "config", 0},
    {"save-keys", "secret/keys.zst", "keys", SALVOR_STREAM_SENSITIVE | SALVOR_STREAM_ZSTD},
    {"save-bulk", "bulk.bin", NULL, 0},
};

static const struct part *part_of(const char *row, const char *artifact)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if ((row != NULL && strcmp(row, parts[i].row) == 0) ||
            (artifact != NULL && strcmp(artifact, parts[i].artifact) == 0))
            return &parts[i];
    return NULL;
}

static uint32_t coding(const struct part *part)
{
    return part->flags & ~SALVOR_STREAM_SENSITIVE;
}

/* ---- looking -------------------------------------------------------------------------------- */

static salvor_status observe(salvor_call *call, const char *names)
{
    const char *folder = NULL;
    (void)names;
    SALVOR_TRY(salvor_option_need(call, "folder", &folder));
    return salvor_observed(call, "folder", SALVOR_FACT_IDENTITY, json_string(folder));
}

static salvor_status discover(salvor_call *call)
{
    return observe(call, NULL);
}

static salvor_status read_all(salvor_call *call, const char *name, uint64_t *ret_total)
{
    static char chunk[CHUNK];
    salvor_stream_reader *reader = NULL;
    const struct part *part = part_of(NULL, name);
    uint64_t size = 0;
    SALVOR_TRY(salvor_stream_of(call)->open(call, name, part != NULL ? coding(part) : 0, &reader));
    salvor_status status;
    *ret_total = 0;
    while ((status = salvor_stream_of(call)->read(call, reader, chunk, sizeof chunk, &size)) ==
           SALVOR_OK)
        *ret_total += size;
    salvor_stream_of(call)->close(call, reader);
    return status == SALVOR_END ? SALVOR_OK : status;
}

static salvor_status list_source(salvor_call *call, json_t **ret_list)
{
    struct salvor_span text = {0};
    SALVOR_TRY(salvor_stream_of(call)->list(call, &text));
    *ret_list = json_loadb(text.data, text.size, 0, NULL);
    return *ret_list != NULL ? SALVOR_OK : salvor_fail_memory(call, "the list");
}

/* All that is in the source, to its end. */
static salvor_status validate(salvor_call *call, const struct salvor_request *request)
{
    salvor_auto_json json_t *list = NULL;
    json_t *row;
    size_t index;
    if (request->source == NULL)
        return salvor_fail(call, SALVOR_REFUSED, NULL, "there is no backup to validate");
    SALVOR_TRY(list_source(call, &list));
    json_array_foreach (list, index, row) {
        const char *name = salvor_json_text(row, "/name", "");
        uint64_t size = 0;
        if (json_is_true(json_object_get(row, "left_out")))
            continue;
        SALVOR_TRY(read_all(call, name, &size));
        SALVOR_TRY(salvor_raise(call, "VAULT-READ", name, "%llu bytes", (unsigned long long)size));
    }
    return SALVOR_OK;
}

/* ---- backup --------------------------------------------------------------------------------- */

static salvor_status plan_save(salvor_call *call, const struct salvor_request *request)
{
    const char *folder = NULL;
    (void)request;
    SALVOR_TRY(salvor_option_need(call, "folder", &folder));
    SALVOR_TRY(salvor_plan_of(call)->decide(call, "save", "there is one way to back up a vault"));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].file != NULL || salvor_option_integer(call, "bulk", 0) > 0)
            SALVOR_TRY(salvor_plan_step(
                call,
                &(struct salvor_step_plan){
                    .row = parts[i].row,
                    .target = folder,
                    .parameters = salvor_json_build(
                        call, "{s:I}", "bulk", (json_int_t)salvor_option_integer(call, "bulk", 0))},
                NULL));
    return SALVOR_OK;
}

static salvor_status write_file(salvor_call *call, salvor_stream_writer *writer, const char *path)
{
    static char chunk[CHUNK];
    ssize_t got;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return salvor_fail(call, SALVOR_FAILED, NULL, "cannot open '%s'", path);
    salvor_status status = SALVOR_OK;
    while (status == SALVOR_OK && (got = read(file, chunk, sizeof chunk)) > 0)
        status = salvor_stream_of(call)->write(call, writer, chunk, (uint64_t)got);
    close(file);
    return status;
}

/* xorshift64: the same bytes each time, and nothing that compresses. */
static salvor_status write_bulk(salvor_call *call, salvor_stream_writer *writer, uint64_t size)
{
    static uint64_t chunk[CHUNK / sizeof(uint64_t)];
    uint64_t state = 0x9e3779b97f4a7c15u;
    while (size > 0) {
        for (size_t i = 0; i < sizeof chunk / sizeof *chunk; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            chunk[i] = state;
        }
        const uint64_t piece = size < sizeof chunk ? size : sizeof chunk;
        SALVOR_TRY(salvor_stream_of(call)->write(call, writer, chunk, piece));
        size -= piece;
    }
    return SALVOR_OK;
}

static salvor_status save(salvor_call *call, const struct salvor_step *step)
{
    const struct part *part = part_of(step->row, NULL);
    const struct salvor_stream *stream = salvor_stream_of(call);
    salvor_auto_text struct salvor_text path = SALVOR_TEXT_INIT(PATH_SIZE);
    salvor_auto_json json_t *parameters = json_loads(step->parameters, 0, NULL);
    struct salvor_artifact artifact = {.struct_size = sizeof artifact};
    salvor_stream_writer *writer = NULL;
    SALVOR_TRY(
        stream->create(call, part->artifact, "application/octet-stream", part->flags, &writer));
    if (part->file != NULL) {
        salvor_text_format(&path, "%s/%s", step->target, part->file);
        SALVOR_TRY(salvor_text_check(call, &path, "a path"));
        SALVOR_TRY(write_file(call, writer, salvor_text_get(&path)));
    } else {
        SALVOR_TRY(write_bulk(call, writer,
                              (uint64_t)json_integer_value(json_object_get(parameters, "bulk"))));
    }
    SALVOR_TRY(stream->commit(call, writer, &artifact));
    return salvor_note(call, "%llu bytes", (unsigned long long)artifact.size);
}

static salvor_status is_saved(salvor_call *call, const struct salvor_step *step,
                              uint32_t *ret_answer)
{
    salvor_stream_reader *reader = NULL;
    const struct part *part = part_of(step->row, NULL);
    const salvor_status status =
        salvor_stream_of(call)->open(call, part->artifact, coding(part), &reader);
    if (status == SALVOR_OK)
        salvor_stream_of(call)->close(call, reader);
    else if (status != SALVOR_NOT_FOUND)
        return status;
    *ret_answer = status == SALVOR_OK ? SALVOR_CHECK_DONE : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

/* ---- restore -------------------------------------------------------------------------------- */

static salvor_status plan_put_back(salvor_call *call, const struct salvor_request *request)
{
    salvor_auto_json json_t *list = NULL;
    const char *folder = NULL;
    json_t *row;
    size_t index;
    if (request->source == NULL)
        return salvor_fail(call, SALVOR_REFUSED, NULL, "there is no backup to restore from");
    SALVOR_TRY(salvor_option_need(call, "folder", &folder));
    SALVOR_TRY(list_source(call, &list));
    SALVOR_TRY(
        salvor_plan_of(call)->decide(call, "put-back", "there is one way to restore a vault"));
    json_array_foreach (list, index, row) {
        const struct part *part = part_of(NULL, salvor_json_text(row, "/name", ""));
        if (part == NULL || part->file == NULL || json_is_true(json_object_get(row, "left_out")))
            continue;
        SALVOR_TRY(
            salvor_plan_step(call,
                             &(struct salvor_step_plan){
                                 .row = "put-back",
                                 .target = part->artifact,
                                 .parameters = salvor_json_build(call, "{s:s}", "folder", folder)},
                             NULL));
    }
    return SALVOR_OK;
}

static salvor_status target_file(salvor_call *call, const struct salvor_step *step,
                                 struct salvor_text *ret_path)
{
    salvor_auto_json json_t *parameters = json_loads(step->parameters, 0, NULL);
    salvor_text_format(ret_path, "%s/%s", salvor_json_text(parameters, "/folder", ""),
                       part_of(NULL, step->target)->file);
    return salvor_text_check(call, ret_path, "a path");
}

/* The artifact, compared with the file (file >= 0 and write == 0) or written to it. */
static salvor_status copy(salvor_call *call, const struct salvor_step *step, int file, int write_it,
                          int *ret_equal)
{
    static char chunk[CHUNK];
    static char present[CHUNK];
    salvor_stream_reader *reader = NULL;
    uint64_t size = 0;
    salvor_status status;
    *ret_equal = 1;
    SALVOR_TRY(salvor_stream_of(call)->open(call, step->target, coding(part_of(NULL, step->target)),
                                            &reader));
    while ((status = salvor_stream_of(call)->read(call, reader, chunk, sizeof chunk, &size)) ==
           SALVOR_OK) {
        if (write_it)
            *ret_equal &= write(file, chunk, size) == (ssize_t)size;
        else
            *ret_equal &=
                read(file, present, size) == (ssize_t)size && memcmp(chunk, present, size) == 0;
    }
    salvor_stream_of(call)->close(call, reader);
    return status == SALVOR_END ? SALVOR_OK : status;
}

static salvor_status put_back(salvor_call *call, const struct salvor_step *step)
{
    salvor_auto_text struct salvor_text path = SALVOR_TEXT_INIT(PATH_SIZE);
    int equal = 0;
    SALVOR_TRY(target_file(call, step, &path));
    SALVOR_TRY(salvor_nothing_before(call));
    const int file = open(salvor_text_get(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return salvor_fail(call, SALVOR_FAILED, NULL, "cannot write '%s'", salvor_text_get(&path));
    const salvor_status status = copy(call, step, file, 1, &equal);
    close(file);
    SALVOR_TRY(status);
    return equal ? SALVOR_OK
                 : salvor_fail(call, SALVOR_FAILED, NULL, "cannot write '%s'",
                               salvor_text_get(&path));
}

static salvor_status is_put_back(salvor_call *call, const struct salvor_step *step,
                                 uint32_t *ret_answer)
{
    salvor_auto_text struct salvor_text path = SALVOR_TEXT_INIT(PATH_SIZE);
    int equal = 0;
    SALVOR_TRY(target_file(call, step, &path));
    const int file = open(salvor_text_get(&path), O_RDONLY | O_CLOEXEC);
    *ret_answer = SALVOR_CHECK_NOT_STARTED;
    if (file < 0)
        return SALVOR_OK;
    const salvor_status status = copy(call, step, file, 0, &equal);
    char more;
    equal &= read(file, &more, 1) == 0;
    close(file);
    SALVOR_TRY(status);
    *ret_answer = equal ? SALVOR_CHECK_DONE : SALVOR_CHECK_PARTIAL;
    return SALVOR_OK;
}

/* ---- hooks ---------------------------------------------------------------------------------- */

static salvor_status run_step(salvor_call *call, const struct salvor_step *step)
{
    return strcmp(step->procedure, "save") == 0 ? save(call, step) : put_back(call, step);
}

static salvor_status check_step(salvor_call *call, const struct salvor_step *step,
                                uint32_t *ret_answer)
{
    return strcmp(step->procedure, "save") == 0 ? is_saved(call, step, ret_answer)
                                                : is_put_back(call, step, ret_answer);
}

static const struct salvor_hooks hooks = {.struct_size = sizeof hooks,
                                          .discover = discover,
                                          .validate = validate,
                                          .backup = plan_save,
                                          .restore = plan_put_back,
                                          .run_step = run_step,
                                          .check_step = check_step,
                                          .observe = observe};

static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD,
    .name = "vault",
    .version = "0.1.0",
    .summary = "a folder with a configuration and keys, for tests",
    .maintainer = "salvor <salvor@example.org>",
    .license = "Apache-2.0",
    SALVOR_WITH(option, options),
    SALVOR_WITH(procedure, procedures),
    SALVOR_WITH(finding, findings),
    SALVOR_WITH(need, needs),
    .hooks = &hooks,
};

SALVOR_REGISTER_PLUGIN(plugin)
