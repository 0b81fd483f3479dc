/* What a plugin passes in is checked before anything is done with it; a bad argument is recorded as
 * the failure of the call and answered with SALVOR_BUG. */
#ifndef SALVOR_WORKER_ARGUMENT_H
#define SALVOR_WORKER_ARGUMENT_H

#include <stddef.h>

#include "worker/call.h"

enum { ARGUMENT_NAME_LIMIT = 1024, ARGUMENT_TEXT_LIMIT = 16384, ARGUMENT_JSON_LIMIT = 65536 };

/* OK when `value` is UTF-8 of 1 to `limit` bytes. `function`: "plan.step", `parameter`: "row". */
salvor_status argument_text(struct worker_call *call, const char *function, const char *parameter,
                            const char *value, size_t limit);

/* The same, but it may be empty; NULL stays an error. */
salvor_status argument_any_text(struct worker_call *call, const char *function,
                                const char *parameter, const char *value, size_t limit);

/* Parses JSON of at most `limit` bytes: any value, or an object only. *ret_value is the caller's.
 */
salvor_status argument_json(struct worker_call *call, const char *function, const char *parameter,
                            const char *text, size_t limit, int object_only, json_t **ret_value);

/* OK when the running hook is one of `hooks` (a mask of 1 << HOOK_...). */
salvor_status argument_hook(struct worker_call *call, const char *function, unsigned hooks);

#define HOOK_BIT(hook) (1u << (hook))
#define HOOKS_THAT_PLAN \
    (HOOK_BIT(HOOK_BACKUP) | HOOK_BIT(HOOK_RESTORE) | HOOK_BIT(HOOK_POST_RESYNC))
#define HOOKS_OF_STEPS (HOOK_BIT(HOOK_RUN_STEP) | HOOK_BIT(HOOK_CHECK_STEP))

#endif
