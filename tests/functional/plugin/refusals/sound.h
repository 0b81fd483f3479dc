/*
 * A plugin with nothing wrong with it, in writable memory. Each file here breaks it in one place:
 * MOCK(NAME, STATEMENT) runs the statement on `plugin` before the entry function returns it.
 */
#ifndef SALVOR_TESTS_SOUND_H
#define SALVOR_TESTS_SOUND_H

#include <salvor/plugin.h>
#include <string.h>

static salvor_status sound_discover(salvor_call *call)
{
    (void)call;
    return SALVOR_OK;
}

static salvor_status sound_restore(salvor_call *call, const struct salvor_request *request)
{
    (void)call;
    (void)request;
    return SALVOR_OK;
}

static salvor_status sound_run(salvor_call *call, const struct salvor_step *step)
{
    (void)call;
    (void)step;
    return SALVOR_OK;
}

static salvor_status sound_check(salvor_call *call, const struct salvor_step *step,
                                 uint32_t *ret_answer)
{
    (void)call;
    (void)step;
    *ret_answer = SALVOR_CHECK_DONE;
    return SALVOR_OK;
}

static struct salvor_option sound_options[] = {
    {.name = "pace",
     .default_value = "slow",
     .help = "how fast",
     .choices = "slow|fast",
     .since = "1.0",
     .type = SALVOR_OPTION_CHOICE,
     .commands = SALVOR_ON_RESTORE},
};

static struct salvor_row sound_rows[] = {
    {.id = "mend",
     .title = "mend it",
     .statements = "MOCK-1",
     .deadline_ms = 60000,
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .attempts = 2,
     .backoff_ms = 100},
    {.id = "plug",
     .title = "plug it in",
     .statements = "MOCK-2",
     .instructions = "plug in '{name}'",
     .deadline_ms = 60000,
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_MANUAL,
     .attempts = 1},
};

static struct salvor_stage sound_stages[] = {
    {.id = "all", .title = "all of it", .rows = sound_rows, SALVOR_ARRAY(sound_rows)},
};

static struct salvor_procedure sound_procedures[] = {
    {.id = "mending",
     .title = "mend in place",
     .document = "Mending",
     .versions = "1.x",
     .stages = sound_stages,
     SALVOR_ARRAY(sound_stages),
     .kind = SALVOR_PROCEDURE_RESTORE},
};

static struct salvor_finding sound_findings[] = {
    {.id = "MOCK-OLD",
     .title = "the backup is old",
     .statements = "MOCK-3",
     .remedy = "take backups more often",
     .severity = SALVOR_SEVERITY_WARNING,
     .flags = SALVOR_FINDING_WAIVABLE},
};

static struct salvor_declared_read sound_reads[] = {
    {.id = "status", .pattern = "mockctl status **", .reason = "status only looks"},
};

static struct salvor_need sound_needs[] = {
    {.interface_name = SALVOR_PLAN, .min_version = 1, .required = 1},
};

static struct salvor_hooks sound_hooks = {.struct_size = sizeof(struct salvor_hooks),
                                          .discover = sound_discover,
                                          .restore = sound_restore,
                                          .run_step = sound_run,
                                          .check_step = sound_check};

/* Room behind the descriptor for what a later ABI may append. */
static struct {
    struct salvor_plugin plugin;
    uint64_t tail[4];
} sound;

static struct salvor_plugin *sound_plugin(const char *name)
{
    static const struct salvor_plugin plugin = {SALVOR_PLUGIN_HEAD,
                                                .version = "1.0",
                                                .summary = "a plugin for tests",
                                                .maintainer = "Nobody <nobody@example.org>",
                                                .license = "Apache-2.0",
                                                .options = sound_options,
                                                .procedures = sound_procedures,
                                                .findings = sound_findings,
                                                .declared_reads = sound_reads,
                                                .needs = sound_needs,
                                                .hooks = &sound_hooks,
                                                .option_count = 1,
                                                .option_size = sizeof sound_options[0],
                                                .procedure_count = 1,
                                                .procedure_size = sizeof sound_procedures[0],
                                                .finding_count = 1,
                                                .finding_size = sizeof sound_findings[0],
                                                .declared_read_count = 1,
                                                .declared_read_size = sizeof sound_reads[0],
                                                .need_count = 1,
                                                .need_size = sizeof sound_needs[0]};
    memset(&sound, 0, sizeof sound);
    sound.plugin = plugin;
    sound.plugin.name = name;
    return &sound.plugin;
}

#define MOCK(name, ...)                                                                          \
    SALVOR_EXPORT const struct salvor_plugin *SALVOR_ENTRY_NAME(const struct salvor_host *host); \
    const struct salvor_plugin *SALVOR_ENTRY_NAME(const struct salvor_host *host)                \
    {                                                                                            \
        struct salvor_plugin *plugin = sound_plugin(name);                                       \
        (void)host;                                                                              \
        __VA_ARGS__;                                                                             \
        return plugin;                                                                           \
    }

#endif
