/*
 * Drives single hooks of a plugin file without engine or journal:
 *
 *     drive FILE NAME [OPEN-JSON] < CALLS
 *
 * Each line of standard input is the body of a CALL frame ("deadline_ms" defaults to 10000). Each
 * frame, request and outcome is one line of JSON on standard output. Requests for checkpoints are
 * granted, values to redact are heard and not shown, secrets are "secret of NAME".
 * SALVOR_WORKER=per-call as in salvor itself.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "host/client.h"
#include "worker/worker-main.h"

static void print(const char *key, const char *name, const json_t *body)
{
    cleanup_json json_t *line = json_make("{s:s, s:O}", key, name, "body", body);
    cleanup_free char *text = json_canonical(line);
    (void)printf("%s\n", text);
}

static int show_frame(void *data, enum frame_type type, const json_t *body, struct error *reterr)
{
    (void)data;
    (void)reterr;
    print("frame", frame_type_name(type), body);
    return 0;
}

static json_t *answer(void *data, const json_t *body, struct error *reterr)
{
    (void)data;
    if (text_equal(json_text(body, "ask"), "redact"))
        return json_object();
    print("frame", "request", body);
    if (text_equal(json_text(body, "ask"), "checkpoint"))
        return json_object();
    if (text_equal(json_text(body, "ask"), "secret")) {
        char encoded[512];
        cleanup_free char *value = text_format("secret of %.100s", json_text(body, "option"));
        (void)sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)value,
                                strlen(value), sodium_base64_VARIANT_ORIGINAL);
        return json_make("{s:s}", "value_base64", encoded);
    }
    (void)error_set(reterr, EXIT_FAILED, "nothing like that here");
    return NULL;
}

static json_t *error_json(const struct error *err)
{
    if (!error_is_set(err))
        return json_null();
    return json_make("{s:s, s:s?, s:s?}", "message", err->message, "detail", err->detail, "hint",
                     err->hint);
}

static const char *end_name(enum client_end end)
{
    static const char *const names[] = {[CLIENT_DONE] = "done",
                                        [CLIENT_CRASHED] = "crashed",
                                        [CLIENT_TIMED_OUT] = "timed-out",
                                        [CLIENT_PROTOCOL] = "protocol",
                                        [CLIENT_CANCELLED] = "cancelled"};
    return names[end];
}

static int drive(struct client *client, json_t *body)
{
    const struct client_listener listener = {NULL, show_frame, answer, NULL};
    struct client_outcome outcome = {0};
    cleanup_error struct error err = ERROR_INIT;
    if (json_object_get(body, "deadline_ms") == NULL)
        json_put(body, "deadline_ms", json_integer(10000));
    if (client_call(client, body, &listener, &outcome, &err) != 0) {
        cleanup_json json_t *reason = error_json(&err);
        print("outcome", "refused", reason);
        return -1;
    }
    cleanup_json json_t *shown =
        json_make("{s:I, s:I, s:o}", "status", (json_int_t)outcome.status, "answer",
                  (json_int_t)outcome.answer, "error", error_json(&outcome.error));
    print("outcome", end_name(outcome.end), shown);
    error_clear(&outcome.error);
    return 0;
}

int main(int argc, char **argv)
{
    worker_main_if_asked(argc, argv);
    if (argc < 3 || sodium_init() < 0) {
        (void)fprintf(stderr, "usage: drive FILE NAME [OPEN-JSON] < CALLS\n");
        return EXIT_USAGE;
    }
    cleanup_json json_t *open =
        argc > 3 ? json_loads(argv[3], JSON_REJECT_DUPLICATES, NULL) : json_object();
    const struct client_settings settings = {.plugin_path = argv[1],
                                             .plugin_name = argv[2],
                                             .open = open,
                                             .per_call =
                                                 text_equal(getenv("SALVOR_WORKER"), "per-call")};
    struct client *client = client_new(&settings);
    char line[65536];
    int failed = 0;
    while (!failed && fgets(line, sizeof line, stdin) != NULL) {
        cleanup_json json_t *body = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        if (body == NULL) {
            (void)fprintf(stderr, "drive: not JSON: %s", line);
            failed = 1;
            continue;
        }
        failed = drive(client, body) != 0;
    }
    cleanup_error struct error err = ERROR_INIT;
    if (client_close(client, &err) != 0) {
        (void)fprintf(stderr, "drive: %s\n%s\n", err.message, err.detail != NULL ? err.detail : "");
        failed = 1;
    }
    client_free(client);
    return failed ? EXIT_FAILED : EXIT_DONE;
}
