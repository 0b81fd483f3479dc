/* What --from names: latest, SET, PATH, URL or RUN; what is elsewhere is brought here, proven. */
#ifndef SALVOR_CLI_SOURCE_FINDER_H
#define SALVOR_CLI_SOURCE_FINDER_H

#include "backup/backup-source.h"
#include "base/error.h"
#include "cli/arguments.h"

/*
 * `what` of provider `arguments->provider` (which must be known), in this order: a URL
 * (s3://STORE/PROVIDER/SET, s3://STORE/KEY for what salvor never made), a path (anything with a
 * slash), "latest" or a set of the store, a path that exists, a backup run of this machine.
 */
int source_find(const struct arguments *arguments, const char *what,
                struct backup_source **ret_source, struct error *reterr);

/* Folder of copies of sets of that store; owned by the caller. */
char *source_copies_folder(const struct arguments *arguments, const char *store);

#endif
