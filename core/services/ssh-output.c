#include "services/ssh-output.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "services/beneath.h"

int ssh_output_open(struct ssh_output *output, const struct ssh_command *command,
                    struct error *reterr)
{
    output->command = command;
    if (command->output_path == NULL)
        return 0;
    cleanup_close int scratch = open(command->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    output->file = scratch < 0 ? -1
                               : beneath_open(scratch, command->output_path,
                                              O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (output->file >= 0)
        return 0;
    return error_errno(reterr, EXIT_FAILED, errno, "cannot create output file '%s/%s'",
                       command->scratch, command->output_path);
}

int ssh_output_take(void *data, const char *bytes, size_t size, struct error *reterr)
{
    struct ssh_output *output = data;
    const struct ssh_command *command = output->command;
    output->bytes += size;
    if (command->output_limit != 0 && output->bytes > command->output_limit) {
        (void)error_set(reterr, EXIT_FAILED, "it printed more than %llu bytes",
                        (unsigned long long)command->output_limit);
        return error_hint(reterr, "the plugin raises output_limit or uses output_path");
    }
    if (output->file < 0)
        return buffer_append(&output->kept, bytes, size) == 0
                   ? 0
                   : error_set(reterr, EXIT_FAILED, "it printed too much");
    if (file_write_all(output->file, bytes, size) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot write output file '%s/%s'",
                           command->scratch, command->output_path);
    return 0;
}

void ssh_output_clear(struct ssh_output *output)
{
    if (output->file >= 0)
        (void)close(output->file);
    output->file = -1;
    buffer_clear(&output->kept);
}
