/* Are two descriptors the same, although different versions of salvor wrote them? */
#ifndef SALVOR_PLUGIN_DESCRIPTOR_COMPARE_H
#define SALVOR_PLUGIN_DESCRIPTOR_COMPARE_H

#include <jansson.h>

/*
 * Where the two differ first ("procedures[0].stages[1].id"), owned by the caller; NULL when they
 * say the same. As in the C structs, a member that one of them lacks counts as zero: absent equals
 * null, false, 0, "" and [].
 */
char *descriptor_difference(const json_t *a, const json_t *b);

#endif
