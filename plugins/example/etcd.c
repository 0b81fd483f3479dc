#include "etcd.h"

#include <string.h>

enum { WORDS_MAX = 32, ALL_KEYS_LIMIT = 256 << 20 };

static uint32_t count_words(const char *const *argv)
{
    uint32_t count = 0;
    while (argv[count] != NULL)
        count++;
    return count;
}

static salvor_status run(salvor_call *call, const char *const *argv, uint64_t output_limit,
                         struct salvor_exec_result *ret)
{
    static const char *const env[] = {"ETCDCTL_API=3"};
    struct salvor_exec_request request = {
        .struct_size = sizeof request,
        .argc = count_words(argv),
        .argv = argv,
        .env = env,
        .env_count = 1,
        .output_limit = output_limit,
    };
    memset(ret, 0, sizeof *ret);
    ret->struct_size = sizeof *ret;
    return salvor_exec_of(call)->run(call, &request, ret);
}

static salvor_status failed(salvor_call *call, const char *const *argv,
                            const struct salvor_exec_result *result)
{
    const char *last_words = result->err.size > 0 ? result->err.data : NULL;
    if (result->signal_number != 0)
        return salvor_fail_detail(call, SALVOR_FAILED, last_words, NULL,
                                  "'%s' was ended by signal %d", argv[0], result->signal_number);
    return salvor_fail_detail(call, SALVOR_FAILED, last_words, NULL,
                              "'%s' ended with exit status %d", argv[0], result->exit_status);
}

salvor_status etcd_run(salvor_call *call, const char *const *argv, struct salvor_exec_result *ret)
{
    SALVOR_TRY(run(call, argv, 0, ret));
    return ret->exit_status == 0 ? SALVOR_OK : failed(call, argv, ret);
}

static const char *etcdctl(salvor_call *call)
{
    return salvor_option_text(call, "etcdctl", "etcdctl");
}

static const char *endpoint(salvor_call *call)
{
    return salvor_option_text(call, "endpoint", NULL);
}

salvor_status etcd_parse(salvor_call *call, struct salvor_span text, const char *what,
                         json_t **ret_json)
{
    json_error_t error;
    *ret_json = json_loadb(text.data != NULL ? text.data : "", (size_t)text.size,
                           JSON_DECODE_INT_AS_REAL | JSON_REJECT_DUPLICATES, &error);
    if (*ret_json == NULL)
        return salvor_fail_detail(call, SALVOR_FAILED, error.text, NULL,
                                  "%s is not what etcdctl of this kind answers", what);
    return SALVOR_OK;
}

int64_t etcd_number(const json_t *answer, const char *path, int64_t fallback)
{
    const json_t *value = salvor_json_at(answer, path);
    return json_is_number(value) ? (int64_t)json_number_value(value) : fallback;
}

/* ---- looking ----------------------------------------------------------------------------- */

static void copy_text(char *to, size_t size, const char *from)
{
    size_t length = strlen(from);
    if (length >= size)
        length = size - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

static salvor_status ask_compaction(salvor_call *call, struct etcd_status *status)
{
    const char *const argv[] = {etcdctl(call), "--endpoints", endpoint(call), "endpoint",
                                "hashkv",      "-w",          "json",         NULL};
    struct salvor_exec_result result;
    salvor_auto_json json_t *answer = NULL;
    SALVOR_TRY(etcd_run(call, argv, &result));
    SALVOR_TRY(etcd_parse(call, result.out, "the answer of 'endpoint hashkv'", &answer));
    int64_t revision = etcd_number(answer, "/0/HashKV/compact_revision", 0);
    status->compact_revision = revision > 0 ? revision : 0;
    return SALVOR_OK;
}

salvor_status etcd_ask_status(salvor_call *call, struct etcd_status *ret_status)
{
    const char *const argv[] = {etcdctl(call), "--endpoints", endpoint(call), "endpoint",
                                "status",      "-w",          "json",         NULL};
    struct salvor_exec_result result;
    salvor_auto_json json_t *answer = NULL;
    memset(ret_status, 0, sizeof *ret_status);
    SALVOR_TRY(run(call, argv, 0, &result));
    if (result.exit_status != 0)
        return SALVOR_OK;
    SALVOR_TRY(etcd_parse(call, result.out, "the answer of 'endpoint status'", &answer));
    if (salvor_json_count(answer, "") == 0)
        return SALVOR_OK;
    ret_status->reachable = 1;
    ret_status->revision = etcd_number(answer, "/0/Status/header/revision", 0);
    ret_status->db_size = etcd_number(answer, "/0/Status/dbSize", 0);
    copy_text(ret_status->version, sizeof ret_status->version,
              salvor_json_text(answer, "/0/Status/version", "unknown"));
    return ask_compaction(call, ret_status);
}

salvor_status etcd_ask_members(salvor_call *call, json_t **ret_members)
{
    const char *const argv[] = {etcdctl(call), "--endpoints", endpoint(call), "member",
                                "list",        "-w",          "json",         NULL};
    struct salvor_exec_result result;
    SALVOR_TRY(etcd_run(call, argv, &result));
    return etcd_parse(call, result.out, "the answer of 'member list'", ret_members);
}

salvor_status etcd_ask_health(salvor_call *call, int *ret_healthy)
{
    const char *const argv[] = {etcdctl(call), "--endpoints", endpoint(call), "endpoint",
                                "health",      "-w",          "json",         NULL};
    struct salvor_exec_result result;
    SALVOR_TRY(run(call, argv, 0, &result));
    *ret_healthy = result.exit_status == 0;
    return SALVOR_OK;
}

salvor_status etcd_save_snapshot(salvor_call *call, const char *path)
{
    const char *const argv[] = {etcdctl(call), "--endpoints", endpoint(call), "snapshot", "save",
                                path,          NULL};
    struct salvor_exec_result result;
    return etcd_run(call, argv, &result);
}

salvor_status etcd_snapshot_status(salvor_call *call, const char *path, json_t **ret_status)
{
    const char *const argv[] = {etcdctl(call), "snapshot", "status", path, "-w", "json", NULL};
    struct salvor_exec_result result;
    SALVOR_TRY(etcd_run(call, argv, &result));
    return etcd_parse(call, result.out, "the answer of 'snapshot status'", ret_status);
}

salvor_status etcd_get_all(salvor_call *call, int64_t revision, struct salvor_span *ret_json)
{
    salvor_auto_text struct salvor_text at = SALVOR_TEXT_INIT(64);
    salvor_text_format(&at, "--rev=%lld", (long long)revision);
    SALVOR_TRY(salvor_text_check(call, &at, "the revision to read"));
    const char *const argv[] = {
        etcdctl(call), "--endpoints", endpoint(call),       "get", "", "--prefix",
        "-w",          "json",        salvor_text_get(&at), NULL};
    struct salvor_exec_result result;
    SALVOR_TRY(run(call, argv, ALL_KEYS_LIMIT, &result));
    if (result.exit_status != 0)
        return failed(call, argv, &result);
    *ret_json = result.out;
    return SALVOR_OK;
}

/* ---- changing ---------------------------------------------------------------------------- */

salvor_status etcd_compact(salvor_call *call, int64_t revision)
{
    salvor_auto_text struct salvor_text number = SALVOR_TEXT_INIT(32);
    salvor_text_format(&number, "%lld", (long long)revision);
    SALVOR_TRY(salvor_text_check(call, &number, "the revision to compact"));
    const char *const argv[] = {
        etcdctl(call),     "--endpoints", endpoint(call), "compact", salvor_text_get(&number),
        "--physical=true", NULL};
    struct salvor_exec_result result;
    return etcd_run(call, argv, &result);
}

salvor_status etcd_site_command(salvor_call *call, const char *option, const char *data_dir)
{
    salvor_auto_json json_t *words = NULL;
    const char *argv[WORDS_MAX + 1] = {NULL};
    size_t index = 0;
    json_t *word = NULL;
    SALVOR_TRY(salvor_option_list(call, option, &words));
    if (json_array_size(words) == 0 || json_array_size(words) > WORDS_MAX)
        return salvor_fail(call, SALVOR_REFUSED, "give it with '--%s WORD' once a word, 32 at most",
                           "the site has no usable '%s' command", option);
    json_array_foreach (words, index, word) {
        const char *text = json_string_value(word);
        argv[index] = strcmp(text, "{data-dir}") == 0 ? data_dir : text;
    }
    struct salvor_exec_result result;
    return etcd_run(call, argv, &result);
}
