#include "parent.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "worker/worker-main.h"

/* ---- a listener that remembers --------------------------------------------------------------- */

static int on_frame(void *data, enum frame_type type, const json_t *body, struct error *reterr)
{
    struct heard *heard = data;
    if (heard->refuse_frames)
        return error_set(reterr, EXIT_FAILED, "the test takes no '%s'", frame_type_name(type));
    json_add(heard->frames, json_make("{s:s, s:O}", "frame", frame_type_name(type), "body", body));
    return 0;
}

static json_t *on_request(void *data, const json_t *body, struct error *reterr)
{
    struct heard *heard = data;
    json_add(heard->frames, json_make("{s:s, s:O}", "frame", "request", "body", body));
    if (text_equal(json_text(body, "ask"), "checkpoint") && !heard->refuse_checkpoints)
        return json_object();
    if (heard->refusal_is_final)
        heard->kill_at_tick = 1;
    (void)error_set(reterr, EXIT_FAILED, "the disk is full");
    (void)error_hint(reterr, "make room");
    return NULL;
}

static int on_tick(void *data)
{
    struct heard *heard = data;
    heard->ticks++;
    if (heard->kill_at_tick != 0 && heard->ticks >= heard->kill_at_tick)
        return 2;
    return heard->cancel_at_tick != 0 && heard->ticks >= heard->cancel_at_tick;
}

struct client_listener heard_listener(struct heard *heard)
{
    if (heard->frames == NULL)
        heard->frames = json_array();
    return (struct client_listener){heard, on_frame, on_request, on_tick};
}

void heard_clear(struct heard *heard)
{
    json_decref(heard->frames);
    *heard = (struct heard){0};
}

const json_t *heard_frame(const struct heard *heard, const char *name)
{
    size_t index = 0;
    const json_t *entry = NULL;
    json_array_foreach (heard->frames, index, entry) {
        if (text_equal(json_text(entry, "frame"), name))
            return json_object_get(entry, "body");
    }
    return NULL;
}

int heard_count(const struct heard *heard, const char *name)
{
    int count = 0;
    size_t index = 0;
    const json_t *entry = NULL;
    json_array_foreach (heard->frames, index, entry)
        count += text_equal(json_text(entry, "frame"), name);
    return count;
}

/* ---- the parent ------------------------------------------------------------------------------ */

void parent_begin(int argc, char **argv)
{
    worker_main_if_asked(argc, argv);
    if (sodium_init() < 0)
        exit(EXIT_FAILURE);
    (void)setenv("ASAN_OPTIONS",
                 "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:"
                 "abort_on_error=1",
                 1);
}

json_t *parent_descriptors(void)
{
    json_t *numbers = json_object();
    cleanup_dir DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    const struct dirent *entry = NULL;
    while ((entry = readdir(dir)) != NULL) {
        int64_t number = 0;
        if (text_parse_integer(entry->d_name, &number) == 0 && number != dirfd(dir))
            json_put(numbers, entry->d_name, json_true());
    }
    return numbers;
}

void parent_check(struct client *client, json_t *before)
{
    cleanup_error struct error err = ERROR_INIT;
    if (client != NULL && client_close(client, &err) != 0)
        fail_msg("%s: %s", err.message, err.detail != NULL ? err.detail : "");
    parent_free(client);
    cleanup_json json_t *was = before;
    cleanup_json json_t *now = parent_descriptors();
    if (!json_equal(was, now)) {
        cleanup_free char *was_text = json_canonical(was);
        cleanup_free char *now_text = json_canonical(now);
        fail_msg("descriptors of the parent: %s before, %s now", was_text, now_text);
    }
    siginfo_t info;
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        fail_msg("a child process is left, perhaps %d", (int)info.si_pid);
    assert_int_equal(errno, ECHILD);
}

/* ---- mocks ----------------------------------------------------------------------------------- */

char *mock_path(const char *name)
{
    char *path = text_format("%s/salvor_%s.so", MOCK_FOLDER, name);
    for (char *at = strrchr(path, '/'); *at != '\0'; at++) {
        if (*at == '-')
            *at = '_';
    }
    return path;
}

/* Of the running test, so that one that fails does not spoil those after it. */
static struct client *clients[8];

int parent_clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        client_free(clients[i]);
        clients[i] = NULL;
    }
    return 0;
}

void parent_free(struct client *client)
{
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        if (clients[i] == client)
            clients[i] = NULL;
    }
    client_free(client);
}

static struct client *remember(struct client *client)
{
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        if (clients[i] == NULL)
            return clients[i] = client;
    }
    fail_msg("too many clients in one test");
    return client;
}

struct client *mock_client(const char *name, int per_call, json_t *options)
{
    cleanup_free char *path = mock_path(name);
    cleanup_json json_t *open =
        json_make("{s:o}", "options", options != NULL ? options : json_object());
    const struct client_settings settings = {
        .plugin_path = path, .plugin_name = name, .open = open, .per_call = per_call};
    return remember(client_new(&settings));
}

json_t *mock_call(const char *hook, int64_t deadline_ms)
{
    json_t *body = json_make("{s:s, s:I}", "hook", hook, "deadline_ms", (json_int_t)deadline_ms);
    if (text_equal(hook, "restore") || text_equal(hook, "validate"))
        json_put(body, "request", json_make("{s:i}", "procedure_kind", 2000));
    if (text_ends(hook, "_step"))
        json_put(body, "step",
                 json_make("{s:s, s:s, s:s, s:s, s:s, s:i}", "instance", "mend/first/1",
                           "procedure", "mend", "stage", "first", "row", "wipe", "target", "one",
                           "attempt", 1));
    return body;
}

void expect_text(const char *text, const char *expected, const char *about)
{
    if (text == NULL || strstr(text, expected) == NULL)
        fail_msg("%s: '%s' does not say '%s'", about, text != NULL ? text : "(nothing)", expected);
}
