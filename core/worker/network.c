#include "worker/network.h"

#include <dlfcn.h>
#include <salvor/services.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "host/redact.h"
#include "net/bridge.h"
#include "services/ssh-submit.h"
#include "worker/interfaces.h"

/* What it offers, for negotiation; core/net/library.c has the tables. */
static const struct {
    const char *name;
    uint32_t version;
} offered[] = {
    {SALVOR_BATCH, 1},
    {SALVOR_HTTP, 1},
    {SALVOR_KUBE, 1},
};

enum { OFFERED = sizeof offered / sizeof offered[0] };

/* ---- what it is given ------------------------------------------------------------------------ */

static salvor_status fail_text(struct worker_call *call, salvor_status status, const char *text)
{
    return call_fail(call, status, "%s", text);
}

static salvor_status fail_error(struct worker_call *call, salvor_status status, struct error *err)
{
    return call_fail_error(call, status, err);
}

static salvor_status hint_text(struct worker_call *call, salvor_status status, const char *text)
{
    return call_hint(call, status, "%s", text);
}

static const struct net_bridge bridge = {
    .fail = fail_text,
    .fail_error = fail_error,
    .hint = hint_text,
    .may_change = call_may_change,
    .keep = call_keep,
    .keep_text = call_keep_text,
    .register_handle = call_register,
    .forget = call_forget,
    .owns = call_owns,
    .send = call_send,
    .ask = call_ask,
    .hear = call_hear,
    .state = call_state,
    .evidence = call_evidence,
    .wait = call_wait,
    .time_left = call_time_left,
    .keep_descriptor = worker_keep_descriptor,
    .forget_descriptor = worker_forget_descriptor,
    .keeps_descriptor = worker_keeps_descriptor,
    .setting = call_setting,
    .commands_register = service_commands_register,
    .interface_find = interface_find,
    .records = recorder_records,
    .replays = recorder_replays,
    .save = recorder_save,
    .replay = recorder_replay,
    .secret_view = secret_view,
    .secret_redact = secret_redact,
    .redact_add = redact_add,
    .redact_text = redact_text,
    .redact_json = redact_json,
#ifdef SALVOR_TEST_HOOKS
    .kill_point = kill_point,
#endif
};

/* ---- opening it ------------------------------------------------------------------------------ */

/* By name: the program's own RPATH says where, in the build tree as well as when installed. */
static int load(const struct net_border **ret_border, struct error *reterr)
{
    void *library = dlopen(NET_LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL) {
        (void)error_set(reterr, EXIT_FAILED, "cannot load the network services");
        (void)error_detail(reterr, "%s", dlerror()); // NOLINT(concurrency-mt-unsafe)
        return error_hint(reterr, "install the package of salvor whole: '%s' is part of it",
                          NET_LIBRARY_NAME);
    }
    *ret_border = dlsym(library, NET_BORDER_SYMBOL);
    if (*ret_border == NULL)
        return error_set(reterr, EXIT_FAILED, "'%s' is not salvor's library of network services",
                         NET_LIBRARY_NAME);
    return 0;
}

static int check_build(const struct net_border *border, struct error *reterr)
{
    Dl_info info = {0};
    const char *path =
        dladdr(border, &info) != 0 && info.dli_fname != NULL ? info.dli_fname : NET_LIBRARY_NAME;
    if (text_equal(border->version, SALVOR_VERSION) && text_equal(border->stamp, NET_STAMP))
        return 0;
    (void)error_set(reterr, EXIT_FAILED,
                    "cannot use the network services: '%s' is of another build than this salvor",
                    path);
    (void)error_detail(reterr, "it is of version %s (%.12s), this is %s (%.12s)", border->version,
                       border->stamp, SALVOR_VERSION, NET_STAMP);
    return error_hint(reterr, "install the package of salvor whole");
}

static int check_tables(const struct net_table *tables, struct error *reterr)
{
    for (size_t i = 0; i < OFFERED; i++) {
        const struct net_table *each = tables;
        while (each->name != NULL && !text_equal(each->name, offered[i].name))
            each++;
        if (each->name == NULL || each->version != offered[i].version)
            return error_set(reterr, EXIT_FAILED, "'%s' offers no '%s' %u", NET_LIBRARY_NAME,
                             offered[i].name, offered[i].version);
    }
    return 0;
}

static int open_once(struct error *reterr)
{
    const struct net_border *border = NULL;
    if (load(&border, reterr) != 0 || check_build(border, reterr) != 0)
        return -1;
    const struct net_table *tables = border->open(&bridge);
    if (check_tables(tables, reterr) != 0)
        return -1;
    ssh_submit_use(border->batch);
    for (; tables->name != NULL; tables++)
        interface_register(tables->name, tables->version, tables->table);
    return 0;
}

int network_open(struct error *reterr)
{
    static int is_open;
    if (!is_open && open_once(reterr) != 0)
        return -1;
    is_open = 1;
    return 0;
}

void network_register(void)
{
    for (size_t i = 0; i < OFFERED; i++)
        interface_register_later(offered[i].name, offered[i].version, network_open);
    service_commands_open_later(network_open);
}
