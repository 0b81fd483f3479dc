/*
 * Requests by the transport of the network services, so many at once, and what they took, as a line
 * of JSON:
 *
 *   http-load ORIGIN [--ca FILE] [--certificate FILE --key FILE] [--http 1|2|2-only]
 *             [--connections N] [--in-flight N] [--requests N] [--first N]
 *             [--post BODY-FORMAT] TARGET
 *
 * With --post each request is a POST of BODY-FORMAT, in which %d is its number from --first on.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "net/transport.h"
#include "practice-call.h"

struct load {
    struct practice practice;
    struct net_pool *pool;
    const char *target;
    const char *post;
    long requests, started, ended, failed, connections, first, not_http_2;
    int is_http_2;
    double *latencies;
    uint64_t bytes;
};

struct one {
    struct net_transfer transfer;
    char *body;
    double began;
    struct load *load;
};

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Of this process. */
static double processor_time(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* BODY-FORMAT with its first %d replaced. */
static char *make_body(const char *format, long number)
{
    const char *mark = strstr(format, "%d");
    if (mark == NULL)
        return text_copy(format);
    return text_format("%.*s%ld%s", (int)(mark - format), format, number, mark + 2);
}

static void begin(struct one *one)
{
    static const char *const json[] = {"Content-Type: application/json"};
    struct load *load = one->load;
    free(one->body);
    one->body = load->post != NULL ? make_body(load->post, load->first + load->started) : NULL;
    one->transfer.method = load->post != NULL ? "POST" : "GET";
    one->transfer.headers = json;
    one->transfer.header_count = load->post != NULL;
    one->transfer.body = (struct salvor_span){one->body, one->body != NULL ? strlen(one->body) : 0};
    load->started++;
    one->began = now();
    net_start(&load->practice.call, &one->transfer);
}

static void ended(struct net_transfer *transfer)
{
    struct one *one = transfer->owner;
    struct load *load = one->load;
    load->latencies[load->ended++] = now() - one->began;
    load->bytes += transfer->answer.size;
    load->connections += transfer->new_connection;
    load->not_http_2 += transfer->http != 20;
    if (transfer->status != SALVOR_OK || transfer->code >= 300) {
        if (load->failed++ == 0)
            (void)fprintf(stderr, "http-load: %d %s\n", (int)transfer->code,
                          transfer->status != SALVOR_OK ? transfer->error.message
                                                        : transfer->answer.data);
    }
    if (load->started < load->requests)
        begin(one);
}

static int by_size(const void *a, const void *b)
{
    const double first = *(const double *)a;
    const double second = *(const double *)b;
    return first < second ? -1 : first > second;
}

static void run(struct load *load, long in_flight)
{
    struct one *all = memory_new((size_t)in_flight, sizeof *all);
    load->latencies = memory_new((size_t)load->requests, sizeof *load->latencies);
    const double began = now();
    const double cpu_began = processor_time();
    for (long i = 0; i < in_flight && load->started < load->requests; i++) {
        all[i].load = load;
        all[i].transfer = (struct net_transfer){.pool = load->pool,
                                                .target = load->target,
                                                .response_limit = 256 << 20,
                                                .ended = ended,
                                                .owner = &all[i]};
        begin(&all[i]);
    }
    while (load->ended < load->requests)
        if (net_wait(&load->practice.call, 60000) != SALVOR_OK)
            break;
    const double seconds = now() - began;
    const double cpu = processor_time() - cpu_began;
    qsort(load->latencies, (size_t)load->ended, sizeof *load->latencies, by_size);
    (void)printf("{\"requests\":%ld,\"failed\":%ld,\"seconds\":%.3f,\"rate\":%.0f,\"p50_ms\":%.2f,"
                 "\"p99_ms\":%.2f,\"connections\":%ld,\"megabytes\":%.1f,\"not_http_2\":%ld,"
                 "\"cpu_us_each\":%.0f}\n",
                 load->ended, load->failed, seconds, (double)load->ended / seconds,
                 load->latencies[load->ended / 2] * 1e3,
                 load->latencies[load->ended * 99 / 100] * 1e3, load->connections,
                 (double)load->bytes / 1e6, load->not_http_2, cpu * 1e6 / (double)load->ended);
    for (long i = 0; i < in_flight; i++) {
        net_transfer_clear(&all[i].transfer);
        free(all[i].body);
    }
    free(all);
    free(load->latencies);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"ca", required_argument, NULL, 'a'},
                                            {"certificate", required_argument, NULL, 'c'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"http", required_argument, NULL, 'h'},
                                            {"connections", required_argument, NULL, 'n'},
                                            {"in-flight", required_argument, NULL, 'f'},
                                            {"requests", required_argument, NULL, 'r'},
                                            {"first", required_argument, NULL, '1'},
                                            {"post", required_argument, NULL, 'p'},
                                            {NULL, 0, NULL, 0}};
    struct net_pool_settings settings = {.http = NET_HTTP_1};
    struct load load = {.requests = 1000};
    long in_flight = 16;
    for (int option = 0; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'a':
            settings.ca_file = optarg;
            break;
        case 'c':
            settings.certificate_file = optarg;
            break;
        case 'k':
            settings.key_file = optarg;
            break;
        case 'h':
            settings.http = text_equal(optarg, "2")   ? NET_HTTP_2
                            : text_equal(optarg, "1") ? NET_HTTP_1
                                                      : NET_HTTP_2_ONLY;
            break;
        case 'n':
            settings.connections = (uint32_t)strtol(optarg, NULL, 10);
            break;
        case 'f':
            in_flight = strtol(optarg, NULL, 10);
            break;
        case 'r':
            load.requests = strtol(optarg, NULL, 10);
            break;
        case '1':
            load.first = strtol(optarg, NULL, 10);
            break;
        case 'p':
            load.post = optarg;
            break;
        default:
            return 2;
        }
    }
    if (argc - optind != 2 || in_flight < 1 || load.requests < 1)
        return 2;
    settings.origin = argv[optind];
    load.target = argv[optind + 1];
    practice_begin(&load.practice);
    load.practice.call.deadline = INT64_MAX / 2;
    if (net_pool_open(&load.practice.call, &settings, &load.pool) != SALVOR_OK) {
        (void)fprintf(stderr, "http-load: %s\n", load.practice.call.error.message);
        return 1;
    }
    run(&load, in_flight);
    net_pool_release(load.pool);
    practice_end(&load.practice);
    return load.failed > 0 || load.ended < load.requests;
}
