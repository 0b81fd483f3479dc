/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/types.h - numbers and handles that cross the plugin boundary.
 *
 * Only fixed-width integers, `const char *`, byte spans and opaque handles cross it; structured
 * data crosses as JSON text. All text is UTF-8 and NUL-terminated unless a span says its size.
 * Constants leave gaps, so that later ones keep their order. The MIT choice lets closed plugins use
 * this header.
 */
#ifndef SALVOR_TYPES_H
#define SALVOR_TYPES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- status codes --------------------------------------------------------------------------- */

/*
 * What a hook or a host function returns. Numbers are ABI, texts are not. A plugin that passes a
 * host function's failing status on unchanged keeps the error text that the host recorded with it.
 */
typedef uint32_t salvor_status;

#define SALVOR_OK 0u                /* done */
#define SALVOR_END 100u             /* iteration: no further item */
#define SALVOR_FULL 200u            /* batch: no room, take results with next() first */
#define SALVOR_PENDING 300u         /* not there yet; ask again */
#define SALVOR_UNSUPPORTED 1000u    /* not offered by this host, plugin or platform */
#define SALVOR_NOT_FOUND 1500u      /* the named thing does not exist */
#define SALVOR_REFUSED 2000u        /* a precondition, guard or effect limit forbids it */
#define SALVOR_RETRY 3000u          /* transient; the step row's retry rule decides */
#define SALVOR_TIMEOUT 3500u        /* a deadline passed; what was sent may have taken effect */
#define SALVOR_FAILED 4000u         /* failed for good */
#define SALVOR_NEEDS_OPERATOR 5000u /* a person must do or decide something first */
#define SALVOR_CANCELLED 6000u      /* the operator or a deadline asked to stop */
#define SALVOR_BUG 7000u            /* the caller broke the contract of these headers */

/* ---- effects -------------------------------------------------------------------------------- */

/*
 * The most that a step row may do to the outside. Host services open to the effect of the running
 * row and no further; hooks that only look (discover, validate, plan, check, observe) run as
 * SALVOR_EFFECT_DECLARED_READ.
 */
#define SALVOR_EFFECT_READ 1000u          /* enforced by the host: GET, HEAD, watch, dryRun=All */
#define SALVOR_EFFECT_DECLARED_READ 2000u /* also what the descriptor lists as a declared read */
#define SALVOR_EFFECT_CHANGE 3000u        /* changes that a later step or undo can reverse */
#define SALVOR_EFFECT_DESTRUCTIVE 4000u   /* removes or overwrites something named in the plan */
#define SALVOR_EFFECT_IRREVERSIBLE 5000u  /* destructive, and no copy exists to go back to */

/* ---- fact classes --------------------------------------------------------------------------- */

#define SALVOR_FACT_IDENTITY 1000u /* must match at approval, resume and before every effect */
#define SALVOR_FACT_GUARD 2000u    /* rechecked right before the step that names it */
#define SALVOR_FACT_INFO 3000u     /* shown, never hashed, never rechecked */

/* ---- answers of check_step ------------------------------------------------------------------ */

#define SALVOR_CHECK_NOT_STARTED 1000u /* no effect of the step is visible */
#define SALVOR_CHECK_PARTIAL 2000u     /* begun; running the step again continues it */
#define SALVOR_CHECK_IN_PROGRESS 3000u /* goes on by itself; wait */
#define SALVOR_CHECK_DONE 4000u        /* the goal is reached */
#define SALVOR_CHECK_CONFLICT 5000u    /* somebody else changed it: stop */
#define SALVOR_CHECK_UNKNOWN 6000u     /* cannot be told; the operator decides */

/* ---- severities of findings ----------------------------------------------------------------- */

#define SALVOR_SEVERITY_INFO 1000u
#define SALVOR_SEVERITY_WARNING 2000u
#define SALVOR_SEVERITY_BLOCKER 3000u

/* ---- log levels ----------------------------------------------------------------------------- */

#define SALVOR_LOG_DEBUG 1000u
#define SALVOR_LOG_INFO 2000u
#define SALVOR_LOG_WARNING 3000u

/* ---- certainty of an answer ----------------------------------------------------------------- */

/* What is known of a request that did not end well: decides whether it may be sent again. */
#define SALVOR_CERTAINTY_NOT_SENT 1000u /* no byte of it left this machine */
#define SALVOR_CERTAINTY_SENT 2000u     /* sent, no answer: it may have taken effect */
#define SALVOR_CERTAINTY_ANSWERED 3000u /* the peer answered */

/* ---- spans and handles ---------------------------------------------------------------------- */

/*
 * Bytes with a size. Where the host fills one in, a NUL follows the last byte (not counted), the
 * memory is the host's, and the documentation of the function says how long it lives.
 */
struct salvor_span {
    const char *data; /* NULL when size is 0 and nothing is there */
    uint64_t size;    /* bytes */
};

/* Opaque handles. They belong to the call that opened them; what a hook leaves open is closed when
 * it returns. Handles are not shared between threads. */
typedef struct salvor_secret salvor_secret;
typedef struct salvor_stream_writer salvor_stream_writer;
typedef struct salvor_stream_reader salvor_stream_reader;
typedef struct salvor_ledger salvor_ledger;
typedef struct salvor_http_client salvor_http_client;
typedef struct salvor_kube_client salvor_kube_client;
typedef struct salvor_kube_list salvor_kube_list;
typedef struct salvor_ssh_host salvor_ssh_host;
typedef struct salvor_batch salvor_batch;

struct salvor_host;

/*
 * One call of one hook. Every host function takes it first. The host's own data follow the public
 * member. Valid until the hook returns; never keep it.
 */
typedef struct salvor_call {
    const struct salvor_host *host; /* the base table, for the life of the process */
} salvor_call;

#ifdef __cplusplus
}
#endif

#endif
