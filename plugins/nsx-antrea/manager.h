/*
 * The managers over salvor.http, with the habits that they ask for (facts 1.1 to 1.3): a session or
 * a client certificate, never a loop of logins, a pace below the user's limit, cursors, revisions,
 * X-Allow-Overwrite only where the caller's plan allows it, and one of several managers.
 */
#ifndef NSX_ANTREA_MANAGER_H
#define NSX_ANTREA_MANAGER_H

#include <jansson.h>
#include <salvor/services.h>

#include "answer.h"

struct manager {
    salvor_call *call;
    const struct salvor_http *http;
    salvor_http_client *client;
    char url[512];       /* of the one in use */
    int64_t skew_ms;     /* its clock minus ours, measured once by the answer's Date; 0: unknown */
    int64_t skew_margin; /* how far that can be off: the round trip and the second of the header */
};

/*
 * Opens the first of the option 'manager' that says it is healthy; with none healthy the first that
 * answers; RETRY with the reasons of all when none does. The first request logs in.
 */
salvor_status manager_open(salvor_call *call, struct manager *ret_manager);

/* GET. NOT_FOUND: it does not exist. The caller owns *ret_json. `site`: name of the call site. */
salvor_status manager_get(struct manager *manager, const char *site, const char *path,
                          json_t **ret_json);

/*
 * All results of a paged list, `path` with or without a query; owned by the caller. A cursor that
 * comes twice, or more results than the first page promised room for, ends it with FAILED.
 */
salvor_status manager_list(struct manager *manager, const char *site, const char *path,
                           json_t **ret_results);

/* result_count of a list, asking for one entry only. NOT_FOUND: the first page does not say. */
salvor_status manager_count(struct manager *manager, const char *site, const char *path,
                            int64_t *ret_count);

/*
 * GET of many paths at once. `visit` gets the index of the path and the answer (`json` NULL with
 * ANSWER_ABSENT); another status than OK ends it. Any other kind of answer fails the whole.
 */
salvor_status manager_get_each(struct manager *manager, const char *site, const json_t *paths,
                               salvor_status (*visit)(void *data, size_t index, json_t *json),
                               void *data);

#define MANAGER_OVERWRITE 1u  /* X-Allow-Overwrite: true: only what the plan names */
#define MANAGER_IDEMPOTENT 2u /* may be sent again although its method says otherwise */

/*
 * PUT, POST, PATCH or DELETE. OK: the managers answered, and *ret_answer says what; the caller
 * clears it. `body` may be NULL. *ret_body (may be NULL): the answer's JSON, or NULL; owned by the
 * caller.
 */
salvor_status manager_send(struct manager *manager, const char *method, const char *site,
                           const char *path, const json_t *body, uint32_t flags,
                           struct answer *ret_answer, json_t **ret_body);

/* Reports the answer as the failure of `doing` ("delete 'x'"); returns its status. */
salvor_status manager_refused(struct manager *manager, const struct answer *answer,
                              const char *doing);

#endif
