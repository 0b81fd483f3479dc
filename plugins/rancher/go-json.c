#include "go-json.h"

#include <string.h>

/* In JSON these stand in strings only. 0: none at this place; else how many bytes it has. */
static size_t special_at(const char *at, const char *end)
{
    if (*at == '<' || *at == '>' || *at == '&')
        return 1;
    if (*at != '\xe2' || end - at < 3 || at[1] != '\x80')
        return 0;
    return at[2] == '\xa8' || at[2] == '\xa9' ? 3 : 0;
}

static const char *next_special(const char *at, const char *end)
{
    while (at < end) {
        at += strcspn(at, "<>&\xe2");
        if (at >= end || special_at(at, end) > 0)
            return at < end ? at : end;
        at++;
    }
    return end;
}

struct salvor_span go_json_escape(struct salvor_span json, struct salvor_text *buffer)
{
    const char *at = json.data;
    const char *end = json.data + json.size;
    const char *special = next_special(at, end);
    if (special == end)
        return json;
    salvor_text_reset(buffer);
    while (special < end) {
        const size_t size = special_at(special, end);
        salvor_text_add(buffer, at, (size_t)(special - at));
        if (size == 1)
            salvor_text_format(buffer, "\\u00%02x", (unsigned)(unsigned char)*special);
        else
            salvor_text_put(buffer, special[2] == '\xa8' ? "\\u2028" : "\\u2029");
        at = special + size;
        special = next_special(at, end);
    }
    salvor_text_add(buffer, at, (size_t)(end - at));
    return salvor_text_as_span(buffer);
}
