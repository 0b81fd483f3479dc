#include "config/config-table.h"

#include <string.h>

#include "base/banned.h"

const char *const config_root_keys[] = {"sites", "stores", "defaults", "limits", NULL};
/* How backups are kept: of a site, else of its store, else of the defaults. */
#define KEEPING                                                                           \
    {.name = "recipients",                                                                \
     .kind = MEMBER_RECIPIENTS,                                                           \
     .help = "public keys that artifacts are encrypted to"},                              \
        {.name = "encrypt",                                                               \
         .kind = MEMBER_CHOICE,                                                           \
         .choices = "sensitive all",                                                      \
         .help = "what is encrypted: sensitive artifacts (the default) or all"},          \
        {.name = "identity",                                                              \
         .kind = MEMBER_SECRETS,                                                          \
         .help = "private keys that open encrypted artifacts, on machines that restore"}, \
        {.name = "keep-last",                                                             \
         .kind = MEMBER_COUNT,                                                            \
         .help = "`salvor backups prune` keeps this many sets of each site"},             \
    {                                                                                     \
        .name = "keep-for", .kind = MEMBER_DURATION,                                      \
        .help = "`salvor backups prune` keeps sets that are younger"                      \
    }

const struct config_member config_site_members[] = {
    {.name = "provider", .kind = MEMBER_TEXT, .help = "provider plugin of the site"},
    {.name = "store", .kind = MEMBER_TEXT, .help = "store for its backup sets"},
    {.name = "practice",
     .kind = MEMBER_FLAG,
     .help = "true: made for practice, `drill` runs a whole restore on it"},
    {.name = "drill-every",
     .kind = MEMBER_DURATION,
     .help = "warn when the last drill of the site is older: 90d"},
    {.name = "lock-kubeconfig",
     .kind = MEMBER_FILE,
     .help = "kubeconfig of the cluster that keeps the lease of the site, so that no two machines "
             "work on it at once; never one that a restore of the site sets back"},
    {.name = "lock-context", .kind = MEMBER_TEXT, .help = "context of that kubeconfig"},
    {.name = "lock-namespace", .kind = MEMBER_TEXT, .help = "namespace of the lease; kube-system"},
    {.name = "lock-name", .kind = MEMBER_TEXT, .help = "name of the lease; salvor"},
    KEEPING,
    {.name = NULL},
};

const struct config_member config_store_members[] = {
    {.name = "type",
     .kind = MEMBER_CHOICE,
     .choices = "folder s3",
     .help = "kind of store: folder (the default) or s3"},
    {.name = "path",
     .kind = MEMBER_FOLDER,
     .only = "folder",
     .required = 1,
     .help = "folder that holds the backup sets"},
    {.name = "endpoint",
     .kind = MEMBER_SERVER,
     .only = "s3",
     .required = 1,
     .help = "server of the bucket: https://HOST[:PORT], or http:// where nothing is secret"},
    {.name = "bucket", .kind = MEMBER_TEXT, .only = "s3", .required = 1, .help = "bucket"},
    {.name = "prefix",
     .kind = MEMBER_TEXT,
     .only = "s3",
     .help = "what the keys of all objects begin with: `clusters/salvor`"},
    {.name = "region",
     .kind = MEMBER_TEXT,
     .only = "s3",
     .help = "region that requests are signed for, as the server names it; us-east-1"},
    {.name = "addressing",
     .kind = MEMBER_CHOICE,
     .choices = "path virtual",
     .only = "s3",
     .help = "where the bucket stands: in the path (the default) or before the host name"},
    {.name = "access-key",
     .kind = MEMBER_SECRET,
     .only = "s3",
     .required = 1,
     .help = "access key"},
    {.name = "secret-key",
     .kind = MEMBER_SECRET,
     .only = "s3",
     .required = 1,
     .help = "secret key"},
    {.name = "session-token",
     .kind = MEMBER_SECRET,
     .only = "s3",
     .help = "session token of temporary credentials"},
    {.name = "ca-file",
     .kind = MEMBER_FILE,
     .only = "s3",
     .help = "authorities (PEM) that the server's certificate is checked against"},
    {.name = "pin-sha256",
     .kind = MEMBER_TEXT,
     .only = "s3",
     .help = "SHA-256 of the server's certificate, which alone is then accepted"},
    {.name = "proxy",
     .kind = MEMBER_TEXT,
     .only = "s3",
     .help = "proxy to the server; without it that of the environment"},
    {.name = "insecure-skip-verify",
     .kind = MEMBER_FLAG,
     .only = "s3",
     .help = "take any certificate; every report says so"},
    KEEPING,
    {.name = NULL},
};

const struct config_member config_default_members[] = {
    {.name = "site",
     .kind = MEMBER_TEXT,
     .help = "site when neither --site nor --provider is given"},
    {.name = "store", .kind = MEMBER_TEXT, .help = "store of sites that name none"},
    {.name = "state-dir",
     .kind = MEMBER_FOLDER,
     .help = "folder of runs, locks and the default store"},
    {.name = "plugin-dirs",
     .kind = MEMBER_FOLDERS,
     .help = "folders to search plugins in, after those of --plugin-dir"},
    {.name = "timeout",
     .kind = MEMBER_DURATION,
     .help = "longest time for a command, as --timeout"},
    {.name = "drill-every",
     .kind = MEMBER_DURATION,
     .help = "the same for sites that do not say it themselves"},
    KEEPING,
    {.name = NULL},
};

const struct config_member config_limit_members[] = {
    {.name = "worker-memory",
     .kind = MEMBER_SIZE,
     .help = "most address space of the process that a plugin runs in, at least 64MiB"},
    {.name = "worker-cpu",
     .kind = MEMBER_DURATION,
     .help = "most processor time of one call of a plugin, at least 1s"},
    {.name = NULL},
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
