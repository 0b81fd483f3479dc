/* Sets for tests: three artifacts, one of them encrypted. */
#ifndef SALVOR_TESTS_SAMPLE_SETS_H
#define SALVOR_TESTS_SAMPLE_SETS_H

#include "seal/identity.h"

#define SECRET_TEXT "canary-of-the-vault"

struct samples {
    char *folder;              /* of the test, removed with it */
    char *here;                /* store folder in which sets are made */
    char *there;               /* another one */
    struct identity *identity; /* opens what is encrypted */
    unsigned char recipient[1][SEAL_KEY_SIZE];
};

/* setup and teardown of cmocka with a struct samples as state. */
int samples_setup(void **state);
int samples_teardown(void **state);

/* Makes the complete set `name` of provider "p"; its folder, owned by the caller. */
char *samples_make(const struct samples *samples, const char *name, const char *site);

/* All bytes of all files below, as one text of names and digests; owned by the caller. */
char *samples_content(const char *folder);

#endif
