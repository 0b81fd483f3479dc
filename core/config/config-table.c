#include "config/config-table.h"

#include <string.h>

#include "base/banned.h"

const char *const config_root_keys[] = {"sites", "stores", "defaults", NULL};
const char *const config_store_keys[] = {"type", "path", NULL};

const struct config_member config_site_members[] = {
    {"provider", MEMBER_TEXT, "provider plugin of the site"},
    {"store", MEMBER_TEXT, "store for its backup sets"},
    {"practice", MEMBER_FLAG, "true: made for practice, `drill` runs a whole restore on it"},
    {"drill-every", MEMBER_DURATION, "warn when the last drill of the site is older: 90d"},
    {NULL, MEMBER_TEXT, NULL},
};

const struct config_member config_store_members[] = {
    {"type", MEMBER_TEXT, "kind of store: folder"},
    {"path", MEMBER_FOLDER, "folder that holds the backup sets"},
    {NULL, MEMBER_TEXT, NULL},
};

const struct config_member config_default_members[] = {
    {"site", MEMBER_TEXT, "site when neither --site nor --provider is given"},
    {"store", MEMBER_TEXT, "store of sites that name none"},
    {"state-dir", MEMBER_FOLDER, "folder of runs, locks and the default store"},
    {"plugin-dirs", MEMBER_FOLDERS, "folders to search plugins in, after those of --plugin-dir"},
    {"timeout", MEMBER_DURATION, "longest time for a command, as --timeout"},
    {"drill-every", MEMBER_DURATION, "the same for sites that do not say it themselves"},
    {NULL, MEMBER_TEXT, NULL},
};

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

int config_name_is_good(const char *name)
{
    size_t size = strlen(name);
    return size >= 1 && size <= 63 && strchr(LOWER UPPER DIGITS, name[0]) != NULL &&
           strspn(name, LOWER UPPER DIGITS "._-") == size;
}

int config_provider_is_good(const char *name)
{
    size_t size = strlen(name);
    return size >= 1 && size <= 32 && strchr(LOWER, name[0]) != NULL &&
           strspn(name, LOWER DIGITS "-") == size;
}
