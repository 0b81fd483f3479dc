/* sim-nsx: the simulator as a program. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim-nsx.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

static struct sim_nsx *running;

static void stop(int signal)
{
    (void)signal;
    sim_nsx_stop(running);
}

static const char usage[] =
    "usage: sim-nsx [OPTION]...\n"
    "A simulated NSX Manager on 127.0.0.1; prints its addresses and serves until stopped.\n"
    "\n"
    "  --managers N           nodes of the manager cluster (default: 1)\n"
    "  --port N               port of the first manager (default: chosen by the kernel)\n"
    "  --control-port N       port of /_sim/ (default: chosen by the kernel)\n"
    "  --nsx-version V        product version (default: 9.0.1.0.24952111)\n"
    "  --address A            of the first manager, as backups name it (default: 127.0.0.1)\n"
    "  --password-file FILE   password of admin (default: Sim-Nsx-Passw0rd)\n"
    "  --user NAME:ROLE:FILE  a further user, its password in FILE\n"
    "  --audit FILE           append one JSON line a request\n"
    "  --switch NAME=VALUE    position of a switch; --list-switches shows all\n"
    "  --list-switches        print name, positions, section of the facts, statement; and end\n"
    "  --rate R               seconds of the simulated clock a real second (default: 1)\n"
    "  --per-request MS       that each request moves the clock on (default: 0)\n"
    "  --start MS             what the clock shows first (default: the present)\n"
    "  --rate-limit N         requests a second and user, 0: none (default: 100)\n"
    "  --seed N               of identifiers\n"
    "  --generate C,G,P,R     C clusters, G groups, P policies with R rules each, from the seed\n"
    "  --certificate FILE     write the first manager's certificate there\n"
    "  --addresses FILE       write the addresses there as JSON\n";

enum { SWITCHES = 64, USERS = 16, SECRET_LIMIT = 4096 };

enum {
    OPT_MANAGERS = 1,
    OPT_PORT,
    OPT_CONTROL_PORT,
    OPT_VERSION,
    OPT_ADDRESS,
    OPT_PASSWORD,
    OPT_USER,
    OPT_AUDIT,
    OPT_SWITCH,
    OPT_LIST,
    OPT_RATE,
    OPT_PER_REQUEST,
    OPT_START,
    OPT_LIMIT,
    OPT_SEED,
    OPT_GENERATE,
    OPT_CERTIFICATE,
    OPT_ADDRESSES,
    OPT_HELP
};

static const struct option long_options[] = {
    {"managers", required_argument, NULL, OPT_MANAGERS},
    {"port", required_argument, NULL, OPT_PORT},
    {"control-port", required_argument, NULL, OPT_CONTROL_PORT},
    {"nsx-version", required_argument, NULL, OPT_VERSION},
    {"address", required_argument, NULL, OPT_ADDRESS},
    {"password-file", required_argument, NULL, OPT_PASSWORD},
    {"user", required_argument, NULL, OPT_USER},
    {"audit", required_argument, NULL, OPT_AUDIT},
    {"switch", required_argument, NULL, OPT_SWITCH},
    {"list-switches", no_argument, NULL, OPT_LIST},
    {"rate", required_argument, NULL, OPT_RATE},
    {"per-request", required_argument, NULL, OPT_PER_REQUEST},
    {"start", required_argument, NULL, OPT_START},
    {"rate-limit", required_argument, NULL, OPT_LIMIT},
    {"seed", required_argument, NULL, OPT_SEED},
    {"generate", required_argument, NULL, OPT_GENERATE},
    {"certificate", required_argument, NULL, OPT_CERTIFICATE},
    {"addresses", required_argument, NULL, OPT_ADDRESSES},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

struct settings {
    struct sim_nsx_options options;
    const char *password_file, *certificate, *addresses, *generate;
    const char *switches[SWITCHES];
    const char *users[USERS];
    size_t switch_count, user_count;
};

static int read_number(const char *text, int64_t *ret)
{
    if (text_parse_integer(text, ret) == 0 && *ret >= 0)
        return 0;
    fprintf(stderr, "sim-nsx: '%s' is no number\n", text);
    return -1;
}

/* Options with a number; 1 when it is one of them, -1 when the number is none. */
static int read_numeric(int option, struct sim_nsx_options *options)
{
    int64_t number = 0;
    static const int numeric[] = {OPT_MANAGERS,    OPT_PORT,  OPT_CONTROL_PORT, OPT_LIMIT,
                                  OPT_PER_REQUEST, OPT_START, OPT_SEED};
    int is_numeric = 0;
    for (size_t i = 0; i < sizeof numeric / sizeof *numeric; i++)
        is_numeric |= numeric[i] == option;
    if (!is_numeric)
        return 0;
    if (read_number(optarg, &number) != 0)
        return -1;
    if (option == OPT_MANAGERS)
        options->managers = (int)number;
    else if (option == OPT_PORT)
        options->manager_port = (uint16_t)number;
    else if (option == OPT_CONTROL_PORT)
        options->control_port = (uint16_t)number;
    else if (option == OPT_LIMIT)
        options->rate_limit = number;
    else if (option == OPT_PER_REQUEST)
        options->per_request_ms = number;
    else if (option == OPT_START)
        options->start_ms = number;
    else
        options->seed = (uint64_t)number;
    return 1;
}

static int read_option(int option, struct settings *settings)
{
    int numeric = read_numeric(option, &settings->options);
    if (numeric != 0)
        return numeric < 0 ? -1 : 0;
    if (option == OPT_VERSION)
        settings->options.version = optarg;
    else if (option == OPT_ADDRESS)
        settings->options.address = optarg;
    else if (option == OPT_AUDIT)
        settings->options.audit_path = optarg;
    else if (option == OPT_RATE)
        settings->options.rate = strtod(optarg, NULL);
    else if (option == OPT_PASSWORD)
        settings->password_file = optarg;
    else if (option == OPT_GENERATE)
        settings->generate = optarg;
    else if (option == OPT_CERTIFICATE)
        settings->certificate = optarg;
    else if (option == OPT_ADDRESSES)
        settings->addresses = optarg;
    else if (option == OPT_SWITCH && settings->switch_count < SWITCHES)
        settings->switches[settings->switch_count++] = optarg;
    else if (option == OPT_USER && settings->user_count < USERS)
        settings->users[settings->user_count++] = optarg;
    else
        return -1;
    return 0;
}

static int set_switches(struct sim_nsx *sim, const struct settings *settings, struct error *reterr)
{
    for (size_t i = 0; i < settings->switch_count; i++) {
        const char *equal = strchr(settings->switches[i], '=');
        cleanup_free char *name =
            text_copy_span(settings->switches[i], strcspn(settings->switches[i], "="));
        if (sim_nsx_switch(sim, name, equal == NULL ? "" : equal + 1, reterr) != 0)
            return -1;
    }
    return 0;
}

static char *read_secret(const char *path, struct error *reterr)
{
    char *text = NULL;
    if (file_read(path, SECRET_LIMIT, &text, NULL, reterr) != 0)
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    return text;
}

/* "NAME:ROLE:FILE" */
static int add_users(struct sim_nsx *sim, const struct settings *settings, struct error *reterr)
{
    for (size_t i = 0; i < settings->user_count; i++) {
        const char *text = settings->users[i], *role = strchr(text, ':');
        const char *path = role == NULL ? NULL : strchr(role + 1, ':');
        if (path == NULL)
            return error_set(reterr, EXIT_USAGE, "'%s' is not NAME:ROLE:FILE", text);
        cleanup_free char *name = text_copy_span(text, (size_t)(role - text));
        cleanup_free char *word = text_copy_span(role + 1, (size_t)(path - role - 1));
        cleanup_free char *password = read_secret(path + 1, reterr);
        if (password == NULL)
            return -1;
        sim_nsx_add_user(sim, name, password, word);
    }
    return 0;
}

/* "C,G,P,R" */
static int generate(struct sim_nsx *sim, const char *text, struct error *reterr)
{
    static const char *const names[] = {"clusters", "groups", "policies", "rules"};
    cleanup_json json_t *wish = json_object();
    for (size_t i = 0; text != NULL && i < 4; i++) {
        int64_t number;
        cleanup_free char *part = text_copy_span(text, strcspn(text, ","));
        if (text_parse_integer(part, &number) != 0)
            return error_set(reterr, EXIT_USAGE, "'%s' is not C,G,P,R", text);
        json_put(wish, names[i], json_integer(number));
        text = strchr(text, ',');
        text = text == NULL ? NULL : text + 1;
    }
    sim_nsx_control(sim, "POST", "/_sim/generate", wish, NULL);
    return 0;
}

/* For people and scripts: one line an address. */
static int publish(const struct sim_nsx *sim, const struct settings *settings, struct error *reterr)
{
    cleanup_json json_t *addresses = sim_nsx_addresses(sim);
    const json_t *managers = json_object_get(addresses, "managers");
    size_t i;
    json_t *manager;
    const char *pem = json_text(json_array_get(managers, 0), "certificate");
    cleanup_free char *text = json_dumps(addresses, JSON_COMPACT);
    if ((settings->certificate != NULL &&
         file_write_atomic(settings->certificate, pem, strlen(pem), 0644, reterr) != 0) ||
        (settings->addresses != NULL &&
         file_write_atomic(settings->addresses, text, strlen(text), 0644, reterr) != 0))
        return -1;
    printf("control %s\n", json_text(addresses, "control"));
    json_array_foreach (managers, i, manager)
        printf("manager %s sha256 %s\n", json_text(manager, "url"), json_text(manager, "sha256"));
    fflush(stdout);
    return 0;
}

static int serve(const struct settings *settings, struct sim_nsx *sim, struct error *reterr)
{
    if (set_switches(sim, settings, reterr) != 0 || add_users(sim, settings, reterr) != 0 ||
        (settings->generate != NULL && generate(sim, settings->generate, reterr) != 0) ||
        sim_nsx_listen(sim, reterr) != 0)
        return -1;
    running = sim;
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (publish(sim, settings, reterr) != 0)
        return -1;
    return sim_nsx_run(sim, reterr);
}

int main(int argc, char **argv)
{
    struct settings settings = {.options = SIM_NSX_DEFAULTS};
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == OPT_HELP || option == OPT_LIST) {
            if (option == OPT_HELP)
                fputs(usage, stdout);
            else
                sim_nsx_list_switches(stdout);
            return EXIT_DONE;
        }
        if (option == '?' || read_option(option, &settings) != 0) {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    cleanup_error struct error error = ERROR_INIT;
    cleanup_free char *password = NULL;
    if (settings.password_file != NULL) {
        password = read_secret(settings.password_file, &error);
        settings.options.password = password;
    }
    struct sim_nsx *sim = error_is_set(&error) ? NULL : sim_nsx_new(&settings.options, &error);
    int failed = sim == NULL || serve(&settings, sim, &error) != 0;
    if (failed)
        fprintf(stderr, "sim-nsx: %s\n", error.message);
    sim_nsx_free(sim);
    return failed ? (int)error.code : EXIT_DONE;
}
