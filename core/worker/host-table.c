#include "worker/host-table.h"

#include <pthread.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "plugin/plugin-info.h"
#include "worker/argument.h"
#include "worker/channel.h"
#include "worker/interfaces.h"

enum { LOG_LINE_LIMIT = 8192, LOG_CALL_LIMIT = 1 << 20, PROGRESS_EVERY_MS = 100 };

/* ---- log and progress, from any thread ------------------------------------------------------- */

static pthread_mutex_t limits_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    size_t logged;    /* bytes in this call */
    uint64_t dropped; /* lines beyond the limit */
    int64_t sent_at;  /* progress, monotonic ms; 0: never */
    json_t *held;     /* the newest progress, not yet sent */
} limits;

/* Only for threads that the running hook started and will join: what a stale thread brings along
 * is not a call any more. */
static int is_call(const salvor_call *call)
{
    return call != NULL &&
           ((const struct worker_call *)(const void *)call)->magic == WORKER_CALL_MAGIC;
}

static void send_log(struct worker_call *call, uint32_t level, json_t *text)
{
    json_t *body = json_make("{s:I, s:o}", "level", (json_int_t)level, "text", text);
    if (call != NULL) {
        call_send(call, FRAME_LOG, body);
        return;
    }
    /* the entry function: no call yet, and no thread */
    channel_send(FRAME_LOG, 0, body);
    json_decref(body);
}

static int log_limit_reached(size_t size)
{
    (void)pthread_mutex_lock(&limits_lock);
    const int reached = limits.logged + size > LOG_CALL_LIMIT;
    if (reached)
        limits.dropped++;
    else
        limits.logged += size;
    (void)pthread_mutex_unlock(&limits_lock);
    return reached;
}

static void host_log(salvor_call *call, uint32_t level, const char *text)
{
    if (text == NULL || (call != NULL && !is_call(call)))
        return;
    size_t size = strnlen(text, LOG_LINE_LIMIT + 1);
    const int cut = size > LOG_LINE_LIMIT;
    if (cut)
        size = utf8_cut(text, LOG_LINE_LIMIT);
    if (log_limit_reached(size + 1))
        return;
    cleanup_free char *clean = utf8_clean(text, size);
    cleanup_free char *line = text_format("%s%s", clean, cut ? " [cut]" : "");
    if (level != SALVOR_LOG_DEBUG && level != SALVOR_LOG_WARNING)
        level = SALVOR_LOG_INFO;
    send_log(call != NULL ? call_of(call) : NULL, level, json_string(line));
}

static void host_progress(salvor_call *call, uint64_t done, uint64_t total, const char *what)
{
    if (!is_call(call))
        return;
    const char *name = what != NULL ? what : "";
    cleanup_free char *clean = utf8_clean(name, strnlen(name, ARGUMENT_NAME_LIMIT));
    json_t *body = json_make("{s:I, s:I, s:s}", "done", (json_int_t)(done & INT64_MAX), "total",
                             (json_int_t)(total & INT64_MAX), "what", clean);
    const int64_t now = clock_monotonic_ms();
    (void)pthread_mutex_lock(&limits_lock);
    json_decref(limits.held);
    limits.held = NULL;
    if (limits.sent_at != 0 && now - limits.sent_at < PROGRESS_EVERY_MS) {
        limits.held = body;
        body = NULL;
    } else {
        limits.sent_at = now;
    }
    (void)pthread_mutex_unlock(&limits_lock);
    if (body != NULL)
        call_send(call_of(call), FRAME_PROGRESS, body);
}

void host_table_flush(struct worker_call *call)
{
    (void)pthread_mutex_lock(&limits_lock);
    json_t *held = take_pointer(limits.held);
    const uint64_t dropped = limits.dropped;
    limits.logged = 0;
    limits.dropped = 0;
    limits.sent_at = 0;
    (void)pthread_mutex_unlock(&limits_lock);
    if (held != NULL)
        call_send(call, FRAME_PROGRESS, held);
    if (dropped == 0)
        return;
    const struct plugin_info *plugin = call->session->plugin;
    cleanup_free char *text =
        text_format("plugin '%s' logged more than %d KiB in '%s': %llu further lines are not kept",
                    plugin != NULL ? plugin->name : "-", LOG_CALL_LIMIT / 1024, call->hook_name,
                    (unsigned long long)dropped);
    send_log(call, SALVOR_LOG_WARNING, json_string(text));
}

static uint32_t host_cancelled(salvor_call *call)
{
    if (!is_call(call))
        return 1;
    struct worker_call *own = call_of(call);
    struct pollfd fd = {own->session->cancel_fd, POLLIN, 0};
    return poll(&fd, 1, 0) > 0 || call_time_left(own) == 0;
}

/* ---- failures -------------------------------------------------------------------------------- */

static char *clean_text(const char *text)
{
    return text != NULL ? utf8_clean(text, utf8_cut(text, strnlen(text, ARGUMENT_TEXT_LIMIT)))
                        : NULL;
}

static salvor_status host_report(salvor_call *call, salvor_status status, const char *message,
                                 const char *detail, const char *hint)
{
    if (!is_call(call))
        return status;
    struct error *reported = &call_of(call)->reported;
    cleanup_free char *own_message = clean_text(message);
    cleanup_free char *own_detail = clean_text(detail);
    cleanup_free char *own_hint = clean_text(hint);
    error_clear(reported);
    (void)error_set(reported, EXIT_FAILED, "%s", own_message != NULL ? own_message : "");
    if (own_detail != NULL)
        (void)error_detail(reported, "%s", own_detail);
    if (own_hint != NULL)
        (void)error_hint(reported, "%s", own_hint);
    return status;
}

static const char *host_last_error(salvor_call *call)
{
    const char *message = is_call(call) ? call_of(call)->error.message : NULL;
    return message != NULL ? message : "";
}

/* ---- options and facts ----------------------------------------------------------------------- */

static int is_text_option(uint32_t type)
{
    return type == SALVOR_OPTION_STRING || type == SALVOR_OPTION_PATH ||
           type == SALVOR_OPTION_URL || type == SALVOR_OPTION_CHOICE || type == SALVOR_OPTION_LIST;
}

static const struct plugin_option *find_option(struct worker_call *call, const char *function,
                                               const char *name)
{
    const struct plugin_option *option = name != NULL && call->session->plugin != NULL
                                             ? plugin_info_option(call->session->plugin, name)
                                             : NULL;
    if (option == NULL)
        (void)call_fail(call, SALVOR_BUG, "%s: the plugin declares no option '%s'", function,
                        name != NULL ? name : "");
    return option;
}

static const json_t *option_value(const struct worker_call *call, const char *name)
{
    const json_t *options = json_object_get(call->session->open, "options");
    const json_t *value = json_object_get(options, name);
    return json_is_null(value) ? NULL : value;
}

static const char *keep_json(struct worker_call *call, const json_t *value)
{
    cleanup_free char *text = json_canonical(value);
    return call_keep_text(call, text, strlen(text));
}

static const char *host_option_text(salvor_call *call, const char *name)
{
    if (!is_call(call))
        return NULL;
    struct worker_call *own = call_of(call);
    const struct plugin_option *option = find_option(own, "option_text", name);
    if (option == NULL)
        return NULL;
    if (!is_text_option(option->type)) {
        (void)call_fail(own, SALVOR_BUG, "option_text: option '%s' is a number", name);
        return NULL;
    }
    const json_t *value = option->secret ? NULL : option_value(own, name);
    if (json_is_string(value))
        return json_string_value(value);
    return json_is_array(value) ? keep_json(own, value) : NULL;
}

static salvor_status host_option_integer(salvor_call *call, const char *name, int64_t *ret_value)
{
    if (!is_call(call))
        return SALVOR_BUG;
    struct worker_call *own = call_of(call);
    const struct plugin_option *option = find_option(own, "option_integer", name);
    if (option == NULL)
        return SALVOR_BUG;
    if (is_text_option(option->type) || ret_value == NULL)
        return call_fail(own, SALVOR_BUG, "option_integer: option '%s' is not a number", name);
    const json_t *value = option->secret ? NULL : option_value(own, name);
    if (json_is_integer(value))
        *ret_value = json_integer_value(value);
    else if (json_is_boolean(value))
        *ret_value = json_is_true(value);
    else
        return call_fail(own, SALVOR_NOT_FOUND, "option '%s' is not set", name);
    return SALVOR_OK;
}

static const char *host_facts(salvor_call *call)
{
    if (!is_call(call))
        return "{}";
    const json_t *facts = json_object_get(call_of(call)->body, "facts");
    return json_is_object(facts) ? keep_json(call_of(call), facts) : "{}";
}

/* ---- time ------------------------------------------------------------------------------------ */

static int64_t host_deadline_ms(salvor_call *call)
{
    return is_call(call) ? call_time_left(call_of(call)) : 0;
}

static int64_t host_realtime_ms(salvor_call *call)
{
    (void)call;
    return clock_realtime_ms();
}

static int64_t host_monotonic_ms(salvor_call *call)
{
    (void)call;
    return clock_monotonic_ms();
}

static salvor_status host_sleep_ms(salvor_call *call, int64_t milliseconds)
{
    if (!is_call(call))
        return SALVOR_BUG;
    salvor_status status = call_wait(call_of(call), NULL, 0, milliseconds > 0 ? milliseconds : 0);
    return status == SALVOR_PENDING ? SALVOR_OK : status;
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static const char *checkpoint_kind(uint32_t kind)
{
    switch (kind) {
    case SALVOR_CHECKPOINT_PRE_IMAGE:
        return "pre_image";
    case SALVOR_CHECKPOINT_CURSOR:
        return "cursor";
    default:
        return NULL;
    }
}

static salvor_status save(struct worker_call *call, const char *kind, json_t *value)
{
    cleanup_json json_t *own = value;
    cleanup_json json_t *reply = NULL;
    salvor_status status = call_ask(
        call, json_make("{s:s, s:s, s:O}", "ask", "checkpoint", "kind", kind, "value", own),
        &reply);
    if (status != SALVOR_OK)
        return status;
    json_t *checkpoints = json_object_get(call->body, "checkpoints");
    if (!json_is_object(checkpoints)) {
        json_put(call->body, "checkpoints", json_object());
        checkpoints = json_object_get(call->body, "checkpoints");
    }
    json_put(checkpoints, kind, json_incref(own));
    if (text_equal(kind, "pre_image"))
        call->pre_image_needed = 0;
    return SALVOR_OK;
}

static salvor_status host_checkpoint(salvor_call *call, uint32_t kind, const char *json)
{
    if (!is_call(call))
        return SALVOR_BUG;
    struct worker_call *own = call_of(call);
    const char *name = checkpoint_kind(kind);
    if (argument_hook(own, "checkpoint", HOOK_BIT(HOOK_RUN_STEP)) != SALVOR_OK)
        return SALVOR_BUG;
    if (name == NULL)
        return call_fail(own, SALVOR_BUG, "checkpoint: there is no kind %u", kind);
    json_t *value = NULL;
    salvor_status status =
        argument_json(own, "checkpoint", "json", json, SALVOR_CHECKPOINT_LIMIT, 0, &value);
    return status == SALVOR_OK ? save(own, name, value) : status;
}

static const char *host_last_checkpoint(salvor_call *call, uint32_t kind)
{
    if (!is_call(call))
        return NULL;
    struct worker_call *own = call_of(call);
    const char *name = checkpoint_kind(kind);
    if (argument_hook(own, "last_checkpoint", HOOKS_OF_STEPS) != SALVOR_OK)
        return NULL;
    if (name == NULL) {
        (void)call_fail(own, SALVOR_BUG, "last_checkpoint: there is no kind %u", kind);
        return NULL;
    }
    const json_t *value = json_object_get(json_object_get(own->body, "checkpoints"), name);
    return value != NULL && !json_is_null(value) ? keep_json(own, value) : NULL;
}

/* ---- services -------------------------------------------------------------------------------- */

static const void *host_get_interface(salvor_call *call, const char *name, uint32_t min_version)
{
    if (!is_call(call) || name == NULL)
        return NULL;
    cleanup_error struct error err = ERROR_INIT;
    const void *table = interface_find(name, min_version, &err);
    if (table != NULL)
        return table;
    if (error_is_set(&err)) {
        (void)call_fail_error(call_of(call), SALVOR_UNSUPPORTED, &err);
        return NULL;
    }
    const uint32_t offered = interface_version(name);
    if (offered == 0)
        (void)call_fail(call_of(call), SALVOR_UNSUPPORTED, "this salvor offers no '%s'", name);
    else
        (void)call_fail(call_of(call), SALVOR_UNSUPPORTED, "this salvor offers '%s' %u, not %u",
                        name, offered, min_version);
    return NULL;
}

const struct salvor_host *host_table(void)
{
    static const struct salvor_host table = {
        .struct_size = sizeof table,
        .abi_major = SALVOR_ABI_MAJOR,
        .abi_minor = SALVOR_ABI_MINOR,
        .version = SALVOR_VERSION,
        .log = host_log,
        .report = host_report,
        .last_error = host_last_error,
        .option_text = host_option_text,
        .option_integer = host_option_integer,
        .facts = host_facts,
        .progress = host_progress,
        .cancelled = host_cancelled,
        .deadline_ms = host_deadline_ms,
        .realtime_ms = host_realtime_ms,
        .monotonic_ms = host_monotonic_ms,
        .sleep_ms = host_sleep_ms,
        .checkpoint = host_checkpoint,
        .last_checkpoint = host_last_checkpoint,
        .get_interface = host_get_interface,
    };
    return &table;
}
