/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/report.h - failures, log lines, findings and notes in printf style.
 *
 * The text is formatted in a buffer of its own of 4 KiB (longer ones end in "..."), so that an
 * error can be told when there is no memory left. The house style of messages: lower case, no full
 * stop, the subject in single quotes; the hint names the next step.
 */
#ifndef SALVOR_REPORT_H
#define SALVOR_REPORT_H

#include <salvor/memory.h>
#include <salvor/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Records why the hook fails and returns `status`. hint: one line, or NULL. */
salvor_status salvor_fail(salvor_call *call, salvor_status status, const char *hint,
                          const char *format, ...) SALVOR_PRINTF(4, 5);

/* The same with a detail line: what the other side said, word for word. */
salvor_status salvor_fail_detail(salvor_call *call, salvor_status status, const char *detail,
                                 const char *hint, const char *format, ...) SALVOR_PRINTF(5, 6);

/* "no memory for 'what'", SALVOR_FAILED. */
salvor_status salvor_fail_memory(salvor_call *call, const char *what);

/* One line to the log; level: SALVOR_LOG_*. */
void salvor_logf(salvor_call *call, uint32_t level, const char *format, ...) SALVOR_PRINTF(3, 4);

/* Raises a finding of the descriptor with its own severity, or with a lower one. */
salvor_status salvor_raise(salvor_call *call, const char *id, const char *object,
                           const char *format, ...) SALVOR_PRINTF(4, 5);
salvor_status salvor_raise_as(salvor_call *call, uint32_t severity, const char *id,
                              const char *object, const char *format, ...) SALVOR_PRINTF(5, 6);

/* One line for the operator and the report, in run_step and check_step. */
salvor_status salvor_note(salvor_call *call, const char *format, ...) SALVOR_PRINTF(2, 3);

/* Returns from the calling function with any status but SALVOR_OK. */
#define SALVOR_TRY(expression)                         \
    do {                                               \
        const salvor_status salvor_try = (expression); \
        if (salvor_try != SALVOR_OK)                   \
            return salvor_try;                         \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
