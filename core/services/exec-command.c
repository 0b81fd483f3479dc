#include "services/exec-command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "services/beneath.h"
#include "services/command-request.h"
#include "services/run-paths.h"
#include "services/secret.h"

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* ---- what is asked for ----------------------------------------------------------------------- */

static int env_name_is(const char *entry, const char *name)
{
    size_t size = strlen(name);
    return strncmp(entry, name, size) == 0 && (entry[size] == '=' || entry[size] == '\0');
}

static void env_add(json_t *env, const char *name, const char *value)
{
    cleanup_free char *entry = text_format("%s=%s", name, value);
    cleanup_free char *clean = utf8_clean(entry, strlen(entry));
    /* What is not text cannot pass; a variable of the host that is damaged would lie. */
    if (text_equal(clean, entry))
        json_add(env, json_string(entry));
}

/* The child's environment; *ret_path is the PATH in it. */
static salvor_status make_env(struct worker_call *call, const struct salvor_exec_request *request,
                              struct exec_command *command, json_t **ret_env, const char **ret_path)
{
    cleanup_json json_t *env = json_make("[]");
    const char *host_path = getenv("PATH");
    const char *host_home = getenv("HOME");
    int has_path = 0;
    int has_home = 0;
    int has_lang = 0;
    *ret_path = host_path != NULL && *host_path != '\0' ? host_path : default_path;
    if (request->env_count > COMMAND_ARGUMENTS || (request->env_count > 0 && request->env == NULL))
        return call_fail(call, SALVOR_BUG, "the environment of command '%s' cannot be read",
                         command->text);
    for (uint32_t i = 0; i < request->env_count; i++) {
        const char *entry = request->env[i];
        if (entry == NULL || *entry == '\0' || *entry == '=')
            return call_fail(call, SALVOR_BUG,
                             "variable %u of the environment of command '%s' has no name", i,
                             command->text);
        has_path |= env_name_is(entry, "PATH");
        has_home |= env_name_is(entry, "HOME");
        has_lang |= env_name_is(entry, "LANG");
        if (strchr(entry, '=') != NULL) {
            json_t *text = json_string(entry);
            if (text == NULL)
                return call_fail(call, SALVOR_BUG,
                                 "variable %u of the environment of command '%s' is not UTF-8", i,
                                 command->text);
            json_add(env, text);
            if (env_name_is(entry, "PATH"))
                *ret_path = entry + 5;
        } else if (getenv(entry) != NULL) {
            env_add(env, entry, getenv(entry));
        }
    }
    if (!has_path)
        env_add(env, "PATH", *ret_path);
    if (!has_home)
        env_add(env, "HOME", host_home != NULL && *host_home != '\0' ? host_home : "/");
    if (!has_lang)
        env_add(env, "LANG", "C.UTF-8");
    *ret_env = take_pointer(env);
    return SALVOR_OK;
}

static int is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

char *exec_find_program(const char *name, const char *path)
{
    if (*name == '/')
        return is_program(name) ? text_copy(name) : NULL;
    if (path == NULL || *path == '\0')
        path = default_path;
    while (*path != '\0') {
        size_t size = strcspn(path, ":");
        if (size > 0 && *path == '/') {
            cleanup_free char *folder = text_copy_span(path, size);
            cleanup_free char *candidate = text_format("%s/%s", folder, name);
            if (is_program(candidate))
                return take_pointer(candidate);
        }
        path += size + (path[size] == ':');
    }
    return NULL;
}

static salvor_status check_secrets(struct worker_call *call,
                                   const struct salvor_exec_request *request,
                                   struct exec_command *command)
{
    cleanup_json json_t *keep = json_make("[]");
    cleanup_json json_t *files = json_make("[]");
    if (request->secret_count > SHIM_SECRETS ||
        (request->secret_count > 0 && request->secrets == NULL))
        return call_fail(call, SALVOR_BUG, "command '%s' is given more than %d secrets",
                         command->text, SHIM_SECRETS);
    unsigned numbers = 0;
    for (uint32_t i = 0; i < request->secret_count; i++) {
        const struct salvor_exec_secret *secret = &request->secrets[i];
        if (secret->how == SALVOR_EXEC_SECRET_FD) {
            if (secret->number < 3 || secret->number > 9 || (numbers & 1u << secret->number) != 0)
                return call_fail(call, SALVOR_BUG,
                                 "secret %u of command '%s' has descriptor %u: not from 3 to 9, or "
                                 "given twice",
                                 i, command->text, secret->number);
            numbers |= 1u << secret->number;
            json_add(keep, json_integer(secret->number));
        } else if (secret->how == SALVOR_EXEC_SECRET_FILE) {
            if (beneath_check(secret->name, 1, NULL) != 0 || strchr(secret->name, '/') != NULL)
                return call_fail(call, SALVOR_BUG, "secret %u of command '%s' has no usable name",
                                 i, command->text);
            json_add(files, json_make("{s:s,s:i}", "name", secret->name, "fd",
                                      SHIM_FILES_FD + (int)json_array_size(files)));
        } else {
            return call_fail(call, SALVOR_BUG,
                             "secret %u of command '%s' is neither descriptor "
                             "nor file",
                             i, command->text);
        }
    }
    json_put(command->spec, "keep", take_pointer(keep));
    json_put(command->spec, "files", take_pointer(files));
    return SALVOR_OK;
}

/* ---- declared reads and the gate --------------------------------------------------------------
 */

static void replace_script(json_t *argv, const char *script, const char *path)
{
    for (size_t i = 1; i < json_array_size(argv); i++) {
        const char *word = json_string_value(json_array_get(argv, i));
        if (text_equal(word, "{script}") || text_equal(word, script))
            (void)json_array_set_new(argv, i, json_string(path));
    }
}

/* What was hashed is what runs: the command gets a private copy. */
static salvor_status copy_script(struct worker_call *call, const struct exec_command *command,
                                 const char *script, const char *sha256, char **ret_path)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *text = NULL;
    size_t size = 0;
    salvor_status status = command_script(call, script, sha256, command->text, &text, &size);
    if (status != SALVOR_OK)
        return status;
    const char *slash = strrchr(script, '/');
    cleanup_free char *folder = text_format("%s/.scripts/%s", command->scratch, sha256);
    cleanup_free char *path = text_format("%s/%s", folder, slash != NULL ? slash + 1 : script);
    if (file_make_folder(folder, &err) != 0 || file_write_atomic(path, text, size, 0500, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    *ret_path = take_pointer(path);
    return SALVOR_OK;
}

static salvor_status take_script(struct worker_call *call, const char *script,
                                 struct exec_command *command, const json_t *declared)
{
    cleanup_free char *copy = NULL;
    const char *sha256 = json_text(declared, "script_sha256");
    if (script == NULL || *script == '\0')
        return SALVOR_OK;
    if (sha256 != NULL) {
        salvor_status status = copy_script(call, command, script, sha256, &copy);
        if (status != SALVOR_OK)
            return status;
    }
    replace_script(json_object_get(command->spec, "argv"), script, copy != NULL ? copy : script);
    return SALVOR_OK;
}

static salvor_status gate(struct worker_call *call, const struct salvor_exec_request *request,
                          int job, struct exec_command *command)
{
    const json_t *declared = NULL;
    cleanup_free char *what = text_format("%s '%s'", job ? "start job" : "run", command->text);
    salvor_status status =
        command_gate(call, command->argv, job ? NULL : request->script, job, what, &declared);
    command->declared = json_text(declared, "id");
    return status == SALVOR_OK ? take_script(call, request->script, command, declared) : status;
}

/* ---- the canonical request ------------------------------------------------------------------- */

static json_t *key_env(const struct worker_call *call, const struct salvor_exec_request *request)
{
    json_t *env = json_make("[]");
    for (uint32_t i = 0; i < request->env_count; i++)
        json_add(env, run_paths_hide_text(call, request->env[i]));
    return env;
}

static void make_key(const struct worker_call *call, const struct salvor_exec_request *request,
                     struct exec_command *command)
{
    json_t *argv = json_make("[]");
    json_t *secrets = json_make("[]");
    cleanup_json json_t *input =
        run_paths_hide(call, request->input.data, (size_t)request->input.size);
    char digest[DIGEST_TEXT_SIZE];
    json_digest(input, digest);
    for (uint32_t i = 0; i < request->argc; i++)
        json_add(argv, run_paths_hide_text(call, request->argv[i]));
    for (uint32_t i = 0; i < request->secret_count; i++) {
        const struct salvor_exec_secret *secret = &request->secrets[i];
        json_add(secrets, secret->how == SALVOR_EXEC_SECRET_FD
                              ? json_make("{s:i}", "fd", (int)secret->number)
                              : json_make("{s:s}", "file", secret->name));
    }
    command->key =
        json_make("{s:o,s:o,s:o}", "argv", argv, "env", key_env(call, request), "secrets", secrets);
    json_put(command->key, "folder",
             request->folder != NULL ? run_paths_hide_text(call, request->folder) : json_null());
    json_put_text(command->key, "input_sha256", request->input.size > 0 ? digest : NULL);
    json_put_text(command->key, "output_path", command->output_path);
}

/* ---- together -------------------------------------------------------------------------------- */

static salvor_status take_paths(struct worker_call *call, const struct salvor_exec_request *request,
                                struct exec_command *command)
{
    cleanup_error struct error err = ERROR_INIT;
    command->scratch = run_scratch_folder(call);
    if (command->scratch == NULL)
        return SALVOR_FAILED;
    const char *folder = request->folder != NULL ? request->folder : command->scratch;
    if (*folder != '/')
        return call_fail(call, SALVOR_BUG, "working directory '%s' of command '%s' is not absolute",
                         folder, command->text);
    json_t *folder_text = json_string(folder);
    if (folder_text == NULL)
        return call_fail(call, SALVOR_BUG, "working directory of command '%s' is not UTF-8",
                         command->text);
    json_put(command->spec, "folder", folder_text);
    if (request->output_path == NULL)
        return SALVOR_OK;
    const char *relative = beneath_relative(command->scratch, request->output_path);
    if (relative == NULL || beneath_check(relative, 0, NULL) != 0)
        return call_fail(call, SALVOR_BUG,
                         "output file '%s' of command '%s' is not below the scratch folder",
                         request->output_path, command->text);
    command->output_path = text_copy(relative);
    cleanup_close int scratch = open(command->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (scratch < 0 || beneath_make_parents(scratch, relative) != 0) {
        (void)error_errno(&err, EXIT_FAILED, errno,
                          "cannot create output file '%s' of command '%s'", request->output_path,
                          command->text);
        return call_fail_error(call, SALVOR_FAILED, &err);
    }
    return SALVOR_OK;
}

salvor_status exec_command_make(struct worker_call *call, const struct salvor_exec_request *request,
                                int job, struct exec_command *command)
{
    salvor_status status = command_argv(call, request, &command->argv, &command->text);
    if (status != SALVOR_OK)
        return status;
    command->spec = json_make("{s:o}", "argv", json_clone(command->argv));
    command->output_limit = request->output_limit;
    command->timeout_ms = request->timeout_ms;
    if (request->output_limit > EXEC_OUTPUT_MOST && request->output_path == NULL)
        return call_fail(call, SALVOR_BUG, "command '%s' may print more than %d bytes into memory",
                         command->text, EXEC_OUTPUT_MOST);
    if (request->timeout_ms < 0)
        return call_fail(call, SALVOR_BUG, "command '%s' has a negative time-out", command->text);
    json_t *env = NULL;
    const char *path = NULL;
    status = check_secrets(call, request, command);
    if (status == SALVOR_OK)
        status = make_env(call, request, command, &env, &path);
    if (status != SALVOR_OK)
        return status;
    json_put(command->spec, "env", env);
    status = take_paths(call, request, command);
    if (status == SALVOR_OK)
        status = gate(call, request, job, command);
    if (status != SALVOR_OK)
        return status;
    make_key(call, request, command);
    cleanup_free char *program = exec_find_program(request->argv[0], path);
    if (program != NULL)
        json_put_text(command->spec, "path", program);
    return SALVOR_OK;
}

static salvor_status attach(struct worker_call *call, struct exec_command *command,
                            const char *name, struct salvor_span span, int to)
{
    cleanup_error struct error err = ERROR_INIT;
    int fd = memory_file(name, span.data, (size_t)span.size);
    if (fd < 0) {
        (void)error_errno(&err, EXIT_FAILED, errno, "cannot hand data to command '%s'",
                          command->text);
        return call_fail_error(call, SALVOR_FAILED, &err);
    }
    command->fds[command->fd_count++] = (struct shim_fd){fd, to};
    return SALVOR_OK;
}

salvor_status exec_command_attach(struct worker_call *call,
                                  const struct salvor_exec_request *request,
                                  struct exec_command *command)
{
    if (json_text(command->spec, "path") == NULL) {
        (void)call_fail(call, SALVOR_FAILED, "command '%s' cannot be started: no program '%s'",
                        command->text, request->argv[0]);
        return call_hint(call, SALVOR_FAILED, "install it, or set PATH so that it is found");
    }
    salvor_status status = SALVOR_OK;
    if (request->input.size > 0)
        status = attach(call, command, "salvor-input", request->input, 0);
    int file = 0;
    for (uint32_t i = 0; i < request->secret_count && status == SALVOR_OK; i++) {
        const struct salvor_exec_secret *secret = &request->secrets[i];
        struct salvor_span value = {0};
        status = secret_view(call, secret->secret, &value);
        if (status == SALVOR_OK)
            status = attach(call, command, "salvor-secret", value,
                            secret->how == SALVOR_EXEC_SECRET_FD ? (int)secret->number
                                                                 : SHIM_FILES_FD + file++);
    }
    return status;
}

void exec_command_clear(struct exec_command *command)
{
    for (size_t i = 0; i < command->fd_count; i++)
        (void)close(command->fds[i].from);
    json_decref(command->argv);
    json_decref(command->spec);
    json_decref(command->key);
    free(command->text);
    free(command->output_path);
    *command = (struct exec_command)EXEC_COMMAND_INIT;
}
