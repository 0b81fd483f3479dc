/*
 * Where an object stands in an archive: "<plural>.<group>#<version>/[<namespace>/]<name>.json",
 * with an empty group for the core ("secrets.#v1/..."). The rules are those of the operator's
 * reader.
 */
#ifndef SALVOR_RANCHER_MEMBER_PATH_H
#define SALVOR_RANCHER_MEMBER_PATH_H

#include <salvor/text.h>
#include <salvor/types.h>

#define FILTERS_FOLDER "filters"
#define FILTERS_MEMBER "filters/filters.json"
#define STATUS_TYPES_MEMBER "filters/statussubresource.json" /* archives of release 1 */

#define OBJECT_NAME_LIMIT 250u /* bytes; a longer name fails the operator's own backup */

enum member_role {
    MEMBER_OBJECT,
    MEMBER_RESOURCE_SET, /* FILTERS_MEMBER */
    MEMBER_ASIDE,        /* anything else in "filters/": nobody restores it */
    MEMBER_ODD           /* no path that the operator writes; its reader crashes or misreads it */
};

struct member_path {
    struct salvor_span type; /* "<plural>.<group>#<version>" */
    struct salvor_span resource;
    struct salvor_span group;
    struct salvor_span version;
    struct salvor_span ns; /* size 0: cluster scope */
    struct salvor_span name;
};

/* Reads the path of a file. *ret_path is set for MEMBER_OBJECT; *ret_problem (constant text) for
 * MEMBER_ODD. The spans point into `path`. */
enum member_role member_path_read(const char *path, struct member_path *ret_path,
                                  const char **ret_problem);

/* 1: the operator takes it for a file of its own, since "filters" is part of the path, and neither
 * restores nor keeps the object. */
int member_is_hidden(const char *path);

/* 1: the operator reads it as the resource set, in place of the real one. */
int member_replaces_resource_set(const char *path);

/* Writes the path of an object. ns NULL or "": cluster scope. */
void member_path_write(struct salvor_text *out, const char *resource, const char *group,
                       const char *version, const char *ns, const char *name);

#endif
