/* The bulk JSON functions of the helper library: whatever the bytes, what one accepts the others
 * accept, and a canonical text is its own canonical text. */
#include <salvor/canonical.h>
#include <salvor/object.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const drops[] = {"/a", "/metadata/*/b", "/x/y~1z"};
    const struct salvor_edit edits[] = {
        {"/metadata/name", {"\"n\"", 3}}, {"/a", {NULL, 0}}, {"/status", {NULL, 0}}};
    const struct salvor_span json = {(const char *)data, size};
    struct salvor_scan_error error = {NULL, 0};
    struct salvor_span canonical;
    struct salvor_span again;
    struct salvor_object object;
    struct salvor_text edited = SALVOR_TEXT_INIT((size_t)1 << 22);
    salvor_canonicalizer *whole = salvor_canonicalizer_create(NULL, 0);
    salvor_canonicalizer *second = salvor_canonicalizer_create(NULL, 0);
    salvor_canonicalizer *lean = salvor_canonicalizer_create(drops, 3);
    must(whole != NULL && second != NULL && lean != NULL);

    const salvor_status checked = salvor_scan_check(json, &error);
    must(checked == SALVOR_OK || (error.problem != NULL && error.offset <= size));
    const salvor_status made = salvor_canonicalize(whole, json, &canonical, &error);
    must(made != SALVOR_OK || checked == SALVOR_OK); /* it refuses duplicates on top */
    if (made == SALVOR_OK) {
        must(salvor_canonicalize(second, canonical, &again, NULL) == SALVOR_OK);
        must(canonical.size == again.size &&
             memcmp(canonical.data, again.data, (size_t)again.size) == 0);
    }
    if (salvor_canonicalize(lean, json, &canonical, NULL) == SALVOR_OK)
        must(salvor_scan_check(canonical, NULL) == SALVOR_OK);
    if (salvor_json_edit(json, edits, 3, &edited, NULL) == SALVOR_OK)
        must(checked == SALVOR_OK &&
             salvor_scan_check(salvor_text_as_span(&edited), NULL) == SALVOR_OK);
    if (salvor_object_read(json, &object, NULL) == SALVOR_OK) {
        struct salvor_owner owner;
        struct salvor_condition condition;
        struct salvor_token label;
        must(checked == SALVOR_OK);
        for (uint32_t i = 0; salvor_object_owner(&object, i, &owner) == SALVOR_OK; i++)
            continue;
        (void)salvor_object_condition(&object, "Ready", &condition);
        (void)salvor_object_label(&object, "a", &label);
    }
    salvor_text_clear(&edited);
    salvor_canonicalizer_free(whole);
    salvor_canonicalizer_free(second);
    salvor_canonicalizer_free(lean);
    return 0;
}
