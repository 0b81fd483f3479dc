/* What every cmocka test file includes first. */
#ifndef SALVOR_TESTS_UNIT_H
#define SALVOR_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
