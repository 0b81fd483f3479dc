#include "services/command-request.h"

#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/declared-read.h"

enum { TEXT_LENGTH = 240, SCRIPT_LIMIT = 1 << 20, EVIDENCE_WORD = 1000, EVIDENCE_WORDS = 200 };

/* ---- words ----------------------------------------------------------------------------------- */

static char *one_line(const json_t *argv)
{
    struct buffer line = BUFFER_INIT(TEXT_LENGTH);
    size_t index = 0;
    json_t *word = NULL;
    json_array_foreach (argv, index, word) {
        if (buffer_format(&line, "%s%s", index > 0 ? " " : "", json_string_value(word)) != 0) {
            (void)buffer_append_text(&line, " ...");
            break;
        }
    }
    return buffer_take(&line);
}

salvor_status command_argv(struct worker_call *call, const struct salvor_exec_request *request,
                           json_t **ret_argv, char **ret_text)
{
    size_t total = 0;
    if (request == NULL || request->struct_size < sizeof *request || request->argc == 0 ||
        request->argc > COMMAND_ARGUMENTS || request->argv == NULL)
        return call_fail(call, SALVOR_BUG, "a command has no argv, or more than %d words",
                         COMMAND_ARGUMENTS);
    *ret_argv = json_make("[]");
    for (uint32_t i = 0; i < request->argc; i++) {
        json_t *word = request->argv[i] != NULL ? json_string(request->argv[i]) : NULL;
        if (word == NULL)
            return call_fail(call, SALVOR_BUG, "word %u of command '%s' is not UTF-8 text", i,
                             i > 0 ? request->argv[0] : "");
        json_add(*ret_argv, word);
        total += json_string_length(word);
    }
    *ret_text = one_line(*ret_argv);
    if (total > COMMAND_ARGV_BYTES)
        return call_fail(call, SALVOR_BUG, "command '%s' is longer than %d bytes", *ret_text,
                         COMMAND_ARGV_BYTES);
    if (*request->argv[0] == '\0' ||
        (*request->argv[0] != '/' && strchr(request->argv[0], '/') != NULL))
        return call_fail(call, SALVOR_BUG,
                         "command '%s' begins with neither an absolute path nor a bare name",
                         *ret_text);
    return SALVOR_OK;
}

json_t *command_argv_evidence(const json_t *argv)
{
    json_t *shown = json_make("[]");
    size_t index = 0;
    json_t *word = NULL;
    json_array_foreach (argv, index, word) {
        size_t size = json_string_length(word);
        if (index >= EVIDENCE_WORDS) {
            json_add(shown, json_string("..."));
            break;
        }
        if (size <= EVIDENCE_WORD) {
            json_add(shown, json_incref(word));
            continue;
        }
        char digest[DIGEST_TEXT_SIZE];
        digest_text_of(json_string_value(word), size, digest);
        cleanup_free char *cut = text_format("... (%zu bytes, sha256 %s)", size, digest);
        json_add(shown, json_string(cut));
    }
    return shown;
}

const char *command_certainty_word(uint32_t certainty)
{
    return certainty == SALVOR_CERTAINTY_ANSWERED ? "answered"
           : certainty == SALVOR_CERTAINTY_SENT   ? "sent"
                                                  : "not-sent";
}

/* ---- the gate -------------------------------------------------------------------------------- */

static const json_t *find_declared(const struct worker_call *call, const char *script,
                                   const json_t *argv)
{
    const size_t argc = json_array_size(argv);
    cleanup_free const char **words = memory_new(argc, sizeof *words);
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach (argv, index, entry) {
        words[index] = json_string_value(entry);
        if (script != NULL && text_equal(words[index], "{script}"))
            words[index] = script;
    }
    json_array_foreach (json_object_get(call->session->descriptor, "declared_reads"), index, entry)
        if (declared_read_matches(json_text(entry, "pattern"), words, argc, script))
            return entry;
    return NULL;
}

salvor_status command_gate(struct worker_call *call, const json_t *argv, const char *script,
                           int job, const char *what, const json_t **ret_declared)
{
    /* A command is never a read that salvor itself enforces: a row with effect 'read' runs none. */
    const json_t *listed = job ? NULL : find_declared(call, script, argv);
    *ret_declared = call->effect >= SALVOR_EFFECT_DECLARED_READ ? listed : NULL;
    if (*ret_declared != NULL)
        return SALVOR_OK;
    salvor_status status = call_may_change(call, what);
    if (status != SALVOR_OK && listed != NULL)
        return call_hint(call, status, "the plugin declares effect 'declared-read' for the row");
    if (status != SALVOR_OK && call->effect < SALVOR_EFFECT_CHANGE && !job)
        return call_hint(call, status,
                         "the plugin lists the command under declared_reads if it changes "
                         "nothing, or declares effect 'change' for the row");
    return status;
}

salvor_status command_script(struct worker_call *call, const char *path, const char *sha256,
                             const char *command, char **ret_text, size_t *ret_size)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *text = NULL;
    char found[DIGEST_TEXT_SIZE];
    if (file_read(path, SCRIPT_LIMIT, &text, ret_size, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    digest_text_of(text, *ret_size, found);
    if (sha256 != NULL && !text_equal(found, sha256)) {
        (void)call_fail(call, SALVOR_REFUSED,
                        "script '%s' of command '%s' is not the one that the plugin declares as a "
                        "read",
                        path, command);
        return call_hint(call, SALVOR_REFUSED, "its SHA-256 is %s, declared is %s", found, sha256);
    }
    *ret_text = take_pointer(text);
    return SALVOR_OK;
}
