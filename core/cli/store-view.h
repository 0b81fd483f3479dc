/* Work on the store of the command line, shown while it goes on and ended by Ctrl-C. */
#ifndef SALVOR_CLI_STORE_VIEW_H
#define SALVOR_CLI_STORE_VIEW_H

#include <jansson.h>

#include "base/error.h"
#include "cli/arguments.h"

struct store_view;

/* On `store` (as config_store has it; borrowed), with the private keys of the command line. */
struct store_view *store_view_new(const struct arguments *arguments, const json_t *store);
void store_view_free(struct store_view *view);

/* `request` is stolen. *ret_result (may be NULL) is owned by the caller. */
int store_view_do(struct store_view *view, const char *work, json_t *request, json_t **ret_result,
                  struct error *reterr);

/* The sets of the store: rows of set-list.h, owned by the caller. provider NULL: of all; `touched`:
 * with the times of partial ones. */
int store_view_list(struct store_view *view, const char *provider, int touched, json_t **ret_rows,
                    struct error *reterr);

/* "s3://NAME", or the folder. Owned by the caller. */
char *store_view_place(const json_t *store);

static inline void store_view_free_at(struct store_view **slot)
{
    store_view_free(*slot);
}

#define cleanup_store_view __attribute__((cleanup(store_view_free_at)))

#endif
