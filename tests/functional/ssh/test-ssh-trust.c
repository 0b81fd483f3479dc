/* Whom salvor.ssh talks to, and as whom. */
#include "ssh-practice.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "services/ssh-connection.h"
#include "services/stream.h"

extern char **environ;

static struct sshd *other_server; /* behind the first one, for jumps */

static char *options_of(const struct sshd *host, const char *trust, const char *more)
{
    return text_format("{\"host\":\"%s\",\"port\":%d,\"user\":\"%s\",\"connect_ms\":10000,%s%s}",
                       host->address, host->port, host->user, trust, more);
}

static salvor_status run_true(struct ssh_practice *at, const char *options, int with_key,
                              struct salvor_exec_result *ret)
{
    const char *const argv[] = {"touch", "ran"};
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 2, .argv = argv};
    salvor_ssh_host *host = NULL;
    salvor_status status = ssh_practice_try(at, options, with_key, &host);
    *ret = (struct salvor_exec_result){.struct_size = sizeof *ret};
    return status == SALVOR_OK ? ssh_table.run(ssh_practice_call(at), host, &request, ret) : status;
}

static int has_run(const struct sshd *host)
{
    cleanup_free char *path = text_format("%s/ran", host->home);
    int there = access(path, F_OK) == 0;
    (void)unlink(path);
    return there;
}

static char *write_known_hosts(const struct ssh_practice *at, const char *name, const char *text)
{
    char *path = text_format("%s/%s", at->practice.scratch, name);
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
    return path;
}

/* ---- host keys ------------------------------------------------------------------------------- */

static void an_unknown_key_is_refused(void **state)
{
    struct ssh_practice *at = *state;
    cleanup_free char *path = write_known_hosts(at, "empty", "");
    cleanup_free char *trust = text_format("\"known_hosts\":\"%s\"", path);
    cleanup_free char *options = options_of(at->host, trust, "");
    struct salvor_exec_result result;
    assert_int_equal(run_true(at, options, 1, &result), SALVOR_REFUSED);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
    assert_non_null(strstr(ssh_practice_error(at), "its host key is not known"));
    assert_false(has_run(at->host));
}

static void a_changed_key_is_refused(void **state)
{
    struct ssh_practice *at = *state;
    cleanup_free char *other_public = text_format("%s/host-ed25519.pub", other_server->folder);
    cleanup_free char *key = NULL;
    assert_int_equal(file_read(other_public, 4096, &key, NULL, NULL), 0);
    cleanup_free char *line = text_format("[%s]:%d %s", at->host->address, at->host->port, key);
    cleanup_free char *path = write_known_hosts(at, "changed", line);
    cleanup_free char *trust = text_format("\"known_hosts\":\"%s\"", path);
    cleanup_free char *options = options_of(at->host, trust, "");
    struct salvor_exec_result result;
    assert_int_equal(run_true(at, options, 1, &result), SALVOR_REFUSED);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
    assert_non_null(strstr(ssh_practice_error(at), "another one than before"));
    assert_false(has_run(at->host));
}

static void a_pinned_key_is_the_one(void **state)
{
    struct ssh_practice *at = *state;
    struct salvor_exec_result result;
    /* The host shows ed25519 first; the pin may be that of its other key, or one of a list. */
    static const char *const types[] = {"ed25519", "rsa"};
    for (size_t i = 0; i < 2; i++) {
        cleanup_free char *print = sshd_fingerprint(at->host, types[i]);
        cleanup_free char *trust = text_format("\"fingerprint\":\"%s\"", print);
        cleanup_free char *options = options_of(at->host, trust, "");
        if (run_true(at, options, 1, &result) != SALVOR_OK)
            fail_msg("%s: %s", types[i], ssh_practice_error(at));
        assert_true(has_run(at->host));
        ssh_connections_close();
    }
    cleanup_free char *right = sshd_fingerprint(at->host, "ed25519");
    cleanup_free char *wrong = sshd_fingerprint(other_server, "ed25519");
    cleanup_free char *trust = text_format("\"fingerprint\":[\"%s\",\"%s\"]", wrong, right);
    cleanup_free char *options = options_of(at->host, trust, "");
    assert_int_equal(run_true(at, options, 1, &result), SALVOR_OK);
    assert_true(has_run(at->host));
}

static void another_key_than_the_pinned_is_refused(void **state)
{
    struct ssh_practice *at = *state;
    struct salvor_exec_result result;
    cleanup_free char *shown = sshd_fingerprint(at->host, "ed25519");
    cleanup_free char *wrong = sshd_fingerprint(other_server, "ed25519");
    cleanup_free char *trust = text_format("\"fingerprint\":\"%s\"", wrong);
    cleanup_free char *options = options_of(at->host, trust, "");
    if (run_true(at, options, 1, &result) != SALVOR_REFUSED)
        fail_msg("%s", ssh_practice_error(at));
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
    assert_non_null(strstr(ssh_practice_error(at), "not the pinned one"));
    if (strstr(ssh_practice_error(at), shown) == NULL)
        fail_msg("%s is not in: %s", shown, ssh_practice_error(at));
    assert_non_null(strstr(ssh_practice_error(at), wrong));
    assert_false(has_run(at->host));
}

/* ---- users ----------------------------------------------------------------------------------- */

static char *with_known_hosts(const struct sshd *host)
{
    return text_format("\"known_hosts\":\"%s\"", host->known_hosts);
}

static void a_key_that_the_host_does_not_know(void **state)
{
    struct ssh_practice *at = *state;
    struct salvor_exec_result result;
    cleanup_free char *trust = with_known_hosts(other_server);
    cleanup_free char *options = options_of(other_server, trust, "");
    assert_int_equal(run_true(at, options, 1, &result), SALVOR_FAILED);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
    assert_non_null(strstr(ssh_practice_error(at), "does not let us in"));
}

static pid_t spawn(const char *const *argv)
{
    pid_t pid = -1;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, (char **)argv, environ) != 0)
        return -1;
    return pid;
}

static void keys_of_an_agent(void **state)
{
    struct ssh_practice *at = *state;
    struct salvor_exec_result result;
    cleanup_free char *options = sshd_options(at->host, "");
    cleanup_free char *socket = text_format("%s/agent", at->practice.folder);
    const char *const agent[] = {"ssh-agent", "-D", "-a", socket, NULL};
    const char *const add[] = {"ssh-add", "-q", at->host->key_file, NULL};
    pid_t pid = spawn(agent);
    assert_true(pid > 0);
    for (int i = 0; i < 500 && access(socket, F_OK) != 0; i++)
        (void)usleep(10000);
    assert_int_equal(setenv("SSH_AUTH_SOCK", socket, 1), 0);
    /* The agent has no key yet. */
    assert_int_equal(run_true(at, options, 0, &result), SALVOR_FAILED);
    int status = -1;
    (void)waitpid(spawn(add), &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(run_true(at, options, 0, &result), SALVOR_OK);
    assert_true(has_run(at->host));
    /* With a key of one's own it is not asked. */
    (void)kill(pid, SIGTERM);
    (void)waitpid(pid, NULL, 0);
    assert_int_equal(run_true(at, options, 1, &result), SALVOR_OK);
    ssh_connections_close();
    assert_int_equal(run_true(at, options, 0, &result), SALVOR_FAILED);
    assert_int_equal(unsetenv("SSH_AUTH_SOCK"), 0);
    (void)has_run(at->host);
}

/* ---- sudo ------------------------------------------------------------------------------------ */

/* In the place of the real one, which could not be made to say no to root. */
static void without_sudo_nothing_is_sent(void **state)
{
    struct ssh_practice *at = *state;
    cleanup_free char *bin = text_format("%s/bin", at->host->home);
    cleanup_free char *path = text_format("%s/sudo", bin);
    static const char text[] = "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n";
    assert_int_equal(mkdir(bin, 0700), 0);
    assert_int_equal(file_write_atomic(path, text, sizeof text - 1, 0700, NULL), 0);
    cleanup_free char *rc = text_format("%s/.bashrc", at->host->home);
    cleanup_free char *line = text_format("PATH=%s:$PATH\n", bin);
    assert_int_equal(file_write_atomic(rc, line, strlen(line), 0600, NULL), 0);
    cleanup_free char *options = sshd_options(at->host, ",\"sudo\":true");
    struct salvor_exec_result result;
    salvor_status status = run_true(at, options, 1, &result);
    assert_int_equal(unlink(rc), 0);
    assert_int_equal(file_remove_tree(bin, NULL), 0);
    assert_int_equal(status, SALVOR_FAILED);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
    assert_int_equal(result.exit_status, -1);
    assert_non_null(strstr(ssh_practice_error(at), "a password is required"));
    assert_non_null(strstr(ssh_practice_error(at), "sudo without a password"));
    assert_false(has_run(at->host));
}

static void all_of_it_through_sudo(void **state)
{
    struct ssh_practice *at = *state;
    if (access("/usr/bin/sudo", X_OK) != 0 || geteuid() != 0)
        skip();
    salvor_ssh_host *host = ssh_practice_open(at, ",\"sudo\":true");
    salvor_call *call = ssh_practice_call(at);
    struct salvor_exec_result result =
        ssh_practice_shell(at, host, "id -u; echo \"$LANG\"; cat; exit 4");
    assert_string_equal(result.out.data, "0\nC.UTF-8\n");
    assert_int_equal(result.exit_status, 4);
    assert_true(json_flag(practice_frame(&at->practice, FRAME_EVIDENCE), "sudo"));
    salvor_stream_writer *writer = NULL;
    assert_int_equal(stream_create(call, "s.txt", "text/plain", 0, &writer), SALVOR_OK);
    assert_int_equal(stream_write(call, writer, "text", 4), SALVOR_OK);
    assert_int_equal(stream_commit(call, writer, NULL), SALVOR_OK);
    cleanup_free char *path = text_format("%s/by-root", at->host->home);
    assert_int_equal(ssh_table.put(call, host, "s.txt", path, 0644), SALVOR_OK);
    assert_int_equal(ssh_table.get(call, host, path, "t.txt", "text/plain", 0), SALVOR_OK);
    const char *const argv[] = {"sh", "-c", "id -u; exit 5"};
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 3, .argv = argv};
    struct salvor_job_state job = {.struct_size = sizeof job};
    cleanup_free char *more =
        text_format(",\"sudo\":true,\"job_folder\":\"%s/jobs of root\"", at->host->home);
    host = ssh_practice_open(at, more);
    assert_int_equal(ssh_table.job_start(call, host, "job-1-sudo", &request), SALVOR_OK);
    assert_int_equal(ssh_table.job_wait(call, host, "job-1-sudo", &job), SALVOR_OK);
    assert_int_equal(job.exit_status, 5);
    assert_string_equal(job.out.data, "0\n");
}

/* ---- jump hosts ------------------------------------------------------------------------------ */

/* Both hosts let the same user in with the same key. */
static void let_in(const struct sshd *host, const struct sshd *too)
{
    cleanup_free char *from = text_format("%s.pub", host->key_file);
    cleanup_free char *to = text_format("%s.pub", too->key_file);
    cleanup_free char *one = NULL;
    cleanup_free char *two = NULL;
    assert_int_equal(file_read(from, 4096, &one, NULL, NULL), 0);
    assert_int_equal(file_read(to, 4096, &two, NULL, NULL), 0);
    cleanup_free char *both = text_format("%s%s", one, two);
    assert_int_equal(file_write_atomic(to, both, strlen(both), 0600, NULL), 0);
}

static void through_another_host(void **state)
{
    struct ssh_practice *at = *state;
    struct salvor_exec_result result;
    cleanup_free char *jump = sshd_options(at->host, "");
    cleanup_free char *more = text_format(",\"jump\":%s", jump);
    cleanup_free char *trust = with_known_hosts(other_server);
    cleanup_free char *options = options_of(other_server, trust, more);
    const int64_t before = at->host->rules->connections;
    const int64_t behind = other_server->rules->connections;
    let_in(at->host, other_server);
    for (int i = 0; i < 2; i++) {
        if (run_true(at, options, 1, &result) != SALVOR_OK)
            fail_msg("%s", ssh_practice_error(at));
        assert_true(has_run(other_server));
        assert_false(has_run(at->host));
    }
    assert_int_equal(at->host->rules->connections, before + 1);
    assert_int_equal(other_server->rules->connections, behind + 1);
    assert_int_equal(ssh_connections_count(), 2);
    ssh_connections_close();
    /* The way is not there, and is not what it should be. */
    at->host->rules->refuse = 1;
    assert_int_equal(run_true(at, options, 1, &result), SALVOR_RETRY);
    assert_int_equal(result.certainty, SALVOR_CERTAINTY_NOT_SENT);
    assert_non_null(strstr(ssh_practice_error(at), "on the way to"));
    at->host->rules->refuse = 0;
    cleanup_free char *empty = write_known_hosts(at, "empty", "");
    cleanup_free char *no_trust = text_format("\"known_hosts\":\"%s\"", empty);
    cleanup_free char *bad_jump = options_of(at->host, no_trust, "");
    cleanup_free char *bad_more = text_format(",\"jump\":%s", bad_jump);
    cleanup_free char *bad = options_of(other_server, trust, bad_more);
    assert_int_equal(run_true(at, bad, 1, &result), SALVOR_REFUSED);
    /* Of the host behind it the key counts as well. */
    cleanup_free char *worse = options_of(other_server, no_trust, more);
    assert_int_equal(run_true(at, worse, 1, &result), SALVOR_REFUSED);
    assert_false(has_run(other_server));
}

/* ---- another shell --------------------------------------------------------------------------- */

/* What is given to a Windows shell goes there as it is; here sh takes its part. */
static void plain_lines_for_other_shells(void **state)
{
    struct ssh_practice *at = *state;
    salvor_ssh_host *host = ssh_practice_open(at, ",\"shell\":\"windows\"");
    salvor_call *call = ssh_practice_call(at);
    const char *const argv[] = {"sh", "-s", "word"};
    static const char script[] = "echo \"$1\"; echo err >&2; exit 255\n";
    struct salvor_exec_request request = {.struct_size = sizeof request,
                                          .argc = 3,
                                          .argv = argv,
                                          .input = {script, sizeof script - 1}};
    struct salvor_exec_result result = {.struct_size = sizeof result};
    if (ssh_table.run(call, host, &request, &result) != SALVOR_OK)
        fail_msg("%s", ssh_practice_error(at));
    assert_string_equal(result.out.data, "word\n");
    assert_string_equal(result.err.data, "err\n");
    assert_int_equal(result.exit_status, 255);
    const char *const unsafe[] = {"echo", "$HOME"};
    request.argc = 2;
    request.argv = unsafe;
    assert_int_equal(ssh_table.run(call, host, &request, &result), SALVOR_BUG);
    /* A script travels in the command line, as PowerShell takes it. */
    cleanup_free char *path = text_format("%s/look.ps1", at->practice.scratch);
    assert_int_equal(file_write_atomic(path, "dir", 3, 0600, NULL), 0);
    const char *const encoded[] = {"echo", "-EncodedCommand", "{script}"};
    request.argc = 3;
    request.argv = encoded;
    request.script = path;
    assert_int_equal(ssh_table.run(call, host, &request, &result), SALVOR_OK);
    assert_string_equal(result.out.data, "-EncodedCommand ZABpAHIA\n");
    cleanup_free char *large = memory_new(4001, 1);
    memset(large, 'x', 4000);
    assert_int_equal(file_write_atomic(path, large, 4000, 0600, NULL), 0);
    assert_int_equal(ssh_table.run(call, host, &request, &result), SALVOR_FAILED);
    assert_non_null(strstr(ssh_practice_error(at), "8191"));
    struct salvor_job_state job = {.struct_size = sizeof job};
    assert_int_equal(ssh_table.job_poll(call, host, "job-1", &job), SALVOR_UNSUPPORTED);
    assert_int_equal(ssh_table.put(call, host, "a", "/f", 0), SALVOR_UNSUPPORTED);
    request.script = NULL;
    request.folder = "/";
    assert_int_equal(ssh_table.run(call, host, &request, &result), SALVOR_UNSUPPORTED);
}

int main(int argc, char **argv)
{
    struct sshd *host =
        ssh_practice_host(argc, argv, &(struct sshd_settings){.host_keys = "rsa ed25519"});
    other_server = sshd_start(&(struct sshd_settings){.address = "127.0.0.2"});
#define TEST(name) cmocka_unit_test_setup_teardown(name, ssh_practice_setup, ssh_practice_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_unknown_key_is_refused),
        TEST(a_changed_key_is_refused),
        TEST(a_pinned_key_is_the_one),
        TEST(another_key_than_the_pinned_is_refused),
        TEST(a_key_that_the_host_does_not_know),
        TEST(keys_of_an_agent),
        TEST(without_sudo_nothing_is_sent),
        TEST(all_of_it_through_sudo),
        TEST(through_another_host),
        TEST(plain_lines_for_other_shells),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sshd_stop(other_server);
    sshd_stop(host);
    return failed;
}
