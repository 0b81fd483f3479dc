#include "rule-set.h"

#include <string.h>

#include "picture.h"

struct place {
    const char *start; /* "/infra/sites/S/enforcement-points/E" */
    size_t size;
    const char *name;
};

static int place_of(const char *path, struct place *ret_place)
{
    static const char tree[] = "/policy/api/v1";
    if (path == NULL)
        return -1;
    if (strncmp(path, tree, sizeof tree - 1) == 0)
        path += sizeof tree - 1;
    const char *name = strrchr(path, '/');
    if (name == NULL || name == path)
        return -1;
    const char *kind = name - 1;
    while (kind > path && *kind != '/')
        kind--;
    *ret_place = (struct place){path, (size_t)(kind - path), name + 1};
    return 0;
}

int same_control_plane(const char *one, const char *other)
{
    struct place a;
    struct place b;
    return place_of(one, &a) == 0 && place_of(other, &b) == 0 && strcmp(a.name, b.name) == 0 &&
           a.size == b.size && memcmp(a.start, b.start, a.size) == 0;
}

int names_control_plane(const json_t *paths, const char *control_plane)
{
    for (size_t i = 0; i < json_array_size(paths); i++) {
        if (same_control_plane(json_string_value(json_array_get(paths, i)), control_plane))
            return 1;
    }
    return 0;
}

static void visit_groups(const json_t *paths, void (*visit)(void *data, const char *path),
                         void *data)
{
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const char *path = json_string_value(json_array_get(paths, i));
        if (path != NULL && strstr(path, "/groups/") != NULL)
            visit(data, path);
    }
}

void each_group_of_policy(const json_t *policy, void (*visit)(void *data, const char *path),
                          void *data)
{
    static const char *const members[] = {"source_groups", "destination_groups", "scope"};
    const json_t *rules = json_object_get(policy, "rules");
    visit_groups(json_object_get(policy, "scope"), visit, data);
    for (size_t i = 0; i < json_array_size(rules); i++) {
        for (size_t k = 0; k < sizeof members / sizeof *members; k++)
            visit_groups(json_object_get(json_array_get(rules, i), members[k]), visit, data);
    }
}

void each_group_of_group(const json_t *group, void (*visit)(void *data, const char *path),
                         void *data)
{
    const json_t *expressions = json_object_get(group, "expression");
    if (expressions == NULL)
        expressions = json_object_get(group, "expressions"); /* of a nested expression */
    for (size_t i = 0; i < json_array_size(expressions); i++) {
        const json_t *expression = json_array_get(expressions, i);
        visit_groups(json_object_get(expression, "paths"), visit, data);
        if (json_object_get(expression, "expressions") != NULL)
            each_group_of_group(expression, visit, data);
    }
}
