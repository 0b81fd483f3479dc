/*
 * May this plugin run in this host? A pure function over what was read of a plugin and what the
 * host is, so that every rule of the ABI can be tried with versions that do not exist yet. Each
 * refusal is its own message, with exit code 2.
 */
#ifndef SALVOR_PLUGIN_NEGOTIATE_H
#define SALVOR_PLUGIN_NEGOTIATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    NEGOTIATE_HEAD_SIZE = 40,     /* magic to flags: the part of a descriptor that never moves */
    NEGOTIATE_SIZE_LIMIT = 65536, /* a descriptor larger than this is damaged */
    NEGOTIATE_TAG_SIZE = 16
};

struct interface_version {
    const char *name; /* "salvor.exec" */
    uint32_t version;
};

/* What the host is. */
struct negotiate_host {
    uint16_t major;
    uint16_t minor;
    const char *tag;
    uint32_t magic;
    uint32_t first_size; /* of the descriptor in the first minor of this major */
    uint64_t flags;      /* descriptor flags that it knows */
    const struct interface_version *interfaces;
    size_t interface_count;
};

struct negotiate_need {
    const char *name;
    uint32_t min_version;
    int required;
};

/* What was read of the plugin, as far as reading was safe: each later part only counts when its
 * `..._read` is set. Texts are borrowed. */
struct negotiate_plugin {
    const char *requested; /* the name that was asked for */
    const char *path;      /* of its file */
    int entry_major;       /* of the entry symbol found (the host's own: 1); -1: none */

    int head_read;
    uint32_t magic;
    uint16_t major;
    uint16_t minor;
    uint32_t size;
    uint16_t min_host_minor;
    uint16_t reserved;
    char tag[NEGOTIATE_TAG_SIZE];
    uint64_t flags;

    int body_read;
    const char *name;    /* declared; NULL: none */
    const char *unknown; /* what is set that this host does not know, or NULL */
    const struct negotiate_need *needs;
    size_t need_count;
};

enum negotiate_relation {
    NEGOTIATE_SAME,  /* same minor */
    NEGOTIATE_OLDER, /* older plugin: what it lacks reads as zero */
    NEGOTIATE_NEWER  /* newer plugin that uses nothing new; worth a notice */
};

/*
 * 0: it may run (as far as was read), with *ret_relation; -1: refused, with message, detail and
 * hint. `ret_relation` may be NULL.
 */
int negotiate(const struct negotiate_host *host, const struct negotiate_plugin *plugin,
              enum negotiate_relation *ret_relation, struct error *reterr);

/* "plugin 'x' was built for ABI 1.9, running with 1.7", owned by the caller. NULL for SAME. */
char *negotiate_notice(const struct negotiate_host *host, const struct negotiate_plugin *plugin,
                       enum negotiate_relation relation);

/* The two refusals that are also found further inside a descriptor. Both return -1. */
int negotiate_damaged(struct error *reterr, const char *name, const char *detail);
int negotiate_unknown(struct error *reterr, const char *name, const char *detail);

/* The one build of a plugin that a journal was written with, or that is installed. */
struct plugin_identity {
    const char *name;
    const char *version;
    const char *build_id; /* "": the linker wrote none */
    const char *sha256;   /* of the file; compared when there is no build id */
};

/* 0 when both are the same build; -1 with exit code 5 when a resume needs the operator's word. */
int negotiate_resume(const struct plugin_identity *journal, const struct plugin_identity *installed,
                     struct error *reterr);

#endif
