/* YAML documents as JSON values: kubeconfigs, and the configuration that a ConfigMap holds. */
#ifndef SIM_ANTREA_YAML_JSON_H
#define SIM_ANTREA_YAML_JSON_H

#include <jansson.h>
#include <stddef.h>

/* The first document, new; scalars are strings. NULL when it cannot be read. */
json_t *yaml_json_read(const char *text, size_t size);

#endif
