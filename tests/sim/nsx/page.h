/* Lists in pages: opaque cursors, result_count, included_fields, sort_by. */
#ifndef SIM_NSX_PAGE_H
#define SIM_NSX_PAGE_H

#include "internal.h"

/* Answers with a page of the elements of `all` (an array, stolen). */
void nsx_page(const struct sim_nsx *sim, const struct nsx_request *request, json_t *all,
              struct nsx_answer *answer);

/*
 * The same for lists of many: `count` elements of which element `index` is asked for when it is on
 * the page; `element` gives a new tree. Not for requests with sort_by.
 */
typedef json_t *nsx_element(const struct sim_nsx *sim, const struct nsx_request *request,
                            size_t index, const void *context);
void nsx_page_of(const struct sim_nsx *sim, const struct nsx_request *request, size_t count,
                 nsx_element *element, const void *context, struct nsx_answer *answer);

#endif
