/* Answers of an S3 server: whatever the bytes, each reader says what it read or why not, and a
 * listing hands out keys, sizes and times that can be worked with. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "net/s3-xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int good)
{
    if (!good)
        abort();
}

static int see_entry(void *data, const struct s3_entry *entry, struct error *reterr)
{
    (void)data;
    (void)reterr;
    must(entry->key != NULL && entry->size >= 0 && entry->modified_ms >= -1);
    must(!entry->is_prefix || (*entry->key != '\0' && entry->key[strlen(entry->key) - 1] == '/'));
    return 0;
}

static int see_id(void *data, const char *id, struct error *reterr)
{
    (void)data;
    (void)reterr;
    must(id != NULL);
    return 0;
}

static void judge(int result, struct error *err)
{
    must(result == 0 || (result == -1 && error_is_set(err)));
    error_clear(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct error err = ERROR_INIT;
    cleanup_free char *token = NULL;
    cleanup_free char *id = NULL;
    cleanup_free char *code = NULL;
    cleanup_free char *message = NULL;
    judge(s3_xml_list(text, size, see_entry, NULL, &token, &err), &err);
    const int started = s3_xml_upload_id(text, size, &id, &err);
    must(started != 0 || (id != NULL && *id != '\0'));
    judge(started, &err);
    judge(s3_xml_uploads(text, size, "a/b c", see_id, NULL, &err), &err);
    if (s3_xml_error(text, size, &code, &message))
        must(code != NULL && message != NULL);
    return 0;
}
