/* sim-antrea-cluster: the Kubernetes side of one cluster, as a program. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "player.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/exit-code.h"
#include "base/text.h"

static const char usage[] =
    "usage: sim-antrea-cluster run --kubeconfig FILE [--nsx-control URL] [--manager NAME=URL]...\n"
    "                          [--controllers]\n"
    "       sim-antrea-cluster prepare --kubeconfig FILE [--antrea-version V] [--seed N]\n"
    "                          [--nodes N] [--namespaces N] [--pods N]\n"
    "       sim-antrea-cluster prepare --print [...]\n"
    "\n"
    "run plays the jobs and adapters of the interworking package on a control plane, real or\n"
    "simulated; it prints 'ready' and ends with SIGTERM. prepare makes a cluster with Antrea, or\n"
    "prints its objects for 'sim-kube --load'.\n"
    "\n"
    "  --nsx-control URL      of the simulator: its switches and its clock count\n"
    "  --manager NAME=URL     where a manager that bootstrap-config names is\n"
    "  --controllers          a kube-controller-manager runs: it makes pods and ends jobs\n";

enum { DEBOUNCE_MS = 3, WATCH_RETRY_MS = 200 };

static volatile sig_atomic_t stopping;

static void stop(int signal)
{
    (void)signal;
    stopping = 1;
}

/* --- looking ---------------------------------------------------------------------------------- */

static const char *const watched[] = {
    "/apis/batch/v1" IN_SPACE "/jobs",
    "/apis/apps/v1" IN_SPACE "/deployments",
    "/api/v1" IN_SPACE "/configmaps",
    "/api/v1" IN_SPACE "/secrets",
    "/api/v1/nodes",
    "/api/v1/namespaces",
    "/api/v1/services",
    "/api/v1/pods",
    "/apis/networking.k8s.io/v1/networkpolicies",
    "/apis/networking.k8s.io/v1/ingresses",
    "/apis/crd.antrea.io/v1beta1/egresses",
};
enum { WATCHED = sizeof watched / sizeof *watched, OF_INTERWORKING = 4 };

static void take_event(const char *line, size_t size, void *user)
{
    struct player *player = user;
    (void)line;
    (void)size;
    player->is_dirty = 1;
    player->must_report = 1;
}

static void open_watches(struct player *player)
{
    int64_t now = clock_monotonic_ms();
    for (size_t i = 0; i < WATCHED; i++) {
        struct http_stream *watch = &player->watches[i];
        if (watch->is_open || now < watch->retry_ms)
            continue;
        cleanup_free char *path = text_format("%s?timeoutSeconds=3600&watch=1", watched[i]);
        watch->retry_ms = now + WATCH_RETRY_MS;
        http_stream_open(watch, player->multi, &player->kube, path, take_event, player);
    }
}

/* Everything is looked at anew, so that nothing depends on what was seen before. */
static void look(struct player *player)
{
    player->is_dirty = 0;
    player->look_ms = 0;
    player_read_switches(player);
    enforce_guard(player);
    identity_read(player);
    jobs_work(player);
    identity_read(player);
    int adapters_run = workload_work(player);
    session_work(player, adapters_run);
    if (player->is_connected && player->must_report)
        report_send(player);
    if (player->is_connected && player->wanted != NULL)
        enforce_wanted(player);
    workload_show(player);
}

static int wait_ms(const struct player *player)
{
    int64_t now = clock_monotonic_ms(), wait = WATCH_RETRY_MS;
    if (player->look_ms != 0 && player->look_ms - now < wait)
        wait = player->look_ms > now ? player->look_ms - now : 0;
    return (int)wait;
}

static int run(struct player *player)
{
    int64_t dirty_since = 0;
    int running, is_ready = 0;
    player->multi = curl_multi_init();
    player->is_dirty = 1;
    while (!stopping) {
        int was_open = player->session.is_open;
        open_watches(player);
        curl_multi_perform(player->multi, &running);
        http_streams_collect(player->multi);
        int64_t now = clock_monotonic_ms();
        if ((was_open && !player->session.is_open) ||
            (player->look_ms != 0 && now >= player->look_ms))
            player->is_dirty = 1;
        if (player->is_dirty && dirty_since == 0)
            dirty_since = now;
        /* Events come in crowds. */
        if (player->is_dirty && now - dirty_since >= DEBOUNCE_MS) {
            dirty_since = 0;
            look(player);
            if (!is_ready) {
                printf("ready\n");
                fflush(stdout);
            }
            is_ready = 1;
            continue;
        }
        curl_multi_poll(player->multi, NULL, 0, player->is_dirty ? DEBOUNCE_MS : wait_ms(player),
                        NULL);
    }
    return 0;
}

static void player_clear(struct player *player)
{
    if (player->multi != NULL) {
        session_end(player);
        for (size_t i = 0; i < WATCHED; i++)
            http_stream_close(&player->watches[i], player->multi);
        curl_multi_cleanup(player->multi);
    }
    identity_clear(&player->identity);
    http_target_clear(&player->kube);
    http_target_clear(&player->control);
    http_target_clear(&player->nsx);
    json_decref(player->wanted);
    json_decref(player->switches);
    free(player->last_report);
    free(player->session_key);
    free(player->register_job.uid);
    free(player->deregister_job.uid);
    for (size_t i = 0; i < player->name_count; i++)
        free((char *)(uintptr_t)player->names[i].name);
}

/* --- the command line ------------------------------------------------------------------------- */

enum {
    OPT_KUBECONFIG = 1,
    OPT_CONTROL,
    OPT_MANAGER,
    OPT_CONTROLLERS,
    OPT_PRINT,
    OPT_VERSION,
    OPT_SEED,
    OPT_NODES,
    OPT_NAMESPACES,
    OPT_PODS,
    OPT_HELP
};

static const struct option long_options[] = {
    {"kubeconfig", required_argument, NULL, OPT_KUBECONFIG},
    {"nsx-control", required_argument, NULL, OPT_CONTROL},
    {"manager", required_argument, NULL, OPT_MANAGER},
    {"controllers", no_argument, NULL, OPT_CONTROLLERS},
    {"print", no_argument, NULL, OPT_PRINT},
    {"antrea-version", required_argument, NULL, OPT_VERSION},
    {"seed", required_argument, NULL, OPT_SEED},
    {"nodes", required_argument, NULL, OPT_NODES},
    {"namespaces", required_argument, NULL, OPT_NAMESPACES},
    {"pods", required_argument, NULL, OPT_PODS},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static int add_manager(struct player *player, const char *text)
{
    const char *equal = strchr(text, '=');
    if (equal == NULL || player->name_count == MANAGERS_MAX)
        return -1;
    player->names[player->name_count++] =
        (struct manager_name){text_copy_span(text, (size_t)(equal - text)), equal + 1};
    return 0;
}

static int read_option(int option, struct player *player, struct prepare_options *options,
                       const char **kubeconfig)
{
    int64_t number = 0;
    if (option >= OPT_SEED && option <= OPT_PODS &&
        (text_parse_integer(optarg, &number) != 0 || number < 0))
        return -1;
    if (option == OPT_KUBECONFIG)
        *kubeconfig = optarg;
    else if (option == OPT_CONTROL)
        player->control.url = text_copy(optarg);
    else if (option == OPT_MANAGER)
        return add_manager(player, optarg);
    else if (option == OPT_CONTROLLERS)
        player->has_controllers = 1;
    else if (option == OPT_PRINT)
        options->only_prints = 1;
    else if (option == OPT_VERSION)
        options->antrea_version = optarg;
    else if (option == OPT_SEED)
        options->seed = (uint64_t)number;
    else if (option == OPT_NODES)
        options->nodes = (int)number;
    else if (option == OPT_NAMESPACES)
        options->namespaces = (int)number;
    else if (option == OPT_PODS)
        options->pods = (int)number;
    else
        return -1;
    return 0;
}

int main(int argc, char **argv)
{
    struct player player = {.kube = {.url = NULL}};
    struct prepare_options options = {
        .antrea_version = "v2.3.0", .nodes = 3, .namespaces = 2, .pods = 3, .seed = 1};
    const char *kubeconfig = NULL;
    const char *what = argc > 1 ? argv[1] : "";
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == OPT_HELP) {
            fputs(usage, stdout);
            return EXIT_DONE;
        }
        if (option == '?' || read_option(option, &player, &options, &kubeconfig) != 0) {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    int prepares = strcmp(what, "prepare") == 0;
    if (options.only_prints && prepares)
        kubeconfig = NULL;
    if ((kubeconfig == NULL && !options.only_prints) || (!prepares && strcmp(what, "run") != 0)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = (kubeconfig != NULL && kube_open(kubeconfig, &player.kube) != 0) ||
                 (prepares ? prepare_cluster(&player, &options) : run(&player)) != 0;
    player_clear(&player);
    curl_global_cleanup();
    return failed ? EXIT_FAILED : EXIT_DONE;
}
