#include "cli/commands.h"

#include <salvor/plugin.h>
#include <stdlib.h>

#include "base/banned.h"
#include "base/text.h"
#include "cli/backups-command.h"
#include "cli/completion-command.h"
#include "cli/config-command.h"
#include "cli/drill-command.h"
#include "cli/help.h"
#include "cli/plugin-command.h"
#include "cli/report-command.h"
#include "cli/run-commands.h"
#include "cli/runs-command.h"

#define NO_OPERANDS           \
    {                         \
        "", 0, 0, OPERAND_ANY \
    }
#define TABULAR "table wide json yaml name"

static const struct action plugin_actions[] = {
    {"list", "list the plugins of the search path", NO_OPERANDS},
    {"show",
     "show what a plugin does: procedures, options, findings",
     {"NAME", 1, 1, OPERAND_PLUGIN}},
    {"lint", "check a plugin file as its author", {"FILE", 1, 1, OPERAND_FILE}},
    {"note", "write into a plugin file what it says of itself", {"FILE", 1, 1, OPERAND_FILE}},
    {NULL, NULL, NO_OPERANDS},
};

static const struct action config_actions[] = {
    {"check", "list every problem of the configuration", NO_OPERANDS},
    {"show", "show what is in force and where it comes from", NO_OPERANDS},
    {"schema", "print a JSON Schema of the configuration for these plugins", NO_OPERANDS},
    {NULL, NULL, NO_OPERANDS},
};

static const struct action runs_actions[] = {
    {"list", "list the runs, newest first", NO_OPERANDS},
    {"show", "show the state of a run and how to go on", {"RUN", 1, 1, OPERAND_RUN}},
    {"drills", "show when the recovery of each site was last rehearsed", NO_OPERANDS},
    {"close", "end a run for good: nothing of it can be resumed", {"RUN", 1, 1, OPERAND_RUN}},
    {NULL, NULL, NO_OPERANDS},
};

static const struct action backups_actions[] = {
    {"list", "list the backup sets of a store", NO_OPERANDS},
    {"show", "show what is in a set", {"SET", 1, 1, OPERAND_SET}},
    {"verify", "prove that a set is whole: every byte is read", {"SET", 1, 1, OPERAND_SET}},
    {"export",
     "write a set as plain files, decrypted, for the vendor's own tools",
     {"SET FOLDER", 2, 2, OPERAND_SET}},
    {"push",
     "bring sets that wait here into their store; without SET all of them",
     {"[SET]", 0, 1, OPERAND_SET}},
    {"prune", "remove sets that retention does not keep; needs a rule for that", NO_OPERANDS},
    {"check-store", "try everything that salvor needs to be allowed in the store", NO_OPERANDS},
    {"keygen",
     "make a private key for encrypted backups and print its recipient",
     {"FILE", 1, 1, OPERAND_FILE}},
    {NULL, NULL, NO_OPERANDS},
};

const struct command command_table[] = {
    {COMMAND_DISCOVER, "discover", "look at the live systems and the backup, change nothing",
     "Asks the platform and, with --from, the backup what is there, and prints it with the facts "
     "that later decisions rest on.",
     NULL, 0, NO_OPERANDS, TABULAR, SALVOR_ON_DISCOVER, NEED_PROVIDER, discover_command},
    {COMMAND_BACKUP, "backup", "take a backup set",
     "Plans the provider's backup procedure, runs it and commits the artifacts as one set: without "
     "its manifest there is no set.",
     NULL, 0, NO_OPERANDS, TABULAR, SALVOR_ON_BACKUP, NEED_PROVIDER, backup_command},
    {COMMAND_VALIDATE,
     "validate",
     "can this backup be restored, here and now?",
     "Judges a backup set or a bare vendor artifact, offline as far as possible. Exit status 3 "
     "says that there are blockers.",
     NULL,
     0,
     {"[SOURCE]", 0, 1, OPERAND_FILE},
     TABULAR,
     SALVOR_ON_VALIDATE,
     NEED_PROVIDER,
     validate_command},
    {COMMAND_PLAN, "plan", "show what a restore would do, change nothing",
     "Chooses the documented procedure from evidence and prints every step in the vendor's order: "
     "what it changes, what a person must do, which statement it comes from. --path names any "
     "procedure of the provider, undo included.",
     NULL, 0, NO_OPERANDS, TABULAR, SALVOR_ON_RESTORE | SALVOR_ON_POST_RESYNC, NEED_PROVIDER,
     plan_command},
    {COMMAND_RESTORE, "restore", "run the documented restore, step by step",
     "Plans stage by stage, asks, runs each step with a check before and after, and goes on to "
     "plan post-resync. It may be stopped or killed at any moment and resumed.",
     NULL, 0, NO_OPERANDS, TABULAR, SALVOR_ON_RESTORE | SALVOR_ON_POST_RESYNC, NEED_PROVIDER,
     restore_command},
    {COMMAND_DRILL, "drill", "rehearse a recovery",
     "Restores the newest backup of the site (or that of --from) on a site that salvor.yaml marks "
     "with `practice: true`: the site itself, or that of --into. All of it runs as on the day it "
     "is "
     "needed, with every approval, and how long each step took is told. On any other site nothing "
     "is changed: the drill looks, judges, plans, asks the check of every step, and says what it "
     "did not try. `salvor runs drills` tells when each site had its last one.",
     NULL, 0, NO_OPERANDS, TABULAR, SALVOR_ON_RESTORE | SALVOR_ON_POST_RESYNC, NEED_PROVIDER,
     drill_command},
    {COMMAND_POST_RESYNC, "post-resync", "check and repair what a restore leaves behind",
     "Plans and runs what the vendor leaves to hand work after the platform has reconciled: "
     "orphans, registrations, restarts.",
     NULL, 0, NO_OPERANDS, TABULAR, SALVOR_ON_POST_RESYNC, NEED_PROVIDER, post_resync_command},
    {COMMAND_RUNS, "runs", "list and look at runs",
     "Every discover, plan, backup or restore leaves a run with its journal.", runs_actions, 1,
     NO_OPERANDS, TABULAR, 0, NEED_CONFIG, runs_command},
    {COMMAND_RESUME,
     "resume",
     "go on with a run that was interrupted",
     "Checks that the identity of the platform is still the one of the run, settles steps without "
     "outcome by looking, and goes on where the run stopped.",
     NULL,
     0,
     {"RUN", 1, 1, OPERAND_RUN},
     TABULAR,
     0,
     NEED_CONFIG,
     resume_command},
    {COMMAND_REPORT,
     "report",
     "report of a run: timeline, evidence, findings, times",
     "Written from the journal alone; RUN may also be the path of a journal. --verify proves that "
     "no record was changed, removed or reordered; with a HEAD that was printed at an approval or "
     "at the end of the run also that none was cut off behind it.",
     NULL,
     0,
     {"RUN [HEAD...]", 1, 17, OPERAND_RUN},
     "text json md html",
     0,
     NEED_CONFIG,
     report_command},
    {COMMAND_BACKUPS, "backups", "list, prove, export and prune backup sets",
     "Works on the sets of a store. SET is the name of a set, `latest` with --provider or --site, "
     "or "
     "a path. verify reads every byte and compares it with the manifest; without the private key "
     "the content of encrypted artifacts is not looked into, and it says so. prune keeps what "
     "--keep-last, --keep-for or the configuration name, the newest set of each site, the newest "
     "one that verify proved whole, and what an open run works from.",
     backups_actions, 1, NO_OPERANDS, TABULAR, 0, NEED_CONFIG, backups_command},
    {COMMAND_PLUGIN, "plugin", "list, show and check provider plugins",
     "What a plugin says of itself is read from its file; nothing of it is run but by lint and "
     "note, in a process of its own.",
     plugin_actions, 0, NO_OPERANDS, TABULAR, 0, NEED_NOTHING, plugin_command},
    {COMMAND_CONFIG, "config", "check and show the configuration",
     "The file is the one of --config, else $XDG_CONFIG_HOME/salvor/salvor.yaml, else "
     "/etc/salvor/salvor.yaml.",
     config_actions, 0, NO_OPERANDS, "table json yaml", 0, NEED_NOTHING, config_command},
    {COMMAND_COMPLETION,
     "completion",
     "print shell completion",
     "Put `source <(salvor completion bash)` into ~/.bashrc.",
     NULL,
     0,
     {"bash", 1, 1, OPERAND_SHELL},
     NULL,
     0,
     NEED_NOTHING,
     completion_command},
    {COMMAND_HELP,
     "help",
     "help for a command, or `help exit-codes`",
     "With --provider the provider's options are shown too.",
     NULL,
     0,
     {"[COMMAND]", 0, 1, OPERAND_COMMAND},
     NULL,
     0,
     NEED_NOTHING,
     help_command},
    {0, NULL, NULL, NULL, NULL, 0, NO_OPERANDS, NULL, 0, NEED_NOTHING, NULL},
};

const struct command *command_find(const char *name)
{
    for (const struct command *command = command_table; command->name != NULL; command++)
        if (text_equal(command->name, name))
            return command;
    return NULL;
}

const struct action *command_action(const struct command *command, const char *name)
{
    if (command->actions == NULL)
        return NULL;
    for (const struct action *action = command->actions; action->name != NULL; action++)
        if (text_equal(action->name, name))
            return action;
    return NULL;
}

const char **command_names(void)
{
    const char **names = memory_new(sizeof command_table / sizeof command_table[0], sizeof *names);
    size_t count = 0;
    for (const struct command *command = command_table; command->name != NULL; command++)
        names[count++] = command->name;
    return names;
}
