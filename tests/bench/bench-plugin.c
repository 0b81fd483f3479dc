/* A plugin of ordinary size for listing: NAME is set by the compiler's command line. */
#include <salvor/plugin.h>

static salvor_status discover(salvor_call *call)
{
    (void)call;
    return SALVOR_OK;
}

#define TEXT_OPTION(option_name)                                                               \
    {                                                                                          \
        option_name, "VALUE", (const char *)0, "what a plugin needs to know", (const char *)0, \
            "0.1", SALVOR_OPTION_STRING, 0, SALVOR_ON_ALL, 0                                   \
    }

static const struct salvor_option options[] = {
    TEXT_OPTION("option-a"), TEXT_OPTION("option-b"), TEXT_OPTION("option-c"),
    TEXT_OPTION("option-d"), TEXT_OPTION("option-e"), TEXT_OPTION("option-f"),
    TEXT_OPTION("option-g"), TEXT_OPTION("option-h"),
};

static const struct salvor_hooks hooks = {.struct_size = sizeof(struct salvor_hooks),
                                          .discover = discover};

static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD,
    .name = NAME,
    .version = "1.0",
    .summary = "a plugin to be listed",
    .maintainer = "Nobody <nobody@example.com>",
    .license = "Apache-2.0",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_size = sizeof options[0],
    .hooks = &hooks,
};

SALVOR_REGISTER_PLUGIN(plugin)
