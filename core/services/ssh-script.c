#include "services/ssh-script.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/text.h"
#include "remote-commit.h"
#include "remote-common.h"
#include "remote-get.h"
#include "remote-have.h"
#include "remote-job-common.h"
#include "remote-job-kill.h"
#include "remote-job-look.h"
#include "remote-job-shim.h"
#include "remote-job-start.h"
#include "remote-put.h"
#include "remote-run.h"
#include "services/ssh-quote.h"

enum { SCRIPT_ROOM = 65536 };

/* All at once: a buffer that grew would leave copies of a secret behind. */
static struct buffer with_room(const struct ssh_script_command *command)
{
    size_t room = SCRIPT_ROOM + 4 * command->script_size;
    size_t index = 0;
    const json_t *word = NULL;
    json_array_foreach ((json_t *)command->argv, index, word)
        room += 4 * json_string_length(word) + 4;
    for (uint32_t i = 0; i < command->env_count; i++)
        room += 4 * strlen(command->env[i]) + 16;
    for (size_t i = 0; i < command->input_count; i++)
        room += 4 * (size_t)command->input[i].size;
    struct buffer out = BUFFER_INIT(room);
    (void)buffer_reserve(&out, room);
    return out;
}

void ssh_script_free(char *script)
{
    if (script != NULL)
        sodium_memzero(script, strlen(script));
    free(script);
}

static void add_parameter(struct buffer *out, const char *name, const char *value)
{
    (void)buffer_format(out, "%s=", name);
    (void)ssh_quote_word(out, value != NULL ? value : "");
    (void)buffer_append(out, "\n", 1);
}

/* ---- the command ----------------------------------------------------------------------------- */

static void add_env(struct buffer *out, const char *entry)
{
    (void)buffer_append(out, " ", 1);
    if (strchr(entry, '=') != NULL)
        (void)ssh_quote_word(out, entry);
    else /* what the host's own has, if it has it */
        (void)buffer_format(out, "${%s+\"%s=$%s\"}", entry, entry, entry);
}

static void add_word(struct buffer *out, const struct ssh_script_command *command, const char *word)
{
    (void)buffer_append(out, " ", 1);
    if (command->script_name != NULL && text_equal(word, "{script}")) {
        (void)buffer_append_text(out, "\"$t\"/");
        word = command->script_name;
    }
    (void)ssh_quote_word(out, word);
}

static void add_printf(struct buffer *out, const struct salvor_span *pieces, size_t count)
{
    (void)buffer_append_text(out, "printf '");
    for (size_t i = 0; i < count; i++)
        (void)ssh_quote_format(out, pieces[i].data, (size_t)pieces[i].size);
    (void)buffer_append(out, "'", 1);
}

static void add_command(struct buffer *out, const struct ssh_script_command *command)
{
    if (command->input_count > 0) {
        add_printf(out, command->input, command->input_count);
        (void)buffer_append_text(out, " 2>/dev/null | ");
    }
    (void)buffer_append_text(out, "$g env -i PATH=\"$PATH\" HOME=\"${HOME:-/}\" LANG=C.UTF-8");
    for (uint32_t i = 0; i < command->env_count; i++)
        add_env(out, command->env[i]);
    size_t index = 0;
    const json_t *word = NULL;
    json_array_foreach ((json_t *)command->argv, index, word)
        add_word(out, command, json_string_value(word));
}

/* `text` with the marks filled in. */
static void add_script(struct buffer *out, const char *text,
                       const struct ssh_script_command *command)
{
    static const char command_mark[] = "@COMMAND@";
    static const char script_mark[] = "@SCRIPT@";
    const struct salvor_span script = {command->script_text, command->script_size};
    while (*text != '\0') {
        size_t size = strcspn(text, "@");
        (void)buffer_append(out, text, size);
        text += size;
        if (text_starts(text, command_mark)) {
            add_command(out, command);
            text += sizeof command_mark - 1;
        } else if (text_starts(text, script_mark)) {
            add_printf(out, &script, command->script_name != NULL);
            text += sizeof script_mark - 1;
        } else if (*text != '\0') {
            (void)buffer_append(out, text++, 1);
        }
    }
}

char *ssh_script_run(const struct ssh_script_command *command)
{
    struct buffer out = with_room(command);
    add_parameter(&out, "folder", command->folder);
    add_parameter(&out, "script", command->script_name);
    (void)buffer_append_text(&out, remote_common);
    add_script(&out, remote_run, command);
    return buffer_take(&out);
}

static void add_parameters(struct buffer *out, const char *const *parameters)
{
    for (; parameters[0] != NULL; parameters += 2)
        add_parameter(out, parameters[0], parameters[1]);
}

char *ssh_script_make(enum ssh_script which, const char *const *parameters)
{
    static const char *const texts[] = {
        [SSH_SCRIPT_HAVE] = remote_have,         [SSH_SCRIPT_PUT] = remote_put,
        [SSH_SCRIPT_COMMIT] = remote_commit,     [SSH_SCRIPT_GET] = remote_get,
        [SSH_SCRIPT_JOB_LOOK] = remote_job_look, [SSH_SCRIPT_JOB_KILL] = remote_job_kill};
    struct buffer out = BUFFER_INIT(SIZE_MAX / 2);
    add_parameters(&out, parameters);
    (void)buffer_append_text(&out, remote_common);
    if (which >= SSH_SCRIPT_JOB_LOOK)
        (void)buffer_append_text(&out, remote_job_common);
    (void)buffer_append_text(&out, texts[which]);
    return buffer_take(&out);
}

char *ssh_script_job(const struct ssh_script_command *command, const char *const *parameters,
                     const char *const *shim_parameters)
{
    struct buffer shim = with_room(command);
    add_parameter(&shim, "folder", command->folder);
    add_parameters(&shim, shim_parameters);
    (void)buffer_append_text(&shim, remote_common);
    (void)buffer_append_text(&shim, remote_job_common);
    add_script(&shim, remote_job_shim, command);
    (void)buffer_append_text(&shim, "\n#salvor-end");
    cleanup_ssh_script char *shim_text = buffer_take(&shim);
    /* Quoting it again makes four characters of a quote. */
    struct buffer out = BUFFER_INIT(SIZE_MAX / 2);
    (void)buffer_reserve(&out, 4 * strlen(shim_text) + SCRIPT_ROOM);
    add_parameters(&out, parameters);
    add_parameter(&out, "shim", shim_text);
    (void)buffer_append_text(&out, remote_common);
    (void)buffer_append_text(&out, remote_job_common);
    (void)buffer_append_text(&out, remote_job_start);
    return buffer_take(&out);
}
