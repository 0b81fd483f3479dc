/* What salvor.ssh is made of and needs no host: quoting, marks, options, what ssh says. */
#include "../unit.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "services/ssh-key.h"
#include "services/ssh-marks.h"
#include "services/ssh-program.h"
#include "services/ssh-quote.h"
#include "services/ssh-script.h"
#include "services/ssh-target.h"

/* ---- quoting --------------------------------------------------------------------------------- */

/* What `sh -c script` prints; owned by the caller. */
static char *shell(const char *sh, const char *script, size_t *ret_size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(ends[1], 1);
        (void)close(ends[0]);
        (void)close(ends[1]);
        (void)setenv("LC_ALL", "C", 1);
        (void)execlp(sh, sh, "-c", script, (char *)NULL);
        _exit(126);
    }
    (void)close(ends[1]);
    struct buffer out = BUFFER_INIT(1 << 20);
    char chunk[4096];
    ssize_t got = 0;
    while ((got = read(ends[0], chunk, sizeof chunk)) > 0)
        (void)buffer_append(&out, chunk, (size_t)got);
    (void)close(ends[0]);
    (void)waitpid(pid, NULL, 0);
    *ret_size = out.size;
    return buffer_take(&out);
}

static const char *const shells[] = {"sh", "bash"};

static void every_byte_is_a_word(void **state)
{
    (void)state;
    char all[256];
    for (int i = 1; i < 256; i++)
        all[i - 1] = (char)i;
    all[255] = '\0';
    static const char *const words[] = {"",       "plain", "it's", "''",  "$HOME", "`id`",
                                        "a\nb\n", "-n",    "\\0",  "* ?", "!!",    "~",
                                        "{a,b}",  "a=b",   "%s",   "#"};
    for (size_t s = 0; s < sizeof shells / sizeof *shells; s++) {
        struct buffer script = BUFFER_INIT(65536);
        struct buffer wanted = BUFFER_INIT(65536);
        (void)buffer_append_text(&script, "printf '%s|' ");
        for (size_t i = 0; i <= sizeof words / sizeof *words; i++) {
            const char *word = i < sizeof words / sizeof *words ? words[i] : all;
            assert_int_equal(ssh_quote_word(&script, word), 0);
            (void)buffer_append(&script, " ", 1);
            (void)buffer_format(&wanted, "%s|", word);
        }
        size_t size = 0;
        cleanup_free char *out = shell(shells[s], script.data, &size);
        assert_int_equal(size, wanted.size);
        assert_memory_equal(out, wanted.data, size);
        buffer_clear(&script);
        buffer_clear(&wanted);
    }
}

static void every_byte_is_printed(void **state)
{
    (void)state;
    char all[512];
    for (int i = 0; i < 512; i++)
        all[i] = (char)(i < 256 ? i : 511 - i);
    static const char *const begins[] = {"-", "--", "%s", "\\n", "'"};
    for (size_t s = 0; s < sizeof shells / sizeof *shells; s++) {
        for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
            struct buffer script = BUFFER_INIT(65536);
            (void)buffer_append_text(&script, "printf '");
            assert_int_equal(ssh_quote_format(&script, begins[i], strlen(begins[i])), 0);
            assert_int_equal(ssh_quote_format(&script, all, sizeof all), 0);
            assert_int_equal(ssh_quote_format(&script, "9", 1), 0);
            (void)buffer_append_text(&script, "'");
            size_t size = 0;
            cleanup_free char *out = shell(shells[s], script.data, &size);
            size_t begin = strlen(begins[i]);
            assert_int_equal(size, begin + sizeof all + 1);
            assert_memory_equal(out, begins[i], begin);
            assert_memory_equal(out + begin, all, sizeof all);
            buffer_clear(&script);
        }
    }
}

static void a_full_buffer_is_told(void **state)
{
    (void)state;
    struct buffer small = BUFFER_INIT(8);
    assert_int_equal(ssh_quote_word(&small, "a b c d e f"), -1);
    assert_int_equal(ssh_quote_format(&small, "\1\2\3\4", 4), -1);
    buffer_clear(&small);
}

static void words_for_windows(void **state)
{
    (void)state;
    assert_true(ssh_word_is_plain("powershell.exe"));
    assert_true(ssh_word_is_plain("C:\\Windows\\System32\\x.exe"));
    assert_true(ssh_word_is_plain("-EncodedCommand"));
    assert_true(ssh_word_is_plain("JABFAA+/=="));
    static const char *const bad[] = {"",   "a b", "%PATH%", "a&b", "\"",      "'",
                                      "$x", "(",   ";",      "^",   "\xc3\xa4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ssh_word_is_plain(bad[i]));
    cleanup_free char *plain = ssh_encoded_command("dir", 3);
    assert_string_equal(plain, "ZABpAHIA");
    /* U+00E4, U+1F600 (a pair of surrogates) */
    cleanup_free char *wide = ssh_encoded_command("\xc3\xa4\xf0\x9f\x98\x80", 6);
    assert_string_equal(wide, "5AA92ADe");
    assert_null(ssh_encoded_command("\xff", 1));
}

/* ---- marks ----------------------------------------------------------------------------------- */

static int collect(void *data, const char *bytes, size_t size, struct error *reterr)
{
    (void)reterr;
    return buffer_append(data, bytes, size);
}

/* The same stream in pieces of every size. */
static void streams_in_any_pieces(void **state)
{
    (void)state;
    char mark[SSH_MARK_SIZE];
    ssh_mark_make(mark);
    cleanup_free char *half = text_copy_span(mark, 20);
    cleanup_free char *out =
        text_format("welcome %s\nmotd%s\nfirst%s\n%s;%s:12;behind", half, mark, half, mark, mark);
    cleanup_free char *wanted = text_format("first%s\n%s;", half, mark);
    cleanup_free char *err = text_format("careful\n%s:start;oops%s:12;more", mark, mark);
    for (size_t piece = 1; piece <= strlen(out); piece++) {
        struct ssh_marks marks;
        struct buffer got = BUFFER_INIT(4096);
        ssh_marks_init(&marks, mark, SSH_MARKS_READY);
        for (size_t at = 0; at < strlen(out); at += piece)
            assert_int_equal(
                ssh_marks_feed(&marks, out + at, strnlen(out + at, piece), collect, &got, NULL), 0);
        assert_int_equal(marks.phase, SSH_MARKS_END);
        assert_int_equal(marks.status, 12);
        assert_string_equal(got.data, wanted);
        ssh_marks_clear(&marks);
        buffer_clear(&got);
        ssh_marks_init(&marks, mark, SSH_MARKS_START);
        for (size_t at = 0; at < strlen(err); at += piece)
            assert_int_equal(
                ssh_marks_feed(&marks, err + at, strnlen(err + at, piece), collect, &got, NULL), 0);
        assert_int_equal(marks.phase, SSH_MARKS_END);
        assert_string_equal(got.data, "oops");
        assert_string_equal(marks.noise.data, "careful\n");
        ssh_marks_clear(&marks);
        buffer_clear(&got);
    }
}

static void an_end_without_marks(void **state)
{
    (void)state;
    char mark[SSH_MARK_SIZE];
    ssh_mark_make(mark);
    struct ssh_marks marks;
    struct buffer got = BUFFER_INIT(4096);
    cleanup_free char *text = text_format("%s\nhalf an answer %.30s", mark, mark);
    ssh_marks_init(&marks, mark, SSH_MARKS_READY);
    assert_int_equal(ssh_marks_feed(&marks, text, strlen(text), collect, &got, NULL), 0);
    assert_int_equal(marks.phase, SSH_MARKS_CONTENT);
    assert_int_equal(ssh_marks_finish(&marks, collect, &got, NULL), 0);
    assert_string_equal(got.data, text + SSH_MARK_SIZE);
    ssh_marks_clear(&marks);
    buffer_clear(&got);
    cleanup_free char *refused = text_format("cd: no\n%s:folder;", mark);
    ssh_marks_init(&marks, mark, SSH_MARKS_START);
    assert_int_equal(ssh_marks_feed(&marks, refused, strlen(refused), collect, &got, NULL), 0);
    assert_int_equal(marks.phase, SSH_MARKS_REFUSED);
    assert_string_equal(marks.word, "folder");
    assert_string_equal(marks.noise.data, "cd: no\n");
    ssh_marks_clear(&marks);
}

/* ---- options --------------------------------------------------------------------------------- */

#define PRINT "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void options_that_are_taken(void **state)
{
    (void)state;
    struct ssh_target *target = NULL;
    struct ssh_target *again = NULL;
    static const char all[] =
        "{\"host\":\"fe80::1%eth0\",\"port\":2222,\"user\":\"DOM\\\\me\",\"fingerprint\":[\"" PRINT
        "\",\"" PRINT "=\"],\"sudo\":true,\"connect_ms\":1500,\"alive_ms\":2500,\"job_folder\":"
        "\"/var/lib/x\",\"jump\":{\"host\":\"gate\",\"user\":\"j\",\"fingerprint\":\"" PRINT "\"}}";
    assert_int_equal(ssh_target_parse(all, &target, NULL), 0);
    assert_string_equal(target->name, "DOM\\me@[fe80::1%eth0]:2222");
    assert_string_equal(target->fingerprints, PRINT "," PRINT);
    assert_string_equal(target->jump->name, "j@gate:22");
    assert_int_equal(target->sudo, 1);
    assert_int_equal(target->connect_ms, 1500);
    assert_int_equal(ssh_target_parse("{\"host\":\"h\"}", &again, NULL), 0);
    assert_string_equal(again->name, "h:22");
    assert_null(again->known_hosts);
    assert_string_not_equal(again->connection_key, target->connection_key);
    ssh_target_put(target);
    ssh_target_put(again);
}

static void options_that_are_not(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum exit_code code;
        const char *says;
    } cases[] = {
        {"{}", EXIT_FAILED, "'host' is missing"},
        {"x", EXIT_FAILED, "no JSON object"},
        {"{\"host\":\"h\",\"hots\":1}", EXIT_FAILED, "'hots' is no option"},
        {"{\"host\":\"-oProxyCommand=x\"}", EXIT_USAGE, "no host name"},
        {"{\"host\":\"a b\"}", EXIT_USAGE, "no host name"},
        {"{\"host\":\"h\",\"user\":\"-l\"}", EXIT_USAGE, "no user name"},
        {"{\"host\":\"h\",\"user\":\"a;b\"}", EXIT_USAGE, "no user name"},
        {"{\"host\":\"h\",\"port\":0}", EXIT_USAGE, "from 1 to 65535"},
        {"{\"host\":\"h\",\"port\":\"22\"}", EXIT_USAGE, "from 1 to 65535"},
        {"{\"host\":\"h\",\"fingerprint\":\"MD5:00\"}", EXIT_USAGE, "no fingerprint"},
        {"{\"host\":\"h\",\"fingerprint\":\"" PRINT "A\"}", EXIT_USAGE, "no fingerprint"},
        {"{\"host\":\"h\",\"fingerprint\":[]}", EXIT_FAILED, "lists none"},
        {"{\"host\":\"h\",\"known_hosts\":\"relative\"}", EXIT_USAGE, "absolute"},
        {"{\"host\":\"h\",\"known_hosts\":\"/nonexistent/file\"}", EXIT_USAGE, "cannot read"},
        {"{\"host\":\"h\",\"known_hosts\":\"/tmp/${HOME}\"}", EXIT_USAGE, "characters"},
        {"{\"host\":\"h\",\"known_hosts\":\"/dev/null\",\"fingerprint\":\"" PRINT "\"}",
         EXIT_FAILED, "one of them"},
        {"{\"host\":\"h\",\"shell\":\"fish\"}", EXIT_FAILED, "neither"},
        {"{\"host\":\"h\",\"shell\":\"windows\",\"sudo\":true}", EXIT_FAILED, "no meaning"},
        {"{\"host\":\"h\",\"jump\":{\"host\":\"g\",\"sudo\":true}}", EXIT_FAILED,
         "member of 'jump'"},
        {"{\"host\":\"h\",\"jump\":{}}", EXIT_FAILED, "'host' is missing"},
        {"{\"host\":\"h\",\"sudo\":1}", EXIT_FAILED, "neither true nor false"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ssh_target *target = NULL;
        cleanup_error struct error err = ERROR_INIT;
        assert_int_equal(ssh_target_parse(cases[i].text, &target, &err), -1);
        if (strstr(err.message, cases[i].says) == NULL || err.code != cases[i].code)
            fail_msg("'%s' said '%s' (%d)", cases[i].text, err.message, (int)err.code);
    }
}

/* ---- ssh ------------------------------------------------------------------------------------- */

static int has_option(const json_t *argv, const char *option)
{
    size_t index = 0;
    const json_t *word = NULL;
    json_array_foreach ((json_t *)argv, index, word)
        if (index > 0 && text_equal(json_string_value(word), option) &&
            text_equal(json_string_value(json_array_get(argv, index - 1)), "-o"))
            return 1;
    return 0;
}

static void host_keys_are_always_checked(void **state)
{
    (void)state;
    static const char *const hosts[] = {
        "{\"host\":\"h\"}", "{\"host\":\"h\",\"known_hosts\":\"/dev/null\"}",
        "{\"host\":\"h\",\"fingerprint\":\"" PRINT "\",\"jump\":{\"host\":\"g\"}}"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct ssh_target *target = NULL;
        assert_int_equal(ssh_target_parse(hosts[i], &target, NULL), 0);
        const struct ssh_call call = {.program = "/usr/bin/ssh",
                                      .socket = "/dev/shm/x/s",
                                      .with_key = i != 1,
                                      .through = target->jump != NULL ? "/dev/shm/y/s" : NULL};
        cleanup_json json_t *argv = ssh_master_argv(target, &call);
        assert_string_equal(json_string_value(json_array_get(argv, 1)), "-F");
        assert_string_equal(json_string_value(json_array_get(argv, 2)), "none");
        assert_true(has_option(argv, "StrictHostKeyChecking=yes"));
        assert_true(has_option(argv, "BatchMode=yes"));
        assert_true(has_option(argv, "PasswordAuthentication=no"));
        assert_int_equal(has_option(argv, "UserKnownHostsFile=\"/dev/null\""), i == 1);
        assert_int_equal(has_option(argv, "IdentityFile=/proc/self/fd/0"), i != 1);
        assert_int_equal(has_option(argv, "IdentityAgent=none"), i != 1);
        if (i == 2)
            assert_true(has_option(argv, "ProxyCommand=/usr/bin/ssh -F none -o ControlMaster=no -o "
                                         "BatchMode=yes -o LogLevel=ERROR -o ProxyCommand=false -S "
                                         "/dev/shm/y/s -W [h]:22 -- g"));
        assert_string_equal(json_string_value(json_array_get(argv, json_array_size(argv) - 2)),
                            "--");
        ssh_target_put(target);
    }
}

static void what_ssh_said_is_understood(void **state)
{
    (void)state;
    struct ssh_target *target = NULL;
    static const struct {
        const char *text;
        salvor_status status;
        const char *says;
    } cases[] = {
        {"ssh: connect to host h port 22: Connection refused\r\n", SALVOR_RETRY,
         "Connection refused"},
        {"ssh: Could not resolve hostname h: Name or service not known\n", SALVOR_RETRY, "resolve"},
        {"kex_exchange_identification: read: Connection reset by peer\n", SALVOR_RETRY, "reset"},
        {"u@h: Permission denied (publickey).\r\n", SALVOR_FAILED, "does not let us in"},
        {"No ED25519 host key is known for h and you have requested strict checking.\r\n"
         "Host key verification failed.\r\n",
         SALVOR_REFUSED, "its host key is not known"},
        {"@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n",
         SALVOR_REFUSED, "another one than before"},
        {"salvor: refused host key ssh-ed25519 SHA256:x\nHost key verification failed.\n",
         SALVOR_REFUSED, "not the pinned one"},
        {"command-line: line 0: Bad configuration option: knownhostscommand\n", SALVOR_FAILED,
         "Bad configuration"},
        {"", SALVOR_RETRY, "without a word"},
    };
    assert_int_equal(ssh_target_parse("{\"host\":\"h\",\"user\":\"u\",\"fingerprint\":\"" PRINT
                                      "\"}",
                                      &target, NULL),
                     0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_error struct error err = ERROR_INIT;
        assert_int_equal(ssh_explain(target, cases[i].text, &err), cases[i].status);
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("'%s' said '%s'", cases[i].text, err.message);
        assert_non_null(err.hint);
    }
    ssh_target_put(target);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void keys_that_need_nobody(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"-----BEGIN OPENSSH PRIVATE KEY-----\n"
         "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"
         "-----END OPENSSH PRIVATE KEY-----\n",
         NULL},
        {"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", NULL},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\r\n"
         "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABBAIZLjXG\r\n"
         "-----END OPENSSH PRIVATE KEY-----\r\n",
         "passphrase"},
        {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nx\n-----END RSA PRIVATE "
         "KEY-----",
         "passphrase"},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nx\n-----END ENCRYPTED PRIVATE KEY-----\n",
         "passphrase"},
        {"ssh-ed25519 AAAAC3Nza me@here\n", "is none"},
        {"PuTTY-User-Key-File-3: ssh-ed25519\n", "is none"},
        {"", "is none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ssh_key *key = NULL;
        struct ssh_key *same = NULL;
        cleanup_error struct error err = ERROR_INIT;
        int result = ssh_key_take(cases[i].text, strlen(cases[i].text), &key, &err);
        if (cases[i].says != NULL) {
            assert_int_equal(result, -1);
            assert_non_null(strstr(err.message, cases[i].says));
            assert_null(strstr(err.message, "Proc-Type"));
            continue;
        }
        assert_int_equal(result, 0);
        assert_int_equal(ssh_key_take(cases[i].text, strlen(cases[i].text), &same, NULL), 0);
        assert_ptr_equal(key, same);
        cleanup_close int fd = ssh_key_file(key);
        char text[512];
        ssize_t size = read(fd, text, sizeof text - 1);
        assert_true(size > 0 && text[size - 1] == '\n');
        ssh_key_put(key);
        ssh_key_put(same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_a_word),
        cmocka_unit_test(every_byte_is_printed),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(words_for_windows),
        cmocka_unit_test(streams_in_any_pieces),
        cmocka_unit_test(an_end_without_marks),
        cmocka_unit_test(options_that_are_taken),
        cmocka_unit_test(options_that_are_not),
        cmocka_unit_test(host_keys_are_always_checked),
        cmocka_unit_test(what_ssh_said_is_understood),
        cmocka_unit_test(keys_that_need_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
