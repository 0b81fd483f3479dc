/* What can be wrong with a request before anything of it is recorded. */
#ifndef SALVOR_ENGINE_REQUEST_H
#define SALVOR_ENGINE_REQUEST_H

#include "engine/engine.h"

/* -1 with exit code 2 when the provider cannot do what is asked for, or does not know its parts. */
int request_check(const struct engine_request *request, struct error *reterr);

#endif
