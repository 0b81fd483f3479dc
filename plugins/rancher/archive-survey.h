/* One pass over an archive: what is in it, and what is wrong with its members. */
#ifndef SALVOR_RANCHER_ARCHIVE_SURVEY_H
#define SALVOR_RANCHER_ARCHIVE_SURVEY_H

#include "archive-name.h"
#include "archive-reader.h"
#include "definitions.h"
#include "object-index.h"
#include "object-reader.h"
#include "owner-graph.h"
#include "resource-set.h"
#include "tally.h"
#include "versions.h"

/* Findings about single members, counted while they pass. */
enum survey_tally {
    TALLY_ODD,
    TALLY_NO_OBJECT,
    TALLY_MISPLACED,
    TALLY_TWICE,
    TALLY_HIDDEN,
    TALLY_BIG_NUMBER,
    TALLY_LONG_NAME,
    TALLY_REPLACED_SET,
    TALLY_CLEAR_KEY,
    TALLY_LOCKED_KEY,
    TALLY_CLEAR_S3,
    TALLY_CLOSED,
    TALLY_NOT_OPENED,
    TALLY_KMS,
    TALLY_NO_SCHEMA,
    SURVEY_TALLIES
};

/* A Secret that an object names. */
struct secret_reference {
    char *ns;
    char *name;
    char *from; /* path of the object */
};

struct archive_survey {
    const char *artifact;
    struct archive_name name;
    int damaged; /* reading failed: what follows is incomplete */
    const char *problem;
    struct object_index *index;
    struct object_reader reader;
    struct definitions definitions;
    struct resource_set *set; /* NULL: none, or unreadable */
    int set_is_there;
    char set_problem[256];
    int old_format; /* of release 1 */
    uint64_t members;
    uint64_t bytes;
    uint64_t encrypted;
    uint64_t closed;        /* encrypted and not opened */
    uint64_t clear_secrets; /* Secrets and tokens */
    uint64_t builtin_roles;
    uint64_t left_out; /* deployments and registration Secrets that are never restored */
    uint64_t git_repos;
    uint64_t downstream; /* clusters other than 'local' */
    char provider[16];   /* of the first encrypted member, and its key */
    char key[256];
    struct version rancher;    /* of the source */
    struct version kubernetes; /* of the source */
    char server_url[512];
    char install_uuid[64];
    char local_provider[64];
    char local_driver[64];
    struct secret_reference *references;
    size_t reference_count;
    struct tally tallies[SURVEY_TALLIES];
};

/*
 * Reads all of the artifact. A damaged archive is no failure: survey->damaged says so. Failures are
 * those of the host and of memory (reported). config may be NULL.
 */
salvor_status archive_survey_make(salvor_call *call, const char *artifact,
                                  const struct encryption_config *config,
                                  struct archive_survey *ret_survey);
void archive_survey_clear(struct archive_survey *survey);

/* The object that a secret reference leads to, by number; OBJECT_NONE: not in the archive. */
uint32_t archive_survey_secret(const struct archive_survey *survey,
                               const struct secret_reference *reference);

/* 1: that namespace is in the archive. */
int archive_survey_has_namespace(const struct archive_survey *survey, const char *ns);

#endif
