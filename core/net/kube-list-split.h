/*
 * A page of a list as the API server sent it, split into its objects without building a document.
 * Metadata may stand before or after the items (custom types put it after them), in any spelling of
 * JSON. What stands between and around the items is checked strictly; within an item strings and
 * brackets are, the rest is left to whoever reads it.
 */
#ifndef SALVOR_NET_KUBE_LIST_SPLIT_H
#define SALVOR_NET_KUBE_LIST_SPLIT_H

#include <salvor/types.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { KUBE_LIST_DEPTH = 512, KUBE_LIST_WORD = 4096 };

/* Everything points into the page, but for the texts. Zero it before its first use. */
struct kube_list_page {
    struct salvor_span *items; /* used again by the next split */
    size_t item_count;
    size_t item_room;
    int has_items;      /* the member was there, if only as null */
    uint64_t remaining; /* remainingItemCount; 0: not said */
    char kind[256];
    char resource_version[256];
    char continue_token[KUBE_LIST_WORD]; /* "": this is the last page */
};

/* -1: not the page of a list; the error says what and at which byte, without quoting it. */
int kube_list_split(struct salvor_span body, struct kube_list_page *page, struct error *reterr);

void kube_list_page_clear(struct kube_list_page *page);

/* The byte behind the value at `at`, or NULL with *ret_problem (constant text) and *ret_at. */
const char *kube_list_skip(const char *at, const char *end, const char **ret_problem,
                           const char **ret_at);

#endif
