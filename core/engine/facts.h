/* Looking again at frozen facts: identity before every effect, guards before the step naming them.
 */
#ifndef SALVOR_ENGINE_FACTS_H
#define SALVOR_ENGINE_FACTS_H

#include "engine/run.h"

/*
 * Observes all identity facts (and the `guards` of a step, a JSON array or NULL) and compares them
 * with the frozen values. -1 with exit code 5 when one differs or cannot be seen any more; the
 * error names it with both values. `moment`: "before step 'x'", "at resume". Without such facts
 * nothing is asked of the plugin.
 */
int facts_recheck(struct run *run, const json_t *guards, const char *moment, struct error *reterr);

#endif
