#include "services/ssh-command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "services/beneath.h"
#include "services/command-request.h"
#include "services/recorder.h"
#include "services/run-paths.h"
#include "services/secret.h"
#include "services/ssh-quote.h"

static const char name_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
static const char name_characters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

/* ---- what is asked for ----------------------------------------------------------------------- */

static salvor_status check_request(struct worker_call *call, const struct ssh_target *target,
                                   const struct salvor_exec_request *request,
                                   const struct ssh_command *command)
{
    const char *program = request->argv[0];
    if (*program == '-' || strchr(program, '=') != NULL)
        return call_fail(call, SALVOR_BUG, "command '%s' begins with no name of a program",
                         command->text);
    if (request->output_limit > SSH_OUTPUT_MOST && request->output_path == NULL)
        return call_fail(call, SALVOR_BUG, "command '%s' may print more than %d bytes into memory",
                         command->text, SSH_OUTPUT_MOST);
    if (request->timeout_ms < 0)
        return call_fail(call, SALVOR_BUG, "command '%s' has a negative time-out", command->text);
    if (request->folder != NULL && *request->folder != '/')
        return call_fail(call, SALVOR_BUG, "working directory '%s' of command '%s' is not absolute",
                         request->folder, command->text);
    if (target->windows && (request->folder != NULL || request->env_count > 0))
        return call_fail(call, SALVOR_UNSUPPORTED,
                         "command '%s' cannot be given an environment or working directory on "
                         "'%s', whose shell is 'windows'",
                         command->text, target->name);
    return SALVOR_OK;
}

static salvor_status check_env(struct worker_call *call, const struct salvor_exec_request *request,
                               const struct ssh_command *command)
{
    if (request->env_count > COMMAND_ARGUMENTS || (request->env_count > 0 && request->env == NULL))
        return call_fail(call, SALVOR_BUG, "the environment of command '%s' cannot be read",
                         command->text);
    for (uint32_t i = 0; i < request->env_count; i++) {
        const char *entry = request->env[i] != NULL ? request->env[i] : "";
        size_t size = strspn(entry, name_characters);
        if (size == 0 || strchr(name_letters, entry[0]) == NULL ||
            (entry[size] != '=' && entry[size] != '\0'))
            return call_fail(call, SALVOR_BUG,
                             "variable %u of the environment of command '%s' has no name", i,
                             command->text);
    }
    return SALVOR_OK;
}

/* Secrets one a line, then the input. */
static salvor_status take_input(struct worker_call *call, const struct salvor_exec_request *request,
                                struct ssh_command *command)
{
    uint64_t total = request->input.size;
    size_t count = 0;
    if (request->secret_count > COMMAND_ARGUMENTS ||
        (request->secret_count > 0 && request->secrets == NULL) ||
        (request->input.size > 0 && request->input.data == NULL))
        return call_fail(call, SALVOR_BUG, "the input of command '%s' cannot be read",
                         command->text);
    command->input = memory_new(2 * (size_t)request->secret_count + 1, sizeof *command->input);
    for (uint32_t i = 0; i < request->secret_count; i++) {
        struct salvor_span value = {0};
        salvor_status status = secret_view(call, request->secrets[i].secret, &value);
        if (status != SALVOR_OK)
            return status;
        if (count > 0)
            command->input[count++] = (struct salvor_span){"\n", 1};
        command->input[count++] = value;
        total += value.size + 1;
    }
    if (request->input.size > 0) {
        if (count > 0)
            command->input[count++] = (struct salvor_span){"\n", 1};
        command->input[count++] = request->input;
    }
    command->script.input = command->input;
    command->script.input_count = count;
    if (total <= SSH_INPUT_MOST)
        return SALVOR_OK;
    (void)call_fail(call, SALVOR_FAILED, "command '%s' is given more than %d bytes of input",
                    command->text, SSH_INPUT_MOST);
    return call_hint(call, SALVOR_FAILED, "the plugin puts it there as a file first");
}

static salvor_status take_output(struct worker_call *call,
                                 const struct salvor_exec_request *request,
                                 struct ssh_command *command)
{
    cleanup_error struct error err = ERROR_INIT;
    command->output_limit = request->output_limit;
    if (request->output_path == NULL) {
        if (command->output_limit == 0)
            command->output_limit = SSH_OUTPUT_DEFAULT;
        return SALVOR_OK;
    }
    command->scratch = run_scratch_folder(call);
    if (command->scratch == NULL)
        return SALVOR_FAILED;
    const char *relative = beneath_relative(command->scratch, request->output_path);
    if (relative == NULL || beneath_check(relative, 0, NULL) != 0)
        return call_fail(call, SALVOR_BUG,
                         "output file '%s' of command '%s' is not below the scratch folder",
                         request->output_path, command->text);
    command->output_path = text_copy(relative);
    cleanup_close int scratch = open(command->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (scratch >= 0 && beneath_make_parents(scratch, relative) == 0)
        return SALVOR_OK;
    (void)error_errno(&err, EXIT_FAILED, errno, "cannot create output file '%s' of command '%s'",
                      request->output_path, command->text);
    return call_fail_error(call, SALVOR_FAILED, &err);
}

/* ---- scripts --------------------------------------------------------------------------------- */

static int has_word(const json_t *argv, const char *wanted)
{
    size_t index = 0;
    const json_t *word = NULL;
    json_array_foreach ((json_t *)argv, index, word)
        if (text_equal(json_string_value(word), wanted))
            return 1;
    return 0;
}

static salvor_status take_script(struct worker_call *call,
                                 const struct salvor_exec_request *request, const json_t *declared,
                                 struct ssh_command *command)
{
    const char *path = request->script;
    if (path == NULL || *path == '\0')
        return SALVOR_OK;
    /* The file itself is not there: only the mark can stand for it. */
    if (!has_word(command->argv, "{script}"))
        return call_fail(call, SALVOR_BUG, "command '%s' has a script but no word '{script}'",
                         command->text);
    salvor_status status =
        command_script(call, path, json_text(declared, "script_sha256"), command->text,
                       &command->script_text, &command->script.script_size);
    const char *slash = strrchr(path, '/');
    command->script_name = text_copy(slash != NULL ? slash + 1 : path);
    command->script.script_name = command->script_name;
    command->script.script_text = command->script_text;
    return status;
}

/* ---- the canonical request ------------------------------------------------------------------- */

static void make_key(const struct worker_call *call, const struct ssh_target *target,
                     const struct salvor_exec_request *request, struct ssh_command *command)
{
    json_t *argv = json_make("[]");
    json_t *env = json_make("[]");
    cleanup_json json_t *input =
        run_paths_hide(call, request->input.data, (size_t)request->input.size);
    char digest[DIGEST_TEXT_SIZE];
    json_digest(input, digest);
    for (uint32_t i = 0; i < request->argc; i++)
        json_add(argv, run_paths_hide_text(call, request->argv[i]));
    for (uint32_t i = 0; i < request->env_count; i++)
        json_add(env, run_paths_hide_text(call, request->env[i]));
    command->key = json_make("{s:s,s:b,s:o,s:o,s:i}", "host", target->name, "sudo", target->sudo,
                             "argv", argv, "env", env, "secrets", (int)request->secret_count);
    json_put(command->key, "folder",
             request->folder != NULL ? run_paths_hide_text(call, request->folder) : json_null());
    json_put_text(command->key, "input_sha256", request->input.size > 0 ? digest : NULL);
    json_put_text(command->key, "output_path", command->output_path);
    if (command->script_text != NULL) {
        digest_text_of(command->script_text, command->script.script_size, digest);
        json_put_text(command->key, "script_sha256", digest);
    }
}

/* ---- together -------------------------------------------------------------------------------- */

salvor_status ssh_command_make(struct worker_call *call, const struct ssh_target *target,
                               const struct salvor_exec_request *request, int job,
                               struct ssh_command *command)
{
    const json_t *declared = NULL;
    salvor_status status = command_argv(call, request, &command->argv, &command->text);
    if (status == SALVOR_OK)
        status = check_request(call, target, request, command);
    if (status == SALVOR_OK)
        status = check_env(call, request, command);
    if (status == SALVOR_OK)
        status = take_output(call, request, command);
    if (status != SALVOR_OK)
        return status;
    command->timeout_ms = request->timeout_ms;
    command->script.argv = command->argv;
    command->script.env = request->env;
    command->script.env_count = request->env_count;
    command->script.folder = request->folder;
    cleanup_free char *what =
        text_format("%s '%s' on '%s'", job ? "start job" : "run", command->text, target->name);
    status = command_gate(call, command->argv, job ? NULL : request->script, job, what, &declared);
    command->declared = json_text(declared, "id");
    if (status == SALVOR_OK)
        status = take_script(call, request, declared, command);
    if (status == SALVOR_OK)
        status = take_input(call, request, command);
    if (status == SALVOR_OK)
        make_key(call, target, request, command);
    return status;
}

void ssh_command_clear(struct ssh_command *command)
{
    json_decref(command->argv);
    json_decref(command->key);
    free(command->text);
    free(command->output_path);
    free(command->script_text);
    free(command->script_name);
    free(command->input);
    *command = (struct ssh_command){0};
}

/* One line for cmd.exe or PowerShell, of words that both leave alone. */
static char *windows_line(struct worker_call *call, const struct ssh_command *command,
                          salvor_status *ret_status)
{
    cleanup_buffer struct buffer line = BUFFER_INIT(SSH_WINDOWS_LINE);
    cleanup_free char *script =
        command->script_text != NULL
            ? ssh_encoded_command(command->script_text, command->script.script_size)
            : NULL;
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach (command->argv, index, entry) {
        const char *word = json_string_value(entry);
        if (script != NULL && text_equal(word, "{script}"))
            word = script;
        if (!ssh_word_is_plain(word)) {
            *ret_status = call_fail(call, SALVOR_BUG,
                                    "word %zu of command '%s' has characters that a Windows shell "
                                    "interprets: pass data by standard input",
                                    index, command->text);
            return NULL;
        }
        if (buffer_format(&line, "%s%s", index > 0 ? " " : "", word) != 0) {
            *ret_status = call_fail(call, SALVOR_FAILED,
                                    "command '%s' is longer than the %d characters that a Windows "
                                    "shell takes",
                                    command->text, SSH_WINDOWS_LINE);
            return NULL;
        }
    }
    return buffer_take(&line);
}

char *ssh_command_script(struct worker_call *call, const struct ssh_target *target,
                         const struct ssh_command *command, salvor_status *ret_status)
{
    *ret_status = SALVOR_OK;
    return target->windows ? windows_line(call, command, ret_status)
                           : ssh_script_run(&command->script);
}

/* ---- telling --------------------------------------------------------------------------------- */

void ssh_evidence(struct worker_call *call, const struct ssh_target *target, const char *what,
                  json_t *members, int64_t duration_ms)
{
    json_put_text(members, "service", "ssh");
    json_put_text(members, "what", what);
    json_put_text(members, "host", target->name);
    if (target->sudo)
        json_put(members, "sudo", json_true());
    if (recorder_replays(call->session->recorder))
        json_put(members, "replayed", json_true());
    json_put(members, "duration_ms", json_integer(duration_ms));
    call_evidence(call, members);
}

void ssh_command_evidence(struct worker_call *call, const struct ssh_target *target,
                          const struct ssh_command *command, const char *what, json_t *members,
                          int64_t duration_ms)
{
    json_put(members, "argv", command_argv_evidence(command->argv));
    if (command->declared != NULL)
        json_put_text(members, "declared_read", command->declared);
    ssh_evidence(call, target, what, members, duration_ms);
}
