#include "ssh-practice.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "net/batch.h"
#include "services/ssh-connection.h"
#include "services/ssh-submit.h"

enum { HOSTS = 4 };

static struct sshd *servers[HOSTS];

static salvor_ssh_host *open_host(struct ssh_practice *at, int i)
{
    at->host = servers[i];
    ssh_practice_calm(at);
    salvor_ssh_host *host = ssh_practice_open(at, "");
    at->host = servers[0];
    return host;
}

static salvor_batch *open_batch(struct ssh_practice *at, const char *options)
{
    salvor_batch *batch = NULL;
    if (batch_table.open(ssh_practice_call(at), options, &batch) != SALVOR_OK)
        fail_msg("%s", ssh_practice_error(at));
    return batch;
}

static salvor_status submit(struct ssh_practice *at, salvor_batch *batch, salvor_ssh_host *host,
                            uint64_t tag, const char *script)
{
    const char *const argv[] = {"sh", "-c", script};
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 3, .argv = argv};
    return ssh_table.submit(ssh_practice_call(at), batch, host, tag, &request);
}

static salvor_status next(struct ssh_practice *at, salvor_batch *batch,
                          struct salvor_batch_result *ret)
{
    *ret = (struct salvor_batch_result){.struct_size = sizeof *ret};
    return batch_table.next(ssh_practice_call(at), batch, ret);
}

static void all_hosts_and_one_of_them_dead(void **state)
{
    struct ssh_practice *at = *state;
    salvor_batch *batch =
        open_batch(at, "{\"class\":\"nodes\",\"retry\":{\"attempts\":2,\"backoff_ms\":50}}");
    for (int i = 0; i < HOSTS; i++) {
        salvor_ssh_host *host = open_host(at, i);
        servers[i]->rules->refuse = i == 2;
        cleanup_free char *script = text_format("echo host %d; echo err >&2; exit %d", i, i);
        assert_int_equal(submit(at, batch, host, (uint64_t)i, script), SALVOR_OK);
    }
    int seen = 0;
    struct salvor_batch_result result;
    salvor_status status = SALVOR_OK;
    while ((status = next(at, batch, &result)) == SALVOR_OK) {
        seen |= 1 << result.tag;
        if (result.tag == 2) {
            assert_int_equal(result.status, SALVOR_RETRY);
            assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
            assert_int_equal(result.attempts, 2);
            assert_non_null(strstr(ssh_practice_error(at), "cannot connect"));
            continue;
        }
        cleanup_free char *wanted = text_format("host %d\n", (int)result.tag);
        assert_int_equal(result.status, SALVOR_OK);
        assert_int_equal(result.code, (int)result.tag);
        assert_int_equal(result.certainty, SALVOR_CERTAINTY_ANSWERED);
        assert_string_equal(result.body.data, wanted);
        assert_string_equal(result.err.data, "err\n");
        assert_int_equal(result.attempts, 1);
    }
    assert_int_equal(status, SALVOR_END);
    assert_int_equal(seen, 15);
}

/* Sleeping in all places at once takes as long as in one. */
static void at_the_same_time(void **state)
{
    struct ssh_practice *at = *state;
    salvor_batch *batch = open_batch(at, "{}");
    salvor_ssh_host *hosts[HOSTS];
    struct salvor_batch_result result;
    for (int i = 0; i < HOSTS; i++) {
        hosts[i] = open_host(at, i);
        (void)ssh_practice_shell(at, hosts[i], "exit 0");
    }
    const int64_t before = clock_monotonic_ms();
    for (int i = 0; i < 2 * HOSTS; i++)
        assert_int_equal(submit(at, batch, hosts[i % HOSTS], (uint64_t)i, "sleep 0.5"), SALVOR_OK);
    for (int i = 0; i < 2 * HOSTS; i++) {
        assert_int_equal(next(at, batch, &result), SALVOR_OK);
        assert_int_equal(result.status, SALVOR_OK);
    }
    assert_int_equal(next(at, batch, &result), SALVOR_END);
    assert_true(clock_monotonic_ms() - before < 2500);
}

static void full_is_told_and_the_gate_holds(void **state)
{
    struct ssh_practice *at = *state;
    salvor_batch *batch = open_batch(at, "{\"in_flight\":2}");
    salvor_ssh_host *host = open_host(at, 0);
    struct salvor_batch_result result;
    assert_int_equal(submit(at, batch, host, 1, "exit 0"), SALVOR_OK);
    assert_int_equal(submit(at, batch, host, 2, "exit 0"), SALVOR_OK);
    assert_int_equal(submit(at, batch, host, 3, "exit 0"), SALVOR_FULL);
    assert_int_equal(next(at, batch, &result), SALVOR_OK);
    assert_int_equal(submit(at, batch, host, 3, "exit 0"), SALVOR_OK);
    at->practice.call.effect = SALVOR_EFFECT_DECLARED_READ;
    assert_int_equal(next(at, batch, &result), SALVOR_OK);
    assert_int_equal(submit(at, batch, host, 4, "exit 0"), SALVOR_REFUSED);
    assert_int_equal(next(at, batch, &result), SALVOR_OK);
    assert_int_equal(next(at, batch, &result), SALVOR_END);
    assert_int_equal(submit(at, (salvor_batch *)(void *)at, host, 1, "exit 0"), SALVOR_BUG);
}

/* A command that changes something and whose answer was lost is not sent again; a read is. */
static void what_was_sent_is_not_sent_again(void **state)
{
    struct ssh_practice *at = *state;
    json_object_set_new(at->practice.session.descriptor, "declared_reads",
                        json_pack("[{s:s,s:s,s:s,s:n}]", "id", "look", "pattern", "cat *", "reason",
                                  "-", "script_sha256"));
    salvor_batch *batch = open_batch(at, "{\"retry\":{\"attempts\":3,\"backoff_ms\":20}}");
    salvor_ssh_host *host = open_host(at, 0);
    struct salvor_batch_result result;
    cleanup_free char *there = text_format("%s/there", at->host->home);
    pid_t cutter = ssh_practice_cut_when_there(at, there);
    assert_int_equal(
        submit(at, batch, host, 1, "echo x >>\"$HOME/ran\"; : >\"$HOME/there\"; sleep 20"),
        SALVOR_OK);
    assert_int_equal(next(at, batch, &result), SALVOR_OK);
    ssh_practice_wait(cutter);
    assert_int_equal(result.status, SALVOR_RETRY);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_SENT);
    assert_int_equal(result.attempts, 1);
    /* The read hangs on a pipe until it is cut, and finds a file the next time. */
    cleanup_free char *pipe_path = text_format("%s/pipe", at->host->home);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    pid_t swapper = fork();
    if (swapper == 0) {
        (void)usleep(700000);
        (void)unlink(pipe_path);
        cleanup_file FILE *file = fopen(pipe_path, "we");
        (void)fputs("text", file);
        (void)fflush(file);
        at->host->rules->cut_all = 1;
        _exit(0);
    }
    const char *const argv[] = {"cat", pipe_path};
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 2, .argv = argv};
    assert_int_equal(ssh_table.submit(ssh_practice_call(at), batch, host, 2, &request), SALVOR_OK);
    assert_int_equal(next(at, batch, &result), SALVOR_OK);
    ssh_practice_wait(swapper);
    assert_int_equal(result.status, SALVOR_OK);
    assert_int_equal(result.attempts, 2);
    assert_string_equal(result.body.data, "text");
    assert_string_equal(ssh_practice_shell(at, host, "cat ran").out.data, "x\n");
}

/* What nobody waits for is ended there, too. */
static void a_closed_batch_ends_what_runs(void **state)
{
    struct ssh_practice *at = *state;
    salvor_batch *batch = open_batch(at, "{}");
    salvor_ssh_host *host = open_host(at, 0);
    struct salvor_batch_result result;
    cleanup_free char *alive = text_format("%s/alive", at->host->home);
    (void)ssh_practice_shell(at, host, "exit 0");
    assert_int_equal(submit(at, batch, host, 1,
                            "trap 'rm \"$HOME/alive\"; exit 1' TERM; : >\"$HOME/alive\"; "
                            "sleep 100 & wait"),
                     SALVOR_OK);
    at->practice.call.deadline = clock_monotonic_ms() + 600;
    assert_int_equal(next(at, batch, &result), SALVOR_TIMEOUT);
    assert_int_equal(access(alive, F_OK), 0);
    batch_table.close(ssh_practice_call(at), batch);
    for (int i = 0; i < 500 && access(alive, F_OK) == 0; i++)
        (void)usleep(10000);
    assert_int_not_equal(access(alive, F_OK), 0);
}

int main(int argc, char **argv)
{
    static const char *const addresses[HOSTS] = {"127.0.0.1", "127.0.0.2", "127.0.0.3",
                                                 "127.0.0.4"};
    servers[0] = ssh_practice_host(argc, argv, &(struct sshd_settings){0});
    for (int i = 1; i < HOSTS; i++)
        servers[i] = sshd_start(&(struct sshd_settings){
            .address = addresses[i],
            .configured = i == 3 ? "MaxSessions 1" : NULL, /* a second one waits for the first */
        });
    ssh_submit_use(&batch_access);
#define TEST(name) cmocka_unit_test_setup_teardown(name, ssh_practice_setup, ssh_practice_teardown)
    const struct CMUnitTest tests[] = {
        TEST(all_hosts_and_one_of_them_dead),  TEST(at_the_same_time),
        TEST(full_is_told_and_the_gate_holds), TEST(what_was_sent_is_not_sent_again),
        TEST(a_closed_batch_ends_what_runs),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (int i = 0; i < HOSTS; i++)
        sshd_stop(servers[i]);
    return failed;
}
