#include "yaml-json.h"

#include <string.h>
#include <yaml.h>

#include "base/banned.h"
#include "base/json.h"
#include "base/text.h"

enum { DEPTH = 32 };

static json_t *value_of(yaml_document_t *document, const yaml_node_t *node, int depth)
{
    if (node == NULL || depth > DEPTH)
        return json_null();
    if (node->type == YAML_SCALAR_NODE)
        return json_stringn((const char *)node->data.scalar.value, node->data.scalar.length);
    if (node->type == YAML_SEQUENCE_NODE) {
        json_t *list = json_array();
        for (const yaml_node_item_t *item = node->data.sequence.items.start;
             item < node->data.sequence.items.top; item++)
            json_add(list, value_of(document, yaml_document_get_node(document, *item), depth + 1));
        return list;
    }
    json_t *object = json_object();
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(document, pair->key);
        if (key != NULL && key->type == YAML_SCALAR_NODE)
            json_put(object, (const char *)key->data.scalar.value,
                     value_of(document, yaml_document_get_node(document, pair->value), depth + 1));
    }
    return object;
}

json_t *yaml_json_read(const char *text, size_t size)
{
    yaml_parser_t parser;
    yaml_document_t document;
    json_t *value = NULL;
    if (!yaml_parser_initialize(&parser))
        return NULL;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (yaml_parser_load(&parser, &document)) {
        const yaml_node_t *root = yaml_document_get_root_node(&document);
        if (root != NULL)
            value = value_of(&document, root, 0);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return value;
}
