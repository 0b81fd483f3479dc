/*
 * salvor.yaml, read and checked: sites, stores, defaults. Options of a site are checked against the
 * table of its provider only when they are asked for, because reading a configuration needs no
 * plugin.
 */
#ifndef SALVOR_CONFIG_CONFIG_H
#define SALVOR_CONFIG_CONFIG_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "config/problems.h"
#include "plugin/plugin-info.h"

enum { CONFIG_SIZE_LIMIT = 1 << 20 };

struct config;

/* A text of the file (or a default) and where it stands. */
struct config_value {
    const char *text;
    const char *origin; /* "salvor.yaml:12:5" */
};

/*
 * Finds and reads the file: `path` (which must exist) or, with NULL, the first of
 * $XDG_CONFIG_HOME/salvor/salvor.yaml (~/.config without it) and /etc/salvor/salvor.yaml; neither:
 * an empty configuration. A file that others could change is refused, for it can name commands.
 * Several mistakes are one error (exit code 2).
 */
int config_load(const char *path, struct config **ret_config, struct error *reterr);

/* As config_load, with every problem in `problems`; -1 when there is one. */
int config_load_all(const char *path, struct config **ret_config, struct problems *problems);

/* Parses `size` bytes; `name` is what errors call them, and relative paths start at its folder. */
int config_parse(const char *text, size_t size, const char *name, struct config **ret_config,
                 struct problems *problems);

/* A configuration without a file. */
struct config *config_empty(void);
void config_free(struct config *config);

/* Path of the file, or NULL without one. */
const char *config_path(const struct config *config);

/* Names in the order of the file, ending with NULL; they belong to the configuration. */
const char *const *config_sites(const struct config *config);
const char *const *config_stores(const struct config *config);

/* 1 when there is such a site. */
int config_has_site(const struct config *config, const char *site);
/* A member of config_site_members as it is written; NULL when the site has none. */
const struct config_value *config_site_member(const struct config *config, const char *site,
                                              const char *name);
/* Of a site; NULL when it has none. */
const struct config_value *config_site_provider(const struct config *config, const char *site);
const struct config_value *config_site_store(const struct config *config, const char *site);

/* 1 when the site is marked for practice: a drill may change all of it. NULL is no such site. */
int config_site_is_practice(const struct config *config, const char *site);
/* How old its last drill may be, its own word or the default's; 0: nobody said. */
int64_t config_site_drill_every_ms(const struct config *config, const char *site);

/*
 * A store: {"name","type":"folder","path"} or {"name","type":"s3","endpoint","bucket",…} with the
 * members that config-table.c lists; paths are absolute, secrets are references. NULL when there is
 * no such store; owned by the caller.
 */
json_t *config_store(const struct config *config, const char *store);

/*
 * What a site (of config_site_members), a store, or with both NULL `defaults` gives, as typed JSON:
 * name -> text, number, boolean or array; owned by the caller. And one member as it was written
 * (text NULL: it is a list), or NULL.
 */
json_t *config_members(const struct config *config, const char *site, const char *store);
const struct config_value *config_written(const struct config *config, const char *site,
                                          const char *store, const char *member);

/*
 * How backups of a site in a store (either may be NULL) are kept: {"recipients":[…],"encrypt",
 * "identity":[references],"keep-last","keep-for" (ms)}, each from the site, else the store, else
 * the defaults; what nobody gives is absent. Owned by the caller.
 */
json_t *config_keeping(const struct config *config, const char *site, const char *store);

/* A member of `defaults` ("site", "store", "state-dir", "timeout"); paths are absolute. NULL when
 * it is not set. */
const struct config_value *config_default(const struct config *config, const char *name);
int64_t config_default_timeout_ms(const struct config *config); /* 0: none */
/* What a plugin's process may use: bytes of address space, milliseconds of processor time of one
 * call; 0: no limit. */
const struct config_value *config_limit(const struct config *config, const char *name);
int64_t config_worker_memory(const struct config *config);
int64_t config_worker_cpu_ms(const struct config *config);
/* Absolute, ending with NULL. */
const char *const *config_plugin_folders(const struct config *config);

/*
 * Options of a site as site_from_options takes them: name -> text or array of texts, and name ->
 * origin. `info` (may be NULL) tells which values are paths: they are made absolute from the
 * folder of the file. Owned by the caller.
 */
void config_site_options(const struct config *config, const char *site,
                         const struct plugin_info *info, json_t **ret_options,
                         json_t **ret_origins);

#endif
