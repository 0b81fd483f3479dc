#include "settings-text.h"

#include <stdio.h>
#include <yaml.h>

enum { SETTINGS_LIMIT = 256 * 1024 };

static json_t *scalar_of(const yaml_node_t *node)
{
    return json_stringn((const char *)node->data.scalar.value, node->data.scalar.length);
}

/* NULL for what is neither a scalar nor a list of scalars. */
static json_t *value_of(yaml_document_t *document, const yaml_node_t *node)
{
    if (node->type == YAML_SCALAR_NODE)
        return scalar_of(node);
    if (node->type != YAML_SEQUENCE_NODE)
        return NULL;
    json_t *list = json_array();
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        const yaml_node_t *entry = yaml_document_get_node(document, *item);
        if (entry->type != YAML_SCALAR_NODE || json_array_append_new(list, scalar_of(entry)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *members_of(yaml_document_t *document, const yaml_node_t *map)
{
    json_t *members = json_object();
    for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
         members != NULL && pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(document, pair->key);
        json_t *value = value_of(document, yaml_document_get_node(document, pair->value));
        if (value == NULL || key->type != YAML_SCALAR_NODE) {
            json_decref(value);
            continue;
        }
        /* a key that is no text of its own cannot be one that is looked for */
        (void)json_object_set_new(members, (const char *)key->data.scalar.value, value);
    }
    return members;
}

json_t *settings_read(struct salvor_span text, char *problem, size_t problem_size)
{
    yaml_parser_t parser;
    yaml_document_t document;
    json_t *members = NULL;
    (void)snprintf(problem, problem_size, "it is no YAML map");
    if (text.size == 0 || text.size > SETTINGS_LIMIT || yaml_parser_initialize(&parser) != 1)
        return NULL;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, (size_t)text.size);
    if (yaml_parser_load(&parser, &document) == 1) {
        const yaml_node_t *root = yaml_document_get_root_node(&document);
        if (root != NULL && root->type == YAML_MAPPING_NODE)
            members = members_of(&document, root);
        yaml_document_delete(&document);
    } else {
        (void)snprintf(problem, problem_size, "line %zu: %s", parser.problem_mark.line + 1,
                       parser.problem != NULL ? parser.problem : "not YAML");
    }
    yaml_parser_delete(&parser);
    return members;
}
