/* The splitter of lists against the strict scanner: whatever the bytes, both see the same items,
 * and what is wrong between the items is never let through. */
#include <salvor/scan.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "net/kube-list-split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int good)
{
    if (!good)
        abort();
}

/* Every item as the scanner finds it. */
static void compare(struct salvor_span json, const struct kube_list_page *page)
{
    struct salvor_scanner scanner;
    struct salvor_token token;
    struct salvor_span items = {NULL, 0};
    size_t count = 0;
    if (salvor_scan_find(json, "/items", &token, &items, NULL) != SALVOR_OK ||
        token.type != SALVOR_TOKEN_ARRAY) {
        must(page->item_count == 0);
        return;
    }
    salvor_scan_begin(&scanner, items);
    must(salvor_scan_next(&scanner, &token) == SALVOR_OK);
    for (;;) {
        struct salvor_span item = {NULL, 0};
        must(salvor_scan_next(&scanner, &token) == SALVOR_OK);
        if (token.type == SALVOR_TOKEN_ARRAY_END && token.depth == 0)
            break;
        must(salvor_scan_skip(&scanner, &token, &item) == SALVOR_OK);
        must(count < page->item_count && page->items[count].data == item.data &&
             page->items[count].size == item.size);
        count++;
    }
    must(count == page->item_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct salvor_span json = {(const char *)data, size};
    struct kube_list_page page = {0};
    struct error err = ERROR_INIT;
    const int read = kube_list_split(json, &page, &err) == 0;
    must(read || error_is_set(&err));
    if (read) {
        const char *last = json.data;
        int sound = 1;
        for (size_t i = 0; i < page.item_count; i++) {
            must(page.items[i].data >= last && page.items[i].size >= 2);
            must(page.items[i].data[0] == '{');
            last = page.items[i].data + page.items[i].size;
            must(last <= json.data + size && last[-1] == '}');
            sound = sound && salvor_scan_check(page.items[i], NULL) == SALVOR_OK;
        }
        struct salvor_scan_error problem = {NULL, 0};
        if (salvor_scan_check(json, &problem) == SALVOR_OK)
            compare(json, &page);
        else
            must(!sound || problem.problem[0] == 'n'); /* nested too deeply for the scanner */
    }
    error_clear(&err);
    kube_list_page_clear(&page);
    return 0;
}
