#include "member-path.h"

#include <string.h>

#include <salvor/scan.h>

int member_is_hidden(const char *path)
{
    return strstr(path, FILTERS_FOLDER) != NULL;
}

int member_replaces_resource_set(const char *path)
{
    return strstr(path, "filters.json") != NULL && strcmp(path, FILTERS_MEMBER) != 0;
}

static enum member_role odd(const char *problem, const char **ret_problem)
{
    *ret_problem = problem;
    return MEMBER_ODD;
}

static struct salvor_span between(const char *from, const char *to)
{
    const struct salvor_span span = {from, (uint64_t)(to - from)};
    return span;
}

/* "<plural>.<group>#<version>" */
static int read_type(struct salvor_span type, struct member_path *path)
{
    const char *end = type.data + type.size;
    const char *hash = memchr(type.data, '#', (size_t)type.size);
    if (hash == NULL || memchr(hash + 1, '#', (size_t)(end - hash - 1)) != NULL)
        return -1;
    const char *dot = memchr(type.data, '.', (size_t)(hash - type.data));
    if (dot == NULL || dot == type.data || hash + 1 == end)
        return -1;
    path->type = type;
    path->resource = between(type.data, dot);
    path->group = between(dot + 1, hash);
    path->version = between(hash + 1, end);
    return 0;
}

enum member_role member_path_read(const char *path, struct member_path *ret_path,
                                  const char **ret_problem)
{
    static const char suffix[] = ".json";
    const char *words[4];
    size_t count = 0;
    if (strcmp(path, FILTERS_MEMBER) == 0)
        return MEMBER_RESOURCE_SET;
    if (strncmp(path, FILTERS_FOLDER "/", sizeof FILTERS_FOLDER) == 0)
        return MEMBER_ASIDE;
    for (const char *at = path; at != NULL; at = strchr(at, '/')) {
        if (*at == '/')
            at++;
        if (count == 4)
            return odd("it is nested too deeply for an object", ret_problem);
        words[count++] = at;
    }
    if (count == 1)
        return odd("it is a file at the root of the archive", ret_problem);
    if (count == 4)
        return odd("it is nested too deeply for an object", ret_problem);
    if (read_type(between(words[0], words[1] - 1), ret_path) != 0)
        return odd("its folder is not of the form '<plural>.<group>#<version>'", ret_problem);
    const char *name = words[count - 1];
    const size_t size = strlen(name);
    if (size < sizeof suffix || memcmp(name + size - (sizeof suffix - 1), suffix, 5) != 0)
        return odd("it is no '<name>.json'", ret_problem);
    ret_path->name = between(name, name + size - (sizeof suffix - 1));
    ret_path->ns = between(words[1], count == 3 ? words[2] - 1 : words[1]);
    if (count == 3 && ret_path->ns.size == 0)
        return odd("its namespace is empty", ret_problem);
    return MEMBER_OBJECT;
}

void member_path_write(struct salvor_text *out, const char *resource, const char *group,
                       const char *version, const char *ns, const char *name)
{
    salvor_text_format(out, "%s.%s#%s/", resource, group, version);
    if (ns != NULL && *ns != '\0')
        salvor_text_format(out, "%s/", ns);
    salvor_text_put(out, name);
    salvor_text_put(out, ".json");
}
