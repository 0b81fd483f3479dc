#include "services/run-paths.h"

#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

const char *run_folder(struct worker_call *call, const char *setting)
{
    cleanup_error struct error err = ERROR_INIT;
    const char *folder = call_setting(call, setting);
    if (folder == NULL || *folder != '/') {
        (void)call_fail(call, SALVOR_UNSUPPORTED, "'%s' keeps no files: it has no %s",
                        call->row != NULL ? call->row : "-", setting);
        return NULL;
    }
    if (file_make_folder(folder, &err) != 0) {
        (void)call_fail_error(call, SALVOR_FAILED, &err);
        return NULL;
    }
    return folder;
}

const char *run_scratch_folder(struct worker_call *call)
{
    return run_folder(call, "scratch_folder");
}

struct mark {
    const char *mark;
    const char *text;
};

enum { MARKS = 5 };

/* Longer ones first: scratch and artifacts lie in the run's folder. */
static void marks_of(const struct worker_call *call, struct mark marks[MARKS])
{
    const json_t *step = json_object_get(call->body, "step");
    marks[0] = (struct mark){"{scratch}", call_setting(call, "scratch_folder")};
    marks[1] = (struct mark){"{artifacts}", call_setting(call, "artifact_folder")};
    marks[2] = (struct mark){"{run}", call_setting(call, "run_folder")};
    marks[3] = (struct mark){"{job}", json_text(step, "job_id")};
    marks[4] = (struct mark){"{source}",
                             json_text(json_object_get(call->session->open, "source"), "folder")};
}

static char *replaced(const char *data, size_t size, const struct mark *marks, int hide,
                      size_t *ret_size)
{
    struct buffer out = BUFFER_INIT((size_t)1 << 32);
    for (size_t at = 0; at < size;) {
        const char *with = NULL;
        size_t taken = 0;
        for (int i = 0; i < MARKS && taken == 0; i++) {
            const char *from = hide ? marks[i].text : marks[i].mark;
            const char *to = hide ? marks[i].mark : marks[i].text;
            size_t length = from != NULL ? strlen(from) : 0;
            if (length > 1 && to != NULL && length <= size - at &&
                memcmp(data + at, from, length) == 0) {
                with = to;
                taken = length;
            }
        }
        if (taken > 0)
            (void)buffer_append_text(&out, with);
        else
            (void)buffer_append(&out, data + at, taken = 1);
        at += taken;
    }
    *ret_size = out.size;
    return buffer_take(&out);
}

static int has_mark(const char *data, size_t size, const struct mark *marks)
{
    for (int i = 0; i < MARKS; i++)
        if (memmem(data, size, marks[i].mark, strlen(marks[i].mark)) != NULL)
            return 1;
    return 0;
}

json_t *run_paths_hide(const struct worker_call *call, const char *data, size_t size)
{
    struct mark marks[MARKS];
    marks_of(call, marks);
    if (size == 0)
        return json_string("");
    json_t *plain = memchr(data, '\0', size) == NULL ? json_stringn(data, size) : NULL;
    if (plain == NULL) {
        size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
        cleanup_free char *text = memory_new(room, 1);
        (void)sodium_bin2base64(text, room, (const unsigned char *)data, size,
                                sodium_base64_VARIANT_ORIGINAL);
        return json_make("{s:s}", "base64", text);
    }
    if (has_mark(data, size, marks))
        return json_make("{s:o}", "verbatim", plain);
    size_t hidden_size = 0;
    cleanup_free char *hidden = replaced(data, size, marks, 1, &hidden_size);
    json_decref(plain);
    return json_stringn(hidden, hidden_size);
}

char *run_paths_show(const struct worker_call *call, const json_t *hidden, size_t *ret_size)
{
    struct mark marks[MARKS];
    marks_of(call, marks);
    const json_t *verbatim = json_object_get(hidden, "verbatim");
    const json_t *base64 = json_object_get(hidden, "base64");
    *ret_size = 0;
    if (json_is_string(hidden))
        return replaced(json_string_value(hidden), json_string_length(hidden), marks, 0, ret_size);
    if (json_is_string(verbatim)) {
        *ret_size = json_string_length(verbatim);
        return text_copy_span(json_string_value(verbatim), *ret_size);
    }
    size_t room = json_string_length(base64) / 4 * 3 + 3;
    char *data = memory_new(room + 1, 1);
    if (!json_is_string(base64) ||
        sodium_base642bin((unsigned char *)data, room, json_string_value(base64),
                          json_string_length(base64), NULL, ret_size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        *ret_size = 0;
    data[*ret_size] = '\0';
    return data;
}

json_t *run_paths_hide_text(const struct worker_call *call, const char *text)
{
    return run_paths_hide(call, text, strlen(text));
}
