/* A store that fails where a test wants it: the n-th operation, before or after it took effect. */
#ifndef SALVOR_TESTS_SHAKY_STORE_H
#define SALVOR_TESTS_SHAKY_STORE_H

#include "store/store.h"

/* `inner` is borrowed. Sets are not renamed into place, as in a bucket. */
struct store *shaky_store_new(struct store *inner);

/* The n-th operation from now on (from 1) fails; 0: none. `after`: it takes effect all the same. */
void shaky_store_fail_at(struct store *shaky, int n, int after);

/* Operations since then. */
int shaky_store_count(const struct store *shaky);

/* Flips this bit of what `key` gives from now on; NULL: no more. */
void shaky_store_flip(struct store *shaky, const char *key, int64_t bit);

#endif
