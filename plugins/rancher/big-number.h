/* Whole numbers beyond 2^53, which the operator's reader turns into other ones: it takes every
 * number as a double. */
#ifndef SALVOR_RANCHER_BIG_NUMBER_H
#define SALVOR_RANCHER_BIG_NUMBER_H

#include <salvor/types.h>
#include <stddef.h>

/* 1: the document, which is sound JSON, holds a whole number that a double cannot hold exactly; the
 * first one is copied to `digits`. */
int big_number_find(struct salvor_span json, char *digits, size_t size);

#endif
