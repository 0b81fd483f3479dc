#include "route.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/text.h"

enum { PARTS_MAX = 10 };

/* Splits at '/', dropping empty parts; the number of parts, or -1 when there are too many. */
static int split(const char *path, char *parts[PARTS_MAX])
{
    int count = 0;
    while (*path != '\0') {
        path += strspn(path, "/");
        size_t size = strcspn(path, "/");
        if (size == 0)
            break;
        if (count == PARTS_MAX) {
            while (count > 0)
                free(parts[--count]);
            return -1;
        }
        parts[count++] = text_copy_span(path, size);
        path += size;
    }
    return count;
}

static const char *verb_of(const struct sim_request *request)
{
    const char *method = request->method;
    int collection = request->route.name[0] == '\0';
    const char *watch = request_query(request, "watch");
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
        if (!collection)
            return "get";
        return watch != NULL && strcmp(watch, "0") != 0 && strcmp(watch, "false") != 0 ? "watch"
                                                                                       : "list";
    }
    if (strcmp(method, "POST") == 0)
        return "create";
    if (strcmp(method, "PUT") == 0)
        return "update";
    if (strcmp(method, "PATCH") == 0)
        return "patch";
    if (strcmp(method, "DELETE") == 0)
        return collection ? "deletecollection" : "delete";
    return "";
}

/* The rest after group and version: [namespaces/NS/]PLURAL[/NAME[/SUBRESOURCE]]. */
static int parse_rest(const struct sim_kube *sim, struct sim_request *request, const char *group,
                      const char *version, char **parts, int count)
{
    struct sim_route *route = &request->route;
    const char *space = "";
    if (count > 2 && strcmp(parts[0], "namespaces") == 0 && strcmp(parts[2], "status") != 0 &&
        strcmp(parts[2], "finalize") != 0) {
        space = parts[1];
        parts += 2;
        count -= 2;
    }
    if (count < 1 || count > 3)
        return -1;
    route->type = types_find(&sim->types, group, version, parts[0]);
    if (route->type == NULL)
        return -1;
    int namespaced = (route->type->flags & TYPE_NAMESPACED) != 0;
    if ((namespaced && space[0] == '\0' && count > 1) || (!namespaced && space[0] != '\0'))
        return -1;
    route->space = text_copy(space);
    route->name = text_copy(count > 1 ? parts[1] : "");
    route->subresource = text_copy(count > 2 ? parts[2] : "");
    route->verb = verb_of(request);
    return 0;
}

int route_parse(const struct sim_kube *sim, struct sim_request *request)
{
    char *parts[PARTS_MAX];
    int count = split(request->path, parts);
    int result = -1;
    if (count >= 3 && strcmp(parts[0], "api") == 0)
        result = parse_rest(sim, request, "", parts[1], parts + 2, count - 2);
    else if (count >= 4 && strcmp(parts[0], "apis") == 0)
        result = parse_rest(sim, request, parts[1], parts[2], parts + 3, count - 3);
    while (count > 0)
        free(parts[--count]);
    return result;
}

void route_clear(struct sim_route *route)
{
    free(route->space);
    free(route->name);
    free(route->subresource);
    *route = (struct sim_route){NULL, NULL, NULL, NULL, NULL};
}

char *object_key(const char *space, const char *name)
{
    return space[0] == '\0' ? text_copy(name) : text_format("%s/%s", space, name);
}

char *route_key(const struct sim_route *route)
{
    return object_key(route->space, route->name);
}
