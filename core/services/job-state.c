#include "services/job-state.h"

#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "services/beneath.h"
#include "services/run-paths.h"

enum { ID_LIMIT = 100 };

salvor_status job_check_id(struct worker_call *call, const char *id, int own)
{
    const json_t *step = json_object_get(call->body, "step");
    const char *frozen = json_text(step, "job_id");
    if (id == NULL || strlen(id) > ID_LIMIT || strchr(id, '/') != NULL ||
        beneath_check(id, 1, NULL) != 0)
        return call_fail(call, SALVOR_BUG, "job id '%.120s' is not made of A-Z a-z 0-9 . _ -",
                         id != NULL ? id : "");
    if (!own || frozen == NULL)
        return SALVOR_OK;
    size_t size = strlen(frozen);
    if (strncmp(id, frozen, size) == 0 && (id[size] == '\0' || id[size] == '-'))
        return SALVOR_OK;
    return call_fail(call, SALVOR_BUG, "job id '%s' does not begin with that of the step, '%s'", id,
                     frozen);
}

json_t *job_key(const struct worker_call *call, const char *id)
{
    const json_t *step = json_object_get(call->body, "step");
    const char *instance = json_text(step, "instance");
    return json_make("{s:o,s:s}", "job", run_paths_hide_text(call, id), "step",
                     instance != NULL ? instance : "-");
}

const char *job_state_word(uint32_t state)
{
    return state == SALVOR_JOB_RUNNING ? "running"
           : state == SALVOR_JOB_ENDED ? "ended"
           : state == SALVOR_JOB_LOST  ? "lost"
                                       : "absent";
}

int job_state_is_usable(const struct salvor_job_state *state)
{
    return state != NULL && state->struct_size >= sizeof *state;
}

json_t *job_state_answer(const struct worker_call *call, const struct salvor_job_state *state)
{
    return json_make("{s:s,s:i,s:i,s:I,s:I,s:o,s:o}", "state", job_state_word(state->state),
                     "exit_status", state->exit_status, "signal", state->signal_number,
                     "started_ms", (json_int_t)state->started_ms, "ended_ms",
                     (json_int_t)state->ended_ms, "out",
                     run_paths_hide(call, state->out.data, (size_t)state->out.size), "err",
                     run_paths_hide(call, state->err.data, (size_t)state->err.size));
}

void job_state_from(struct worker_call *call, const json_t *answer, struct salvor_job_state *ret)
{
    static const uint32_t states[] = {SALVOR_JOB_ABSENT, SALVOR_JOB_RUNNING, SALVOR_JOB_ENDED,
                                      SALVOR_JOB_LOST};
    struct salvor_span *const spans[] = {&ret->out, &ret->err};
    static const char *const names[] = {"out", "err"};
    *ret = (struct salvor_job_state){.struct_size = sizeof *ret, .state = SALVOR_JOB_ABSENT};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (text_equal(json_text(answer, "state"), job_state_word(states[i])))
            ret->state = states[i];
    ret->exit_status = (int32_t)json_whole(answer, "exit_status", -1);
    ret->signal_number = (int32_t)json_whole(answer, "signal", 0);
    ret->started_ms = json_whole(answer, "started_ms", 0);
    ret->ended_ms = json_whole(answer, "ended_ms", 0);
    for (size_t i = 0; i < 2; i++) {
        size_t size = 0;
        cleanup_free char *data = run_paths_show(call, json_object_get(answer, names[i]), &size);
        *spans[i] = (struct salvor_span){call_keep_text(call, data, size), size};
    }
}

void job_state_evidence(const struct salvor_job_state *state, json_t *members)
{
    json_put_text(members, "state", job_state_word(state->state));
    if (state->state == SALVOR_JOB_ENDED && state->signal_number == 0)
        json_put(members, "exit_status", json_integer(state->exit_status));
    if (state->state == SALVOR_JOB_ENDED && state->signal_number != 0)
        json_put(members, "signal", json_integer(state->signal_number));
}
