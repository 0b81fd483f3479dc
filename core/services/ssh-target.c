#include "services/ssh-target.h"

#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum {
    CONNECT_DEFAULT_MS = 20000,
    ALIVE_DEFAULT_MS = 10000,
    MILLISECONDS_MOST = 3600000,
    NAME_LIMIT = 255,
    FINGERPRINT_SIZE = 50, /* "SHA256:" and 43 characters */
    FINGERPRINTS = 16,
    JUMPS = 3
};

static const char letters_and_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/* ---- members --------------------------------------------------------------------------------- */

static int no_contract(const char *key, const char *what, struct error *reterr)
{
    return error_set(reterr, EXIT_FAILED, "options of an ssh host: '%s' %s", key, what);
}

static int take_text(const json_t *options, const char *key, char **ret, struct error *reterr)
{
    const json_t *value = json_object_get(options, key);
    if (value == NULL || json_is_null(value))
        return 0;
    if (!json_is_string(value))
        return no_contract(key, "is no text", reterr);
    *ret = text_copy(json_string_value(value));
    return 0;
}

static int take_number(const json_t *options, const char *key, int64_t most, int64_t *ret,
                       struct error *reterr)
{
    const json_t *value = json_object_get(options, key);
    if (value == NULL || json_is_null(value))
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > most)
        return error_set(reterr, EXIT_USAGE,
                         "options of an ssh host: '%s' is no number from 1 to %lld", key,
                         (long long)most);
    *ret = json_integer_value(value);
    return 0;
}

static int take_flag(const json_t *options, const char *key, int *ret, struct error *reterr)
{
    const json_t *value = json_object_get(options, key);
    if (value == NULL || json_is_null(value))
        return 0;
    if (!json_is_boolean(value))
        return no_contract(key, "is neither true nor false", reterr);
    *ret = json_is_true(value);
    return 0;
}

/* `more`: characters allowed beside letters and digits. Never a leading '-': that is an option. */
static int check_name(const char *what, const char *name, const char *more, struct error *reterr)
{
    size_t size = strlen(name);
    size_t good = 0;
    while (good < size &&
           (strchr(letters_and_digits, name[good]) != NULL || strchr(more, name[good]) != NULL))
        good++;
    if (size == 0 || size > NAME_LIMIT || good < size || name[0] == '-')
        return error_set(reterr, EXIT_USAGE, "'%.300s' is no %s for ssh", name, what);
    return 0;
}

/* ssh expands '%', '~' and '${' in names of files and has no way to quote all of them. */
static int check_file(const char *path, struct error *reterr)
{
    for (const char *at = path; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || strchr("\"\\$%", *at) != NULL)
            return error_set(reterr, EXIT_USAGE,
                             "the name of file '%.300s' has characters that ssh does not take",
                             path);
    }
    if (*path != '/')
        return error_set(reterr, EXIT_USAGE, "file '%.300s' is not named by an absolute path",
                         path);
    if (access(path, R_OK) != 0) {
        (void)error_set(reterr, EXIT_USAGE, "cannot read file '%s' with the keys of hosts", path);
        return error_hint(reterr, "put the host's key there, or give its fingerprint");
    }
    return 0;
}

static int add_fingerprint(const json_t *value, struct buffer *list, struct error *reterr)
{
    const char *text = json_string_value(value);
    if (text != NULL && text_starts(text, "SHA256:")) {
        /* Written with or without the padding of base64. */
        size_t size = strcspn(text, "=");
        const char *digits = text + 7;
        size_t good = 0;
        while (digits[good] != '\0' && (strchr(letters_and_digits, digits[good]) != NULL ||
                                        digits[good] == '+' || digits[good] == '/'))
            good++;
        if (size == FINGERPRINT_SIZE && good == size - 7 && strspn(text + size, "=") <= 1) {
            (void)buffer_format(list, "%s%.*s", list->size > 0 ? "," : "", FINGERPRINT_SIZE, text);
            return 0;
        }
    }
    (void)error_set(reterr, EXIT_USAGE, "'%.100s' is no fingerprint of a host key",
                    text != NULL ? text : "");
    return error_hint(reterr, "write it as 'ssh-keygen -l -f FILE' does: SHA256:…");
}

static int take_fingerprints(const json_t *options, struct ssh_target *target, struct error *reterr)
{
    const json_t *value = json_object_get(options, "fingerprint");
    struct buffer list = BUFFER_INIT((size_t)FINGERPRINTS * (FINGERPRINT_SIZE + 1));
    int result = 0;
    if (value == NULL || json_is_null(value))
        return 0;
    if (json_is_array(value)) {
        if (json_array_size(value) == 0 || json_array_size(value) > FINGERPRINTS)
            return no_contract("fingerprint", "lists none, or too many", reterr);
        size_t index = 0;
        const json_t *entry = NULL;
        json_array_foreach ((json_t *)value, index, entry)
            if (result == 0)
                result = add_fingerprint(entry, &list, reterr);
    } else {
        result = add_fingerprint(value, &list, reterr);
    }
    target->fingerprints = buffer_take(&list);
    return result;
}

static int take_shell(const json_t *options, struct ssh_target *target, struct error *reterr)
{
    cleanup_free char *shell = NULL;
    if (take_text(options, "shell", &shell, reterr) != 0)
        return -1;
    target->windows = text_equal(shell, "windows");
    if (shell != NULL && !target->windows && !text_equal(shell, "posix"))
        return no_contract("shell", "is neither 'posix' nor 'windows'", reterr);
    if (target->windows && target->sudo)
        return no_contract("sudo", "has no meaning on a host with shell 'windows'", reterr);
    return 0;
}

static int check_members(const json_t *options, int is_jump, struct error *reterr)
{
    static const char *const members[] = {"host",        "port",       "user",      "known_hosts",
                                          "fingerprint", "connect_ms", "jump",      "alive_ms",
                                          "sudo",        "shell",      "job_folder"};
    const size_t count = sizeof members / sizeof *members - (is_jump ? 3 : 0);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach ((json_t *)options, key, value) {
        size_t i = 0;
        while (i < count && !text_equal(members[i], key))
            i++;
        if (i == count)
            return no_contract(key, is_jump ? "is no member of 'jump'" : "is no option of it",
                               reterr);
    }
    return 0;
}

/* ---- together -------------------------------------------------------------------------------- */

static int parse(const json_t *options, int depth, struct ssh_target *target, struct error *reterr);

static int take_jump(const json_t *options, int depth, struct ssh_target *target,
                     struct error *reterr)
{
    const json_t *jump = json_object_get(options, "jump");
    if (jump == NULL || json_is_null(jump))
        return 0;
    if (!json_is_object(jump))
        return no_contract("jump", "is no object", reterr);
    if (depth == JUMPS)
        return no_contract("jump", "nests too deep", reterr);
    target->jump = memory_new(1, sizeof *target->jump);
    *target->jump = (struct ssh_target){.port = 22, .users = 1};
    return parse(jump, depth + 1, target->jump, reterr);
}

static void name_it(struct ssh_target *target)
{
    const char *open = strchr(target->host, ':') != NULL ? "[" : "";
    const char *close = *open != '\0' ? "]" : "";
    target->name =
        text_format("%s%s%s%s%s:%d", target->user != NULL ? target->user : "",
                    target->user != NULL ? "@" : "", open, target->host, close, target->port);
    cleanup_json json_t *key =
        json_make("{s:s,s:i,s:i}", "name", target->name, "connect_ms", (int)target->connect_ms,
                  "alive_ms", (int)target->alive_ms);
    json_put_text(key, "known_hosts", target->known_hosts);
    json_put_text(key, "fingerprints", target->fingerprints);
    json_put_text(key, "jump", target->jump != NULL ? target->jump->connection_key : NULL);
    target->connection_key = json_canonical(key);
}

static int parse(const json_t *options, int depth, struct ssh_target *target, struct error *reterr)
{
    int64_t port = 22;
    target->connect_ms = CONNECT_DEFAULT_MS;
    target->alive_ms = ALIVE_DEFAULT_MS;
    if (check_members(options, depth > 0, reterr) != 0 ||
        take_text(options, "host", &target->host, reterr) != 0 ||
        take_text(options, "user", &target->user, reterr) != 0 ||
        take_text(options, "known_hosts", &target->known_hosts, reterr) != 0 ||
        take_text(options, "job_folder", &target->job_folder, reterr) != 0 ||
        take_number(options, "port", 65535, &port, reterr) != 0 ||
        take_number(options, "connect_ms", MILLISECONDS_MOST, &target->connect_ms, reterr) != 0 ||
        take_number(options, "alive_ms", MILLISECONDS_MOST, &target->alive_ms, reterr) != 0 ||
        take_flag(options, "sudo", &target->sudo, reterr) != 0 ||
        take_shell(options, target, reterr) != 0 ||
        take_fingerprints(options, target, reterr) != 0 ||
        take_jump(options, depth, target, reterr) != 0)
        return -1;
    target->port = (int)port;
    if (target->host == NULL)
        return no_contract("host", "is missing", reterr);
    if (check_name("host name or address", target->host, ".-_:%", reterr) != 0 ||
        (target->user != NULL && check_name("user name", target->user, "._-@\\+", reterr) != 0) ||
        (target->known_hosts != NULL && check_file(target->known_hosts, reterr) != 0))
        return -1;
    if (target->known_hosts != NULL && target->fingerprints != NULL)
        return no_contract("fingerprint", "stands beside 'known_hosts': give one of them", reterr);
    if (target->job_folder != NULL && *target->job_folder != '/')
        return no_contract("job_folder", "is no absolute path", reterr);
    name_it(target);
    return 0;
}

int ssh_target_parse(const char *options, struct ssh_target **ret_target, struct error *reterr)
{
    json_error_t problem;
    cleanup_json json_t *json = json_loads(options, JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(json))
        return error_set(reterr, EXIT_FAILED, "options of an ssh host are no JSON object%s%s",
                         json == NULL ? ": " : "", json == NULL ? problem.text : "");
    struct ssh_target *target = memory_new(1, sizeof *target);
    *target = (struct ssh_target){.port = 22, .users = 1};
    if (parse(json, 0, target, reterr) != 0) {
        ssh_target_put(target);
        return -1;
    }
    *ret_target = target;
    return 0;
}

struct ssh_target *ssh_target_ref(struct ssh_target *target)
{
    target->users++;
    return target;
}

void ssh_target_put(struct ssh_target *target)
{
    if (target == NULL || --target->users > 0)
        return;
    ssh_target_put(target->jump);
    free(target->host);
    free(target->user);
    free(target->known_hosts);
    free(target->fingerprints);
    free(target->job_folder);
    free(target->name);
    free(target->connection_key);
    free(target);
}
