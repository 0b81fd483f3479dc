#include "worker/interfaces.h"

#include "base/banned.h"
#include "base/text.h"
#include "plugin/negotiate.h"

struct interface_table {
    const void *table; /* NULL: to be had from `open` */
    int (*open)(struct error *reterr);
};

/* Side by side, so that negotiation sees names and versions only. */
static struct interface_version *versions;
static struct interface_table *tables;
static size_t count;

static size_t lookup(const char *name)
{
    size_t i = 0;
    while (i < count && !text_equal(versions[i].name, name))
        i++;
    return i;
}

static void put(const char *name, uint32_t version, struct interface_table table)
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

void interface_register(const char *name, uint32_t version, const void *table)
{
    put(name, version, (struct interface_table){table, NULL});
}

void interface_register_later(const char *name, uint32_t version, int (*open)(struct error *reterr))
{
    put(name, version, (struct interface_table){NULL, open});
}

const void *interface_find(const char *name, uint32_t min_version, struct error *reterr)
{
    const size_t at = lookup(name);
    if (at == count || versions[at].version < min_version)
        return NULL;
    if (tables[at].table == NULL && tables[at].open(reterr) != 0)
        return NULL;
    return tables[at].table; /* `open` registered it */
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
