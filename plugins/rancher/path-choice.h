/* Which way a restore goes: a pure function of what was seen. */
#ifndef SALVOR_RANCHER_PATH_CHOICE_H
#define SALVOR_RANCHER_PATH_CHOICE_H

enum restore_path { PATH_IN_PLACE, PATH_FRESH, PATH_MIGRATION, PATH_ROLLBACK, PATH_NONE };
#define RESTORE_PATHS 4u

enum same_cluster { CLUSTER_SAME, CLUSTER_OTHER, CLUSTER_UNKNOWN /* the file name does not say */ };

/* How Rancher on the target compares with Rancher of the archive. */
enum version_relation { VERSION_SAME, VERSION_NEWER_LIVE, VERSION_OLDER_LIVE, VERSION_UNKNOWN };

struct path_evidence {
    enum same_cluster cluster;
    int rancher_there; /* its Deployment exists */
    enum version_relation version;
};

struct path_choice {
    enum restore_path path;               /* PATH_NONE: none is documented */
    const char *reason;                   /* one line */
    const char *ruled_out[RESTORE_PATHS]; /* why not each of the others; NULL: it is the one */
};

struct path_choice path_choose(const struct path_evidence *evidence);

/* Why that path must not be taken with this evidence; NULL: it may. */
const char *path_objection(enum restore_path path, const struct path_evidence *evidence);

const char *path_name(enum restore_path path);    /* id of the procedure */
enum restore_path path_by_name(const char *name); /* PATH_NONE: no such */

#endif
