/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/helpers.h - all of libsalvor-plugin but for archives (salvor/archive.h).
 *
 * The library is static and compiled into the plugin: it is not part of the ABI, and each plugin
 * carries the version that it was built with.
 */
#ifndef SALVOR_HELPERS_H
#define SALVOR_HELPERS_H

#include <salvor/canonical.h>
#include <salvor/interfaces.h>
#include <salvor/json.h>
#include <salvor/memory.h>
#include <salvor/object.h>
#include <salvor/options.h>
#include <salvor/plugin.h>
#include <salvor/report.h>
#include <salvor/scan.h>
#include <salvor/steps.h>
#include <salvor/text.h>

#endif
