/* The entry of libsalvor-net.so: which tables it offers. The program knows their names without
 * opening it: core/worker/network.c has the same rows. */
#include "net/library.h"

#include <salvor/services.h>

#include "base/banned.h"
#include "net/batch.h"
#include "net/bridge.h"
#include "net/http.h"
#include "net/kube.h"
#include "net/lease-service.h"
#include "net/store-calls.h"

static const struct net_table *open_tables(const struct net_bridge *bridge)
{
    static struct net_table tables[] = {
        {SALVOR_BATCH, 0, &batch_table},
        {SALVOR_HTTP, 0, &http_table},
        {SALVOR_KUBE, 0, &kube_table},
        {NULL, 0, NULL},
    };
    bridge_set(bridge);
    service_commands_register(lease_commands);
    service_commands_register(store_commands);
    /* each table begins with its size and version */
    for (struct net_table *each = tables; each->name != NULL; each++)
        each->version = ((const uint32_t *)each->table)[1];
    return tables;
}

/* The name is NET_BORDER_SYMBOL. */
SALVOR_EXPORT const struct net_border salvor_net_border = {SALVOR_VERSION, NET_STAMP, open_tables,
                                                           &batch_access};
