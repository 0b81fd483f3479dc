/* sim-kube: the simulator as a program. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim-kube.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

static struct sim_kube *running;

static void stop(int signal)
{
    (void)signal;
    sim_kube_stop(running);
}

static const char usage[] =
    "usage: sim-kube [OPTION]...\n"
    "A simulated Kubernetes API server on 127.0.0.1; prints its URL and serves until stopped.\n"
    "\n"
    "  --port N               port to listen on (default: chosen by the kernel)\n"
    "  --tls                  HTTPS with a certificate made at start\n"
    "  --token TOKEN          requests need this bearer token\n"
    "  --user TOKEN=USER[/GROUP,...]  a further token; RBAC objects decide its rights\n"
    "  --kubeconfig FILE      write a kubeconfig there\n"
    "  --audit FILE           append one JSON line a request\n"
    "  --controllers LIST     of namespace, service-account, workload, pod, job, gc\n"
    "                         (default: namespace)\n"
    "  --controller-delay MS  how long after a change they act (default: 5)\n"
    "  --kube-version V       what /version says (default: v1.36.0)\n"
    "  --seed N               of UIDs and generated names\n"
    "  --load FILE            create the objects of this JSON file first: one a line, or a List\n";

/* One object of a file, with apiVersion and kind, created by its type's path. */
static int load_object(struct sim_kube *sim, const json_t *object)
{
    json_t *answer = NULL;
    int status = sim_kube_create(sim, object, &answer);
    const char *message = json_string_value(json_object_get(answer, "message"));
    if (status != 201)
        fprintf(stderr, "sim-kube: cannot create: %s\n", message == NULL ? "failed" : message);
    json_decref(answer);
    return status == 201 ? 0 : -1;
}

static int load(struct sim_kube *sim, const char *path)
{
    cleanup_file FILE *file = fopen(path, "re");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    json_t *object;
    json_error_t error;
    while ((object = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error)) != NULL) {
        json_t *items = json_object_get(object, "items");
        size_t i;
        json_t *item;
        int result = json_is_array(items) ? 0 : load_object(sim, object);
        json_array_foreach (items, i, item)
            result |= load_object(sim, item);
        json_decref(object);
        if (result != 0)
            return -1;
    }
    if (json_error_code(&error) != json_error_premature_end_of_input) {
        fprintf(stderr, "sim-kube: %s:%d: %s\n", path, error.line, error.text);
        return -1;
    }
    return 0;
}

/* "TOKEN=USER[/GROUP,...]" */
static int add_user(struct sim_kube *sim, const char *text)
{
    const char *equal = strchr(text, '=');
    if (equal == NULL)
        return -1;
    /* Names of system users hold colons, so that a slash begins the groups. */
    const char *slash = strchr(equal, '/');
    const char *end = slash != NULL ? slash : equal + strlen(equal);
    cleanup_free char *token = text_copy_span(text, (size_t)(equal - text));
    cleanup_free char *user = text_copy_span(equal + 1, (size_t)(end - equal - 1));
    sim_kube_add_token(sim, token, user, slash == NULL ? "" : slash + 1);
    return 0;
}

enum {
    OPT_PORT = 1,
    OPT_TLS,
    OPT_TOKEN,
    OPT_USER,
    OPT_KUBECONFIG,
    OPT_AUDIT,
    OPT_CONTROLLERS,
    OPT_DELAY,
    OPT_VERSION,
    OPT_SEED,
    OPT_LOAD,
    OPT_HELP
};

static const struct option long_options[] = {
    {"port", required_argument, NULL, OPT_PORT},
    {"tls", no_argument, NULL, OPT_TLS},
    {"token", required_argument, NULL, OPT_TOKEN},
    {"user", required_argument, NULL, OPT_USER},
    {"kubeconfig", required_argument, NULL, OPT_KUBECONFIG},
    {"audit", required_argument, NULL, OPT_AUDIT},
    {"controllers", required_argument, NULL, OPT_CONTROLLERS},
    {"controller-delay", required_argument, NULL, OPT_DELAY},
    {"kube-version", required_argument, NULL, OPT_VERSION},
    {"seed", required_argument, NULL, OPT_SEED},
    {"load", required_argument, NULL, OPT_LOAD},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

struct settings {
    struct sim_kube_options options;
    const char *kubeconfig;
    const char *users[16];
    const char *loads[16];
    size_t user_count, load_count;
};

static int read_number(const char *text, int64_t *ret)
{
    if (text_parse_integer(text, ret) == 0 && *ret >= 0)
        return 0;
    fprintf(stderr, "sim-kube: '%s' is no number\n", text);
    return -1;
}

static int read_option(int option, struct settings *settings)
{
    struct sim_kube_options *options = &settings->options;
    int64_t number = 0;
    if ((option == OPT_PORT || option == OPT_DELAY || option == OPT_SEED) &&
        read_number(optarg, &number) != 0)
        return -1;
    if (option == OPT_PORT)
        options->port = (uint16_t)number;
    else if (option == OPT_TLS)
        options->tls = 1;
    else if (option == OPT_TOKEN)
        options->admin_token = optarg;
    else if (option == OPT_KUBECONFIG)
        settings->kubeconfig = optarg;
    else if (option == OPT_AUDIT)
        options->audit_path = optarg;
    else if (option == OPT_CONTROLLERS)
        options->controllers = optarg;
    else if (option == OPT_DELAY)
        options->controller_delay_ms = number;
    else if (option == OPT_VERSION)
        options->version = optarg;
    else if (option == OPT_SEED)
        options->seed = (uint64_t)number;
    else if (option == OPT_USER && settings->user_count < 16)
        settings->users[settings->user_count++] = optarg;
    else if (option == OPT_LOAD && settings->load_count < 16)
        settings->loads[settings->load_count++] = optarg;
    else
        return -1;
    return 0;
}

static int serve(const struct settings *settings, struct sim_kube *sim, struct error *error)
{
    for (size_t i = 0; i < settings->user_count; i++)
        if (add_user(sim, settings->users[i]) != 0)
            return error_set(error, EXIT_USAGE, "'%s' is not TOKEN=USER[/GROUP,...]",
                             settings->users[i]);
    if (sim_kube_listen(sim, error) != 0)
        return -1;
    for (size_t i = 0; i < settings->load_count; i++)
        if (load(sim, settings->loads[i]) != 0)
            return error_set(error, EXIT_FAILED, "cannot load '%s'", settings->loads[i]);
    if (settings->kubeconfig != NULL) {
        cleanup_free char *text = sim_kube_kubeconfig(sim);
        if (file_write_atomic(settings->kubeconfig, text, strlen(text), 0600, error) != 0)
            return -1;
    }
    running = sim;
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    printf("%s\n", sim_kube_url(sim));
    fflush(stdout);
    return sim_kube_run(sim, error);
}

int main(int argc, char **argv)
{
    struct settings settings = {.options.controller_delay_ms = 5};
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == OPT_HELP) {
            fputs(usage, stdout);
            return EXIT_DONE;
        }
        if (option == '?' || read_option(option, &settings) != 0) {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    cleanup_error struct error error = ERROR_INIT;
    struct sim_kube *sim = sim_kube_new(&settings.options, &error);
    int failed = sim == NULL || serve(&settings, sim, &error) != 0;
    if (failed)
        fprintf(stderr, "sim-kube: %s\n", error.message);
    sim_kube_free(sim);
    return failed ? (int)error.code : EXIT_DONE;
}
