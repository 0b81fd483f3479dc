#include "fake-host.h"

#include <stdio.h>
#include <string.h>

struct salvor_stream_reader {
    const struct fake_artifact *artifact;
    size_t at;
    int open;
};

struct salvor_secret {
    const char *text;
};

struct fake_call {
    salvor_call call; /* first: the plugin's view */
    struct fake_host *host;
    struct salvor_host table;
    struct salvor_stream_reader readers[4];
    struct salvor_secret secrets[4];
    char list[4096];
};

static struct fake_call the_call;

static struct fake_host *host_of(salvor_call *call)
{
    return ((struct fake_call *)call)->host;
}

static void record(salvor_call *call, const char *line)
{
    struct fake_host *host = host_of(call);
    const size_t used = strlen(host->recorded);
    (void)snprintf(host->recorded + used, sizeof host->recorded - used, "%s\n", line);
}

/* Counts the call; 1: it is the one that fails. */
static int fails(salvor_call *call)
{
    struct fake_host *host = host_of(call);
    return ++host->calls == host->fail_call;
}

static void fake_log(salvor_call *call, uint32_t level, const char *text)
{
    char line[512];
    (void)snprintf(line, sizeof line, "log %u %s", level, text);
    record(call, line);
}

static salvor_status fake_report(salvor_call *call, salvor_status status, const char *message,
                                 const char *detail, const char *hint)
{
    struct fake_host *host = host_of(call);
    host->reported = status;
    (void)snprintf(host->message, sizeof host->message, "%s", message);
    (void)snprintf(host->detail, sizeof host->detail, "%s", detail != NULL ? detail : "");
    (void)snprintf(host->hint, sizeof host->hint, "%s", hint != NULL ? hint : "");
    return status;
}

static const char *fake_last_error(salvor_call *call)
{
    return host_of(call)->message;
}

static const struct fake_option *find_option(salvor_call *call, const char *name)
{
    const struct fake_option *option = host_of(call)->options;
    for (; option != NULL && option->name != NULL; option++) {
        if (strcmp(option->name, name) == 0)
            return option;
    }
    return NULL;
}

static const char *fake_option_text(salvor_call *call, const char *name)
{
    const struct fake_option *option = find_option(call, name);
    return option != NULL ? option->text : NULL;
}

static salvor_status fake_option_integer(salvor_call *call, const char *name, int64_t *ret_value)
{
    const struct fake_option *option = find_option(call, name);
    if (option == NULL)
        return SALVOR_NOT_FOUND;
    *ret_value = option->integer;
    return SALVOR_OK;
}

static const char *fake_facts(salvor_call *call)
{
    const char *facts = host_of(call)->facts;
    return facts != NULL ? facts : "{}";
}

static void fake_progress(salvor_call *call, uint64_t done, uint64_t total, const char *what)
{
    (void)call, (void)done, (void)total, (void)what;
}

static uint32_t fake_cancelled(salvor_call *call)
{
    (void)call;
    return 0;
}

static int64_t fake_time(salvor_call *call)
{
    (void)call;
    return 1000;
}

static salvor_status fake_sleep(salvor_call *call, int64_t milliseconds)
{
    (void)milliseconds;
    return fails(call) ? SALVOR_CANCELLED : SALVOR_OK;
}

static salvor_status fake_checkpoint(salvor_call *call, uint32_t kind, const char *json)
{
    char line[512];
    if (fails(call))
        return SALVOR_FAILED;
    (void)snprintf(line, sizeof line, "checkpoint %u %s", kind, json);
    record(call, line);
    return SALVOR_OK;
}

static const char *fake_last_checkpoint(salvor_call *call, uint32_t kind)
{
    (void)kind;
    return host_of(call)->last_checkpoint;
}

static salvor_status fake_item(salvor_call *call, const char *kind, const char *name,
                               const char *json)
{
    char line[512];
    if (fails(call))
        return SALVOR_FAILED;
    (void)snprintf(line, sizeof line, "item %s %s %s", kind, name, json);
    record(call, line);
    return SALVOR_OK;
}

static salvor_status fake_fact(salvor_call *call, const char *name, uint32_t fact_class,
                               const char *json)
{
    char line[512];
    if (fails(call))
        return SALVOR_FAILED;
    (void)snprintf(line, sizeof line, "fact %u %s %s", fact_class, name, json);
    record(call, line);
    return SALVOR_OK;
}

static salvor_status fake_raise(salvor_call *call, const char *id, uint32_t severity,
                                const char *object, const char *detail)
{
    char line[2048];
    if (fails(call))
        return SALVOR_FAILED;
    (void)snprintf(line, sizeof line, "finding %s %u '%s' %s", id, severity, object, detail);
    record(call, line);
    return SALVOR_OK;
}

static salvor_status fake_two(salvor_call *call, const char *first, const char *second)
{
    char line[512];
    if (fails(call))
        return SALVOR_FAILED;
    (void)snprintf(line, sizeof line, "decide %s %s", first, second);
    record(call, line);
    return SALVOR_OK;
}

static salvor_status fake_step(salvor_call *call, const struct salvor_planned_step *step,
                               uint32_t *ret_index)
{
    char line[512];
    if (fails(call))
        return SALVOR_FAILED;
    (void)snprintf(line, sizeof line, "step %s '%s' %s guards=%u%s%s", step->row, step->target,
                   step->parameters != NULL ? step->parameters : "{}", step->guard_count,
                   step->guard_count > 0 ? " " : "", step->guard_count > 0 ? step->guards[0] : "");
    record(call, line);
    *ret_index = 7;
    return SALVOR_OK;
}

static salvor_status fake_object(salvor_call *call, uint32_t index, const char *name)
{
    (void)index, (void)name;
    return fails(call) ? SALVOR_FAILED : SALVOR_OK;
}

static salvor_status fake_line(salvor_call *call, const char *text)
{
    if (fails(call))
        return SALVOR_FAILED;
    record(call, text);
    return SALVOR_OK;
}

static salvor_status fake_open(salvor_call *call, const char *name, uint32_t flags,
                               salvor_stream_reader **ret_reader)
{
    struct fake_call *fake = (struct fake_call *)call;
    const struct fake_artifact *artifact = fake->host->artifacts;
    (void)flags;
    if (fails(call))
        return SALVOR_FAILED;
    for (; artifact != NULL && artifact->name != NULL; artifact++) {
        if (strcmp(artifact->name, name) != 0)
            continue;
        for (size_t i = 0; i < sizeof fake->readers / sizeof *fake->readers; i++) {
            if (fake->readers[i].open)
                continue;
            fake->readers[i].artifact = artifact;
            fake->readers[i].at = 0;
            fake->readers[i].open = 1;
            fake->host->open_streams++;
            *ret_reader = &fake->readers[i];
            return SALVOR_OK;
        }
    }
    return SALVOR_NOT_FOUND;
}

static salvor_status fake_read(salvor_call *call, salvor_stream_reader *reader, void *data,
                               uint64_t size, uint64_t *ret_size)
{
    const size_t left = reader->artifact->size - reader->at;
    const size_t most = host_of(call)->read_at_most;
    if (fails(call))
        return SALVOR_FAILED;
    if (left == 0)
        return SALVOR_END;
    if (size > left)
        size = left;
    if (most > 0 && size > most)
        size = most;
    memcpy(data, reader->artifact->data + reader->at, size);
    reader->at += size;
    *ret_size = size;
    return SALVOR_OK;
}

static salvor_status fake_rewind(salvor_call *call, salvor_stream_reader *reader)
{
    if (fails(call))
        return SALVOR_FAILED;
    reader->at = 0;
    return SALVOR_OK;
}

static void fake_close(salvor_call *call, salvor_stream_reader *reader)
{
    reader->open = 0;
    host_of(call)->open_streams--;
}

static salvor_status fake_list(salvor_call *call, struct salvor_span *ret_json)
{
    struct fake_call *fake = (struct fake_call *)call;
    const struct fake_artifact *artifact = fake->host->artifacts;
    size_t used = 0;
    if (fails(call))
        return SALVOR_FAILED;
    for (; artifact != NULL && artifact->name != NULL; artifact++)
        used += (size_t)snprintf(fake->list + used, sizeof fake->list - used, "%s{\"name\":\"%s\"}",
                                 used > 0 ? "," : "[", artifact->name);
    used += (size_t)snprintf(fake->list + used, sizeof fake->list - used, used > 0 ? "]" : "[]");
    ret_json->data = fake->list;
    ret_json->size = used;
    return SALVOR_OK;
}

static salvor_status fake_secret(salvor_call *call, const char *name, salvor_secret **ret_secret)
{
    struct fake_call *fake = (struct fake_call *)call;
    const struct fake_option *option = fake->host->secrets;
    if (fails(call))
        return SALVOR_FAILED;
    for (size_t i = 0; option != NULL && option->name != NULL; option++, i++) {
        if (strcmp(option->name, name) != 0)
            continue;
        fake->secrets[i].text = option->text;
        *ret_secret = &fake->secrets[i];
        return SALVOR_OK;
    }
    return SALVOR_NOT_FOUND;
}

static salvor_status fake_reveal(salvor_call *call, salvor_secret *secret,
                                 struct salvor_span *ret_value)
{
    if (fails(call))
        return SALVOR_FAILED;
    ret_value->data = secret->text;
    ret_value->size = strlen(secret->text);
    return SALVOR_OK;
}

static salvor_status fake_adopt(salvor_call *call, const void *data, uint64_t size,
                                salvor_secret **ret_secret)
{
    struct fake_call *fake = (struct fake_call *)call;
    (void)data, (void)size;
    *ret_secret = &fake->secrets[3];
    return fails(call) ? SALVOR_FAILED : SALVOR_OK;
}

static void fake_secret_close(salvor_call *call, salvor_secret *secret)
{
    (void)call, (void)secret;
}

static const void *fake_interface(salvor_call *call, const char *name, uint32_t min_version)
{
    static const struct salvor_inventory inventory = {sizeof inventory, 1, fake_item, fake_fact};
    static const struct salvor_findings findings = {sizeof findings, 1, fake_raise};
    static const struct salvor_plan plan = {sizeof plan, 1,         fake_two,    fake_two,
                                            fake_fact,   fake_step, fake_object, fake_line,
                                            fake_line,   fake_line};
    static const struct salvor_stream stream = {.struct_size = sizeof stream,
                                                .version = 1,
                                                .open = fake_open,
                                                .read = fake_read,
                                                .rewind = fake_rewind,
                                                .close = fake_close,
                                                .list = fake_list};
    static const struct salvor_secrets secrets = {.struct_size = sizeof secrets,
                                                  .version = 1,
                                                  .open = fake_secret,
                                                  .reveal = fake_reveal,
                                                  .adopt = fake_adopt,
                                                  .close = fake_secret_close};
    (void)call;
    if (min_version > 1)
        return NULL;
    if (strcmp(name, SALVOR_INVENTORY) == 0)
        return &inventory;
    if (strcmp(name, SALVOR_FINDINGS) == 0)
        return &findings;
    if (strcmp(name, SALVOR_PLAN) == 0)
        return &plan;
    if (strcmp(name, SALVOR_STREAM) == 0)
        return &stream;
    if (strcmp(name, SALVOR_SECRET) == 0)
        return &secrets;
    return NULL;
}

salvor_call *fake_call(struct fake_host *host)
{
    memset(&the_call, 0, sizeof the_call);
    the_call.table = (struct salvor_host){.struct_size = sizeof(struct salvor_host),
                                          .abi_major = SALVOR_ABI_MAJOR,
                                          .abi_minor = SALVOR_ABI_MINOR,
                                          .version = "fake",
                                          .log = fake_log,
                                          .report = fake_report,
                                          .last_error = fake_last_error,
                                          .option_text = fake_option_text,
                                          .option_integer = fake_option_integer,
                                          .facts = fake_facts,
                                          .progress = fake_progress,
                                          .cancelled = fake_cancelled,
                                          .deadline_ms = fake_time,
                                          .realtime_ms = fake_time,
                                          .monotonic_ms = fake_time,
                                          .sleep_ms = fake_sleep,
                                          .checkpoint = fake_checkpoint,
                                          .last_checkpoint = fake_last_checkpoint,
                                          .get_interface = fake_interface};
    the_call.call.host = &the_call.table;
    the_call.host = host;
    return &the_call.call;
}

void fake_reset(struct fake_host *host)
{
    host->calls = 0;
    host->open_streams = 0;
    host->reported = SALVOR_OK;
    host->message[0] = host->detail[0] = host->hint[0] = host->recorded[0] = '\0';
    memset(the_call.readers, 0, sizeof the_call.readers);
}
