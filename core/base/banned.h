/* Functions that have no place in this tree: unbounded, unsafe for threads, or run by a shell. */
#ifndef SALVOR_BASE_BANNED_H
#define SALVOR_BASE_BANNED_H

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* With clang and _FORTIFY_SOURCE these two are macros, which cannot be poisoned. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atoll atof
#pragma GCC poison gmtime localtime ctime asctime tmpnam tempnam mktemp system popen

#endif
