/* Files for the tests of the provider 'rancher': the operator's own archives, and made ones. */
#ifndef SALVOR_TESTS_RANCHER_FIXTURE_H
#define SALVOR_TESTS_RANCHER_FIXTURE_H

#include "../sdk/archives.h"

/* The file below the folder of fixtures that begins with that name ("release-11.0.1/plain-"); its
 * own name is copied to `name` (200 bytes) unless that is NULL. */
struct made fixture_load(const char *beginning, char *name);

/* An archive of these members, gzip with the operator's header. */
struct made fixture_archive(const struct made_member *members);

#endif
