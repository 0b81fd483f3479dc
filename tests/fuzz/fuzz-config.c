/*
 * Any bytes as salvor.yaml, with the options of its sites checked against a fixed table: the first
 * line of the input is taken as value of every option too, so that the value parsers are reached
 * without guessing YAML.
 */
#include <salvor/plugin.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "config/config.h"
#include "config/site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *choices[] = {"native", "operator", NULL};

static struct plugin_option options[] = {
    {.name = "a", .type = SALVOR_OPTION_STRING},
    {.name = "b", .type = SALVOR_OPTION_INTEGER},
    {.name = "c", .type = SALVOR_OPTION_BOOLEAN},
    {.name = "d", .type = SALVOR_OPTION_DURATION},
    {.name = "e", .type = SALVOR_OPTION_SIZE},
    {.name = "f", .type = SALVOR_OPTION_PATH},
    {.name = "g", .type = SALVOR_OPTION_URL},
    {.name = "h", .type = SALVOR_OPTION_CHOICE, .choices = choices, .default_value = "native"},
    {.name = "i", .type = SALVOR_OPTION_LIST},
    {.name = "j", .type = SALVOR_OPTION_STRING, .secret = 1},
    {.name = "k", .type = SALVOR_OPTION_STRING, .required = 1, .commands = SALVOR_ON_ALL},
};

static const struct plugin_info info = {
    .name = "fuzz", .options = options, .option_count = sizeof options / sizeof options[0]};

static void try_site(const char *name, const json_t *given, const json_t *origins)
{
    cleanup_problems struct problems problems = PROBLEMS_INIT;
    struct site *site = NULL;
    if (site_check(name, &info, given, origins, SALVOR_ON_ALL, &site, &problems) == 0) {
        /* what is accepted must be able to go into the OPEN frame */
        cleanup_free char *text = json_canonical(site->options);
        if (text == NULL)
            abort();
    } else if (problems.count == 0) {
        abort(); /* refused without saying why */
    }
    site_free(site);
}

static void try_values(const char *data, size_t size)
{
    const char *end = memchr(data, '\n', size);
    cleanup_free char *line = text_copy_span(data, end != NULL ? (size_t)(end - data) : size);
    cleanup_json json_t *given = json_object();
    for (size_t i = 0; i < info.option_count; i++) {
        json_t *text = json_string(line);
        if (text == NULL)
            return;
        json_put(given, options[i].name, text);
    }
    try_site("values", given, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = NULL;
    cleanup_problems struct problems problems = PROBLEMS_INIT;
    if (config_parse((const char *)data, size, "fuzz.yaml", &config, &problems) != 0) {
        if (problems.count == 0)
            abort();
    } else {
        const char *const *sites = config_sites(config);
        for (size_t i = 0; sites[i] != NULL; i++) {
            cleanup_json json_t *given = NULL;
            cleanup_json json_t *origins = NULL;
            if (config_site_provider(config, sites[i]) == NULL)
                abort();
            config_site_options(config, sites[i], &info, &given, &origins);
            try_site(sites[i], given, origins);
        }
        config_free(config);
    }
    try_values((const char *)data, size);
    return 0;
}
