#include "cli/target.h"

#include "base/banned.h"
#include "base/text.h"
#include "cli/arguments-memory.h"

int target_find(struct arguments *arguments, plugin_finder find, struct error *reterr)
{
    struct arguments_memory *memory = arguments->memory;
    if (arguments->command->need != NEED_PROVIDER)
        return 0;
    if (memory->given_provider == NULL) {
        error_set(reterr, EXIT_USAGE, "'%s' needs a provider", arguments->command->name);
        return error_hint(reterr, "give --provider NAME, or --site NAME of the configuration");
    }
    arguments->provider = memory->given_provider;
    if (find(memory->given_provider, arguments->plugin_folders, &memory->plugin, reterr) != 0)
        return -1;
    arguments->plugin = memory->plugin;
    return 0;
}
