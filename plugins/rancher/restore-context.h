/* What the hooks and rows of a restore work with: the archive, its index and owners, the cluster.
 */
#ifndef SALVOR_RANCHER_RESTORE_CONTEXT_H
#define SALVOR_RANCHER_RESTORE_CONTEXT_H

#include <salvor/helpers.h>

#include "archive-survey.h"
#include "path-choice.h"
#include "site.h"
#include "source-archive.h"

struct restore_context {
    salvor_call *call;
    salvor_kube_client *client;
    char artifact[ARTIFACT_NAME_SIZE];
    struct encryption_config *config;
    struct archive_survey survey;
    struct owner_graph graph;
    int surveyed;
};

/* Opens the cluster (`bypass`: as cluster_open). */
salvor_status restore_context_open(salvor_call *call, int bypass, struct restore_context *ret);

/* Reads all of the archive to its proven end: before that nothing of it may be used. artifact NULL:
 * the source's. */
salvor_status restore_context_survey(struct restore_context *context, const char *artifact);
void restore_context_close(struct restore_context *context);

/* What was seen, for the choice of a path. */
struct path_evidence restore_evidence(const struct archive_survey *survey, const struct site *site);

/* "<procedure>-<row>" of a step or request. */
const char *restore_row(const char *procedure, const char *row, char buffer[96]);

#endif
