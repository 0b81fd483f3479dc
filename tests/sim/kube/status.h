/* metav1.Status bodies, word for word as clients and people know them. */
#ifndef SIM_KUBE_STATUS_H
#define SIM_KUBE_STATUS_H

#include <jansson.h>

#include "types.h"

/*
 * Failure with code and reason; `details` (stolen, may be NULL) as given. New object. All other
 * functions build on it.
 */
json_t *status_failure(int code, const char *reason, json_t *details, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

json_t *status_not_found(const char *group, const char *plural, const char *name);
json_t *status_already_exists(const struct kube_type *type, const char *name);
/* 409 Conflict; `cause` completes "Operation cannot be fulfilled on WHAT "NAME": ". */
json_t *status_conflict(const char *group, const char *what, const char *name, const char *cause);
json_t *status_modified(const struct kube_type *type, const char *name);
/* 422 with one cause; reason as FieldValueInvalid, FieldValueRequired, FieldValueForbidden. */
json_t *status_invalid(const char *group, const char *kind, const char *name, const char *reason,
                       const char *field, const char *message);
json_t *status_bad_request(const char *format, ...) __attribute__((format(printf, 1, 2)));
json_t *status_method_not_allowed(void);
json_t *status_unsupported_media(const char *accepted);
json_t *status_expired(const char *message, const char *continue_token);
json_t *status_success(const struct kube_type *type, const char *name, const char *uid);

#endif
