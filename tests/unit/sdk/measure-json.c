/* Measures the bulk JSON functions: measure-json [MEGABYTES]. Prints MB/s; fails on wrong counts
 * only, since speed is not the same on every machine. */
#include <salvor/canonical.h>
#include <salvor/object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A Secret of about 3 KB as an API server gives it: members in the order of the type. */
static void put_object(struct salvor_text *text, unsigned number)
{
    salvor_text_format(
        text,
        "{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"object-%u\","
        "\"namespace\":"
        "\"space-%u\",\"uid\":\"0a1b2c3d-0000-4000-8000-%012u\",\"resourceVersion\":\"%u\","
        "\"creationTimestamp\":\"2026-01-02T03:04:05Z\",\"labels\":{\"app.kubernetes.io/name\":"
        "\"thing\",\"tier\":\"back\"},\"annotations\":{\"note\":\"made by a \\u003ctest\\u003e\"},"
        "\"managedFields\":[",
        number, number % 97, number, number * 3);
    for (unsigned i = 0; i < 4; i++)
        salvor_text_format(
            text,
            "%s{\"manager\":\"kubectl\",\"operation\":\"Update\",\"apiVersion\":\"v1\","
            "\"time\":\"2026-01-02T03:04:05Z\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":"
            "{\"f:data\":{\".\":{},\"f:key-%u\":{}},\"f:type\":{}}}",
            i > 0 ? "," : "", i);
    salvor_text_put(text, "]},\"data\":{");
    for (unsigned i = 0; i < 6; i++) {
        salvor_text_format(text, "%s\"key-%u\":\"", i > 0 ? "," : "", 5 - i);
        for (unsigned j = 0; j < 5; j++)
            salvor_text_put(text, "c29tZSBiYXNlNjQgb2YgYSBjZXJ0aWZpY2F0ZSBvciBhIGtleSBoZXJl");
        salvor_text_put(text, "\"");
    }
    salvor_text_put(text, "},\"type\":\"Opaque\"}");
}

int main(int argc, char **argv)
{
    const size_t megabytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
    const size_t wanted = megabytes << 20;
    struct salvor_text text = SALVOR_TEXT_INIT((size_t)8 << 20);
    enum { OBJECTS = 1000 };
    static struct salvor_span objects[OBJECTS];
    for (unsigned i = 0; i < OBJECTS; i++) {
        const size_t start = text.size;
        put_object(&text, i);
        objects[i].size = text.size - start;
        objects[i].data = (const char *)start;
    }
    if (salvor_text_get(&text) == NULL)
        return 1;
    for (unsigned i = 0; i < OBJECTS; i++)
        objects[i].data = text.data + (size_t)objects[i].data;

    const char *const drops[] = {"/metadata/managedFields", "/metadata/uid",
                                 "/metadata/resourceVersion", "/metadata/creationTimestamp"};
    const struct salvor_edit edits[] = {{"/metadata/resourceVersion", {"\"42\"", 4}},
                                        {"/metadata/uid", {NULL, 0}},
                                        {"/metadata/managedFields", {NULL, 0}}};
    salvor_canonicalizer *whole = salvor_canonicalizer_create(NULL, 0);
    salvor_canonicalizer *lean = salvor_canonicalizer_create(drops, 4);
    struct salvor_text out = SALVOR_TEXT_INIT((size_t)1 << 20);
    static const char *const names[] = {"scan", "object", "canonical", "canonical, 4 drops",
                                        "edit, 3 members"};
    for (int what = 0; what < 5; what++) {
        size_t bytes = 0;
        size_t failed = 0;
        const double start = seconds();
        for (size_t i = 0; bytes < wanted; i = (i + 1) % OBJECTS) {
            struct salvor_object object;
            struct salvor_span json;
            salvor_status status = SALVOR_FAILED;
            if (what == 0)
                status = salvor_scan_check(objects[i], NULL);
            else if (what == 1)
                status = salvor_object_read(objects[i], &object, NULL);
            else if (what == 2)
                status = salvor_canonicalize(whole, objects[i], &json, NULL);
            else if (what == 3)
                status = salvor_canonicalize(lean, objects[i], &json, NULL);
            else {
                salvor_text_reset(&out);
                status = salvor_json_edit(objects[i], edits, 3, &out, NULL);
            }
            failed += status != SALVOR_OK;
            bytes += objects[i].size;
        }
        printf("%-20s %8.0f MB/s\n", names[what], (double)bytes / 1e6 / (seconds() - start));
        if (failed > 0)
            return 1;
    }
    printf("object size          %8zu bytes\n", (size_t)objects[0].size);
    salvor_canonicalizer_free(whole);
    salvor_canonicalizer_free(lean);
    salvor_text_clear(&out);
    salvor_text_clear(&text);
    return 0;
}
