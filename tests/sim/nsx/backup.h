/* Backups on the remote file server, which outlives the managers. */
#ifndef SIM_NSX_BACKUP_H
#define SIM_NSX_BACKUP_H

#include "internal.h"

/* Takes one at once, as if it had run; its timestamp. */
int64_t nsx_backup_take(struct sim_nsx *sim);

/* Index of the backup, or -1. `node_id` NULL: any; timestamp 0: the newest. */
int nsx_backup_find(const struct sim_nsx *sim, const char *node_id, int64_t timestamp_ms);

/* The digest of the passphrase that is configured; "" for none. New. */
char *nsx_backup_passphrase(const struct sim_nsx *sim);

void nsx_backups_drop_last(struct sim_nsx *sim);
void nsx_backups_clear(struct sim_nsx *sim);

#endif
