/* One site ready to be worked on: provider, checked option values, secrets by reference. */
#ifndef SALVOR_CONFIG_SITE_H
#define SALVOR_CONFIG_SITE_H

#include <jansson.h>

#include "base/error.h"
#include "config/problems.h"
#include "plugin/plugin-info.h"

struct site {
    char *name; /* "default" without a configuration file */
    char *provider;
    json_t *options; /* name -> typed JSON, defaults applied, secret options absent */
    json_t *secrets; /* option name -> reference text */
    json_t *lock;    /* of config/lock-setting.h, or NULL */
};

/*
 * Types and checks raw option texts (`given`: name -> text, or array of texts for LIST; `origin`:
 * what to call the source in errors, or per option "salvor.yaml:12:5") against the plugin's table
 * for the commands in the mask `commands`. Unknown names get a nearest-name hint; missing required
 * ones are named together.
 */
int site_from_options(const char *name, const struct plugin_info *info, const json_t *given,
                      const json_t *origins, uint32_t commands, struct site **ret_site,
                      struct error *reterr);
/* The same with every mistake in `problems`; -1 when there is one. */
int site_check(const char *name, const struct plugin_info *info, const json_t *given,
               const json_t *origins, uint32_t commands, struct site **ret_site,
               struct problems *problems);

/* 1 when a required option of these commands is not given: what the error is about then. */
int site_lacks_options(const struct plugin_info *info, const json_t *given, uint32_t commands);

void site_free(struct site *site);

#endif
