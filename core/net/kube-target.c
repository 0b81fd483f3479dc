#include "net/kube-target.h"

#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"

enum { PART_LIMIT = 1024, TARGET_LIMIT = 16384, QUERY_LIMIT = 12288 };

static int is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._~", c) != NULL;
}

static void encode(struct buffer *out, const char *text, char also)
{
    for (; *text != '\0'; text++) {
        if (is_plain(*text) || *text == also)
            (void)buffer_append(out, text, 1);
        else
            (void)buffer_format(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

/* What kube-apiserver lets be a name: no path of its own, nothing that could lead elsewhere. */
static int check_part(const char *what, const char *part, int must_be, struct error *reterr)
{
    if (part == NULL || *part == '\0')
        return !must_be ? 0 : error_set(reterr, EXIT_FAILED, "%s is missing", what);
    if (strlen(part) > PART_LIMIT)
        return error_set(reterr, EXIT_FAILED, "%s is longer than %d bytes", what, PART_LIMIT);
    if (text_equal(part, ".") || text_equal(part, "..") || strpbrk(part, "/%") != NULL)
        return error_set(reterr, EXIT_FAILED, "%s '%s' can be no part of a path", what, part);
    return 0;
}

/* Groups, versions and resources are made of few characters. */
static int check_word(const char *what, const char *word, int must_be, struct error *reterr)
{
    if (check_part(what, word, must_be, reterr) != 0)
        return -1;
    if (word != NULL && word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-.")] != '\0')
        return error_set(reterr, EXIT_FAILED, "%s '%s' is not made of a-z 0-9 - .", what, word);
    return 0;
}

int kube_target(const char *prefix, const struct kube_place *place, const char *query,
                char **ret_target, struct error *reterr)
{
    struct buffer target = BUFFER_INIT(TARGET_LIMIT);
    const int has_group = place->group != NULL && *place->group != '\0';
    if (check_word("the group", place->group, 0, reterr) != 0 ||
        check_word("the version", place->version, 1, reterr) != 0 ||
        check_word("the resource", place->resource, 1, reterr) != 0 ||
        check_word("the sub-resource", place->subresource, 0, reterr) != 0 ||
        check_part("the namespace", place->ns, 0, reterr) != 0 ||
        check_part("the name", place->name, 0, reterr) != 0)
        return -1;
    int failed = buffer_format(&target, "%s/%s%s/%s", prefix, has_group ? "apis/" : "api",
                               has_group ? place->group : "", place->version);
    if (place->ns != NULL && *place->ns != '\0') {
        failed |= buffer_append_text(&target, "/namespaces/");
        encode(&target, place->ns, ':');
    }
    failed |= buffer_format(&target, "/%s", place->resource);
    if (place->name != NULL && *place->name != '\0') {
        failed |= buffer_append_text(&target, "/");
        encode(&target, place->name, ':');
    }
    if (place->subresource != NULL && *place->subresource != '\0')
        failed |= buffer_format(&target, "/%s", place->subresource);
    if (query != NULL && *query != '\0')
        failed |= buffer_format(&target, "?%s", query);
    if (failed != 0) {
        buffer_clear(&target);
        return error_set(reterr, EXIT_FAILED, "the path of the request is longer than %d bytes",
                         TARGET_LIMIT);
    }
    *ret_target = buffer_take(&target);
    return 0;
}

char *kube_type_text(const struct kube_place *place)
{
    const char *group = place->group != NULL ? place->group : "";
    const char *sub = place->subresource != NULL ? place->subresource : "";
    return text_format("%s%s%s%s%s", place->resource, *group != '\0' ? "." : "", group,
                       *sub != '\0' ? "/" : "", sub);
}

char *kube_query_pair(const char *name, const char *value)
{
    struct buffer pair = BUFFER_INIT(QUERY_LIMIT);
    (void)buffer_format(&pair, "%s=", name);
    encode(&pair, value, '\0');
    return buffer_take(&pair);
}

char *kube_query_join(const char *first, const char *second)
{
    const char *a = first != NULL ? first : "";
    const char *b = second != NULL ? second : "";
    return text_format("%s%s%s", a, *a != '\0' && *b != '\0' ? "&" : "", b);
}

int kube_query_has(const char *query, const char *name)
{
    const size_t size = strlen(name);
    for (const char *at = query; at != NULL && *at != '\0';) {
        const size_t part = strcspn(at, "&");
        const size_t key = strcspn(at, "=&");
        if (key == size && memcmp(at, name, size) == 0)
            return 1;
        at += part + (at[part] == '&');
    }
    return 0;
}
