#include "services/ssh-program.h"

#include <limits.h>
#include <nettle/sha2.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "services/exec-command.h"
#include "services/ssh-quote.h"

enum { ALIVE_COUNT = 3, KEY_LIMIT = 16384, ERROR_LINE = 400 };

/* The line by which a key that is not pinned is told; before it stands its type. */
static const char refused_mark[] = "salvor: refused host key ";

char *ssh_find_program(void)
{
    return exec_find_program("ssh", getenv("PATH"));
}

/* ---- arguments ------------------------------------------------------------------------------- */

/* Never overridden, and independent of what the user's or the machine's configuration says. */
static const char *const fixed_options[] = {
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "CheckHostIP=no",
    "UpdateHostKeys=no",
    "VerifyHostKeyDNS=no",
    "HashKnownHosts=no",
    "PreferredAuthentications=publickey",
    "PasswordAuthentication=no",
    "KbdInteractiveAuthentication=no",
    "GSSAPIAuthentication=no",
    "HostbasedAuthentication=no",
    "ControlMaster=yes",
    "ControlPersist=no",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "RequestTTY=no",
    "EscapeChar=none",
    "Tunnel=no",
    "CanonicalizeHostname=no",
    "AddKeysToAgent=no",
    "Compression=no",
    "TCPKeepAlive=yes",
    "LogLevel=INFO", /* with less it keeps some reasons to itself */
};

static void add_option(json_t *argv, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_option(json_t *argv, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *text = text_vformat(format, args);
    va_end(args);
    json_add(argv, json_string("-o"));
    json_add(argv, json_string(text));
}

static long seconds(int64_t milliseconds)
{
    return (long)((milliseconds + 999) / 1000);
}

/* Of a path within a value that ssh splits into words and in which '%' means something. */
static char *escaped(const char *path, const char *special)
{
    struct buffer out = BUFFER_INIT((size_t)2 * PATH_MAX + 2);
    for (; *path != '\0'; path++) {
        if (*path == '%')
            (void)buffer_append(&out, "%", 1);
        else if (strchr(special, *path) != NULL)
            (void)buffer_append(&out, "\\", 1);
        (void)buffer_append(&out, path, 1);
    }
    return buffer_take(&out);
}

static void add_host_keys(json_t *argv, const struct ssh_target *target)
{
    if (target->fingerprints != NULL) {
        char self[PATH_MAX];
        ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
        self[size > 0 ? size : 0] = '\0';
        cleanup_free char *program = escaped(self, "\"\\");
        add_option(argv, "UserKnownHostsFile=/dev/null");
        add_option(argv, "GlobalKnownHostsFile=/dev/null");
        add_option(argv, "KnownHostsCommand=\"%s\" " SSH_HOST_KEY_COMMAND " %s %%H %%t %%K",
                   program, target->fingerprints);
    } else if (target->known_hosts != NULL) {
        add_option(argv, "UserKnownHostsFile=\"%s\"", target->known_hosts);
        add_option(argv, "GlobalKnownHostsFile=/dev/null");
    }
}

/* Through the connection to the jump host, and in no other way: without it there is none. */
static void add_jump(json_t *argv, const struct ssh_target *target, const struct ssh_call *call)
{
    struct buffer command = BUFFER_INIT((size_t)4 * PATH_MAX);
    cleanup_free char *program = escaped(call->program, "");
    cleanup_free char *socket = escaped(call->through, "");
    cleanup_free char *host = escaped(target->host, "");
    (void)ssh_quote_word(&command, program);
    (void)buffer_append_text(&command, " -F none -o ControlMaster=no -o BatchMode=yes "
                                       "-o LogLevel=ERROR -o ProxyCommand=false -S ");
    (void)ssh_quote_word(&command, socket);
    (void)buffer_format(&command, " -W [%s]:%d -- ", host, target->port);
    cleanup_free char *jump = escaped(target->jump->host, "");
    (void)ssh_quote_word(&command, jump);
    cleanup_free char *text = buffer_take(&command);
    add_option(argv, "ProxyCommand=%s", text);
}

json_t *ssh_master_argv(const struct ssh_target *target, const struct ssh_call *call)
{
    json_t *argv = json_make("[s,s,s,s,s,s]", "ssh", "-F", "none", "-N", "-S", call->socket);
    for (size_t i = 0; i < sizeof fixed_options / sizeof *fixed_options; i++)
        add_option(argv, "%s", fixed_options[i]);
    add_option(argv, "ConnectTimeout=%ld", seconds(target->connect_ms));
    add_option(argv, "ServerAliveInterval=%ld", seconds(target->alive_ms));
    add_option(argv, "ServerAliveCountMax=%d", ALIVE_COUNT);
    add_host_keys(argv, target);
    if (call->without != NULL)
        add_option(argv, "HostKeyAlgorithms=-%s", call->without);
    if (call->with_key) {
        add_option(argv, "IdentityAgent=none");
        add_option(argv, "IdentitiesOnly=yes");
        add_option(argv, "IdentityFile=/proc/self/fd/0");
    } else {
        add_option(argv, "IdentityFile=none");
    }
    if (call->through != NULL)
        add_jump(argv, target, call);
    cleanup_free char *port = text_format("%d", target->port);
    json_add(argv, json_string("-p"));
    json_add(argv, json_string(port));
    if (target->user != NULL) {
        json_add(argv, json_string("-l"));
        json_add(argv, json_string(target->user));
    }
    json_add(argv, json_string("--"));
    json_add(argv, json_string(target->host));
    return argv;
}

json_t *ssh_master_env(void)
{
    static const char *const passed[] = {"PATH", "HOME", "SSH_AUTH_SOCK"};
    json_t *env = json_make("[s]", "LANG=C.UTF-8");
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
        const char *value = getenv(passed[i]);
        cleanup_free char *entry = text_format("%s=%s", passed[i], value != NULL ? value : "");
        json_t *text = value != NULL ? json_string(entry) : NULL;
        if (text != NULL)
            json_add(env, text);
    }
    return env;
}

/* ---- what ssh said --------------------------------------------------------------------------- */

static char *last_line(const char *text)
{
    size_t size = strlen(text);
    while (size > 0 && strchr("\r\n", text[size - 1]) != NULL)
        size--;
    size_t from = size;
    while (from > 0 && text[from - 1] != '\n')
        from--;
    size_t length = size - from;
    while (length > 0 && text[from + length - 1] == '\r')
        length--;
    return text_copy_span(text + from, length < ERROR_LINE ? length : ERROR_LINE);
}

static int says(const char *text, const char *const *phrases)
{
    for (; *phrases != NULL; phrases++)
        if (strstr(text, *phrases) != NULL)
            return 1;
    return 0;
}

char *ssh_refused_key(const char *text, char **ret_fingerprint)
{
    const char *at = strstr(text, refused_mark);
    if (at == NULL)
        return NULL;
    at += sizeof refused_mark - 1;
    size_t type = strcspn(at, " \n");
    const char *print = at + type + (at[type] == ' ');
    *ret_fingerprint = text_copy_span(print, strcspn(print, " \r\n"));
    return text_copy_span(at, type);
}

int ssh_shows_refused_key(const char *text)
{
    return strstr(text, refused_mark) != NULL;
}

static salvor_status explain_key(const struct ssh_target *target, const char *text,
                                 struct error *reterr)
{
    cleanup_free char *fingerprint = NULL;
    cleanup_free char *type = ssh_refused_key(text, &fingerprint);
    if (type != NULL) {
        (void)error_set(reterr, EXIT_REFUSED,
                        "refusing to talk to '%s': its host key is not the pinned one",
                        target->name);
        (void)error_detail(reterr, "it shows %s (%s); pinned is %s", fingerprint, type,
                           target->fingerprints);
        (void)error_hint(reterr, "ask the owner of the host for its fingerprint before you change "
                                 "yours; another machine may be answering");
    } else if (strstr(text, "IDENTIFICATION HAS CHANGED") != NULL ||
               strstr(text, "DIFFERENT") != NULL) {
        (void)error_set(reterr, EXIT_REFUSED,
                        "refusing to talk to '%s': its host key is another one than before",
                        target->name);
        (void)error_detail(reterr, "%s", text);
        (void)error_hint(reterr, "another machine may be answering; if the host was made anew, "
                                 "replace its key in the file of known hosts");
    } else {
        (void)error_set(reterr, EXIT_REFUSED, "refusing to talk to '%s': its host key is not known",
                        target->name);
        (void)error_detail(reterr, "%s", text);
        (void)error_hint(reterr, "put its key into the file of known hosts, or give its "
                                 "fingerprint");
    }
    return SALVOR_REFUSED;
}

salvor_status ssh_explain(const struct ssh_target *target, const char *text, struct error *reterr)
{
    static const char *const keys[] = {refused_mark, "Host key verification failed",
                                       "host key is known for", "IDENTIFICATION HAS CHANGED", NULL};
    static const char *const denied[] = {"Permission denied",
                                         "Too many authentication failures",
                                         "Load key",
                                         "Error loading key",
                                         "no mutual signature",
                                         NULL};
    static const char *const unusable[] = {"Bad configuration option",
                                           "command-line line",
                                           "Unable to negotiate",
                                           "unknown option",
                                           "too long for Unix domain socket",
                                           "No user exists for uid",
                                           NULL};
    cleanup_free char *line = last_line(text);
    if (says(text, keys))
        return explain_key(target, text, reterr);
    if (says(text, denied)) {
        (void)error_set(reterr, EXIT_FAILED, "'%s' does not let us in: %s", target->name, line);
        (void)error_detail(reterr, "%s", text);
        (void)error_hint(reterr, "check the user and that the host has the public key; without a "
                                 "key, 'ssh-add -l' shows what the agent has");
        return SALVOR_FAILED;
    }
    (void)error_set(reterr, EXIT_FAILED, "cannot connect to '%s': %s", target->name,
                    *line != '\0' ? line : "ssh ended without a word");
    (void)error_detail(reterr, "%s", text);
    if (says(text, unusable)) {
        (void)error_hint(reterr, "salvor needs an OpenSSH client of release 8.5 or newer");
        return SALVOR_FAILED;
    }
    (void)error_hint(reterr, "try 'ssh -p %d %s%s%s' from this machine", target->port,
                     target->user != NULL ? target->user : "", target->user != NULL ? "@" : "",
                     target->host);
    return SALVOR_RETRY;
}

/* ---- pinned keys ----------------------------------------------------------------------------- */

static int fingerprint_of(const char *key, char *ret_text, size_t size)
{
    unsigned char bytes[KEY_LIMIT];
    unsigned char hash[SHA256_DIGEST_SIZE];
    size_t got = 0;
    if (sodium_base642bin(bytes, sizeof bytes, key, strlen(key), NULL, &got, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        got == 0)
        return -1;
    struct digest digest;
    digest_begin(&digest);
    digest_add(&digest, bytes, got);
    digest_end(&digest, hash);
    char digits[44]; /* of 32 bytes, without padding */
    (void)sodium_bin2base64(digits, sizeof digits, hash, sizeof hash,
                            sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    (void)snprintf(ret_text, size, "SHA256:%s", digits);
    return 0;
}

int ssh_host_key_main(int argc, char **argv)
{
    char found[64];
    /* Before there is a key ssh asks which types are known: any. */
    if (argc != 5 || text_equal(argv[3], "NONE") ||
        fingerprint_of(argv[4], found, sizeof found) != 0)
        return 0;
    size_t size = strlen(found);
    for (const char *pin = argv[1]; *pin != '\0';) {
        size_t length = strcspn(pin, ",");
        if (length == size && sodium_memcmp(pin, found, size) == 0) {
            (void)printf("%s %s %s\n", argv[2], argv[3], argv[4]);
            return fflush(stdout) == 0 ? 0 : 1;
        }
        pin += length + (pin[length] == ',');
    }
    (void)fprintf(stderr, "%s%s %s\n", refused_mark, argv[3], found);
    return 0;
}
