#include "net/kube-plugin.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/locked.h"
#include "base/text.h"
#include "net/kube-config.h"
#include "services/exec-process.h"
#include "services/run-paths.h"

enum { OUTPUT_LIMIT = 1 << 20, PLUGIN_TIMEOUT_MS = 60000, STDERR_SHOWN = 600 };

extern char **environ;

/* ---- what it prints -------------------------------------------------------------------------- */

/* RFC 3339 as milliseconds since the epoch; -1 when it is none. */
static int64_t read_time(const char *text)
{
    struct tm parts = {0};
    const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (at == NULL)
        return -1;
    if (*at == '.')
        at += 1 + strspn(at + 1, "0123456789");
    int64_t offset = 0;
    if (*at == '+' || *at == '-') {
        struct tm zone = {0};
        const int sign = *at == '-' ? -1 : 1;
        at = strptime(at + 1, "%H:%M", &zone);
        if (at == NULL)
            return -1;
        offset = sign * (zone.tm_hour * INT64_C(60) + zone.tm_min) * 60;
    } else if (*at == 'Z' || *at == 'z') {
        at++;
    } else {
        return -1;
    }
    return *at == '\0' ? ((int64_t)timegm(&parts) - offset) * 1000 : -1;
}

static int take_status(const json_t *status, struct kube_plugin_answer *ret, struct error *reterr)
{
    const char *token = json_text(status, "token");
    const char *certificate = json_text(status, "clientCertificateData");
    const char *key = json_text(status, "clientKeyData");
    const json_t *expires = json_object_get(status, "expirationTimestamp");
    token = text_equal(token, "") ? NULL : token;
    certificate = text_equal(certificate, "") ? NULL : certificate;
    key = text_equal(key, "") ? NULL : key;
    if (token == NULL && certificate == NULL && key == NULL)
        return error_set(reterr, EXIT_FAILED, "it gave neither a token nor a certificate");
    if ((certificate == NULL) != (key == NULL))
        return error_set(reterr, EXIT_FAILED, "it gave a certificate or its key, not both");
    for (const char *at = token; at != NULL && *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return error_set(reterr, EXIT_FAILED, "its token holds blanks or line breaks");
    }
    if (expires != NULL && !json_is_null(expires)) {
        ret->expires_ms = json_is_string(expires) ? read_time(json_string_value(expires)) : -1;
        if (ret->expires_ms <= 0) {
            ret->expires_ms = 0;
            return error_set(reterr, EXIT_FAILED, "its expirationTimestamp is no time");
        }
    }
    ret->token = token != NULL ? locked_copy(token, strlen(token)) : NULL;
    ret->certificate = certificate != NULL ? text_copy(certificate) : NULL;
    ret->key = key != NULL ? locked_copy(key, strlen(key)) : NULL;
    return 0;
}

int kube_plugin_read(const char *text, size_t size, const char *version,
                     struct kube_plugin_answer *ret_answer, struct error *reterr)
{
    cleanup_kube_config json_t *answer = json_loadb(text, size, 0, NULL);
    const json_t *status = json_object_get(answer, "status");
    const char *spoken = json_text(answer, "apiVersion");
    if (!text_equal(json_text(answer, "kind"), "ExecCredential"))
        return error_set(reterr, EXIT_FAILED, "it printed no ExecCredential");
    if (!text_equal(spoken, version))
        return error_set(reterr, EXIT_FAILED, "it answered in version '%s', asked in '%s'",
                         spoken != NULL ? spoken : "", version);
    if (!json_is_object(status))
        return error_set(reterr, EXIT_FAILED, "its answer has no status");
    return take_status(status, ret_answer, reterr);
}

void kube_plugin_clear(struct kube_plugin_answer *answer)
{
    sodium_free(answer->token);
    free(answer->certificate);
    sodium_free(answer->key);
    *answer = (struct kube_plugin_answer){0};
}

/* ---- running it ------------------------------------------------------------------------------ */

static json_t *info_for(const json_t *exec)
{
    const json_t *cluster = json_object_get(exec, "cluster");
    json_t *spec = json_make("{s:b}", "interactive", 0);
    if (cluster != NULL)
        json_put(spec, "cluster", json_clone(cluster));
    return json_make("{s:s,s:s,s:o}", "kind", "ExecCredential", "apiVersion",
                     json_text(exec, "apiVersion"), "spec", spec);
}

static int names_variable(const char *entry, const char *name)
{
    const size_t size = strlen(name);
    return strncmp(entry, name, size) == 0 && entry[size] == '=';
}

static int is_replaced(const json_t *exec, const char *entry)
{
    size_t index = 0;
    json_t *variable = NULL;
    json_array_foreach (json_object_get(exec, "env"), index, variable) {
        if (names_variable(entry, json_text(variable, "name")))
            return 1;
    }
    return names_variable(entry, "KUBERNETES_EXEC_INFO");
}

/* As with kubectl: everything that salvor was given, then what the kubeconfig says. */
static json_t *environment_for(const json_t *exec)
{
    json_t *env = json_make("[]");
    size_t index = 0;
    json_t *variable = NULL;
    for (char **entry = environ; *entry != NULL; entry++) {
        json_t *text = is_replaced(exec, *entry) ? NULL : json_string(*entry);
        if (text != NULL)
            json_add(env, text);
    }
    json_array_foreach (json_object_get(exec, "env"), index, variable) {
        const char *value = json_text(variable, "value");
        cleanup_free char *text =
            text_format("%s=%s", json_text(variable, "name"), value != NULL ? value : "");
        json_add(env, json_string(text));
    }
    cleanup_json json_t *info = info_for(exec);
    cleanup_free char *told = json_canonical(info);
    cleanup_free char *text = text_format("KUBERNETES_EXEC_INFO=%s", told);
    json_add(env, json_string(text));
    return env;
}

static const char *path_of(const json_t *env)
{
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach (env, index, entry) {
        if (names_variable(json_string_value(entry), "PATH"))
            return json_string_value(entry) + strlen("PATH=");
    }
    return NULL;
}

static salvor_status prepare(struct worker_call *call, const json_t *exec,
                             struct exec_command *command)
{
    const char *name = json_text(exec, "command");
    const char *hint = json_text(exec, "installHint");
    const json_t *arguments = json_object_get(exec, "args");
    /* a worker without a run (the one that keeps a Lease) has no scratch folder */
    const char *folder =
        call_setting(call, "scratch_folder") != NULL ? run_scratch_folder(call) : "/";
    size_t index = 0;
    json_t *argument = NULL;
    if (folder == NULL)
        return SALVOR_FAILED;
    command->argv = json_make("[s]", name);
    json_array_foreach (arguments, index, argument)
        json_add(command->argv, json_incref(argument));
    command->text = text_format("credential plugin '%s'", name);
    command->output_limit = OUTPUT_LIMIT;
    command->timeout_ms = PLUGIN_TIMEOUT_MS;
    json_t *env = environment_for(exec);
    command->spec = json_make("{s:o,s:o,s:s,s:[],s:[]}", "argv", json_clone(command->argv), "env",
                              env, "folder", folder, "keep", "files");
    cleanup_free char *program = exec_find_program(name, path_of(env));
    if (program == NULL) {
        (void)call_fail(call, SALVOR_FAILED, "credential plugin '%s' is not installed", name);
        return call_hint(call, SALVOR_FAILED, "%s",
                         hint != NULL ? hint : "install it, or set PATH so that it is found");
    }
    json_put_text(command->spec, "path", program);
    return SALVOR_OK;
}

static salvor_status failed(struct worker_call *call, const struct exec_process *process,
                            const char *name)
{
    const size_t size = process->err.size < STDERR_SHOWN ? process->err.size : STDERR_SHOWN;
    if (process->signal_number != 0)
        (void)call_fail(call, SALVOR_FAILED, "credential plugin '%s' was ended by signal %d", name,
                        (int)process->signal_number);
    else
        (void)call_fail(call, SALVOR_FAILED, "credential plugin '%s' ended with %d", name,
                        (int)process->exit_status);
    if (size > 0)
        (void)error_detail(&call->error, "%.*s", (int)size,
                           process->err.data + process->err.size - size);
    return call_hint(call, SALVOR_FAILED, "'kubectl get namespaces' shows whether it works there");
}

static void tell(struct worker_call *call, const char *name, const struct exec_process *process)
{
    call_evidence(call,
                  json_make("{s:s,s:s,s:s,s:i,s:I}", "service", "kube", "what", "credential-plugin",
                            "command", name, "exit_status", (int)process->exit_status,
                            "duration_ms", (json_int_t)(clock_monotonic_ms() - process->began)));
}

salvor_status kube_plugin_run(struct worker_call *call, const json_t *exec,
                              struct kube_plugin_answer *ret_answer)
{
    cleanup_exec_command struct exec_command command = EXEC_COMMAND_INIT;
    cleanup_error struct error err = ERROR_INIT;
    const char *name = json_text(exec, "command");
    uint32_t certainty = 0;
    salvor_status status = prepare(call, exec, &command);
    if (status != SALVOR_OK)
        return status;
    cleanup_exec_process struct exec_process process;
    exec_process_begin(&process, call, &command);
    /* all at once, so that no copy stays behind when the buffer grows */
    (void)buffer_reserve(&process.out, OUTPUT_LIMIT - 1);
    status = exec_process_run(&process, &certainty);
    if (status == SALVOR_OK) {
        tell(call, name, &process);
        if (process.exit_status != 0)
            status = failed(call, &process, name);
        else if (kube_plugin_read(process.out.data, process.out.size, json_text(exec, "apiVersion"),
                                  ret_answer, &err) != 0) {
            (void)error_prefix(&err, "credential plugin '%s'", name);
            status = call_fail_error(call, SALVOR_FAILED, &err);
        }
    }
    if (process.out.data != NULL)
        sodium_memzero(process.out.data, process.out.capacity);
    return status;
}
