/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/object.h - what matters of a Kubernetes object, read in one pass without building it.
 *
 * All spans point into the object's JSON. Strings are without quotes; names, kinds and UIDs never
 * need escapes, and an object where they have some is refused.
 */
#ifndef SALVOR_OBJECT_H
#define SALVOR_OBJECT_H

#include <salvor/scan.h>

#ifdef __cplusplus
extern "C" {
#endif

struct salvor_object {
    struct salvor_span json; /* the whole */
    struct salvor_span api_version;
    struct salvor_span kind;
    struct salvor_span name;
    struct salvor_span ns; /* metadata.namespace */
    struct salvor_span uid;
    struct salvor_span resource_version;
    struct salvor_span deletion_timestamp;
    struct salvor_span labels;      /* raw JSON object; size 0: none */
    struct salvor_span annotations; /* the same */
    struct salvor_span owners;      /* raw JSON array of ownerReferences; size 0: none */
    struct salvor_span finalizers;  /* raw JSON array; size 0: none */
    struct salvor_span status;      /* raw JSON value; size 0: none */
};

struct salvor_owner {
    struct salvor_span api_version;
    struct salvor_span kind;
    struct salvor_span name;
    struct salvor_span uid;
    uint32_t controller; /* 1: true */
    uint32_t blocks_deletion;
};

struct salvor_condition {
    struct salvor_span type;
    struct salvor_span status; /* "True", "False", "Unknown" */
    struct salvor_span reason;
    struct salvor_span message; /* escapes as they stand */
};

/* Checks and reads the whole object. What it does not have is empty. SALVOR_FAILED: not an object,
 * or malformed. */
salvor_status salvor_object_read(struct salvor_span json, struct salvor_object *ret_object,
                                 struct salvor_scan_error *reterr);

/* Value of a label or annotation as a token. SALVOR_NOT_FOUND: not there. */
salvor_status salvor_object_label(const struct salvor_object *object, const char *name,
                                  struct salvor_token *ret_value);
salvor_status salvor_object_annotation(const struct salvor_object *object, const char *name,
                                       struct salvor_token *ret_value);

/* Owner number `index`; SALVOR_END after the last. */
salvor_status salvor_object_owner(const struct salvor_object *object, uint32_t index,
                                  struct salvor_owner *ret_owner);

/* The condition of that type below /status/conditions. SALVOR_NOT_FOUND: not there. */
salvor_status salvor_object_condition(const struct salvor_object *object, const char *type,
                                      struct salvor_condition *ret_condition);

/* 1: that condition is there with status "True". */
int salvor_object_is(const struct salvor_object *object, const char *condition);

/* Splits "apps/v1" into group and version; "v1" has an empty group. */
void salvor_group_version(struct salvor_span api_version, struct salvor_span *ret_group,
                          struct salvor_span *ret_version);

/* Copies a span into a C string. SALVOR_REFUSED: it does not fit. */
salvor_status salvor_span_copy(struct salvor_span span, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
