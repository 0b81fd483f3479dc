/*
 * From the C descriptor in a plugin's memory to its JSON form (docs/internals.md). It believes no
 * size, count or length without a bound, copies everything, and looks at each byte once, so that
 * the rest of the program never touches plugin data. A wild pointer still ends the process: it
 * runs only in a worker.
 */
#ifndef SALVOR_PLUGIN_DESCRIBE_H
#define SALVOR_PLUGIN_DESCRIBE_H

#include <jansson.h>
#include <salvor/plugin.h>

#include "base/error.h"
#include "plugin/negotiate.h"

enum {
    DESCRIBE_TEXT_LIMIT = 16384,    /* bytes of one text */
    DESCRIBE_JSON_LIMIT = 512 << 10 /* bytes of the whole; must fit into one frame */
};

/* Reads the part that never moves into `ret_plugin` (requested and path are left alone). -1 when
 * the address cannot be that of a descriptor. */
int describe_head(const void *address, struct negotiate_plugin *ret_plugin, struct error *reterr);

/* The host's own copies of descriptor and hooks, and the JSON form. */
struct description {
    struct salvor_plugin plugin; /* pointers in it lead into the plugin's memory */
    struct salvor_hooks hooks;
    json_t *json;                 /* owned */
    char *name;                   /* declared, owned */
    char *unknown;                /* what of descriptor or hooks this host does not know, or NULL */
    struct negotiate_need *needs; /* owned; names borrowed from json */
    size_t need_count;
};

/*
 * Copies min(sizes) of a descriptor whose head was negotiated, and describes it. On success the
 * body fields of `plugin` are filled too (they borrow from `ret_description`), for negotiate() to
 * judge. Rows, options and other elements with parts that this host does not know are refused here:
 * the host never drops a field in silence.
 */
int describe_plugin(const void *address, struct negotiate_plugin *plugin,
                    struct description *ret_description, struct error *reterr);

void description_clear(struct description *description);

#define cleanup_description __attribute__((cleanup(description_clear)))

#endif
