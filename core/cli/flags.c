#include "cli/flags.h"

#include <string.h>

#include "base/banned.h"
#include "base/text.h"

#define EVERYWHERE 0xffffffffu
#define PLANNING                                                                       \
    (ON(COMMAND_BACKUP) | ON(COMMAND_PLAN) | ON(COMMAND_RESTORE) | ON(COMMAND_DRILL) | \
     ON(COMMAND_POST_RESYNC))
#define RUNNING                                                                               \
    (ON(COMMAND_BACKUP) | ON(COMMAND_RESTORE) | ON(COMMAND_DRILL) | ON(COMMAND_POST_RESYNC) | \
     ON(COMMAND_RESUME))
#define ABOUT_A_SITE (ON(COMMAND_DISCOVER) | ON(COMMAND_VALIDATE) | ON(COMMAND_BACKUPS) | PLANNING)
#define ABOUT_A_BACKUP                                                                      \
    (ON(COMMAND_DISCOVER) | ON(COMMAND_VALIDATE) | ON(COMMAND_PLAN) | ON(COMMAND_RESTORE) | \
     ON(COMMAND_DRILL) | ON(COMMAND_POST_RESYNC))

/* Reads like a row; the order of the members is the compiler's business. */
#define FLAG(flag_id, flag_name, flag_letter, flag_value_name, flag_kind, many, mask, text)     \
    {                                                                                           \
        .name = (flag_name), .value_name = (flag_value_name), .help = (text), .id = (flag_id),  \
        .value = (flag_kind), .repeatable = (many), .commands = (mask), .letter = (flag_letter) \
    }

const struct flag flag_table[] = {
    FLAG(FLAG_PROVIDER, "provider", 0, "NAME", VALUE_PROVIDER, 0, EVERYWHERE,
         "provider plugin; without --site the options given are the whole site"),
    FLAG(FLAG_SITE, "site", 0, "NAME", VALUE_SITE, 0, ABOUT_A_SITE | ON(COMMAND_RESUME),
         "site of the configuration to work on"),
    FLAG(FLAG_SET, "set", 0, "KEY=VALUE", VALUE_OPTION, 1, ABOUT_A_SITE | ON(COMMAND_RESUME),
         "give an option of the provider"),
    FLAG(FLAG_FROM, "from", 0, "SOURCE", VALUE_SOURCE, 0, ABOUT_A_BACKUP,
         "backup to use: latest, SET, PATH, URL or RUN"),
    FLAG(FLAG_INTO, "into", 0, "SITE", VALUE_SITE, 0, ON(COMMAND_DRILL),
         "site marked for practice that the backup is restored on"),
    FLAG(FLAG_PATH, "path", 0, "PROCEDURE", VALUE_PROCEDURE, 0, PLANNING | ON(COMMAND_VALIDATE),
         "take this procedure instead of choosing from evidence"),
    FLAG(FLAG_STORE, "store", 0, "NAME", VALUE_STORE, 0, ABOUT_A_SITE,
         "store of the configuration that holds the backup sets"),
    {.name = "dry-run",
     .help = "plan only, change nothing",
     .id = FLAG_DRY_RUN,
     .value = VALUE_NONE,
     .commands = PLANNING | ON(COMMAND_BACKUPS),
     .actions = "prune"},
    FLAG(FLAG_RECIPIENT, "recipient", 0, "KEY", VALUE_TEXT, 1,
         ON(COMMAND_BACKUP) | ON(COMMAND_RESUME),
         "public key that artifacts are encrypted to, instead of those of the configuration"),
    FLAG(FLAG_WITHOUT_SECRETS, "without-secrets", 0, NULL, VALUE_NONE, 0,
         ON(COMMAND_BACKUP) | ON(COMMAND_RESUME),
         "leave sensitive artifacts out; the set says so ever after"),
    {.name = "identity",
     .value_name = "REFERENCE",
     .help = "private key that opens encrypted artifacts: file:PATH, env:NAME or exec:COMMAND",
     .id = FLAG_IDENTITY,
     .value = VALUE_REFERENCE,
     .repeatable = 1,
     .commands = ABOUT_A_BACKUP | ON(COMMAND_BACKUPS),
     .actions = "verify export"},
    {.name = "read-data",
     .help = "decrypt what is encrypted, too, to its proven end",
     .id = FLAG_READ_DATA,
     .value = VALUE_NONE,
     .commands = ON(COMMAND_BACKUPS),
     .actions = "verify"},
    {.name = "keep-last",
     .value_name = "NUMBER",
     .help = "keep this many sets of each site",
     .id = FLAG_KEEP_LAST,
     .value = VALUE_TEXT,
     .commands = ON(COMMAND_BACKUPS),
     .actions = "prune"},
    {.name = "keep-for",
     .value_name = "DURATION",
     .help = "keep sets that are younger",
     .id = FLAG_KEEP_FOR,
     .value = VALUE_TEXT,
     .commands = ON(COMMAND_BACKUPS),
     .actions = "prune"},
    FLAG(FLAG_APPROVE, "approve", 0, "HASH", VALUE_TEXT, 1, RUNNING,
         "approve the plan with this hash"),
    FLAG(FLAG_POLICY, "policy", 0, "FILE", VALUE_FILE, 0, RUNNING,
         "approve what this policy file allows"),
    FLAG(FLAG_YES, "yes", 'y', NULL, VALUE_NONE, 0, RUNNING,
         "approve without asking; irreversible steps are asked for all the same"),
    FLAG(FLAG_MANUAL, "manual", 0, "STEP", VALUE_ROW, 1, PLANNING | ON(COMMAND_RESUME),
         "do this step by hand, salvor checks that it was done; with resume it counts for stages "
         "not approved yet, and 'none' takes it back"),
    FLAG(FLAG_WAIVE, "waive", 0, "FINDING", VALUE_FINDING, 1, PLANNING | ON(COMMAND_VALIDATE),
         "lower this blocker for one run; needs --reason"),
    FLAG(FLAG_SETTLE, "settle", 0, "STEP=done|not-done", VALUE_TEXT, 1, ON(COMMAND_RESUME),
         "say whether a step with unknown outcome took effect"),
    FLAG(FLAG_REASON, "reason", 0, "TEXT", VALUE_TEXT, 1,
         PLANNING | ON(COMMAND_VALIDATE) | ON(COMMAND_RESUME),
         "reason for the --waive, --settle or --path before it"),
    FLAG(FLAG_WAIT, "wait", 0, NULL, VALUE_NONE, 0, RUNNING,
         "keep looking until a person has done a step by hand, ask nothing; --no-wait: end with "
         "status 4"),
    FLAG(FLAG_TIMEOUT, "timeout", 0, "DURATION", VALUE_TEXT, 0,
         RUNNING | ON(COMMAND_DISCOVER) | ON(COMMAND_VALIDATE) | ON(COMMAND_PLAN),
         "longest time for all of it: 30s, 10m, 2h"),
    FLAG(FLAG_ACCEPT_PLUGIN_CHANGE, "accept-plugin-change", 0, NULL, VALUE_NONE, 0,
         ON(COMMAND_RESUME), "go on although another build of the plugin is installed"),
    FLAG(FLAG_NO_POST_RESYNC, "no-post-resync", 0, NULL, VALUE_NONE, 0,
         ON(COMMAND_PLAN) | ON(COMMAND_RESTORE) | ON(COMMAND_DRILL),
         "stop after the restore itself"),
    FLAG(FLAG_VERIFY, "verify", 0, NULL, VALUE_NONE, 0, ON(COMMAND_REPORT),
         "prove first that the journal is complete and unchanged"),
    FLAG(FLAG_RECORD, "record", 0, "FOLDER", VALUE_FOLDER, 0, ABOUT_A_SITE | ON(COMMAND_RESUME),
         "record what the outside answers"),
    FLAG(FLAG_REPLAY, "replay", 0, "FOLDER", VALUE_FOLDER, 0, ABOUT_A_SITE | ON(COMMAND_RESUME),
         "answer from a recording instead of the outside"),
    FLAG(FLAG_OUTPUT, "output", 'o', "FORMAT", VALUE_FORMAT, 0, EVERYWHERE,
         "format of what goes to standard output"),
    FLAG(FLAG_CONFIG, "config", 0, "FILE", VALUE_FILE, 0, EVERYWHERE, "configuration file"),
    FLAG(FLAG_STATE_DIR, "state-dir", 0, "FOLDER", VALUE_FOLDER, 0, EVERYWHERE,
         "folder of runs, locks and the default store"),
    FLAG(FLAG_PLUGIN_DIR, "plugin-dir", 0, "FOLDER", VALUE_FOLDER, 1, EVERYWHERE,
         "search plugins here first"),
    FLAG(FLAG_LOG_FORMAT, "log-format", 0, "text|json", VALUE_LOG_FORMAT, 0, EVERYWHERE,
         "format of messages on standard error"),
    FLAG(FLAG_VERBOSE, "verbose", 'v', NULL, VALUE_NONE, 1, EVERYWHERE,
         "say more; twice: debug messages of plugins too"),
    FLAG(FLAG_QUIET, "quiet", 'q', NULL, VALUE_NONE, 0, EVERYWHERE, "say only what went wrong"),
    FLAG(FLAG_HELP, "help", 'h', NULL, VALUE_NONE, 0, EVERYWHERE, "show help"),
    FLAG(FLAG_VERSION, "version", 0, NULL, VALUE_NONE, 0, EVERYWHERE, "show the version"),
    {.name = NULL},
};

int flag_has_action(const struct flag *flag, const struct command *command, const char *action)
{
    if (flag->actions == NULL || command == NULL || command->actions == NULL || action == NULL)
        return 1;
    size_t size = strlen(action);
    for (const char *at = flag->actions; *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word == size && strncmp(at, action, size) == 0)
            return 1;
        at += word + (at[word] == ' ');
    }
    return 0;
}

const struct flag *flag_find(const char *name)
{
    for (const struct flag *flag = flag_table; flag->name != NULL; flag++)
        if (strcmp(flag->name, name) == 0)
            return flag;
    return NULL;
}

const struct flag *flag_by_letter(char letter)
{
    for (const struct flag *flag = flag_table; flag->name != NULL; flag++)
        if (flag->letter != 0 && flag->letter == letter)
            return flag;
    return NULL;
}

const char *flag_option_by_letter(char letter)
{
    return letter == 'n' ? "namespace" : NULL;
}
