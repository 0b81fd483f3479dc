#include "worker/interfaces.h"

#include "base/banned.h"
#include "base/text.h"
#include "plugin/negotiate.h"

/* Side by side, so that negotiation sees names and versions only. */
static struct interface_version *versions;
static const void **tables;
static size_t count;

static size_t lookup(const char *name)
{
    size_t i = 0;
    while (i < count && !text_equal(versions[i].name, name))
        i++;
    return i;
}

void interface_register(const char *name, uint32_t version, const void *table)
{
    const size_t at = lookup(name);
    if (at == count) {
        versions = memory_resize(versions, count + 1, sizeof *versions);
        tables = memory_resize(tables, count + 1, sizeof *tables);
        count++;
    }
    versions[at] = (struct interface_version){name, version};
    tables[at] = table;
}

const void *interface_find(const char *name, uint32_t min_version)
{
    const size_t at = lookup(name);
    return at < count && versions[at].version >= min_version ? tables[at] : NULL;
}

const struct interface_version *interface_versions(size_t *ret_count)
{
    *ret_count = count;
    return versions;
}

uint32_t interface_version(const char *name)
{
    const size_t at = lookup(name);
    return at < count ? versions[at].version : 0;
}
