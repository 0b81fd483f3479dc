#include "gather.h"

#include <salvor/helpers.h>
#include <stdio.h>
#include <string.h>

#include "picture.h"
#include "read-cluster.h"
#include "read-managers.h"
#include "read-rules.h"

enum { CAPTURE_LIMIT = 64 << 20, CHUNK = 65536 };

static salvor_status no_memory(salvor_call *call)
{
    return salvor_fail_memory(call, "the picture of the site");
}

/* ---- the capture
 * --------------------------------------------------------------------------------- */

static salvor_status read_all(salvor_call *call, salvor_stream_reader *reader,
                              struct salvor_text *text)
{
    for (;;) {
        uint64_t size = 0;
        char *room = salvor_text_reserve(text, CHUNK);
        if (room == NULL)
            return salvor_text_check(call, text, "the capture");
        const salvor_status status = salvor_stream_of(call)->read(call, reader, room, CHUNK, &size);
        text->size += (size_t)size;
        if (status != SALVOR_OK)
            return status == SALVOR_END ? SALVOR_OK : status;
    }
}

salvor_status read_capture(salvor_call *call, json_t **ret_capture)
{
    salvor_auto_text struct salvor_text text = SALVOR_TEXT_INIT(CAPTURE_LIMIT);
    salvor_stream_reader *reader = NULL;
    SALVOR_TRY(salvor_stream_of(call)->open(call, CAPTURE_ARTIFACT, 0, &reader));
    const salvor_status status = read_all(call, reader, &text);
    salvor_stream_of(call)->close(call, reader);
    SALVOR_TRY(status);
    return salvor_json_parse(call, salvor_text_as_span(&text), "the capture", ret_capture);
}

/* ---- what is gone
 * -------------------------------------------------------------------------------- */

static int add_gone(json_t *gone, const char *name, const char *proof, const char *said)
{
    return json_array_append_new(
        gone, json_pack("{s:s, s:s, s:s}", "name", name, "proof", proof, "said", said));
}

static salvor_status add_operators_list(salvor_call *call, json_t *gone)
{
    salvor_auto_json json_t *names = NULL;
    SALVOR_TRY(salvor_option_list(call, "gone", &names));
    for (size_t i = 0; i < json_array_size(names); i++) {
        if (add_gone(gone, json_string_value(json_array_get(names, i)), "operator",
                     "the operator says that it was deleted (--gone)") != 0)
            return no_memory(call);
    }
    return SALVOR_OK;
}

salvor_status gather(salvor_call *call, uint32_t what, struct site *ret_site)
{
    salvor_auto_json json_t *managers = NULL;
    salvor_auto_json json_t *clusters = NULL;
    salvor_auto_json json_t *capture = NULL;
    salvor_auto_json json_t *rules = NULL;
    salvor_auto_json json_t *gone = json_array();
    *ret_site = (struct site){.picture = NULL};
    SALVOR_TRY(manager_open(call, &ret_site->manager));
    SALVOR_TRY(read_managers(&ret_site->manager, (what & GATHER_COUNTS) != 0, &managers));
    SALVOR_TRY(read_clusters(call, (what & GATHER_COUNTS) != 0, &clusters));
    if ((what & GATHER_RULES) != 0)
        SALVOR_TRY(read_rule_set(&ret_site->manager, &rules));
    if ((what & GATHER_CAPTURE) != 0) {
        const salvor_status status = read_capture(call, &capture);
        if (status != SALVOR_OK && status != SALVOR_NOT_FOUND)
            return status;
    }
    SALVOR_TRY(add_operators_list(call, gone));
    const struct manager *manager = &ret_site->manager;
    const json_int_t skew = manager->skew_ms >= 0 ? manager->skew_ms : -manager->skew_ms;
    ret_site->picture =
        json_pack("{s:O, s:O, s:O, s:O, s:O?, s:I}", "managers", managers, "clusters", clusters,
                  "gone", gone, "capture", capture != NULL ? capture : json_null(), "rule_set",
                  rules, "skew_ms", skew + (json_int_t)manager->skew_margin);
    return ret_site->picture != NULL ? SALVOR_OK : no_memory(call);
}

void site_clear(struct site *site)
{
    json_decref(site->picture);
    site->picture = NULL;
}
