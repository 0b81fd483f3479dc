#include "faults.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "identity.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

enum kind {
    STATUS,    /* an error of the API: status, code */
    TEXT,      /* status, text/plain */
    HTML,      /* status, a gateway's page */
    EMPTY,     /* status without a body */
    TRUNCATED, /* half of the JSON, complete by its length */
    CUT,       /* the connection breaks after `bytes` of the body */
    CLOSE,     /* no answer at all */
    STALL,     /* the answer comes after `ms`, or never */
    STRINGS,   /* numbers of an error as strings */
    EXTRA,     /* fields that nobody knows */
    REDIRECT,  /* to the manager `to` */
    EXPIRE,    /* all sessions end before the request is looked at */
    KINDS
};

static const char *const names[KINDS] = {"status",    "text",  "html",     "empty",
                                         "truncated", "cut",   "close",    "stall",
                                         "strings",   "extra", "redirect", "expire-sessions"};

struct nsx_fault {
    enum kind kind;
    char *method, *path, *site; /* "" for any; path and site are shell patterns */
    int64_t skip, count;
    int64_t until_ms; /* real time after which it is over; 0: never */
    int64_t status, code, bytes, ms, retry_after, to;
    int acts;
};

void nsx_faults_clear(struct sim_nsx *sim)
{
    for (size_t i = 0; i < sim->fault_count; i++) {
        free(sim->faults[i].method);
        free(sim->faults[i].path);
        free(sim->faults[i].site);
    }
    free(sim->faults);
    sim->faults = NULL;
    sim->fault_count = 0;
}

static char *text_of(const json_t *rule, const char *key)
{
    const char *text = json_text(rule, key);
    return text_copy(text == NULL ? "" : text);
}

int nsx_fault_add(struct sim_nsx *sim, const json_t *rule, const char **ret_why)
{
    const char *name = json_text(rule, "fault");
    int kind = name == NULL ? STATUS : KINDS;
    for (int i = 0; name != NULL && i < KINDS; i++)
        if (strcmp(names[i], name) == 0)
            kind = i;
    if (kind == KINDS) {
        *ret_why = "unknown fault";
        return -1;
    }
    int64_t status = kind == STATUS ? 429 : kind == HTML ? 502 : kind == REDIRECT ? 307 : 500;
    int64_t lasts = json_whole(rule, "forMs", 0);
    status = json_whole(rule, "status", status);
    sim->faults = memory_resize(sim->faults, sim->fault_count + 1, sizeof *sim->faults);
    sim->faults[sim->fault_count++] =
        (struct nsx_fault){.kind = (enum kind)kind,
                           .method = text_of(rule, "method"),
                           .path = text_of(rule, "path"),
                           .site = text_of(rule, "site"),
                           .skip = json_whole(rule, "skip", 0),
                           .count = json_whole(rule, "count", lasts > 0 ? INT64_MAX : 1),
                           .until_ms = lasts > 0 ? clock_monotonic_ms() + lasts : 0,
                           .status = status,
                           .code = json_whole(rule, "code", status == 429 ? 102 : status),
                           .bytes = json_whole(rule, "bytes", 1),
                           .ms = json_whole(rule, "ms", -1),
                           .retry_after = json_whole(rule, "retryAfter", 0),
                           .to = json_whole(rule, "to", 0),
                           .acts = json_flag(rule, "acts") || kind >= TRUNCATED};
    if (kind == REDIRECT || kind == EXPIRE || json_is_false(json_object_get(rule, "acts")))
        sim->faults[sim->fault_count - 1].acts = kind == EXPIRE;
    return 0;
}

static int applies(const struct nsx_fault *fault, const struct nsx_request *request)
{
    const char *site = request->call_site == NULL ? "" : request->call_site;
    return (fault->method[0] == '\0' || strcmp(fault->method, request->method) == 0) &&
           (fault->path[0] == '\0' || fnmatch(fault->path, request->path, 0) == 0) &&
           (fault->site[0] == '\0' || fnmatch(fault->site, site, 0) == 0);
}

const struct nsx_fault *nsx_fault_for(struct sim_nsx *sim, const struct nsx_request *request)
{
    /* What plays the clusters has faults of its own: partitions. */
    if (request->user_agent != NULL && text_starts(request->user_agent, NSX_PLAYER_AGENT))
        return NULL;
    for (size_t i = 0; i < sim->fault_count; i++) {
        struct nsx_fault *fault = &sim->faults[i];
        if (!applies(fault, request) || fault->count == 0 ||
            (fault->until_ms > 0 && clock_monotonic_ms() > fault->until_ms))
            continue;
        if (fault->skip > 0) {
            fault->skip--;
            continue;
        }
        fault->count--;
        return fault;
    }
    return NULL;
}

int nsx_fault_acts(const struct nsx_fault *fault)
{
    return fault->acts;
}

/* Every number becomes a string, which some gateways make of them. */
static json_t *as_strings(const json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_integer(value))
        return json_sprintf("%lld", (long long)json_integer_value(value));
    if (json_is_array(value)) {
        json_t *list = json_array();
        json_array_foreach ((json_t *)(uintptr_t)value, i, member)
            json_add(list, as_strings(member));
        return list;
    }
    if (!json_is_object(value))
        return json_clone(value);
    json_t *object = json_object();
    json_object_foreach ((json_t *)(uintptr_t)value, key, member)
        json_put(object, key, as_strings(member));
    return object;
}

static void add_unknown(json_t *value)
{
    json_t *member;
    size_t i;
    if (json_is_object(value)) {
        json_put(value, "x_added_in_a_later_release", json_make("{s:[i,n]}", "of", 7));
        json_array_foreach (json_object_get(value, "results"), i, member)
            add_unknown(member);
    }
}

static void rewrite(struct nsx_answer *answer, enum kind kind)
{
    cleanup_json json_t *body =
        answer->body.size == 0 ? NULL : json_loadb(answer->body.data, answer->body.size, 0, NULL);
    if (body == NULL)
        return;
    json_t *changed = kind == STRINGS ? as_strings(body) : json_incref(body);
    if (kind == EXTRA)
        add_unknown(changed);
    nsx_answer_json(answer, answer->status, changed);
}

void nsx_fault_apply(struct sim_nsx *sim, const struct nsx_fault *fault,
                     const struct nsx_request *request, struct nsx_answer *answer)
{
    int status = (int)fault->status;
    answer->retry_after = (int)fault->retry_after;
    switch (fault->kind) {
    case STATUS:
        nsx_error(answer, status, fault->code, "common-services",
                  fault->code == 102 ? "Client '%s' exceeded request rate of 100 per second"
                                     : "injected by the simulator's user (%s)",
                  request->caller.name == NULL ? "" : request->caller.name);
        answer->retry_after = (int)fault->retry_after;
        break;
    case TEXT:
        nsx_answer_text(answer, status, "text/plain; charset=utf-8", "upstream failure\n");
        break;
    case HTML:
        nsx_answer_text(answer, status, "text/html",
                        "<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1>"
                        "<p>The proxy server received an invalid response.</p></body></html>\n");
        break;
    case EMPTY:
        nsx_answer_empty(answer, status);
        break;
    case TRUNCATED:
        answer->body.size /= 2;
        break;
    case CUT:
        answer->cut_at = fault->bytes;
        break;
    case CLOSE:
        answer->outcome = NSX_CLOSED;
        break;
    case STALL:
        answer->stall_ms = fault->ms;
        break;
    case STRINGS:
    case EXTRA:
        rewrite(answer, fault->kind);
        break;
    case REDIRECT:
        nsx_answer_empty(answer, status);
        answer->location = text_format(
            "https://127.0.0.1:%u%s",
            sim->managers[fault->to > 0 && fault->to < sim->manager_count ? fault->to : 0].port,
            request->path);
        break;
    default: /* EXPIRE acts before the request does */
        break;
    }
}

int nsx_fault_expires(const struct nsx_fault *fault)
{
    return fault->kind == EXPIRE;
}
