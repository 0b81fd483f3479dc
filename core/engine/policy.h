/*
 * A bounded policy: what unattended runs may do without asking. It never covers irreversible steps.
 *
 *     provider: NAME            # required
 *     effect: destructive       # the most it covers: change or destructive; required
 *     procedures: [in-place]    # which; required
 *     targets: ["node-*"]       # shell patterns; every target must match one; required
 *     max-steps: 20             # in one stage; required
 *     max-objects: 500          # named by one stage; required with destructive
 */
#ifndef SALVOR_ENGINE_POLICY_H
#define SALVOR_ENGINE_POLICY_H

#include <jansson.h>

#include "base/digest.h"
#include "base/error.h"

/*
 * Reads and checks a policy file: exit code 2 when it cannot be read or is not well-formed.
 * *ret_policy is owned by the caller; `ret_sha256` is the digest of the file's bytes, for the
 * journal.
 */
int policy_load(const char *path, json_t **ret_policy, char ret_sha256[DIGEST_TEXT_SIZE],
                struct error *reterr);

/* The same from its parsed form; `path` is for messages. */
int policy_check(const json_t *policy, const char *path, struct error *reterr);

/* 1: the policy covers every step of the plan body. 0: it does not; *ret_why (owned by the caller)
 * names the first bound that is passed. */
int policy_covers(const json_t *policy, const json_t *body, char **ret_why);

#endif
