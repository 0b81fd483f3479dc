/*
 * The parent's answers about secrets: what the worker asks for with REQUEST "secret", "redact",
 * "seal" and "unseal" (services/secret.h). Values are fetched once a process, kept in locked memory
 * and redacted everywhere from then on.
 *
 * Sealed secrets outlive the step in <run>/sealed/NAME, each encrypted (XSalsa20-Poly1305) with the
 * run's own key in <run>/sealed/key; without the key, which goes when the run is closed, they are
 * noise.
 */
#ifndef SALVOR_HOST_SECRETS_H
#define SALVOR_HOST_SECRETS_H

#include <jansson.h>

#include "base/error.h"

struct secrets;

/* `references`: option name -> reference text (site.secrets; borrowed, copied). `run_folder`: NULL
 * when nothing can be sealed (commands that only look). */
struct secrets *secrets_new(const json_t *references, const char *run_folder);
void secrets_free(struct secrets *secrets);

/* Fetches those that a person is asked for, now: while a step waits for an answer its deadline
 * would pass. */
int secrets_ask_person(struct secrets *secrets, struct error *reterr);

/*
 * Answers a REQUEST body. 1: *ret_reply holds the reply's members, owned by the caller; 0: the
 * request is about something else; -1: *reterr is for the worker. Never journal bodies or replies
 * of these: they hold values.
 */
int secrets_answer(struct secrets *secrets, const json_t *request, json_t **ret_reply,
                   struct error *reterr);

/* Destroys the run's key, then all that was sealed with it. For closing the run. */
int secrets_destroy_sealed(const char *run_folder, struct error *reterr);

#endif
