/* Entry of the program. Hidden sub-commands and --version come first: they set nothing up. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/error.h"
#include "base/locked.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/hidden-commands.h"
#include "cli/message.h"
#include "cli/prompt.h"
#include "cli/terminal.h"
#include "config/secret-reference.h"
#include "host/redact.h"
#include "worker/worker-main.h"

static int run(const struct arguments *arguments, struct error *reterr)
{
    if (arguments->show == SHOW_VERSION) {
        help_version(stdout);
        return EXIT_DONE;
    }
    if (arguments->show == SHOW_HELP)
        return help_show(arguments, stdout, reterr);
    return arguments->command->run(arguments, reterr);
}

static void clear_arguments(struct arguments **arguments)
{
    arguments_free(*arguments);
}

int main(int argc, char **argv)
{
    worker_main_if_asked(argc, argv);
    if (argc >= 2 && strncmp(argv[1], "__", 2) == 0) {
        const struct hidden_command *hidden = hidden_command_find(argv[1]);
        if (hidden != NULL)
            return hidden->run(argc - 1, argv + 1);
    }
    /* Programs that salvor was started by may have closed these; files opened later must not
     * become standard output. */
    terminal_open_standard();
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        help_version(stdout);
        return terminal_finish_output(EXIT_DONE);
    }

    /* Whoever reads the output may go (head, less); a step under way must not die of that. */
    (void)signal(SIGPIPE, SIG_IGN);
    /* Secrets pass through this process, too. */
    if (getenv("SALVOR_DEBUG") == NULL)
        locked_hide_process();
    message_set_filter(redact_text);
    secret_reference_set_asker(prompt_secret);
    __attribute__((cleanup(clear_arguments))) struct arguments *arguments = NULL;
    cleanup_error struct error err = ERROR_INIT;
    int code = arguments_parse(argc, argv, plugin_find, &arguments, &err);
    if (arguments != NULL)
        message_setup(arguments->log_json, arguments->verbosity);
    if (code == 0 && arguments != NULL)
        code = run(arguments, &err);
    if (code < 0) {
        message_error(&err);
        code = (int)err.code;
    }
    return terminal_finish_output(code);
}
