/* Measures the splitting of lists: measure-list-split [MEGABYTES]. Prints MB/s; fails on a wrong
 * count only, since speed is not the same on every machine. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buffer.h"
#include "net/kube-list-split.h"

enum { ITEMS = 500 };

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Objects of about 3 KB, or many small members. */
static void put_item(struct buffer *text, int number, int dense)
{
    (void)buffer_format(text,
                        "%s{\"metadata\":{\"name\":\"object-%d\",\"uid\":\"0a1b2c3d-%d\","
                        "\"managedFields\":[",
                        number > 0 ? "," : "", number, number);
    for (int i = 0; i < (dense ? 12 : 4); i++)
        (void)buffer_format(text,
                            "%s{\"manager\":\"kubectl\",\"operation\":\"Update\",\"fieldsV1\":"
                            "{\"f:data\":{\".\":{},\"f:key-%d\":{}},\"f:type\":{}}}",
                            i > 0 ? "," : "", i);
    (void)buffer_append_text(text, "]},\"data\":{\"a\":\"");
    for (int i = 0; i < (dense ? 2 : 40); i++)
        (void)buffer_append_text(text, "c29tZSBiYXNlNjQgb2YgYSBjZXJ0aWZpY2F0ZSBvciBhIGtleSBoZX\\n");
    (void)buffer_append_text(text, "\"}}");
}

int main(int argc, char **argv)
{
    const double wanted = (argc > 1 ? strtod(argv[1], NULL) : 1024) * 1e6;
    struct kube_list_page page = {0};
    int wrong = 0;
    for (int dense = 0; dense < 2; dense++) {
        struct buffer text = BUFFER_INIT(16 << 20);
        double bytes = 0;
        (void)buffer_append_text(&text, "{\"kind\":\"SecretList\",\"items\":[");
        for (int i = 0; i < ITEMS; i++)
            put_item(&text, i, dense);
        (void)buffer_append_text(&text, "],\"metadata\":{\"resourceVersion\":\"1\"}}");
        const double start = seconds();
        while (bytes < wanted) {
            wrong |=
                kube_list_split((struct salvor_span){text.data, text.size}, &page, NULL) != 0 ||
                page.item_count != ITEMS;
            bytes += (double)text.size;
        }
        printf("%-20s %8.0f MB/s, %zu bytes an item\n", dense ? "many brackets" : "long strings",
               bytes / 1e6 / (seconds() - start), text.size / ITEMS);
        buffer_clear(&text);
    }
    kube_list_page_clear(&page);
    return wrong;
}
