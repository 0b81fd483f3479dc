#include "practice.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

struct practice_world world;

void practice_reset(void)
{
    memset(&world, 0, sizeof world);
    world.identity = "uid-1";
    world.revision = 7;
}

struct client {
    int unused;
};

struct call {
    const json_t *body;
    const struct client_listener *listener;
    struct client_outcome *outcome;
};

static const char *const row_names[] = {"look", "change", "hand", "destroy", "finish", "tidy"};

static int row_number(const json_t *body)
{
    const char *row = json_text(json_object_get(body, "step"), "row");
    int number = 0;
    while (number < PRACTICE_ROWS - 1 && !text_equal(row_names[number], row))
        number++;
    return number;
}

static void emit(const struct call *call, enum frame_type type, json_t *body)
{
    struct error err = ERROR_INIT;
    if (call->listener->frame(call->listener->data, type, body, &err) != 0) {
        call->outcome->end = CLIENT_PROTOCOL;
        (void)error_move(&call->outcome->error, &err);
    }
    json_decref(body);
}

static void emit_fact(const struct call *call, const char *name)
{
    if (text_equal(name, "id"))
        emit(call, FRAME_FACT,
             json_make("{s:s, s:s, s:s}", "name", "id", "class", "identity", "value",
                       world.identity));
    else
        emit(call, FRAME_FACT,
             json_make("{s:s, s:s, s:I}", "name", "rev", "class", "guard", "value",
                       (json_int_t)world.revision));
}

static void emit_lock(const struct call *call, enum frame_type type, const char *lock)
{
    if (lock == NULL)
        return;
    json_t *body = json_make("{s:s, s:s, s:o}", "name", "salvor.lock", "class", "info", "value",
                             json_loads(lock, 0, NULL));
    if (type == FRAME_PLAN)
        json_put_text(body, "do", "fact");
    emit(call, type, body);
}

static void emit_step(const struct call *call, enum practice_row row, int index)
{
    json_t *step = json_make("{s:s, s:i, s:s, s:s, s:{s:s}}", "do", "step", "index", index, "row",
                             row_names[row], "target", "node-1", "parameters", "what", "the light");
    if (row == CHANGE)
        json_put(step, "guards", json_make("[s]", "rev"));
    if (row == DESTROY || row == TIDY)
        json_put_text(step, "consequence", "the old one");
    emit(call, FRAME_PLAN, step);
    if ((row == DESTROY || row == TIDY) && !world.no_objects)
        emit(call, FRAME_PLAN,
             json_make("{s:s, s:i, s:[s, s]}", "do", "objects", "index", index, "names", "object-a",
                       "object-b"));
}

static void emit_finding(const struct call *call, const char *id)
{
    emit(call, FRAME_FINDING,
         json_make("{s:s, s:s, s:s, s:s}", "id", id, "severity", "blocker", "object", "", "detail",
                   "seen"));
}

static void plan_restore(const struct call *call)
{
    const char *stage = json_text(json_object_get(call->body, "request"), "stage");
    int index = 0;
    world.plan_calls++;
    emit_lock(call, FRAME_PLAN, world.plan_lock);
    if (world.plan_blocker != NULL)
        emit_finding(call, world.plan_blocker);
    if (text_equal(stage, "second")) {
        emit_step(call, FINISH, 0);
        return;
    }
    emit(call, FRAME_PLAN,
         json_make("{s:s, s:s, s:s}", "do", "decide", "procedure", "mend", "reason",
                   "it is broken"));
    for (int row = LOOK; row <= DESTROY; row++) {
        if (world.has_first[row])
            emit_step(call, (enum practice_row)row, index++);
    }
    if (world.second)
        emit(call, FRAME_PLAN, json_make("{s:s, s:s}", "do", "next_stage", "stage", "second"));
}

static void plan_post_resync(const struct call *call)
{
    emit(call, FRAME_PLAN,
         json_make("{s:s, s:s, s:s}", "do", "decide", "procedure", "after", "reason", "always"));
    emit_step(call, TIDY, 0);
}

static void run_step(const struct call *call)
{
    int row = row_number(call->body);
    world.runs[row]++;
    if (world.on_run != NULL)
        world.on_run(row);
    call->outcome->end = world.run_end[row];
    if (world.run_end[row] != CLIENT_DONE)
        (void)error_set(&call->outcome->error, EXIT_FAILED, "the worker is gone");
    if (world.run_status_times[row] > 0) {
        world.run_status_times[row]--;
        call->outcome->status = world.run_status[row];
        (void)error_set(&call->outcome->error, EXIT_FAILED, "it did not work");
        return;
    }
    if (world.run_end[row] == CLIENT_DONE) {
        world.done[row] = 1;
        emit(call, FRAME_RESULT, json_make("{s:s}", "did", row_names[row]));
    }
}

static void check_step(const struct call *call)
{
    int row = row_number(call->body);
    call->outcome->answer = world.done[row] ? SALVOR_CHECK_DONE : SALVOR_CHECK_NOT_STARTED;
    if (world.answer[row] != 0)
        call->outcome->answer = world.answer[row];
    if (world.until_partial[row] > 0)
        call->outcome->answer =
            --world.until_partial[row] > 0 ? SALVOR_CHECK_IN_PROGRESS : SALVOR_CHECK_PARTIAL;
    if (world.done[row] && world.checks_until_done[row] > 0) {
        world.checks_until_done[row]--;
        call->outcome->answer = SALVOR_CHECK_IN_PROGRESS;
    }
}

int client_call(struct client *client, const json_t *body, const struct client_listener *listener,
                struct client_outcome *ret_outcome, struct error *reterr)
{
    const char *hook = json_text(body, "hook");
    struct call call = {body, listener, ret_outcome};
    (void)client;
    (void)reterr;
    world.calls++;
    memset(ret_outcome, 0, sizeof *ret_outcome);
    ret_outcome->end = CLIENT_DONE;
    if (text_equal(hook, "discover")) {
        world.discoveries++;
        emit_lock(&call, FRAME_FACT, world.lock);
        emit_fact(&call, "id");
        emit_fact(&call, "rev");
    } else if (text_equal(hook, "observe")) {
        size_t index = 0;
        const json_t *name = NULL;
        json_array_foreach (json_object_get(body, "names"), index, name)
            emit_fact(&call, json_string_value(name));
    } else if (text_equal(hook, "validate") && world.blocker != NULL) {
        emit_finding(&call, world.blocker);
    } else if (text_equal(hook, "restore")) {
        plan_restore(&call);
    } else if (text_equal(hook, "post_resync")) {
        plan_post_resync(&call);
    } else if (text_equal(hook, "run_step")) {
        run_step(&call);
    } else if (text_equal(hook, "check_step")) {
        check_step(&call);
    }
    return 0;
}

struct client *client_new(const struct client_settings *settings)
{
    (void)settings;
    return memory_new(1, sizeof(struct client));
}

void client_free(struct client *client)
{
    free(client);
}
