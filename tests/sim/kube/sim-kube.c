#include "sim-kube.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit.h"
#include "control.h"
#include "controllers.h"
#include "guard.h"
#include "internal.h"
#include "json-text.h"
#include "json-tree.h"
#include "route.h"
#include "watch.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

enum { FIRST_REVISION = 1000, EVENT_LIMIT = 100000 };

uint64_t sim_random(struct sim_kube *sim)
{
    /* splitmix64: small, seeded, the same on every machine. */
    uint64_t value = (sim->random_state += 0x9e3779b97f4a7c15ULL);
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31);
}

void sim_uid(struct sim_kube *sim, char ret_uid[37])
{
    uint64_t high = sim_random(sim), low = sim_random(sim);
    snprintf(ret_uid, 37, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(high >> 32),
             (unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xfff,
             ((unsigned)(low >> 48) & 0x3fff) | 0x8000,
             (unsigned long long)(low & 0xffffffffffffULL));
}

void sim_now(char ret_time[32])
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(clock_realtime_ms(), text);
    snprintf(ret_time, 32, "%.19sZ", text);
}

static json_t *groups_of(const char *list)
{
    json_t *groups = json_array();
    while (*list != '\0') {
        size_t size = strcspn(list, ",");
        if (size > 0)
            json_array_append_new(groups, json_stringn(list, size));
        list += size + (list[size] == ',');
    }
    json_array_append_new(groups, json_string("system:authenticated"));
    return groups;
}

void sim_kube_add_token(struct sim_kube *sim, const char *token, const char *user,
                        const char *groups)
{
    sim->tokens = memory_resize(sim->tokens, sim->token_count + 1, sizeof *sim->tokens);
    sim->tokens[sim->token_count++] =
        (struct sim_token){text_copy(token), text_copy(user), groups_of(groups)};
}

static void make_namespaces(struct sim_kube *sim)
{
    static const char *const names[] = {"default", "kube-system", "kube-public", "kube-node-lease"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cleanup_json json_t *space = json_pack("{s:{s:s}}", "metadata", "name", names[i]);
        sim_kube_request(sim, "POST", "/api/v1/namespaces", NULL, space, NULL);
    }
}

struct sim_kube *sim_kube_new(const struct sim_kube_options *options, struct error *reterr)
{
    struct sim_kube *sim = memory_new(1, sizeof *sim);
    memset(sim, 0, sizeof *sim);
    sim->store = store_new(options->first_revision > 0 ? options->first_revision : FIRST_REVISION,
                           options->event_limit > 0 ? options->event_limit : EVENT_LIMIT);
    types_add_builtin(&sim->types, sim->store);
    sim->tables.namespaces = store_table(sim->store, "", "namespaces");
    sim->tables.crds = store_table(sim->store, "apiextensions.k8s.io", "customresourcedefinitions");
    sim->version = text_copy(options->version == NULL ? "v1.36.0" : options->version);
    sim->admin_token = options->admin_token == NULL ? NULL : text_copy(options->admin_token);
    sim->port = options->port;
    sim->tls = options->tls;
    sim->controller_delay_ms = options->controller_delay_ms;
    sim->random_state = options->seed == 0 ? 1 : options->seed;
    sim->admin_groups = json_pack("[s,s]", "system:masters", "system:authenticated");
    sim->anonymous_groups = json_pack("[s]", "system:unauthenticated");
    sim->admin = (struct sim_user){"sim-admin", sim->admin_groups};
    sim->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    controllers_add_crd(sim);
    const char *controllers = options->controllers == NULL ? "namespace" : options->controllers;
    if (sim->stop_fd < 0 || controllers_add(sim, controllers, reterr) != 0 ||
        (options->audit_path != NULL && audit_open(sim, options->audit_path, reterr) != 0)) {
        if (sim->stop_fd < 0)
            error_errno(reterr, EXIT_FAILED, errno, "cannot make an event descriptor");
        sim_kube_free(sim);
        return NULL;
    }
    make_namespaces(sim);
    return sim;
}

static void stop_children(struct sim_kube *sim)
{
    for (size_t i = 0; i < sim->child_count; i++) {
        (void)kill(sim->children[i], SIGTERM);
        while (waitpid(sim->children[i], NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free(sim->children);
}

void sim_kube_free(struct sim_kube *sim)
{
    if (sim == NULL)
        return;
    stop_children(sim);
    if (sim->daemon != NULL)
        MHD_stop_daemon(sim->daemon);
    while (sim->watches != NULL)
        watch_close(sim, sim->watches);
    audit_close(sim);
    control_clear_faults(sim);
    guards_clear(sim);
    for (size_t i = 0; i < sim->token_count; i++) {
        free(sim->tokens[i].token);
        free(sim->tokens[i].user);
        json_decref(sim->tokens[i].groups);
    }
    free(sim->tokens);
    free(sim->hooks);
    json_decref(sim->admin_groups);
    json_decref(sim->anonymous_groups);
    certificate_clear(&sim->authority);
    certificate_clear(&sim->server);
    certificate_clear(&sim->client);
    types_clear(&sim->types);
    store_free(sim->store);
    free(sim->url);
    free(sim->version);
    free(sim->admin_token);
    if (sim->stop_fd >= 0)
        (void)close(sim->stop_fd);
    free(sim);
}

const char *sim_kube_url(const struct sim_kube *sim)
{
    return sim->url;
}

const char *sim_kube_certificate(const struct sim_kube *sim)
{
    return sim->authority.pem;
}

static char *base64_of(const char *text)
{
    size_t size = strlen(text);
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
    char *encoded = memory_new(room, 1);
    sodium_bin2base64(encoded, room, (const unsigned char *)text, size,
                      sodium_base64_VARIANT_ORIGINAL);
    return encoded;
}

char *sim_kube_kubeconfig(const struct sim_kube *sim)
{
    struct buffer text = BUFFER_INIT(1 << 16);
    buffer_format(&text,
                  "apiVersion: v1\nkind: Config\ncurrent-context: sim\nclusters:\n- name: sim\n"
                  "  cluster:\n    server: %s\n",
                  sim->url);
    if (sim->tls) {
        cleanup_free char *authority = base64_of(sim->authority.pem);
        buffer_format(&text, "    certificate-authority-data: %s\n", authority);
    }
    buffer_append_text(&text, "contexts:\n- name: sim\n  context:\n    cluster: sim\n"
                              "    user: admin\nusers:\n- name: admin\n");
    if (sim->admin_token != NULL) {
        buffer_format(&text, "  user:\n    token: %s\n", sim->admin_token);
    } else if (sim->tls) {
        cleanup_free char *certificate = base64_of(sim->client.pem);
        cleanup_free char *key = base64_of(sim->client.key_pem);
        buffer_format(&text, "  user:\n    client-certificate-data: %s\n    client-key-data: %s\n",
                      certificate, key);
    } else {
        buffer_append_text(&text, "  user: {}\n");
    }
    return buffer_take(&text);
}

int sim_kube_request(struct sim_kube *sim, const char *method, const char *path,
                     const char *content_type, const json_t *body, json_t **ret_body)
{
    struct sim_request request = {.method = method,
                                  .path = path,
                                  .content_type = content_type,
                                  .body = BUFFER_INIT((size_t)64 << 20),
                                  .is_own = 1};
    struct sim_answer answer = {.body = BUFFER_INIT(ANSWER_LIMIT)};
    if (content_type == NULL && strcmp(method, "PATCH") == 0)
        request.content_type = "application/merge-patch+json";
    if (body != NULL)
        json_text_write(&request.body, body);
    sim_handle(sim, &request, &answer);
    if (ret_body != NULL)
        *ret_body = json_text_read(answer.body.data, answer.body.size, NULL);
    int status = answer.status;
    route_clear(&request.route);
    buffer_clear(&request.body);
    buffer_clear(&answer.body);
    free(answer.warning);
    free(answer.reason);
    return status;
}

int sim_kube_create(struct sim_kube *sim, const json_t *object, json_t **ret_body)
{
    const char *version = tree_text(object, "apiVersion");
    const char *space = tree_text(object, "metadata.namespace");
    /* Definitions loaded a moment ago must be served by now. */
    controllers_run(sim, INT64_MAX);
    const struct kube_type *type = types_find_kind(&sim->types, version, tree_text(object, "kind"));
    if (type == NULL) {
        *ret_body =
            json_pack("{s:o}", "message",
                      json_sprintf("no type serves '%s' '%s'", version == NULL ? "" : version,
                                   tree_text(object, "kind")));
        return 404;
    }
    cleanup_free char *where =
        (type->flags & TYPE_NAMESPACED) == 0
            ? text_copy("")
            : text_format("/namespaces/%s", space == NULL ? "default" : space);
    cleanup_free char *path = text_format(
        "/%s/%s%s/%s", strchr(version, '/') == NULL ? "api" : "apis", version, where, type->plural);
    return sim_kube_request(sim, "POST", path, NULL, object, ret_body);
}
