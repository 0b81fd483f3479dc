/* What a survey of an archive means: findings. Each file judges one matter. */
#ifndef SALVOR_RANCHER_JUDGE_H
#define SALVOR_RANCHER_JUDGE_H

#include "archive-survey.h"
#include "target.h"

/* File name, header, damage, resource set, and what the archive holds. */
salvor_status judge_file(salvor_call *call, const struct archive_survey *survey);

/* Findings counted per member, and secrets in clear text. config may be NULL. */
salvor_status judge_secrets(salvor_call *call, struct archive_survey *survey,
                            const struct encryption_config *config);

/* Owners, namespaces, definitions, references. Reads the archive again when an object is to be
 * named. target NULL: offline. */
salvor_status judge_relations(salvor_call *call, struct archive_survey *survey,
                              const struct encryption_config *config, const struct target *target);

/* Versions of the source, and of the target, which may be named by options where it is not there.
 */
salvor_status judge_versions(salvor_call *call, const struct archive_survey *survey,
                             const struct target *target);

/* Whether the archive is of this cluster and this Rancher, and which path that leads to. */
salvor_status judge_target(salvor_call *call, const struct archive_survey *survey,
                           const struct target *target);

#endif
