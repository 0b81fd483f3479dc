#include "status.h"

#include <stdarg.h>
#include <stdlib.h>

#include "json-tree.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

static json_t *make(int code, const char *reason, json_t *details, const char *message)
{
    json_t *status = json_pack("{s:s, s:s, s:{}, s:s, s:s}", "kind", "Status", "apiVersion", "v1",
                               "metadata", "status", "Failure", "message", message);
    if (reason != NULL)
        tree_set_text(status, "reason", reason);
    if (details != NULL)
        tree_set(status, "details", details);
    tree_set(status, "code", json_integer(code));
    return status;
}

json_t *status_failure(int code, const char *reason, json_t *details, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *message = text_vformat(format, args);
    va_end(args);
    return make(code, reason, details, message);
}

static json_t *details_of(const char *name, const char *group, const char *kind)
{
    json_t *details = json_object();
    if (name != NULL && name[0] != '\0')
        tree_set_text(details, "name", name);
    if (group != NULL && group[0] != '\0')
        tree_set_text(details, "group", group);
    tree_set_text(details, "kind", kind);
    return details;
}

/* "deployments.apps", or "configmaps" for the core group. */
static char *qualified(const char *what, const char *group)
{
    return group[0] == '\0' ? text_copy(what) : text_format("%s.%s", what, group);
}

json_t *status_not_found(const char *group, const char *plural, const char *name)
{
    cleanup_free char *what = qualified(plural, group);
    return status_failure(404, "NotFound", details_of(name, group, plural), "%s \"%s\" not found",
                          what, name);
}

json_t *status_already_exists(const struct kube_type *type, const char *name)
{
    cleanup_free char *what = qualified(type->plural, type->group);
    return status_failure(409, "AlreadyExists", details_of(name, type->group, type->plural),
                          "%s \"%s\" already exists", what, name);
}

json_t *status_conflict(const char *group, const char *what, const char *name, const char *cause)
{
    cleanup_free char *full = qualified(what, group);
    return status_failure(409, "Conflict", details_of(name, group, what),
                          "Operation cannot be fulfilled on %s \"%s\": %s", full, name, cause);
}

json_t *status_modified(const struct kube_type *type, const char *name)
{
    return status_conflict(type->group, type->plural, name,
                           "the object has been modified; please apply your changes to the latest "
                           "version and try again");
}

json_t *status_invalid(const char *group, const char *kind, const char *name, const char *reason,
                       const char *field, const char *message)
{
    cleanup_free char *what = qualified(kind, group);
    json_t *details = details_of(name, group, kind);
    tree_set(details, "causes",
             json_pack("[{s:s, s:s, s:s}]", "reason", reason, "message", message, "field", field));
    return status_failure(422, "Invalid", details, "%s \"%s\" is invalid: %s: %s", what, name,
                          field, message);
}

json_t *status_bad_request(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *message = text_vformat(format, args);
    va_end(args);
    return make(400, "BadRequest", NULL, message);
}

json_t *status_method_not_allowed(void)
{
    return status_failure(405, "MethodNotAllowed", json_object(),
                          "the server does not allow this method on the requested resource");
}

json_t *status_unsupported_media(const char *accepted)
{
    return status_failure(415, "UnsupportedMediaType", NULL,
                          "the body of the request was in an unknown format - accepted media types "
                          "include: %s",
                          accepted);
}

json_t *status_expired(const char *message, const char *continue_token)
{
    json_t *status = status_failure(410, "Expired", NULL, "%s", message);
    if (continue_token != NULL)
        tree_set_text(status, "metadata.continue", continue_token);
    return status;
}

json_t *status_success(const struct kube_type *type, const char *name, const char *uid)
{
    json_t *details = details_of(name, type->group, type->plural);
    if (uid != NULL)
        tree_set_text(details, "uid", uid);
    json_t *status = json_pack("{s:s, s:s, s:{}, s:s, s:o}", "kind", "Status", "apiVersion", "v1",
                               "metadata", "status", "Success", "details", details);
    return status;
}
