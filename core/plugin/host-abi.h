/* What this build of salvor offers to plugins, for negotiate(). */
#ifndef SALVOR_PLUGIN_HOST_ABI_H
#define SALVOR_PLUGIN_HOST_ABI_H

#include "plugin/negotiate.h"

/* `interfaces` is borrowed; the parent, which runs no plugin, knows none. */
struct negotiate_host host_abi(const struct interface_version *interfaces, size_t count);

/* Reads "MAJOR.MINOR" of a descriptor's JSON; -1 on any other text. */
int abi_parse(const char *text, uint16_t *ret_major, uint16_t *ret_minor);

#endif
