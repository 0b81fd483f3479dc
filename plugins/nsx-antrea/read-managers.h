/* The managers' side of a picture (picture.h), read in lists: facts 1.4 to 1.7, 1.11, 1.12. */
#ifndef NSX_ANTREA_READ_MANAGERS_H
#define NSX_ANTREA_READ_MANAGERS_H

#include <jansson.h>

#include "manager.h"

/* Where a Local Manager keeps its cluster control planes. */
#define CONTROL_PLANES "/infra/sites/default/enforcement-points/default/cluster-control-planes"
#define POLICY_TREE "/policy/api/v1"
#define TRUST_TREE "/api/v1/trust-management"

/*
 * Everything of "managers" but the counts; with `count_inventory` also those ("counts" of each
 * inventory entry: five small requests a cluster). The caller owns *ret_managers.
 */
salvor_status read_managers(struct manager *manager, int count_inventory, json_t **ret_managers);

/* Version of the product, "4.2.1.0". */
salvor_status read_version(struct manager *manager, json_t **ret_version);

/* {"status", "backup_timestamp", "end_time", "id"} of the newest restore. */
salvor_status read_restore(struct manager *manager, json_t **ret_restore);

#endif
