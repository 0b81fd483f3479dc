/* fault-proxy: the proxy as a program. */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "fault-proxy/fault-proxy.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

static const char usage[] =
    "usage: fault-proxy [OPTION]... UPSTREAM\n"
    "       fault-proxy [OPTION]... --kubeconfig IN OUT\n"
    "Passes HTTP through and spoils it by rule; prints its URL and serves until stopped.\n"
    "\n"
    "  --kubeconfig IN    the upstream and the credentials for it come from this file; OUT is\n"
    "                     written with the proxy in place of the server\n"
    "  --rule TEXT        a rule, may be repeated\n"
    "  --rules FILE       rules, one a line\n"
    "  --seed N           of probabilities\n"
    "  --port N           port on 127.0.0.1 (default: chosen by the kernel)\n"
    "  --tls              speak TLS to clients, with a certificate made at start\n"
    "  --authority FILE   write the PEM of its authority there\n"
    "  --log FILE         append one JSON line a request\n"
    "\n"
    "A rule: [method=M] [path=GLOB] [site=GLOB] [nth=N|N-M|N+] [probability=P] fault=NAME\n"
    "        [status=N] [retry-after=S] [bytes=N] [ms=N] [forward=1]\n"
    "Faults: refuse reset close stall delay status cut drip bad-status-line bad-chunk short-body\n"
    "        long-body oversized tls-expired tls-wrong-name tls-self-signed tls-cut\n";

enum { TEXT_LIMIT = 1 << 20 };

struct settings {
    struct fault_proxy_options options;
    struct buffer rules;
    const char *kubeconfig, *kubeconfig_out, *authority;
    char *texts[4]; /* owned: server, authority, certificate, key */
    char *kubeconfig_text;
};

/* The value of "NAME: value" in a kubeconfig in block style, decoded when `encoded`; or NULL. */
static char *kubeconfig_value(const char *text, const char *name, int encoded)
{
    cleanup_free char *key = text_format("%s: ", name);
    const char *at = strstr(text, key);
    if (at == NULL)
        return NULL;
    at += strlen(key);
    size_t size = strcspn(at, "\r\n"), got;
    if (!encoded)
        return text_copy_span(at, size);
    char *value = memory_new(size + 1, 1);
    if (sodium_base642bin((unsigned char *)value, size, at, size, NULL, &got, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        free(value);
        return NULL;
    }
    value[got] = '\0';
    return value;
}

static int read_kubeconfig(struct settings *settings, struct error *reterr)
{
    size_t size;
    if (file_read(settings->kubeconfig, TEXT_LIMIT, &settings->kubeconfig_text, &size, reterr) != 0)
        return -1;
    const char *text = settings->kubeconfig_text;
    settings->texts[0] = kubeconfig_value(text, "server", 0);
    settings->texts[1] = kubeconfig_value(text, "certificate-authority-data", 1);
    settings->texts[2] = kubeconfig_value(text, "client-certificate-data", 1);
    settings->texts[3] = kubeconfig_value(text, "client-key-data", 1);
    if (settings->texts[0] == NULL)
        return error_set(reterr, EXIT_USAGE, "kubeconfig '%s' names no server",
                         settings->kubeconfig);
    settings->options.upstream = settings->texts[0];
    settings->options.upstream_authority = settings->texts[1];
    settings->options.upstream_certificate = settings->texts[2];
    settings->options.upstream_key = settings->texts[3];
    settings->options.tls |= text_starts(settings->texts[0], "https://");
    return 0;
}

/* The same file with server and authority of the proxy. */
static int write_kubeconfig(const struct settings *settings, const struct fault_proxy *proxy,
                            struct error *reterr)
{
    cleanup_buffer struct buffer out = BUFFER_INIT(TEXT_LIMIT);
    const char *at = settings->kubeconfig_text;
    while (*at != '\0') {
        size_t size = strcspn(at, "\n"), indent = strspn(at, " -");
        if (text_starts(at + indent, "server: ")) {
            buffer_format(&out, "%.*sserver: %s\n", (int)indent, at, fault_proxy_url(proxy));
            if (fault_proxy_authority(proxy) != NULL) {
                const char *pem = fault_proxy_authority(proxy);
                char encoded[4096];
                sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)pem, strlen(pem),
                                  sodium_base64_VARIANT_ORIGINAL);
                buffer_format(&out, "%*scertificate-authority-data: %s\n", (int)indent, "",
                              encoded);
            }
        } else if (!text_starts(at + indent, "certificate-authority-data: ")) {
            buffer_append(&out, at, size);
            buffer_append_text(&out, "\n");
        }
        at += size + (at[size] == '\n');
    }
    return file_write_atomic(settings->kubeconfig_out, out.data, out.size, 0600, reterr);
}

static int add_rules_file(struct settings *settings, const char *path, struct error *reterr)
{
    cleanup_free char *text = NULL;
    size_t size;
    if (file_read(path, TEXT_LIMIT, &text, &size, reterr) != 0)
        return -1;
    return buffer_format(&settings->rules, "%s\n", text);
}

static const struct option long_options[] = {
    {"kubeconfig", required_argument, NULL, 'k'},
    {"rule", required_argument, NULL, 'r'},
    {"rules", required_argument, NULL, 'R'},
    {"seed", required_argument, NULL, 's'},
    {"port", required_argument, NULL, 'p'},
    {"tls", no_argument, NULL, 't'},
    {"authority", required_argument, NULL, 'a'},
    {"log", required_argument, NULL, 'l'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int read_option(struct settings *settings, int option, struct error *reterr)
{
    int64_t number = 0;
    if ((option == 's' || option == 'p') && text_parse_integer(optarg, &number) != 0)
        return error_set(reterr, EXIT_USAGE, "'%s' is no number", optarg);
    switch (option) {
    case 'k':
        settings->kubeconfig = optarg;
        return 0;
    case 'r':
        return buffer_format(&settings->rules, "%s\n", optarg);
    case 'R':
        return add_rules_file(settings, optarg, reterr);
    case 's':
        settings->options.seed = (uint64_t)number;
        return 0;
    case 'p':
        settings->options.port = (uint16_t)number;
        return 0;
    case 't':
        settings->options.tls = 1;
        return 0;
    case 'a':
        settings->authority = optarg;
        return 0;
    case 'l':
        settings->options.log_path = optarg;
        return 0;
    default:
        return error_set(reterr, EXIT_USAGE, "try '--help'");
    }
}

static int serve(struct settings *settings, struct error *reterr)
{
    if (settings->kubeconfig != NULL && read_kubeconfig(settings, reterr) != 0)
        return -1;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    /* Before any thread is made, so that only this one takes them. */
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    settings->options.rules = settings->rules.data;
    struct fault_proxy *proxy = fault_proxy_start(&settings->options, reterr);
    if (proxy == NULL)
        return -1;
    const char *pem = fault_proxy_authority(proxy);
    int result = 0, signal;
    if (settings->authority != NULL && pem != NULL)
        result = file_write_atomic(settings->authority, pem, strlen(pem), 0644, reterr);
    if (result == 0 && settings->kubeconfig != NULL)
        result = write_kubeconfig(settings, proxy, reterr);
    if (result == 0) {
        printf("%s\n", fault_proxy_url(proxy));
        fflush(stdout);
        sigwait(&signals, &signal);
    }
    fault_proxy_stop(proxy);
    return result;
}

int main(int argc, char **argv)
{
    struct settings settings = {.rules = BUFFER_INIT(TEXT_LIMIT)};
    cleanup_error struct error error = ERROR_INIT;
    int option, failed = 0;
    while (failed == 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return EXIT_DONE;
        }
        failed = read_option(&settings, option, &error);
    }
    if (failed == 0 && optind + 1 != argc)
        failed = error_set(&error, EXIT_USAGE, "one operand is wanted; try '--help'");
    if (failed == 0) {
        settings.options.upstream = argv[optind];
        settings.kubeconfig_out = argv[optind];
        failed = serve(&settings, &error);
    }
    if (failed != 0)
        fprintf(stderr, "fault-proxy: %s\n", error.message);
    for (size_t i = 0; i < sizeof settings.texts / sizeof *settings.texts; i++)
        free(settings.texts[i]);
    free(settings.kubeconfig_text);
    buffer_clear(&settings.rules);
    return failed != 0 ? (int)error.code : EXIT_DONE;
}
