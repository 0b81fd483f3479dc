/* Secrets on their whole way: reference, parent's answer, handle in the worker, seal and unseal. */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "config/secret-reference.h"
#include "host/redact.h"
#include "host/secrets.h"
#include "practice-call.h"
#include "services/secret.h"

static struct secrets *desk;

static json_t *ask_the_desk(struct practice *practice, const json_t *request)
{
    cleanup_error struct error err = ERROR_INIT;
    json_t *reply = NULL;
    (void)practice;
    if (secrets_answer(desk, request, &reply, &err) == 1)
        return reply;
    return NULL;
}

static int begin(void **state)
{
    (void)practice_setup(state);
    struct practice *practice = *state;
    cleanup_json json_t *references =
        json_make("{s:s,s:s,s:s}", "token", "env:SALVOR_TEST_TOKEN", "broken", "env:NOT_SET", "key",
                  "exec:printf canary-%s value");
    (void)setenv("SALVOR_TEST_TOKEN", "canary-token", 1);
    desk = secrets_new(references, practice->folder);
    practice->answer = ask_the_desk;
    json_decref(practice->session.descriptor);
    practice->session.descriptor =
        json_make("{s:[{s:s,s:b},{s:s,s:b},{s:s,s:b},{s:s,s:b},{s:s,s:b}]}", "options", "name",
                  "token", "secret", 1, "name", "broken", "secret", 1, "name", "absent", "secret",
                  1, "name", "open", "secret", 0, "name", "key", "secret", 1);
    return 0;
}

static int end(void **state)
{
    secrets_free(desk);
    redact_clear();
    return practice_teardown(state);
}

static const char *message(const struct practice *practice)
{
    return practice->call.error.message != NULL ? practice->call.error.message : "";
}

static void assert_value(struct practice *practice, salvor_secret *secret, const char *expected)
{
    struct salvor_span value = {0};
    assert_int_equal(secrets_table.reveal(practice_call(practice), secret, &value), SALVOR_OK);
    assert_int_equal(value.size, strlen(expected));
    assert_string_equal(value.data, expected);
}

static void open_reveal_close(void **state)
{
    struct practice *practice = *state;
    salvor_call *call = practice_call(practice);
    salvor_secret *secret = NULL;
    assert_int_equal(secrets_table.open(call, "token", &secret), SALVOR_OK);
    assert_value(practice, secret, "canary-token");
    const json_t *evidence = practice_frame(practice, FRAME_EVIDENCE);
    assert_string_equal(json_text(evidence, "what"), "reveal");
    assert_string_equal(json_text(evidence, "of"), "secret option 'token'");
    cleanup_free char *sent = json_canonical(practice->frames);
    assert_null(strstr(sent, "canary"));
    cleanup_free char *printed = redact_text("x canary-token");
    assert_string_equal(printed, "x [redacted]");
    secrets_table.close(call, secret);
    secrets_table.close(call, secret);
    struct salvor_span value = {0};
    assert_int_equal(secrets_table.reveal(call, secret, &value), SALVOR_BUG);
    (void)setenv("SALVOR_TEST_TOKEN", "another", 1); /* fetched once a process */
    assert_int_equal(secrets_table.open(call, "token", &secret), SALVOR_OK);
    assert_value(practice, secret, "canary-token");
    practice_next_call(practice, SALVOR_EFFECT_CHANGE);
    assert_int_equal(secrets_table.reveal(call, secret, &value), SALVOR_BUG);
}

static void what_cannot_be_opened(void **state)
{
    struct practice *practice = *state;
    salvor_call *call = practice_call(practice);
    salvor_secret *secret = NULL;
    assert_int_equal(secrets_table.open(call, "absent", &secret), SALVOR_NOT_FOUND);
    assert_non_null(strstr(message(practice), "secret option 'absent' is not given"));
    assert_non_null(strstr(practice->call.error.hint, "--absent env:NAME"));
    assert_int_equal(secrets_table.open(call, "broken", &secret), SALVOR_FAILED);
    assert_int_equal(secrets_table.open(call, "open", &secret), SALVOR_BUG);
    assert_int_equal(secrets_table.open(call, "unknown", &secret), SALVOR_BUG);
    assert_int_equal(secrets_table.open(call, NULL, &secret), SALVOR_BUG);
    assert_null(secret);
}

static void adopted_values_are_redacted_from_then_on(void **state)
{
    struct practice *practice = *state;
    salvor_secret *secret = NULL;
    static const char value[] = "canary\0bytes";
    assert_int_equal(secrets_table.adopt(practice_call(practice), value, 12, &secret), SALVOR_OK);
    struct salvor_span span = {0};
    assert_int_equal(secrets_table.reveal(practice_call(practice), secret, &span), SALVOR_OK);
    assert_int_equal(span.size, 12);
    assert_memory_equal(span.data, value, 13);
    assert_int_equal(secrets_table.adopt(practice_call(practice), "canary-adopted", 14, &secret),
                     SALVOR_OK);
    cleanup_free char *printed = redact_text("canary-adopted");
    assert_string_equal(printed, "[redacted]");
    assert_int_equal(secrets_table.adopt(practice_call(practice), NULL, 1, &secret), SALVOR_BUG);
    practice->answer = NULL;
    assert_int_equal(secrets_table.adopt(practice_call(practice), "never", 5, &secret),
                     SALVOR_FAILED);
}

static void sealed_secrets_outlive_the_step(void **state)
{
    struct practice *practice = *state;
    salvor_call *call = practice_call(practice);
    salvor_secret *secret = NULL;
    assert_int_equal(secrets_table.unseal(call, "old-key", &secret), SALVOR_NOT_FOUND);
    assert_int_equal(secrets_table.adopt(call, "canary-one", 10, &secret), SALVOR_OK);
    assert_int_equal(secrets_table.seal(call, "old-key", secret), SALVOR_OK);
    assert_int_equal(secrets_table.adopt(call, "canary-two", 10, &secret), SALVOR_OK);
    assert_int_equal(secrets_table.seal(call, "old-key", secret), SALVOR_OK);
    cleanup_free char *path = text_format("%s/sealed/secret-old-key", practice->folder);
    cleanup_free char *stored = NULL;
    size_t size = 0;
    struct stat status;
    assert_int_equal(file_read(path, 4096, &stored, &size, NULL), 0);
    assert_null(memmem(stored, size, "canary", 6));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    /* Another process of the run, that never saw it. */
    practice_next_call(practice, SALVOR_EFFECT_CHANGE);
    redact_clear();
    secrets_free(desk);
    desk = secrets_new(NULL, practice->folder);
    assert_int_equal(secrets_table.unseal(call, "old-key", &secret), SALVOR_OK);
    assert_value(practice, secret, "canary-two");
    cleanup_free char *printed = redact_text("canary-two");
    assert_string_equal(printed, "[redacted]");
    static const char *const bad[] = {"", "a/b", "A", "..", NULL};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(secrets_table.seal(call, bad[i], secret), SALVOR_BUG);
    for (size_t bit = 0; bit < size * 8; bit += 5) {
        stored[bit / 8] = (char)(stored[bit / 8] ^ 1 << bit % 8);
        cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_int_equal(file_write_all(fd, stored, size), 0);
        salvor_secret *damaged = NULL;
        assert_int_equal(secrets_table.unseal(call, "old-key", &damaged), SALVOR_FAILED);
        stored[bit / 8] = (char)(stored[bit / 8] ^ 1 << bit % 8);
    }
    cleanup_free char *key = text_format("%s/sealed/key", practice->folder);
    assert_int_equal(secrets_destroy_sealed(practice->folder, NULL), 0);
    assert_int_equal(access(key, F_OK), -1);
    assert_int_equal(secrets_table.unseal(call, "old-key", &secret), SALVOR_NOT_FOUND);
    assert_int_equal(secrets_destroy_sealed(practice->folder, NULL), 0);
    practice->call.row = "-";
    assert_int_equal(secrets_table.seal(call, "old-key", secret), SALVOR_BUG);
}

static void other_requests_are_not_the_desks(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    (void)state;
    json_t *reply = NULL;
    cleanup_json json_t *other = json_make("{s:s}", "ask", "checkpoint");
    assert_int_equal(secrets_answer(desk, other, &reply, &err), 0);
    cleanup_json json_t *bad = json_make("{s:s,s:s}", "ask", "redact", "value", "***");
    assert_int_equal(secrets_answer(desk, bad, &reply, &err), -1);
    cleanup_json json_t *none = json_make("{s:s}", "ask", "seal");
    assert_int_equal(secrets_answer(desk, none, &reply, &err), -1);
    assert_null(reply);
}

/* ---- references ------------------------------------------------------------------------------ */

static char *fetched(const char *reference, struct error *reterr)
{
    char *value = NULL;
    size_t size = 0;
    if (secret_reference_fetch(reference, &value, &size, reterr) != 0)
        return NULL;
    char *copy = text_copy_span(value, size);
    sodium_free(value);
    return copy;
}

static void assert_fetched(const char *reference, const char *expected)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *value = fetched(reference, &err);
    if (value == NULL)
        fail_msg("%s", err.message);
    assert_string_equal(value, expected);
}

static void assert_not_fetched(const char *reference, const char *why)
{
    cleanup_error struct error err = ERROR_INIT;
    assert_null(fetched(reference, &err));
    if (strstr(err.message, why) == NULL)
        fail_msg("%s: %s", reference, err.message);
}

static void references_have_four_forms(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    (void)state;
    static const char *const good[] = {"env:X", "file:/a b", "exec:pass show x",
                                       "prompt:", "prompt:password of the manager"};
    static const char *const bad[] = {
        "hunter22", "", "env:", "file:", "exec:", "exec:  ", "ENV:X", "vault:x"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(secret_reference_check(good[i], &err), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(secret_reference_check(bad[i], &err), -1);
    /* What was given by mistake is not repeated. */
    assert_int_equal(secret_reference_check("hunter22", &err), -1);
    assert_null(strstr(err.message, "hunter22"));
    assert_non_null(strstr(err.hint, "env:NAME"));
    assert_int_equal(err.code, EXIT_USAGE);
}

static void from_the_environment(void **state)
{
    (void)state;
    (void)setenv("SALVOR_TEST_VALUE", "canary-env\n", 1);
    assert_fetched("env:SALVOR_TEST_VALUE", "canary-env\n");
    (void)unsetenv("SALVOR_TEST_VALUE");
    assert_not_fetched("env:SALVOR_TEST_VALUE", "is not set");
    (void)setenv("SALVOR_TEST_VALUE", "", 1);
    assert_not_fetched("env:SALVOR_TEST_VALUE", "is empty");
    cleanup_free char *large = memory_new(SECRET_LIMIT + 2, 1);
    memset(large, 'x', SECRET_LIMIT + 1);
    (void)setenv("SALVOR_TEST_VALUE", large, 1);
    assert_not_fetched("env:SALVOR_TEST_VALUE", "larger than 65536 bytes");
    (void)unsetenv("SALVOR_TEST_VALUE");
}

static void from_a_file(void **state)
{
    struct practice *practice = *state;
    cleanup_free char *path = text_format("%s/secret", practice->folder);
    cleanup_free char *reference = text_format("file:%s", path);
    static const char *const texts[][2] = {{"canary-file", "canary-file"},
                                           {"canary-file\n", "canary-file"},
                                           {"canary-file\r\n", "canary-file"},
                                           {"one\ntwo\n", "one\ntwo\n"}};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(file_write_atomic(path, texts[i][0], strlen(texts[i][0]), 0600, NULL), 0);
        assert_fetched(reference, texts[i][1]);
    }
    static const mode_t good[] = {0400, 0600, 0640, 0440, 0700};
    static const mode_t bad[] = {0604, 0602, 0601, 0660, 0620, 0644, 0666};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(chmod(path, good[i]), 0);
        assert_fetched(reference, "one\ntwo\n");
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(chmod(path, bad[i]), 0);
        assert_not_fetched(reference, "others may read or change it");
    }
    if (geteuid() == 0) {
        assert_int_equal(chmod(path, 0600), 0);
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_not_fetched(reference, "belongs to another user");
    }
    assert_int_equal(unlink(path), 0);
    assert_not_fetched(reference, "No such file");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_not_fetched(reference, "not a plain file");
    assert_not_fetched("file:/tmp", "not a plain file");
}

static int asked;
static int asker_errno;

static int answer_question(const char *question, char *line, size_t size, size_t *ret_size)
{
    asked++;
    assert_true(size >= 64);
    errno = asker_errno;
    if (asker_errno != 0)
        return -1;
    *ret_size = strlen(question);
    memcpy(line, question, *ret_size);
    return 0;
}

static void from_a_person(void **state)
{
    (void)state;
    assert_not_fetched("prompt:", "nobody can be asked");
    secret_reference_set_asker(answer_question);
    assert_fetched("prompt:canary of mine", "canary of mine");
    assert_fetched("prompt:", "secret");
    static const struct {
        int error;
        const char *says;
    } failures[] = {{ENXIO, "nobody can be asked"},
                    {EINTR, "was not answered"},
                    {EFBIG, "larger than 65536 bytes"}};
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        asker_errno = failures[i].error;
        assert_not_fetched("prompt:x", failures[i].says);
    }
    asker_errno = 0;
    /* All questions at the beginning, each once. */
    cleanup_json json_t *references = json_pack("{s:s,s:s,s:s}", "one", "prompt:", "two",
                                                "prompt:second word", "three", "env:NOT_SET");
    struct secrets *own = secrets_new(references, NULL);
    asked = 0;
    assert_int_equal(secrets_ask_person(own, NULL), 0);
    assert_int_equal(asked, 2);
    cleanup_json json_t *request = json_pack("{s:s,s:s}", "ask", "secret", "option", "one");
    cleanup_json json_t *reply = NULL;
    assert_int_equal(secrets_answer(own, request, &reply, NULL), 1);
    assert_string_equal(json_text(reply, "value"), "c2VjcmV0ICdvbmUn"); /* secret 'one' */
    assert_int_equal(asked, 2);
    secrets_free(own);
    secret_reference_set_asker(NULL);
}

static void from_a_command(void **state)
{
    struct practice *practice = *state;
    cleanup_error struct error err = ERROR_INIT;
    assert_fetched("exec:printf canary-exec\\n\\n", "canary-exec\n");
    assert_fetched("exec:  echo   two   words ", "two words");
    /* Where the C library reports it late (valgrind) it is an exit status. */
    assert_not_fetched("exec:salvor-no-such-program", "secret 'exec:salvor-no-such-program'");
    assert_not_fetched("exec:false", "ended with status 1");
    assert_not_fetched("exec:true", "is empty");
    assert_not_fetched("exec:cat /dev/zero", "larger than 65536 bytes");
    cleanup_free char *script = text_format("%s/fails", practice->folder);
    cleanup_free char *reference = text_format("exec:sh %s", script);
    static const char text[] = "echo the vault is sealed >&2\nkill -9 $$\n";
    assert_int_equal(file_write_atomic(script, text, strlen(text), 0600, NULL), 0);
    assert_null(fetched(reference, &err));
    assert_non_null(strstr(err.message, "killed by signal 9"));
    assert_non_null(strstr(err.detail, "the vault is sealed"));
}

#define told(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        told(open_reveal_close),
        told(what_cannot_be_opened),
        told(adopted_values_are_redacted_from_then_on),
        told(sealed_secrets_outlive_the_step),
        told(other_requests_are_not_the_desks),
        told(references_have_four_forms),
        told(from_the_environment),
        told(from_a_file),
        told(from_a_command),
        told(from_a_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
