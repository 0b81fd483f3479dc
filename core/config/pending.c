/* Stand-in until secret-reference.c is there; weak, so that the real one wins. */
#include "base/text.h"
#include "config/secret-reference.h"

#include "base/banned.h"

__attribute__((weak)) int secret_reference_check(const char *reference, struct error *reterr)
{
    if (text_starts(reference, "env:") || text_starts(reference, "file:") ||
        text_starts(reference, "exec:"))
        return 0;
    error_set(reterr, EXIT_USAGE, "a secret is given by reference only");
    return error_hint(reterr, "write env:NAME, file:PATH or exec:COMMAND");
}
