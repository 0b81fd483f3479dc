#include "yaml-tree.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>
#include <yaml.h>

#include <salvor/memory.h>

enum { NOTHING, SCALAR, LIST, MAP };
enum { DEPTH_LIMIT = 32, NODE_LIMIT = 100000 };

struct yaml_tree {
    struct yaml_node root;
    size_t nodes;
};

struct builder {
    yaml_parser_t parser;
    struct yaml_tree *tree;
    char *problem;
    size_t problem_size;
};

/* line: from 1 */
static salvor_status refuse(const struct builder *builder, size_t line, const char *what)
{
    (void)snprintf(builder->problem, builder->problem_size, "line %zu: %s", line, what);
    return SALVOR_REFUSED;
}

static void free_node(struct yaml_node *node)
{
    if (node->text != NULL)
        sodium_memzero(node->text, strlen(node->text));
    salvor_release(node->text);
    for (size_t i = 0; i < node->count; i++) {
        if (node->children != NULL)
            free_node(&node->children[i]);
        if (node->keys != NULL)
            free_node(&node->keys[i]);
    }
    salvor_release(node->children);
    salvor_release(node->keys);
}

static salvor_status build(struct builder *builder, const yaml_event_t *event,
                           struct yaml_node *node, int depth);

/* The next event is the caller's to delete. */
static salvor_status next(struct builder *builder, yaml_event_t *event)
{
    if (yaml_parser_parse(&builder->parser, event) == 1)
        return SALVOR_OK;
    return refuse(builder, builder->parser.problem_mark.line + 1,
                  builder->parser.problem != NULL ? builder->parser.problem : "it is no YAML");
}

/* Room for one more child; of a mapping also for its key. */
static salvor_status grow(struct builder *builder, struct yaml_node *node)
{
    if (++builder->tree->nodes > NODE_LIMIT)
        return refuse(builder, node->line, "too large");
    struct yaml_node *children =
        salvor_resize(node->children, (node->count + 1) * sizeof *children);
    if (children == NULL)
        return refuse(builder, node->line, "no memory");
    node->children = children;
    memset(&children[node->count], 0, sizeof *children);
    if (node->kind == MAP) {
        struct yaml_node *keys = salvor_resize(node->keys, (node->count + 1) * sizeof *keys);
        if (keys == NULL)
            return refuse(builder, node->line, "no memory");
        node->keys = keys;
        memset(&keys[node->count], 0, sizeof *keys);
    }
    node->count++;
    return SALVOR_OK;
}

static salvor_status build_child(struct builder *builder, struct yaml_node *child, int depth)
{
    yaml_event_t event;
    salvor_status status = next(builder, &event);
    if (status != SALVOR_OK)
        return status;
    status = build(builder, &event, child, depth);
    yaml_event_delete(&event);
    return status;
}

/* The elements up to the event that ends the container. */
static salvor_status build_children(struct builder *builder, struct yaml_node *node,
                                    yaml_event_type_t end, int depth)
{
    for (;;) {
        yaml_event_t event;
        salvor_status status = next(builder, &event);
        if (status != SALVOR_OK)
            return status;
        const int ended = event.type == end;
        if (!ended)
            status = grow(builder, node);
        if (!ended && status == SALVOR_OK) {
            const size_t last = node->count - 1;
            struct yaml_node *first = node->kind == MAP ? &node->keys[last] : &node->children[last];
            status = build(builder, &event, first, depth);
            if (status == SALVOR_OK && node->kind == MAP) {
                if (first->kind != SCALAR)
                    status = refuse(builder, first->line, "a key is no text");
                for (size_t i = 0; status == SALVOR_OK && i < last; i++) {
                    if (strcmp(node->keys[i].text, first->text) == 0)
                        status = refuse(builder, first->line, "a key stands twice");
                }
                if (status == SALVOR_OK)
                    status = build_child(builder, &node->children[last], depth);
            }
        }
        yaml_event_delete(&event);
        if (ended || status != SALVOR_OK)
            return status;
    }
}

static salvor_status build(struct builder *builder, const yaml_event_t *event,
                           struct yaml_node *node, int depth)
{
    node->line = (unsigned)event->start_mark.line + 1;
    if (depth > DEPTH_LIMIT)
        return refuse(builder, node->line, "nested too deeply");
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        node->kind = SCALAR;
        if (memchr(event->data.scalar.value, 0, event->data.scalar.length) != NULL)
            return refuse(builder, node->line, "a text holds a NUL");
        node->text =
            salvor_copy_bytes((const char *)event->data.scalar.value, event->data.scalar.length);
        sodium_memzero(event->data.scalar.value, event->data.scalar.length);
        return node->text != NULL ? SALVOR_OK : refuse(builder, node->line, "no memory");
    case YAML_SEQUENCE_START_EVENT:
        node->kind = LIST;
        return build_children(builder, node, YAML_SEQUENCE_END_EVENT, depth + 1);
    case YAML_MAPPING_START_EVENT:
        node->kind = MAP;
        return build_children(builder, node, YAML_MAPPING_END_EVENT, depth + 1);
    default:
        return refuse(builder, node->line, "aliases are not used here");
    }
}

static salvor_status build_document(struct builder *builder)
{
    static const yaml_event_type_t before[] = {YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT};
    static const yaml_event_type_t after[] = {YAML_DOCUMENT_END_EVENT, YAML_STREAM_END_EVENT};
    yaml_event_t event;
    for (size_t i = 0; i < 4; i++) {
        if (i == 2) {
            const salvor_status built = build_child(builder, &builder->tree->root, 0);
            if (built != SALVOR_OK)
                return built;
        }
        const salvor_status status = next(builder, &event);
        if (status != SALVOR_OK)
            return status;
        const yaml_event_type_t type = event.type;
        const size_t line = event.start_mark.line + 1;
        yaml_event_delete(&event);
        if (type != (i < 2 ? before[i] : after[i - 2]))
            return refuse(builder, line, i < 2 ? "it is empty" : "it has more than one document");
    }
    return SALVOR_OK;
}

salvor_status yaml_tree_read(struct salvor_span text, struct yaml_tree **ret_tree, char *problem,
                             size_t problem_size)
{
    struct builder builder = {.problem = problem, .problem_size = problem_size};
    builder.tree = salvor_allocate_zeroed(sizeof *builder.tree);
    if (builder.tree == NULL || yaml_parser_initialize(&builder.parser) != 1) {
        salvor_release(builder.tree);
        (void)snprintf(problem, problem_size, "no memory");
        return SALVOR_REFUSED;
    }
    yaml_parser_set_input_string(&builder.parser,
                                 (const unsigned char *)(text.data != NULL ? text.data : ""),
                                 (size_t)text.size);
    const salvor_status status = build_document(&builder);
    yaml_parser_delete(&builder.parser);
    if (status != SALVOR_OK) {
        yaml_tree_free(builder.tree);
        return status;
    }
    *ret_tree = builder.tree;
    return SALVOR_OK;
}

void yaml_tree_free(struct yaml_tree *tree)
{
    if (tree == NULL)
        return;
    free_node(&tree->root);
    salvor_release(tree);
}

const struct yaml_node *yaml_tree_root(const struct yaml_tree *tree)
{
    return &tree->root;
}

int yaml_node_is_map(const struct yaml_node *node)
{
    return node != NULL && node->kind == MAP;
}

int yaml_node_is_list(const struct yaml_node *node)
{
    return node != NULL && node->kind == LIST;
}

const char *yaml_node_text(const struct yaml_node *node)
{
    return node != NULL && node->kind == SCALAR ? node->text : NULL;
}

size_t yaml_node_count(const struct yaml_node *node)
{
    return node != NULL ? node->count : 0;
}

const struct yaml_node *yaml_node_at(const struct yaml_node *node, const char *key)
{
    for (size_t i = 0; yaml_node_is_map(node) && i < node->count; i++) {
        if (strcmp(node->keys[i].text, key) == 0)
            return &node->children[i];
    }
    return NULL;
}

const struct yaml_node *yaml_node_item(const struct yaml_node *node, size_t index)
{
    return yaml_node_is_list(node) && index < node->count ? &node->children[index] : NULL;
}

const struct yaml_node *yaml_node_stranger(const struct yaml_node *node, const char *const *known)
{
    for (size_t i = 0; yaml_node_is_map(node) && i < node->count; i++) {
        const char *const *one = known;
        while (*one != NULL && strcmp(*one, node->keys[i].text) != 0)
            one++;
        if (*one == NULL)
            return &node->keys[i];
    }
    return NULL;
}
