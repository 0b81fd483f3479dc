/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/host.h - the base host table: what every plugin is given, whatever it needs.
 *
 * Rules for all functions here and in services.h:
 * - `call` is the one given to the running hook.
 * - Pointers that the host returns stay valid until the hook returns unless said otherwise; the
 *   plugin never frees them. What the plugin passes in is copied before the function returns.
 * - A failing function records an error text (thing, cause, next step) that is shown when the hook
 *   returns that status without report().
 * - Call them from the thread that runs the hook. Only log(), progress() and cancelled() may be
 *   called from other threads that the hook started and will join.
 */
#ifndef SALVOR_HOST_H
#define SALVOR_HOST_H

#include <salvor/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of checkpoint. */
#define SALVOR_CHECKPOINT_PRE_IMAGE 1000u /* what stood before the first change */
#define SALVOR_CHECKPOINT_CURSOR 2000u    /* how far the step came; the newest one counts */

#define SALVOR_CHECKPOINT_LIMIT 65536u /* bytes; keep larger things as artifacts, by digest */

struct salvor_host {
    uint32_t struct_size; /* bytes of this table in the running host */
    uint16_t abi_major;   /* of the running host */
    uint16_t abi_minor;
    const char *version; /* of the salvor program, for messages */

    /* Writes one line to the host's log, redacted there. Level: SALVOR_LOG_*. `call` may be NULL in
     * the entry function only. */
    void (*log)(salvor_call *call, uint32_t level, const char *text);

    /*
     * Records why the hook is about to fail and returns `status`, so that `return report(...)`
     * reads well. message: one line, the subject in single quotes. detail and hint may be NULL; the
     * hint names the next step. The host prints it once; when the hook then returns SALVOR_OK, not
     * at all.
     */
    salvor_status (*report)(salvor_call *call, salvor_status status, const char *message,
                            const char *detail, const char *hint);

    /* The text of the last failure of a host function in this call; "" when there was none. Valid
     * until the next host function of the call. */
    const char *(*last_error)(salvor_call *call);

    /*
     * Value of an option of the descriptor, checked and with its default applied. Text for STRING,
     * PATH, URL, CHOICE; a JSON array of strings for LIST. NULL when it is not set. Secret options
     * answer NULL: open them with salvor.secret.
     */
    const char *(*option_text)(salvor_call *call, const char *name);

    /* The same for INTEGER, BOOLEAN (0 or 1), DURATION (milliseconds) and SIZE (bytes).
     * NOT_FOUND: not set. BUG: no such option, or of another type. */
    salvor_status (*option_integer)(salvor_call *call, const char *name, int64_t *ret_value);

    /*
     * The frozen facts of the run as a JSON object, name -> {"class","value"}; in discover "{}".
     * A plan hook of a later stage sees what the earlier stages added.
     */
    const char *(*facts)(salvor_call *call);

    /* Items done of total (0: unknown); `what` names them ("objects"). Rate-limited by the host. */
    void (*progress)(salvor_call *call, uint64_t done, uint64_t total, const char *what);

    /* Non-zero once the operator or the deadline asked to stop: return SALVOR_CANCELLED soon. Every
     * host function that waits returns SALVOR_CANCELLED by itself. */
    uint32_t (*cancelled)(salvor_call *call);

    /* Milliseconds left to this call; 0 when the deadline has passed. */
    int64_t (*deadline_ms)(salvor_call *call);

    /* Clocks in milliseconds: since the Unix epoch (for comparing with remote times, mind the
     * skew), and monotonic with an arbitrary start (for durations). */
    int64_t (*realtime_ms)(salvor_call *call);
    int64_t (*monotonic_ms)(salvor_call *call);

    /* Sleeps, ending early with SALVOR_CANCELLED. Not for retry loops: those are the host's. */
    salvor_status (*sleep_ms)(salvor_call *call, int64_t milliseconds);

    /*
     * Stores up to SALVOR_CHECKPOINT_LIMIT bytes of JSON with the running step and returns when
     * they are durable. Before the first pre-image of a step with effect is durable, every function
     * that changes something answers REFUSED. In run_step only.
     */
    salvor_status (*checkpoint)(salvor_call *call, uint32_t kind, const char *json);

    /* The newest checkpoint of that kind of this step, from any attempt; NULL when there is none.
     * In run_step and check_step. */
    const char *(*last_checkpoint)(salvor_call *call, uint32_t kind);

    /*
     * A named service table ("salvor.exec"), see services.h; NULL when this host has no such
     * service or an older version than `min_version`. Services listed as required in the
     * descriptor's needs are never NULL.
     */
    const void *(*get_interface)(salvor_call *call, const char *name, uint32_t min_version);
};

#ifdef __cplusplus
}
#endif

#endif
