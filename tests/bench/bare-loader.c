/*
 * The most that libcurl alone gets out of an API server: POSTs of ConfigMaps over so many HTTP/1.1
 * connections, each busy all the time, answers thrown away. Prints how many were created and how
 * long that took in milliseconds.
 *
 *   bare-loader URL-OF-COLLECTION CA CERTIFICATE KEY CONNECTIONS COUNT BYTES PREFIX
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct load {
    CURLM *multi;
    struct curl_slist *headers;
    char **argv;
    char *filling;
    long count, started, created;
};

struct slot {
    CURL *easy;
    char *body;
    size_t room;
};

static double now_ms(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static size_t drop(char *data, size_t size, size_t count, void *user)
{
    (void)data, (void)user;
    return size * count;
}

static void begin(struct load *load, struct slot *slot)
{
    const int length =
        snprintf(slot->body, slot->room,
                 "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                 "\"%s-%ld\"},\"data\":{\"a\":\"%s\"}}",
                 load->argv[8], load->started++, load->filling);
    (void)curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE, (long)length);
    (void)curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, slot->body);
    (void)curl_multi_add_handle(load->multi, slot->easy);
}

static struct slot *make_slots(struct load *load, long connections, size_t bytes)
{
    struct slot *slots = calloc((size_t)connections, sizeof *slots);
    for (long i = 0; slots != NULL && i < connections; i++) {
        struct slot *slot = &slots[i];
        slot->room = bytes + 512;
        slot->body = malloc(slot->room);
        slot->easy = curl_easy_init();
        if (slot->body == NULL || slot->easy == NULL)
            exit(1);
        (void)curl_easy_setopt(slot->easy, CURLOPT_URL, load->argv[1]);
        (void)curl_easy_setopt(slot->easy, CURLOPT_CAINFO, load->argv[2]);
        (void)curl_easy_setopt(slot->easy, CURLOPT_SSLCERT, load->argv[3]);
        (void)curl_easy_setopt(slot->easy, CURLOPT_SSLKEY, load->argv[4]);
        (void)curl_easy_setopt(slot->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        (void)curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, load->headers);
        (void)curl_easy_setopt(slot->easy, CURLOPT_WRITEFUNCTION, drop);
        (void)curl_easy_setopt(slot->easy, CURLOPT_PRIVATE, slot);
        (void)curl_easy_setopt(slot->easy, CURLOPT_POST, 1L);
    }
    return slots;
}

/* How many slots came free and were not filled again. */
static long harvest(struct load *load)
{
    const CURLMsg *message = NULL;
    long idle = 0;
    int left = 0;
    while ((message = curl_multi_info_read(load->multi, &left)) != NULL) {
        struct slot *slot = NULL;
        long code = 0;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURL *easy = message->easy_handle;
        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&slot);
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
        load->created += code == 201;
        (void)curl_multi_remove_handle(load->multi, easy);
        if (load->started < load->count)
            begin(load, slot);
        else
            idle++;
    }
    return idle;
}

int main(int argc, char **argv)
{
    if (argc != 9)
        return 2;
    const long connections = strtol(argv[5], NULL, 10);
    const size_t bytes = strtoul(argv[7], NULL, 10);
    struct load load = {.argv = argv, .count = strtol(argv[6], NULL, 10)};
    long busy = 0;
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    load.multi = curl_multi_init();
    load.headers = curl_slist_append(NULL, "Content-Type: application/json");
    load.filling = calloc(bytes + 1, 1);
    if (load.multi == NULL || load.headers == NULL || load.filling == NULL)
        return 1;
    memset(load.filling, 'x', bytes);
    struct slot *slots = make_slots(&load, connections, bytes);
    const double began = now_ms();
    for (; busy < connections && load.started < load.count; busy++)
        begin(&load, &slots[busy]);
    while (busy > 0) {
        int running = 0;
        (void)curl_multi_perform(load.multi, &running);
        busy -= harvest(&load);
        if (busy > 0)
            (void)curl_multi_poll(load.multi, NULL, 0, 1000, NULL);
    }
    (void)printf("%ld %.0f\n", load.created, now_ms() - began);
    for (long i = 0; i < connections; i++) {
        curl_easy_cleanup(slots[i].easy);
        free(slots[i].body);
    }
    free(slots);
    free(load.filling);
    curl_slist_free_all(load.headers);
    (void)curl_multi_cleanup(load.multi);
    curl_global_cleanup();
    return load.created == load.count ? 0 : 1;
}
