#include "host/client.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "host/conversation.h"
#include "host/oom.h"
#include "host/worker-death.h"
#include "plugin/vocabulary.h"

enum { OPEN_DEADLINE_MS = 30000, CLOSE_MS = 5000, PROTOCOL = 1, DETAIL_LINES = 10 };

struct client {
    char *plugin_path; /* NULL: a service worker */
    char *plugin_name;
    json_t *open;
    int per_call;
    int debug;
    char *who; /* "plugin 'x'" or "the service worker" */
    struct line line;
    uint32_t last_call;
    json_t *descriptor; /* of the first worker; later ones must bring the same */
    char *build_id;
    struct client_limits limits;
    int64_t oom_kills; /* when the present worker was started; -1: unknown */
    struct call *call; /* under way, or NULL */
};

/* What is kept of a call until its outcome is taken. */
struct call {
    struct conversation talk;
    struct client_listener listener;
    char *place; /* "'run_step' of row 'x'" */
    char *row;   /* for kill points */
    int64_t deadline_ms;
    int stopped_before; /* the operator stopped it while the worker was being opened */
};

static int is_live(const struct client *client)
{
    return client->line.process.pid != 0;
}

struct client *client_new(const struct client_settings *settings)
{
    struct client *client = memory_new(1, sizeof *client);
    client->plugin_path = settings->plugin_path != NULL ? text_copy(settings->plugin_path) : NULL;
    client->plugin_name = text_copy(settings->plugin_name != NULL ? settings->plugin_name : "");
    client->open = settings->open != NULL ? json_clone(settings->open) : json_object();
    client->per_call = settings->per_call;
    client->debug = settings->debug;
    client->limits = settings->limits;
    client->who = client->plugin_path != NULL ? text_format("plugin '%s'", client->plugin_name)
                                              : text_copy("the service worker");
    client->line = (struct line){.process = WORKER_PROCESS_INIT,
                                 .in = BUFFER_INIT(CONVERSATION_ROOM),
                                 .out = BUFFER_INIT(2 * FRAME_PARTS_LIMIT + CONVERSATION_ROOM)};
    return client;
}

int client_pid(const struct client *client)
{
    return (int)client->line.process.pid;
}

/* ---- the end of a worker --------------------------------------------------------------------- */

/* Ends it whatever it does; its wait status. */
static int bury(struct client *client)
{
    struct line *line = &client->line;
    if (!is_live(client))
        return 0;
    const int status = worker_process_end(&line->process);
    if (client->plugin_path != NULL)
        kill_point_identify("parent", 0);
    buffer_clear(&line->in);
    buffer_clear(&line->out);
    line->sent = 0;
    tail_clear(&line->printed);
    free(line->last_log);
    line->last_log = NULL;
    return status;
}

/* Waits for a worker that is about to end by itself, reading what it still prints. */
static int await_end(struct client *client, int64_t patience_ms)
{
    const int64_t give_up = clock_monotonic_ms() + patience_ms;
    while (!worker_process_has_ended(&client->line.process)) {
        if (clock_monotonic_ms() >= give_up)
            return -1;
        struct pollfd output = {client->line.process.output_fd, POLLIN, 0};
        /* output that ended is ready for ever: then only time passes */
        if (poll(&output, 1, 10) > 0 && (output.revents & POLLIN) == 0)
            (void)poll(NULL, 0, 1);
        line_drain_output(&client->line);
    }
    line_drain_output(&client->line);
    return 0;
}

static void forget_call(struct client *client)
{
    struct call *call = take_pointer(client->call);
    if (call == NULL)
        return;
    json_decref(call->talk.answer);
    error_clear(&call->talk.reason);
    free(call->place);
    free(call->row);
    free(call);
}

int client_close(struct client *client, struct error *reterr)
{
    struct line *line = &client->line;
    if (client->call != NULL) { /* it does not listen to CLOSE before it is done */
        forget_call(client);
        (void)bury(client);
    }
    if (!is_live(client))
        return 0;
    cleanup_json json_t *nothing = json_object();
    (void)frame_encode(&line->out, FRAME_CLOSE, 0, nothing, NULL);
    /* to an idle worker this small frame always goes out at once; the shutdown says it anyway */
    (void)send(line->process.socket, line->out.data, line->out.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(line->process.socket, SHUT_WR);
    const int gone = await_end(client, CLOSE_MS) == 0;
    cleanup_free char *printed = tail_lines(&line->printed, DETAIL_LINES, 4096);
    const int status = bury(client);
    if (gone && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (!gone)
        (void)error_set(reterr, EXIT_FAILED, "the worker of %s did not end when it was closed",
                        client->who);
    else
        (void)error_set(reterr, EXIT_FAILED, "the worker of %s ended badly: %s %d", client->who,
                        WIFSIGNALED(status) ? "signal" : "exit status",
                        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return printed != NULL ? error_detail(reterr, "%s", printed) : -1;
}

void client_free(struct client *client)
{
    if (client == NULL)
        return;
    (void)client_close(client, NULL);
    worker_process_reap_orphans();
    json_decref(client->open);
    json_decref(client->descriptor);
    free(client->build_id);
    free(client->plugin_path);
    free(client->plugin_name);
    free(client->who);
    free(client);
}

/* ---- what to say about a worker that ended badly --------------------------------------------- */

static char *place_of(const json_t *body)
{
    const char *hook = json_text(body, "hook");
    const char *row = json_text(json_object_get(body, "step"), "row");
    const char *service = json_text(body, "name");
    if (row != NULL)
        return text_format("'%s' of row '%s'", hook != NULL ? hook : "", row);
    if (service != NULL)
        return text_format("'%s'", service);
    return text_format("'%s'", hook != NULL ? hook : "");
}

/* What it said last: a message through salvor, and what it printed. */
static void add_last_words(const struct client *client, struct error *err)
{
    cleanup_free char *printed = tail_lines(&client->line.printed, DETAIL_LINES, 4096);
    const char *logged = client->line.last_log;
    if (logged != NULL && printed != NULL)
        (void)error_detail(err, "last message: %s\nlast output:\n%s", logged, printed);
    else if (logged != NULL)
        (void)error_detail(err, "last message: %s", logged);
    else if (printed != NULL)
        (void)error_detail(err, "last output:\n%s", printed);
}

static void add_maintainer(const struct client *client, struct error *err)
{
    const char *maintainer = json_text(client->descriptor, "maintainer");
    if (maintainer != NULL)
        (void)error_hint(err, "this is a fault of the plugin; tell its maintainer, %s", maintainer);
}

/* A plugin that gets no memory may end in any way. */
static void add_memory_limit(const struct client *client, struct error *err)
{
    cleanup_free char *before = text_copy(err->hint != NULL ? err->hint : "");
    (void)error_hint(err,
                     "%s%sits memory is bounded by 'worker-memory' under 'limits' in salvor.yaml, "
                     "%lld MiB",
                     before, *before != '\0' ? "\n" : "", (long long)(client->limits.memory >> 20));
}

/* The worker's own reason for ending ("salvor worker: the plugin closed ..."), or NULL. */
static char *own_reason(const struct client *client)
{
    static const char prefix[] = "salvor worker: ";
    cleanup_free char *line = tail_lines(&client->line.printed, 1, 512);
    return line != NULL && text_starts(line, prefix) ? text_copy(line + strlen(prefix)) : NULL;
}

/* The worker's connection ended: waits for the process and says how it went. */
static void describe_end(struct client *client, const char *place, struct error *reterr)
{
    const int gone = await_end(client, LAST_WORDS_MS) == 0;
    cleanup_error struct error words = ERROR_INIT;
    (void)error_set(&words, EXIT_FAILED, "-");
    add_last_words(client, &words);
    cleanup_free char *reason = own_reason(client);
    const int status = bury(client);
    const int64_t kills = oom_kills();
    const struct worker_death death = {
        .signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .oom_kills =
            client->oom_kills >= 0 && kills > client->oom_kills ? kills - client->oom_kills : 0,
        .limits = client->limits};
    int own_fault = 1;
    if (!gone) {
        (void)error_set(reterr, EXIT_FAILED, "%s closed its connection in %s and went on",
                        client->who, place);
    } else if (WIFSIGNALED(status)) {
        own_fault = worker_death_tell(&death, client->who, place, reterr);
    } else if (reason != NULL) {
        (void)error_set(reterr, EXIT_FAILED, "%s broke off in %s: %s", client->who, place, reason);
    } else {
        (void)error_set(reterr, EXIT_FAILED,
                        "%s ended its process in %s before it was done: exit status %d",
                        client->who, place, WEXITSTATUS(status));
    }
    if (words.detail != NULL)
        (void)error_detail(reterr, "%s", words.detail);
    if (own_fault)
        add_maintainer(client, reterr);
    if (own_fault && client->limits.memory > 0)
        add_memory_limit(client, reterr);
}

/* ---- opening --------------------------------------------------------------------------------- */

static int queue_open(struct client *client, struct error *reterr)
{
    cleanup_json json_t *body = json_clone(client->open);
    json_put(body, "protocol", json_integer(PROTOCOL));
    json_put_text(body, "plugin", client->plugin_path);
    json_put_text(body, "name", client->plugin_path != NULL ? client->plugin_name : NULL);
    json_put(body, "limits",
             json_make("{s:I, s:I}", "memory", (json_int_t)client->limits.memory, "cpu_ms",
                       (json_int_t)client->limits.cpu_ms));
    client->oom_kills = oom_kills();
    return frame_encode_parts(&client->line.out, FRAME_OPEN, 0, body, reterr);
}

static int take_ready(struct client *client, const json_t *body, struct error *reterr)
{
    const char *build_id = json_text(body, "build_id");
    json_t *descriptor = json_object_get(body, "descriptor");
    if (client->plugin_path != NULL && !json_is_object(descriptor))
        return error_set(reterr, EXIT_FAILED, "the worker of %s sent no descriptor", client->who);
    if (client->build_id == NULL) {
        client->build_id = text_copy(build_id);
        client->descriptor = json_is_object(descriptor) ? json_incref(descriptor) : NULL;
        return 0;
    }
    if (text_equal(client->build_id, build_id) &&
        (client->descriptor == NULL || json_equal(client->descriptor, descriptor)))
        return 0;
    (void)error_set(reterr, EXIT_REFUSED, "%s changed on disk while it was in use: '%s'",
                    client->who, client->plugin_path);
    return error_hint(reterr, "start again with the plugin as it is now, or put the old one back");
}

static int refusal(const json_t *body, struct error *reterr)
{
    (void)error_set(reterr, EXIT_USAGE, "%s", json_text(body, "message"));
    if (json_text(body, "detail") != NULL)
        (void)error_detail(reterr, "%s", json_text(body, "detail"));
    if (json_text(body, "hint") != NULL)
        (void)error_hint(reterr, "%s", json_text(body, "hint"));
    return -1;
}

/* 0: it is ready; 1: the operator stopped it; -1: *reterr. The worker is gone unless it is 0. */
static int judge_opening(struct client *client, struct conversation *talk, struct error *reterr)
{
    int result = -1;
    if (talk->end == ANSWERED && talk->answer_type == FRAME_READY) {
        result = take_ready(client, talk->answer, reterr);
    } else if (talk->end == ANSWERED) {
        (void)refusal(talk->answer, reterr);
    } else if (talk->end == WORKER_ENDED) {
        describe_end(client, "its entry function", reterr);
    } else if (talk->end == RULES_BROKEN) {
        (void)error_move(reterr, &talk->reason);
        (void)error_prefix(reterr, "%s broke the rules of its connection", client->who);
    } else if (talk->stop == STOP_ASKED) {
        result = 1;
    } else {
        (void)error_set(reterr, EXIT_FAILED, "%s did not open within %d s", client->who,
                        OPEN_DEADLINE_MS / 1000);
        add_last_words(client, reterr);
    }
    if (result != 0)
        (void)bury(client);
    return result;
}

static int open_worker(struct client *client, const struct client_listener *listener,
                       struct error *reterr)
{
    worker_process_reap_orphans();
    /* a worker that ended between two calls is replaced, whatever ended it */
    if (is_live(client) && worker_process_has_ended(&client->line.process))
        (void)bury(client);
    if (is_live(client))
        return 0;
    if (worker_process_start(&client->line.process, client->debug, reterr) != 0)
        return -1;
    if (client->plugin_path != NULL)
        kill_point_identify("parent", client->line.process.pid);
    if (queue_open(client, reterr) != 0) {
        (void)bury(client);
        return -1;
    }
    struct conversation talk = {
        .line = &client->line,
        .listener = listener,
        .row = "-",
        .deadline = clock_monotonic_ms() + OPEN_DEADLINE_MS,
    };
    converse(&talk);
    int result = judge_opening(client, &talk, reterr);
    json_decref(talk.answer);
    error_clear(&talk.reason);
    return result;
}

int client_descriptor(struct client *client, const json_t **ret_descriptor, struct error *reterr)
{
    if (client->build_id == NULL && open_worker(client, NULL, reterr) != 0)
        return -1;
    *ret_descriptor = client->descriptor;
    return 0;
}

/* ---- calling --------------------------------------------------------------------------------- */

/* It ended because it was asked to, or was killed for not doing so. What the hook said of it is the
 * detail. */
static void describe_stop(struct client *client, const struct conversation *talk, const char *place,
                          int64_t deadline_ms, struct client_outcome *outcome)
{
    const char *how = talk->killed ? "; it did not end by itself and was killed" : "";
    cleanup_error struct error said = ERROR_INIT;
    (void)error_move(&said, &outcome->error);
    if (talk->stop == STOP_ASKED) {
        outcome->end = CLIENT_CANCELLED;
        (void)error_set(&outcome->error, EXIT_INTERRUPTED, "%s was stopped in %s%s", client->who,
                        place, how);
    } else {
        outcome->end = CLIENT_TIMED_OUT;
        (void)error_set(&outcome->error, EXIT_FAILED,
                        "%s passed the deadline of %s after %lld ms%s", client->who, place,
                        (long long)deadline_ms, how);
    }
    if (said.message != NULL)
        (void)error_detail(&outcome->error, "%s", said.message);
    else
        add_last_words(client, &outcome->error);
}

static void take_done(struct client *client, const struct conversation *talk, const char *place,
                      int64_t deadline_ms, struct client_outcome *outcome)
{
    const json_t *failure = json_object_get(talk->answer, "error");
    outcome->end = CLIENT_DONE;
    outcome->status = (salvor_status)json_whole(talk->answer, "status", SALVOR_BUG);
    outcome->answer = (uint32_t)json_whole(talk->answer, "answer", 0);
    if (word_for(words_status, outcome->status) == NULL) {
        outcome->end = CLIENT_PROTOCOL;
        (void)error_set(&outcome->error, EXIT_FAILED, "%s ended %s with the unknown status %u",
                        client->who, place, outcome->status);
        return;
    }
    if (outcome->status == SALVOR_OK)
        return;
    (void)error_set(&outcome->error, EXIT_FAILED, "%s",
                    json_is_object(failure) ? json_text(failure, "message") : "no reason given");
    if (json_text(failure, "detail") != NULL)
        (void)error_detail(&outcome->error, "%s", json_text(failure, "detail"));
    if (json_text(failure, "hint") != NULL)
        (void)error_hint(&outcome->error, "%s", json_text(failure, "hint"));
    /* the hook that stops because it was asked to says so, not why */
    if (talk->stop != NOT_STOPPED &&
        (outcome->status == SALVOR_CANCELLED || outcome->status == SALVOR_TIMEOUT))
        describe_stop(client, talk, place, deadline_ms, outcome);
}

static void judge_call(struct client *client, struct call *call, struct client_outcome *outcome)
{
    struct conversation *talk = &call->talk;
    switch (talk->end) {
    case ANSWERED:
        take_done(client, talk, call->place, call->deadline_ms, outcome);
        break;
    case WORKER_ENDED:
        outcome->end = CLIENT_CRASHED;
        describe_end(client, call->place, &outcome->error);
        break;
    case RULES_BROKEN:
        outcome->end = CLIENT_PROTOCOL;
        (void)error_move(&outcome->error, &talk->reason);
        (void)error_prefix(&outcome->error, "%s broke the rules of its connection in %s",
                           client->who, call->place);
        add_last_words(client, &outcome->error);
        add_maintainer(client, &outcome->error);
        break;
    case STOPPED:
        describe_stop(client, talk, call->place, call->deadline_ms, outcome);
        break;
    }
}

/* A worker is used again only when nothing of the last call can linger in it. */
static void retire(struct client *client, const struct conversation *talk,
                   const struct client_outcome *outcome)
{
    if (!is_live(client))
        return;
    const int spoilt =
        outcome->end != CLIENT_DONE || talk->stop != NOT_STOPPED || json_flag(talk->answer, "last");
    if (spoilt)
        (void)bury(client);
    else if (client->per_call)
        (void)client_close(client, NULL);
}

static struct call *call_new(const json_t *body, const struct client_listener *listener)
{
    const char *row = json_text(json_object_get(body, "step"), "row");
    const char *service = json_text(body, "name");
    struct call *call = memory_new(1, sizeof *call);
    if (listener != NULL)
        call->listener = *listener;
    call->place = place_of(body);
    call->row = text_copy(row != NULL ? row : service != NULL ? service : "-");
    call->deadline_ms = json_whole(body, "deadline_ms", 0);
    return call;
}

int client_begin(struct client *client, const json_t *body, const struct client_listener *listener,
                 struct error *reterr)
{
    if (client->call != NULL)
        return error_set(reterr, EXIT_FAILED, "%s is in a call already", client->who);
    const int opened = open_worker(client, listener, reterr);
    if (opened < 0)
        return -1;
    if (++client->last_call == 0)
        client->last_call = 1;
    if (opened == 0 &&
        frame_encode_parts(&client->line.out, FRAME_CALL, client->last_call, body, reterr) != 0)
        return -1;
    free(client->line.last_log);
    client->line.last_log = NULL;
    struct call *call = call_new(body, listener);
    client->call = call;
    call->stopped_before = opened > 0;
    call->talk = (struct conversation){
        .line = &client->line,
        .listener = &call->listener,
        .call = client->last_call,
        .row = call->row,
        .deadline = clock_monotonic_ms() + call->deadline_ms,
    };
    if (!call->stopped_before)
        conversation_begin(&call->talk);
    return 0;
}

int client_pump(struct client *client, int64_t wait_ms)
{
    struct call *call = client->call;
    return call == NULL || call->stopped_before || conversation_pump(&call->talk, wait_ms);
}

int client_tell(struct client *client, const json_t *body, struct error *reterr)
{
    if (client->call == NULL)
        return error_set(reterr, EXIT_FAILED, "%s is not in a call", client->who);
    return frame_encode(&client->line.out, FRAME_TELL, client->last_call, body, reterr);
}

int client_is_calling(const struct client *client)
{
    return client->call != NULL;
}

void client_finish(struct client *client, struct client_outcome *ret_outcome)
{
    struct client_outcome outcome = {CLIENT_DONE, SALVOR_OK, 0, ERROR_INIT};
    struct call *call = client->call;
    if (call->stopped_before) {
        outcome.end = CLIENT_CANCELLED;
        (void)error_set(&outcome.error, EXIT_INTERRUPTED, "%s was stopped before it began",
                        client->who);
        forget_call(client);
    } else {
        client->call = NULL;
        judge_call(client, call, &outcome);
        retire(client, &call->talk, &outcome);
        client->call = call;
        forget_call(client);
        worker_process_reap_orphans();
    }
    *ret_outcome = outcome;
}

int client_call(struct client *client, const json_t *body, const struct client_listener *listener,
                struct client_outcome *ret_outcome, struct error *reterr)
{
    if (client_begin(client, body, listener, reterr) != 0)
        return -1;
    while (!client_pump(client, INT32_MAX))
        continue;
    client_finish(client, ret_outcome);
    return 0;
}
