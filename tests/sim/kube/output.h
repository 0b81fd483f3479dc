/* Content negotiation and the shapes an object can be answered in. */
#ifndef SIM_KUBE_OUTPUT_H
#define SIM_KUBE_OUTPUT_H

#include "internal.h"

enum output { OUTPUT_OBJECT, OUTPUT_PARTIAL, OUTPUT_TABLE };

/* What the Accept header asks for; -1 when nothing of it can be served (406, already answered). */
int output_choose(const struct sim_request *request, struct sim_answer *answer,
                  enum output *ret_output);

/* Appends one object. `as_item`: inside a list, where built-in types lack apiVersion and kind. */
void output_object(struct buffer *out, enum output output, const struct kube_type *type,
                   const struct store_object *object, int as_item);

/* The same for a tree that is not stored (with or without apiVersion and kind). */
void output_tree(struct buffer *out, enum output output, const struct kube_type *type,
                 json_t *tree);

/* What a list's metadata says. */
struct output_list {
    int64_t revision;
    const char *continue_token; /* NULL: the end */
    int64_t remaining;          /* -1: not told */
};

/* Before the first item, between items, and after the last one. */
void output_list_begin(struct buffer *out, enum output output, const struct kube_type *type,
                       const struct output_list *list);
void output_list_item(struct buffer *out, enum output output, const struct kube_type *type,
                      const struct store_object *object, int first);
void output_list_end(struct buffer *out, enum output output, const struct kube_type *type,
                     const struct output_list *list);

#endif
