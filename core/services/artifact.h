/*
 * Which artifacts a call can read, and what is known of them: those of the source, from OPEN, and
 * those that this run made. Beside each of the latter lies .meta/NAME.json with media type, size
 * and digest; it is written after the artifact has its name, so that without it there is none.
 */
#ifndef SALVOR_SERVICES_ARTIFACT_H
#define SALVOR_SERVICES_ARTIFACT_H

#include <jansson.h>
#include <stdint.h>

#include "base/digest.h"
#include "worker/call.h"

struct artifact {
    const char *origin;            /* "source" or "run" */
    const char *folder;            /* borrowed from the call's settings */
    char sha256[DIGEST_TEXT_SIZE]; /* of the stored bytes; "" when unknown */
    int64_t size;                  /* -1: unknown */
    int encrypted;                 /* as seal/seal.h has it */
    int maybe_encrypted;           /* of a bare source: look at the first bytes */
    int left_out;                  /* of this run, which was told to keep no secrets */
};

/* NOT_FOUND when there is none, REFUSED when the source was made without it, BUG for a name that no
 * artifact can have. */
salvor_status artifact_find(struct worker_call *call, const char *name, struct artifact *ret);

/* 1 when the source has it. */
int artifact_is_of_source(const struct worker_call *call, const char *name);

/* Everything that artifact_find finds: see stream.list; owned by the caller. */
salvor_status artifact_list(struct worker_call *call, json_t **ret_list);

/* What artifact_key_wrap made of its key, from the note of an artifact of the run; NULL: none.
 * Owned by the caller. */
char *artifact_note_key(const struct worker_call *call, const char *name);

/* The note beside an artifact of the run in `folder` (descriptor). */
int artifact_note_write(const char *folder, const char *name, const json_t *about,
                        struct error *reterr);
int artifact_note_remove(int folder, const char *name, struct error *reterr);

#endif
