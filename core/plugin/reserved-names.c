#include "plugin/reserved-names.h"

#include <stddef.h>

#include "base/banned.h"
#include "base/text.h"

/* Also names that are not flags yet but would be wanted: a plugin that has taken one could not be
 * told apart from a later salvor. */
const char *const reserved_names[] = {"accept-plugin-change",
                                      "all",
                                      "approve",
                                      "color",
                                      "config",
                                      "debug",
                                      "drill-every",
                                      "dry-run",
                                      "encrypt",
                                      "force",
                                      "from",
                                      "help",
                                      "identity",
                                      "inject",
                                      "interactive",
                                      "into",
                                      "keep-for",
                                      "keep-last",
                                      "lock",
                                      "lock-context",
                                      "lock-kubeconfig",
                                      "lock-name",
                                      "lock-namespace",
                                      "log-format",
                                      "log-level",
                                      "manual",
                                      "no-color",
                                      "no-post-resync",
                                      "no-progress",
                                      "output",
                                      "path",
                                      "plan-hash",
                                      "plugin-dir",
                                      "policy",
                                      "post-resync",
                                      "practice",
                                      "progress",
                                      "provider",
                                      "quiet",
                                      "read-data",
                                      "reason",
                                      "recipient",
                                      "recipients",
                                      "record",
                                      "replay",
                                      "run",
                                      "set",
                                      "settle",
                                      "site",
                                      "stage",
                                      "state-dir",
                                      "step",
                                      "store",
                                      "timeout",
                                      "verbose",
                                      "verify",
                                      "version",
                                      "wait",
                                      "waive",
                                      "without-secrets",
                                      "yes",
                                      NULL};

int name_is_reserved(const char *name)
{
    const char *bare = text_starts(name, "no-") ? name + 3 : name;
    for (const char *const *reserved = reserved_names; *reserved != NULL; reserved++) {
        if (text_equal(*reserved, name) || text_equal(*reserved, bare))
            return 1;
    }
    return 0;
}
