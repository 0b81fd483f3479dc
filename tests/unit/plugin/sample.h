/* A small sound plugin in this program's own memory, for tests to break in one place at a time. */
#ifndef SALVOR_TESTS_PLUGIN_SAMPLE_H
#define SALVOR_TESTS_PLUGIN_SAMPLE_H

#include <salvor/plugin.h>

static inline salvor_status sample_discover(salvor_call *call)
{
    (void)call;
    return SALVOR_OK;
}

static inline salvor_status sample_plan(salvor_call *call, const struct salvor_request *request)
{
    (void)call;
    (void)request;
    return SALVOR_OK;
}

static inline salvor_status sample_run(salvor_call *call, const struct salvor_step *step)
{
    (void)call;
    (void)step;
    return SALVOR_OK;
}

static inline salvor_status sample_check(salvor_call *call, const struct salvor_step *step,
                                         uint32_t *ret_answer)
{
    (void)call;
    (void)step;
    *ret_answer = SALVOR_CHECK_DONE;
    return SALVOR_OK;
}

struct sample {
    struct salvor_option options[2];
    struct salvor_row rows[2];
    struct salvor_stage stages[1];
    struct salvor_procedure procedures[1];
    struct salvor_finding findings[1];
    struct salvor_declared_read reads[1];
    struct salvor_need needs[1];
    struct salvor_hooks hooks;
    struct salvor_plugin plugin;
};

static inline void sample_init(struct sample *sample)
{
    *sample = (struct sample){
        .options = {{.name = "endpoint",
                     .value_name = "URL",
                     .help = "where the server listens",
                     .since = "0.1",
                     .type = SALVOR_OPTION_URL,
                     .flags = SALVOR_OPTION_REQUIRED,
                     .commands = SALVOR_ON_ALL},
                    {.name = "pace",
                     .default_value = "slow",
                     .help = "how fast",
                     .choices = "slow|fast",
                     .type = SALVOR_OPTION_CHOICE,
                     .commands = SALVOR_ON_RESTORE | SALVOR_ON_BACKUP}},
        .rows = {{.id = "stop-server",
                  .title = "stop the server",
                  .statements = "DOC-1 DOC-2",
                  .instructions = "stop {name}",
                  .deadline_ms = 60000,
                  .effect = SALVOR_EFFECT_CHANGE,
                  .flags = SALVOR_ROW_MANUAL,
                  .attempts = 1},
                 {.id = "restore-data",
                  .title = "restore the data",
                  .deadline_ms = 3600000,
                  .effect = SALVOR_EFFECT_DESTRUCTIVE,
                  .flags = SALVOR_ROW_IDEMPOTENT | SALVOR_ROW_JOB,
                  .attempts = 3,
                  .backoff_ms = 500,
                  .check_every_ms = 250}},
        .findings = {{.id = "SAMPLE-OLD",
                      .title = "the backup is old",
                      .remedy = "take a newer one",
                      .severity = SALVOR_SEVERITY_WARNING,
                      .flags = SALVOR_FINDING_WAIVABLE}},
        .reads = {{.id = "status", .pattern = "samplectl status **", .reason = "only looks"}},
        .needs = {{.interface_name = "salvor.exec", .min_version = 1, .required = 1}},
        .hooks = {.struct_size = sizeof(struct salvor_hooks),
                  .discover = sample_discover,
                  .restore = sample_plan,
                  .run_step = sample_run,
                  .check_step = sample_check},
        .plugin = {SALVOR_PLUGIN_HEAD, .name = "sample", .version = "1.0", .summary = "a sample",
                   .maintainer = "Nobody <nobody@example.com>", .license = "Apache-2.0",
                   .option_count = 2, .option_size = sizeof(struct salvor_option),
                   .procedure_count = 1, .procedure_size = sizeof(struct salvor_procedure),
                   .finding_count = 1, .finding_size = sizeof(struct salvor_finding),
                   .declared_read_count = 1,
                   .declared_read_size = sizeof(struct salvor_declared_read), .need_count = 1,
                   .need_size = sizeof(struct salvor_need)}};
    sample->stages[0] = (struct salvor_stage){.id = "all",
                                              .title = "everything",
                                              .rows = sample->rows,
                                              .row_count = 2,
                                              .row_size = sizeof(struct salvor_row)};
    sample->procedures[0] = (struct salvor_procedure){.id = "in-place",
                                                      .title = "restore in place",
                                                      .document = "Restoring",
                                                      .versions = "1.x",
                                                      .stages = sample->stages,
                                                      .stage_count = 1,
                                                      .stage_size = sizeof(struct salvor_stage),
                                                      .kind = SALVOR_PROCEDURE_RESTORE};
    sample->plugin.options = sample->options;
    sample->plugin.procedures = sample->procedures;
    sample->plugin.findings = sample->findings;
    sample->plugin.declared_reads = sample->reads;
    sample->plugin.needs = sample->needs;
    sample->plugin.hooks = &sample->hooks;
}

/* The same as JSON: what the note of such a plugin holds. */
#define SAMPLE_JSON                                                                             \
    "{\"abi\":\"0.1\",\"declared_reads\":[{\"id\":\"status\",\"pattern\":\"samplectl status "   \
    "**\",\"reason\":\"only looks\",\"script_sha256\":null}],\"findings\":[{\"id\":\"SAMPLE-"   \
    "OLD\",\"remedy\":\"take a newer one\",\"severity\":\"warning\",\"statements\":[],"         \
    "\"title\":\"the backup is old\",\"waivable\":true}],\"homepage\":null,\"hooks\":["         \
    "\"discover\",\"restore\",\"run_step\",\"check_step\"],\"license\":\"Apache-2.0\","         \
    "\"maintainer\":\"Nobody <nobody@example.com>\",\"name\":\"sample\",\"needs\":[{"           \
    "\"interface\":\"salvor.exec\",\"required\":true,\"version\":1}],\"options\":[{"            \
    "\"choices\":null,\"commands\":[\"discover\",\"backup\",\"validate\",\"restore\","          \
    "\"post-resync\"],\"default\":null,\"help\":\"where the server listens\",\"name\":"         \
    "\"endpoint\",\"required\":true,\"secret\":false,\"since\":\"0.1\",\"type\":\"url\","       \
    "\"value_name\":\"URL\"},{\"choices\":[\"slow\",\"fast\"],\"commands\":[\"backup\","        \
    "\"restore\"],\"default\":\"slow\",\"help\":\"how fast\",\"name\":\"pace\",\"required\":"   \
    "false,\"secret\":false,\"since\":null,\"type\":\"choice\",\"value_name\":null}],"          \
    "\"procedures\":[{\"document\":\"Restoring\",\"id\":\"in-place\",\"kind\":\"restore\","     \
    "\"stages\":[{\"id\":\"all\",\"rows\":[{\"attempts\":1,\"backoff_ms\":0,\"check_every_ms\"" \
    ":0,\"deadline_ms\":60000,\"effect\":\"change\",\"id\":\"stop-server\",\"idempotent\":"     \
    "false,\"instructions\":\"stop {name}\",\"job\":false,\"manual\":true,\"statements\":["     \
    "\"DOC-1\",\"DOC-2\"],\"title\":\"stop the server\",\"undo\":null},{\"attempts\":3,"        \
    "\"backoff_ms\":500,\"check_every_ms\":250,\"deadline_ms\":3600000,\"effect\":"             \
    "\"destructive\",\"id\":\"restore-data\",\"idempotent\":true,\"instructions\":null,"        \
    "\"job\":true,\"manual\":false,\"statements\":[],\"title\":\"restore the data\",\"undo\":"  \
    "null}],\"title\":\"everything\"}],\"title\":\"restore in place\",\"versions\":\"1.x\"}],"  \
    "\"summary\":\"a sample\",\"version\":\"1.0\"}"

#endif
