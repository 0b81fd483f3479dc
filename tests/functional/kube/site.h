/*
 * salvor.kube against the simulated API server: one server for a test program, a call and a client
 * for each test, a fault proxy between them where one is asked for.
 */
#ifndef SALVOR_TESTS_KUBE_SITE_H
#define SALVOR_TESTS_KUBE_SITE_H

#include <salvor/services.h>

#include "fault-proxy/fault-proxy.h"
#include "net/kube.h"
#include "practice-call.h"
#include "sim-kube-process.h"

struct site {
    struct practice practice;
    struct fault_proxy *proxy; /* or NULL */
    salvor_kube_client *client;
    char *kubeconfig; /* path */
};

/* How many secrets the parent was told of in this test. */
extern int site_redacted;

/* Group setup and teardown: the server, which asks nobody who he is. */
int site_start_server(void **state);
int site_stop_server(void **state);
extern struct sim_kube_process site_server;

/* The simulator with TLS and tokens instead: admin "t0ken-of-the-admin", and "t0ken-of-a-user" of
 * user "somebody" without any right. */
int site_start_strict_server(void **state);

/* A call with effect "change" and a client; `rules` of the fault proxy, or NULL for none; members
 * of `options` (JSON, or NULL) go to client_open. */
void site_begin(struct site *site, const char *rules, const char *options);
void site_end(struct site *site);

/* Another client of the same call. */
salvor_kube_client *site_client(struct site *site, const char *options);

static inline salvor_call *site_call(struct site *site)
{
    return practice_call(&site->practice);
}

/* A request to the core group, version v1. */
struct salvor_kube_request site_request(const char *verb, const char *resource, const char *ns,
                                        const char *name, const char *body);

/* request() of the site's client; *ret_json (may be NULL) is the caller's. */
salvor_status site_ask(struct site *site, const struct salvor_kube_request *request,
                       int32_t *ret_code, json_t **ret_json);

/* As administrator, past client and proxy: the HTTP status. */
int site_admin(const char *method, const char *path, const char *body, json_t **ret_json);

/* Namespaces and objects for tests to look at. */
void site_make_namespace(const char *name);
void site_make_config_maps(const char *ns, int count);

/* What the call recorded as its failure; "" when nothing. */
const char *site_error(struct site *site);
const char *site_hint(struct site *site);

/* How many requests the server got, as its audit log has them from byte `since` on, with that verb
 * ("create") on that resource; status -1 for any. */
int site_count_since(size_t since, const char *verb, const char *resource, int status);
size_t site_audit_size(void);

static inline int site_count(const char *verb, const char *resource, int status)
{
    return site_count_since(0, verb, resource, status);
}

#endif
