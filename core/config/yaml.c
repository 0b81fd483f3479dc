#include "config/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/banned.h"
#include "base/text.h"

struct reader {
    yaml_parser_t parser;
    const char *name;
    const char *text;
    size_t size;
    size_t nodes;
    struct error *reterr;
};

static void delete_event(yaml_event_t *event)
{
    yaml_event_delete(event);
}
#define cleanup_event __attribute__((cleanup(delete_event)))

static int fail_at(struct reader *reader, const yaml_mark_t *mark, const char *what)
{
    return error_set(reader->reterr, EXIT_USAGE, "%s:%zu:%zu: %s", reader->name, mark->line + 1,
                     mark->column + 1, what);
}

/* libyaml tells the reader's errors by byte offset only. */
static yaml_mark_t mark_of_offset(const struct reader *reader, size_t offset)
{
    yaml_mark_t mark = {offset, 0, 0};
    for (size_t i = 0; i < offset && i < reader->size; i++) {
        if (reader->text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (((unsigned char)reader->text[i] & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

/* The first byte of character `index`, for marks count characters; NUL behind the end. */
static char character_at(const struct reader *reader, size_t index)
{
    size_t at = reader->size >= 3 && memcmp(reader->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (; at < reader->size; at++)
        if (((unsigned char)reader->text[at] & 0xc0) != 0x80 && index-- == 0)
            return reader->text[at];
    return '\0';
}

static int fail_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        out_of_memory();
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    if (parser->error == YAML_READER_ERROR) {
        yaml_mark_t mark = mark_of_offset(reader, parser->problem_offset);
        return fail_at(reader, &mark, problem);
    }
    const yaml_mark_t *mark = &parser->problem_mark;
    fail_at(reader, mark, problem);
    if (parser->context != NULL && parser->context_mark.index != mark->index)
        error_detail(reader->reterr, "%s that begins at line %zu, column %zu", parser->context,
                     parser->context_mark.line + 1, parser->context_mark.column + 1);
    if (character_at(reader, mark->index) == '\t')
        error_hint(reader->reterr, "YAML is indented with spaces, never with tabs");
    return -1;
}

static int next_event(struct reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event) == 1)
        return 0;
    return fail_syntax(reader);
}

static struct yaml_node *new_node(enum yaml_kind kind, const yaml_mark_t *mark)
{
    struct yaml_node *node = memory_new(1, sizeof *node);
    node->kind = kind;
    node->line = mark->line + 1;
    node->column = mark->column + 1;
    return node;
}

void yaml_free(struct yaml_node *node)
{
    if (node == NULL)
        return;
    for (size_t i = 0; i < node->count; i++) {
        free(node->entries[i].key);
        yaml_free(node->entries[i].value);
    }
    free(node->entries);
    free(node->text);
    free(node);
}

/* The new last entry of `node`, or NULL past the limit. */
static struct yaml_entry *add_entry(struct reader *reader, struct yaml_node *node,
                                    const yaml_mark_t *mark)
{
    if (node->count >= YAML_ENTRY_LIMIT) {
        fail_at(reader, mark, "more than 1024 entries in one list or map");
        return NULL;
    }
    if ((node->count & (node->count - 1)) == 0)
        node->entries = memory_resize(node->entries, node->count == 0 ? 1 : node->count * 2,
                                      sizeof node->entries[0]);
    struct yaml_entry *entry = &node->entries[node->count++];
    *entry = (struct yaml_entry){NULL, mark->line + 1, mark->column + 1, NULL};
    return entry;
}

static int refuse_anchor_and_tag(struct reader *reader, const yaml_event_t *event,
                                 const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL) {
        fail_at(reader, &event->start_mark, "anchors and aliases are not supported");
        return error_hint(reader->reterr, "write the value out where it is needed");
    }
    if (tag != NULL) {
        fail_at(reader, &event->start_mark, "tags are not supported");
        return error_hint(reader->reterr, "write the value without '%s'", (const char *)tag);
    }
    return 0;
}

static int is_nothing(const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text_equal(text, "") || text_equal(text, "~") || text_equal(text, "null"));
}

static int read_value(struct reader *reader, const yaml_event_t *event, size_t depth,
                      struct yaml_node **ret_node);

static int read_list(struct reader *reader, size_t depth, struct yaml_node *list)
{
    for (;;) {
        cleanup_event yaml_event_t event = {0};
        if (next_event(reader, &event) != 0)
            return -1;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            return 0;
        struct yaml_entry *entry = add_entry(reader, list, &event.start_mark);
        if (entry == NULL || read_value(reader, &event, depth, &entry->value) != 0)
            return -1;
    }
}

static int read_key(struct reader *reader, const yaml_event_t *event, struct yaml_node *map)
{
    if (event->type == YAML_ALIAS_EVENT)
        return refuse_anchor_and_tag(reader, event, event->data.alias.anchor, NULL);
    if (event->type != YAML_SCALAR_EVENT)
        return fail_at(reader, &event->start_mark, "a key must be a text");
    if (refuse_anchor_and_tag(reader, event, event->data.scalar.anchor, event->data.scalar.tag) !=
        0)
        return -1;
    const char *key = (const char *)event->data.scalar.value;
    if (strlen(key) != event->data.scalar.length)
        return fail_at(reader, &event->start_mark, "a key holds a NUL character");
    const struct yaml_entry *same = yaml_member(map, key);
    if (same != NULL) {
        error_set(reader->reterr, EXIT_USAGE, "%s:%zu:%zu: key '%s' is given twice", reader->name,
                  event->start_mark.line + 1, event->start_mark.column + 1, key);
        return error_hint(reader->reterr, "it stands first at line %zu, column %zu", same->line,
                          same->column);
    }
    struct yaml_entry *entry = add_entry(reader, map, &event->start_mark);
    if (entry == NULL)
        return -1;
    entry->key = text_copy(key);
    return 0;
}

static int read_map(struct reader *reader, size_t depth, struct yaml_node *map)
{
    for (;;) {
        cleanup_event yaml_event_t key = {0};
        if (next_event(reader, &key) != 0)
            return -1;
        if (key.type == YAML_MAPPING_END_EVENT)
            return 0;
        if (read_key(reader, &key, map) != 0)
            return -1;
        cleanup_event yaml_event_t value = {0};
        if (next_event(reader, &value) != 0 ||
            read_value(reader, &value, depth, &map->entries[map->count - 1].value) != 0)
            return -1;
    }
}

static int read_scalar(struct reader *reader, const yaml_event_t *event,
                       struct yaml_node **ret_node)
{
    if (refuse_anchor_and_tag(reader, event, event->data.scalar.anchor, event->data.scalar.tag) !=
        0)
        return -1;
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length)
        return fail_at(reader, &event->start_mark, "a text holds a NUL character");
    *ret_node = new_node(is_nothing(event) ? YAML_NOTHING : YAML_TEXT, &event->start_mark);
    if ((*ret_node)->kind == YAML_TEXT)
        (*ret_node)->text = text_copy(text);
    return 0;
}

/* *ret_node is set even on failure, as far as read: it belongs to the tree. */
static int read_value(struct reader *reader, const yaml_event_t *event, size_t depth,
                      struct yaml_node **ret_node)
{
    if (++reader->nodes > YAML_NODE_LIMIT)
        return fail_at(reader, &event->start_mark, "more than 65536 values");
    if (depth >= YAML_DEPTH_LIMIT && event->type != YAML_SCALAR_EVENT)
        return fail_at(reader, &event->start_mark, "nested deeper than 32 levels");
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, event, ret_node);
    case YAML_SEQUENCE_START_EVENT:
        if (refuse_anchor_and_tag(reader, event, event->data.sequence_start.anchor,
                                  event->data.sequence_start.tag) != 0)
            return -1;
        *ret_node = new_node(YAML_LIST, &event->start_mark);
        return read_list(reader, depth + 1, *ret_node);
    case YAML_MAPPING_START_EVENT:
        if (refuse_anchor_and_tag(reader, event, event->data.mapping_start.anchor,
                                  event->data.mapping_start.tag) != 0)
            return -1;
        *ret_node = new_node(YAML_MAP, &event->start_mark);
        return read_map(reader, depth + 1, *ret_node);
    case YAML_ALIAS_EVENT:
        return refuse_anchor_and_tag(reader, event, event->data.alias.anchor, NULL);
    default:
        return fail_at(reader, &event->start_mark, "unexpected end");
    }
}

static int expect_end(struct reader *reader)
{
    cleanup_event yaml_event_t document_end = {0};
    if (next_event(reader, &document_end) != 0)
        return -1;
    cleanup_event yaml_event_t end = {0};
    if (next_event(reader, &end) != 0)
        return -1;
    if (end.type != YAML_STREAM_END_EVENT)
        return fail_at(reader, &end.start_mark, "there must be one document only");
    return 0;
}

static int read_stream(struct reader *reader, struct yaml_node **root)
{
    cleanup_event yaml_event_t stream = {0};
    if (next_event(reader, &stream) != 0)
        return -1;
    cleanup_event yaml_event_t document = {0};
    if (next_event(reader, &document) != 0)
        return -1;
    if (document.type == YAML_STREAM_END_EVENT) {
        *root = new_node(YAML_NOTHING, &document.start_mark);
        return 0;
    }
    cleanup_event yaml_event_t value = {0};
    if (next_event(reader, &value) != 0 || read_value(reader, &value, 0, root) != 0)
        return -1;
    return expect_end(reader);
}

int yaml_parse(const char *text, size_t size, const char *name, struct yaml_node **ret_root,
               struct error *reterr)
{
    if (size > YAML_SIZE_LIMIT)
        return error_set(reterr, EXIT_USAGE, "%s: larger than 1 MiB", name);
    struct reader reader = {.name = name, .text = text, .size = size, .reterr = reterr};
    if (yaml_parser_initialize(&reader.parser) != 1)
        out_of_memory();
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    struct yaml_node *root = NULL;
    int result = read_stream(&reader, &root);
    yaml_parser_delete(&reader.parser);
    if (result != 0) {
        yaml_free(root);
        return -1;
    }
    *ret_root = root;
    return 0;
}

const struct yaml_entry *yaml_member(const struct yaml_node *node, const char *key)
{
    if (node == NULL || node->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < node->count; i++)
        if (text_equal(node->entries[i].key, key))
            return &node->entries[i];
    return NULL;
}

const char *yaml_kind_name(enum yaml_kind kind)
{
    static const char *const names[] = {"nothing", "a text", "a list", "a map"};
    return names[kind];
}
