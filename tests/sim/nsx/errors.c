#include "errors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

const char *nsx_status_word(int status)
{
    static const struct {
        int status;
        const char *word;
    } words[] = {{400, "BAD_REQUEST"},        {403, "FORBIDDEN"},
                 {404, "NOT_FOUND"},          {405, "METHOD_NOT_ALLOWED"},
                 {409, "CONFLICT"},           {412, "PRECONDITION_FAILED"},
                 {429, "TOO_MANY_REQUESTS"},  {500, "INTERNAL_SERVER_ERROR"},
                 {503, "SERVICE_UNAVAILABLE"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].status == status)
            return words[i].word;
    return "ERROR";
}

void nsx_error(struct nsx_answer *answer, int status, int64_t code, const char *module,
               const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message = text_vformat(format, args);
    va_end(args);
    buffer_clear(&answer->body);
    nsx_answer_json(answer, status,
                    json_make("{s:s, s:I, s:s, s:s}", "httpStatus", nsx_status_word(status),
                              "error_code", (json_int_t)code, "module_name", module,
                              "error_message", message));
    answer->error_code = code;
    free(message);
}

void nsx_error_not_found(const struct sim_nsx *sim, struct nsx_answer *answer, const char *path)
{
    if (nsx_switch_is(sim, SW_NOT_FOUND_CODE, "202"))
        nsx_error(answer, 404, 202, "common-services",
                  "The requested backend resource [%s] is not available.", path);
    else
        nsx_error(answer, 404, 600, "common-services",
                  "The requested object : %s could not be found. Object identifiers are case "
                  "sensitive.",
                  path);
}

void nsx_error_credentials(struct nsx_answer *answer)
{
    nsx_error(answer, 403, 403, "common-services",
              "The credentials were incorrect or the account specified has been locked.");
}

void nsx_error_forbidden(struct nsx_answer *answer)
{
    nsx_error(answer, 403, 401, "policy",
              "User is not authorized to perform this operation on the application.");
}

void nsx_error_referenced(struct nsx_answer *answer, int64_t code, const char *path,
                          const json_t *users)
{
    struct buffer list = BUFFER_INIT((size_t)16 << 20);
    size_t i;
    json_t *user;
    json_array_foreach ((json_t *)(uintptr_t)users, i, user)
        buffer_format(&list, "%s%s", i == 0 ? "" : ", ", json_string_value(user));
    cleanup_free char *text = buffer_take(&list);
    nsx_error(answer, 400, code, "policy",
              "The object path=[%s] cannot be deleted as either it has children or it is being "
              "referenced by other objects path=[%s].",
              path, text);
}

int nsx_refuse_revision(const struct sim_nsx *sim, const json_t *body, const json_t *old,
                        const char *path, struct nsx_answer *answer)
{
    int64_t current = json_whole(old, "_revision", 0);
    if (json_object_get(body, "_revision") == NULL) {
        nsx_error(answer, 400, 500127, "policy",
                  "Cannot create an object with path=[%s] as it already exists.", path);
        return -1;
    }
    int64_t given = json_whole(body, "_revision", -1);
    if (given == current)
        return 0;
    if (nsx_switch_is(sim, SW_STALE_REVISION, "404"))
        nsx_error(answer, 404, 500090, "policy", "The object path=[%s] was not found.", path);
    else if (nsx_switch_is(sim, SW_STALE_REVISION, "400"))
        nsx_error(answer, 400, 500087, "policy",
                  "The revision %lld of path=[%s] is outdated, the present one is %lld.",
                  (long long)given, path, (long long)current);
    else
        nsx_error(answer, nsx_switch_is(sim, SW_STALE_REVISION, "409") ? 409 : 412, 604,
                  "common-services",
                  "The object path=[%s] was modified by somebody else: revision %lld was given, "
                  "the present one is %lld. Please retry.",
                  path, (long long)given, (long long)current);
    return -1;
}
