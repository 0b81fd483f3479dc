/*
 * What an answer of the managers means (facts 1.2): the table of HTTP statuses and error codes,
 * read from the top code and every related one, from bodies that may be no JSON at all.
 */
#ifndef NSX_ANTREA_ANSWER_H
#define NSX_ANTREA_ANSWER_H

#include <jansson.h>
#include <salvor/types.h>

enum answer_kind {
    ANSWER_DONE,   /* 200, 201, 202, 204 */
    ANSWER_ABSENT, /* 404: on DELETE the same as done */
    ANSWER_STALE,  /* revision or state changed: read again and decide anew */
    ANSWER_OWNED,  /* owned by another principal: needs X-Allow-Overwrite, if the plan allows it */
    ANSWER_REFERENCED, /* has children or users: never forced */
    ANSWER_PURGING,    /* the same name is marked for deletion: later */
    ANSWER_BUSY,       /* rate, concurrency or restart: the retry rule's */
    ANSWER_LOGIN,      /* credentials, token or locked account: never tried again by itself */
    ANSWER_LICENCE,    /* the feature is not licensed */
    ANSWER_NO_INDEX,   /* search cannot be used now */
    ANSWER_DUPLICATE,  /* name, node id or certificate exists already */
    ANSWER_ELSEWHERE,  /* redirected to another node */
    ANSWER_STRANGE,    /* a success without the JSON that it should have had */
    ANSWER_FAILED      /* anything else */
};

struct answer {
    enum answer_kind kind;
    int64_t code;       /* error_code, 0 when the body had none */
    char message[400];  /* error_message, or the beginning of a body that is no JSON */
    json_t *references; /* ANSWER_REFERENCED: paths of the users; else NULL; owned, answer_clear */
};

/* `status`: HTTP. `body`: as it came. Never fails: what cannot be read is ANSWER_FAILED. */
void answer_read(int status, struct salvor_span body, struct answer *ret);
void answer_clear(struct answer *answer);

/* "is owned by another principal" ... */
const char *answer_words(enum answer_kind kind);

/* Status of a hook for it: RETRY for what passes by itself, REFUSED for a guard, NOT_FOUND, else
 * FAILED. */
salvor_status answer_status(enum answer_kind kind);

#endif
