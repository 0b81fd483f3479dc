#include "plugin/negotiate.h"

#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

int negotiate_damaged(struct error *reterr, const char *name, const char *detail)
{
    error_set(reterr, EXIT_USAGE, "plugin '%s' has a damaged descriptor", name);
    error_detail(reterr, "%s", detail);
    return error_hint(reterr, "rebuild the plugin with the headers of this salvor");
}

int negotiate_unknown(struct error *reterr, const char *name, const char *detail)
{
    error_set(reterr, EXIT_USAGE, "plugin '%s' uses features this salvor does not know", name);
    error_detail(reterr, "%s", detail);
    return error_hint(reterr, "install a newer salvor, or an older release of the plugin");
}

static int wants_major(struct error *reterr, const struct negotiate_host *host, const char *name,
                       unsigned major)
{
    error_set(reterr, EXIT_USAGE, "plugin '%s' needs plugin ABI %u, this salvor provides %u.%u",
              name, major, host->major, host->minor);
    if (major > host->major)
        return error_hint(reterr, "install a newer salvor");
    return error_hint(reterr, "install a release of the plugin for plugin ABI %u", host->major);
}

/* The tag as text when it could be one: printable, ended, not empty. */
static int readable_tag(const struct negotiate_plugin *plugin, char ret_tag[NEGOTIATE_TAG_SIZE + 1])
{
    size_t length = 0;
    while (length < NEGOTIATE_TAG_SIZE && plugin->tag[length] != '\0') {
        if (plugin->tag[length] < 0x21 || plugin->tag[length] > 0x7e)
            return 0;
        ret_tag[length] = plugin->tag[length];
        length++;
    }
    ret_tag[length] = '\0';
    return length > 0;
}

static uint32_t swapped(uint32_t value)
{
    return value >> 24 | (value >> 8 & 0xff00) | (value << 8 & 0xff0000) | value << 24;
}

/* The first bytes decide whether anything that follows means something. */
static int check_family(const struct negotiate_host *host, const struct negotiate_plugin *plugin,
                        struct error *reterr)
{
    char tag[NEGOTIATE_TAG_SIZE + 1];
    int readable = readable_tag(plugin, tag);
    if (readable && strcmp(tag, host->tag) != 0) {
        error_set(reterr, EXIT_USAGE, "plugin '%s' was built for '%s', not '%s'", plugin->requested,
                  tag, host->tag);
        return error_hint(reterr, "build the plugin with the headers of '%s'", host->tag);
    }
    cleanup_free char *detail = NULL;
    if (plugin->magic == swapped(host->magic))
        detail = text_copy("its magic number has the other byte order");
    else if (plugin->magic != host->magic)
        detail = text_format("it begins with 0x%08x instead of 0x%08x", (unsigned)plugin->magic,
                             (unsigned)host->magic);
    else if (!readable)
        detail = text_copy("its ABI tag is not text");
    return detail == NULL ? 0 : negotiate_damaged(reterr, plugin->requested, detail);
}

static int check_size(const struct negotiate_host *host, const struct negotiate_plugin *plugin,
                      struct error *reterr)
{
    cleanup_free char *detail = NULL;
    if (plugin->size < host->first_size)
        detail = text_format("it says that it has %u bytes, at least %u are needed",
                             (unsigned)plugin->size, (unsigned)host->first_size);
    else if (plugin->size > NEGOTIATE_SIZE_LIMIT)
        detail = text_format("it says that it has %u bytes, more than %d", (unsigned)plugin->size,
                             NEGOTIATE_SIZE_LIMIT);
    else if (plugin->size % sizeof(uint64_t) != 0)
        detail = text_format("its size of %u bytes is not a multiple of 8", (unsigned)plugin->size);
    else if (plugin->min_host_minor > plugin->minor)
        detail = text_format("it was built for ABI %u.%u and says that it needs %u.%u",
                             plugin->major, plugin->minor, plugin->major, plugin->min_host_minor);
    return detail == NULL ? 0 : negotiate_damaged(reterr, plugin->requested, detail);
}

static int check_minor(const struct negotiate_host *host, const struct negotiate_plugin *plugin,
                       enum negotiate_relation *ret_relation, struct error *reterr)
{
    if (host->major == 0 && plugin->minor != host->minor) {
        error_set(reterr, EXIT_USAGE,
                  "plugin '%s' was built for plugin ABI 0.%u, this salvor provides 0.%u",
                  plugin->requested, plugin->minor, host->minor);
        error_detail(reterr, "before ABI 1.0 plugin and salvor must have the same minor version");
        return error_hint(reterr, "install the plugin's release for plugin ABI 0.%u, or rebuild it",
                          host->minor);
    }
    if (plugin->min_host_minor > host->minor) {
        error_set(
            reterr, EXIT_USAGE, "plugin '%s' needs plugin ABI %u.%u, this salvor provides %u.%u",
            plugin->requested, plugin->major, plugin->min_host_minor, host->major, host->minor);
        return error_hint(reterr, "install a newer salvor, or an older release of the plugin");
    }
    *ret_relation = plugin->minor == host->minor  ? NEGOTIATE_SAME
                    : plugin->minor < host->minor ? NEGOTIATE_OLDER
                                                  : NEGOTIATE_NEWER;
    return 0;
}

static int check_features(const struct negotiate_host *host, const struct negotiate_plugin *plugin,
                          struct error *reterr)
{
    uint64_t unknown = plugin->flags & ~host->flags;
    cleanup_free char *detail = NULL;
    if (unknown != 0)
        detail = text_format("flags 0x%llx of the descriptor", (unsigned long long)unknown);
    else if (plugin->reserved != 0)
        detail = text_format("reserved field of the descriptor is 0x%x", plugin->reserved);
    else if (plugin->body_read && plugin->unknown != NULL)
        detail = text_copy(plugin->unknown);
    return detail == NULL ? 0 : negotiate_unknown(reterr, plugin->requested, detail);
}

static const char *file_name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static int check_name(const struct negotiate_plugin *plugin, struct error *reterr)
{
    if (plugin->name == NULL)
        return negotiate_damaged(reterr, plugin->requested, "it has no name");
    if (strcmp(plugin->name, plugin->requested) == 0)
        return 0;
    error_set(reterr, EXIT_USAGE, "plugin file '%s' declares name '%s'", file_name_of(plugin->path),
              plugin->name);
    error_detail(reterr, "plugin '%s' was asked for and found at '%s'", plugin->requested,
                 plugin->path);
    return error_hint(reterr, "the file of plugin 'a-b' must be named 'salvor_a_b.so'");
}

static int check_needs(const struct negotiate_host *host, const struct negotiate_plugin *plugin,
                       struct error *reterr)
{
    for (size_t i = 0; i < plugin->need_count; i++) {
        const struct negotiate_need *need = &plugin->needs[i];
        const struct interface_version *offered = NULL;
        for (size_t j = 0; j < host->interface_count; j++) {
            if (text_equal(host->interfaces[j].name, need->name))
                offered = &host->interfaces[j];
        }
        if (!need->required || (offered != NULL && offered->version >= need->min_version))
            continue;
        if (offered == NULL)
            error_set(reterr, EXIT_USAGE,
                      "plugin '%s' needs '%s' %u, this salvor does not offer it", plugin->requested,
                      need->name, (unsigned)need->min_version);
        else
            error_set(reterr, EXIT_USAGE, "plugin '%s' needs '%s' %u, this salvor offers %u",
                      plugin->requested, need->name, (unsigned)need->min_version,
                      (unsigned)offered->version);
        return error_hint(reterr, "install a newer salvor, or an older release of the plugin");
    }
    return 0;
}

int negotiate(const struct negotiate_host *host, const struct negotiate_plugin *plugin,
              enum negotiate_relation *ret_relation, struct error *reterr)
{
    if (plugin->entry_major < 0) {
        error_set(reterr, EXIT_USAGE, "'%s' is not a salvor plugin", plugin->path);
        error_detail(reterr, "it exports no function 'salvor_plugin_v1'");
        return error_hint(reterr, "a plugin ends with SALVOR_REGISTER_PLUGIN(descriptor)");
    }
    /* The entry symbol of 0.x is that of 1.x: a plugin that outlives the unstable time needs no
     * new name. */
    if (plugin->entry_major != 1)
        return wants_major(reterr, host, plugin->requested, (unsigned)plugin->entry_major);
    enum negotiate_relation relation = NEGOTIATE_SAME;
    if (plugin->head_read) {
        if (check_family(host, plugin, reterr) != 0)
            return -1;
        if (plugin->major != host->major)
            return wants_major(reterr, host, plugin->requested, plugin->major);
        if (check_size(host, plugin, reterr) != 0 ||
            check_minor(host, plugin, &relation, reterr) != 0 ||
            check_features(host, plugin, reterr) != 0)
            return -1;
    }
    if (plugin->body_read &&
        (check_name(plugin, reterr) != 0 || check_needs(host, plugin, reterr) != 0))
        return -1;
    if (ret_relation != NULL)
        *ret_relation = relation;
    return 0;
}

char *negotiate_notice(const struct negotiate_host *host, const struct negotiate_plugin *plugin,
                       enum negotiate_relation relation)
{
    if (relation == NEGOTIATE_SAME)
        return NULL;
    return text_format("plugin '%s' was built for ABI %u.%u, running with %u.%u", plugin->requested,
                       plugin->major, plugin->minor, host->major, host->minor);
}

static char *build_text(const struct plugin_identity *identity)
{
    if (identity->build_id != NULL && identity->build_id[0] != '\0')
        return text_format("%s (build id %s)", identity->version, identity->build_id);
    return text_format("%s (sha256 %s)", identity->version,
                       identity->sha256 != NULL ? identity->sha256 : "unknown");
}

int negotiate_resume(const struct plugin_identity *journal, const struct plugin_identity *installed,
                     struct error *reterr)
{
    int ids = journal->build_id != NULL && journal->build_id[0] != '\0';
    int same_build =
        ids ? text_equal(journal->build_id, installed->build_id)
            : journal->sha256 != NULL && text_equal(journal->sha256, installed->sha256);
    if (same_build && text_equal(journal->name, installed->name) &&
        text_equal(journal->version, installed->version))
        return 0;
    cleanup_free char *then = build_text(journal);
    cleanup_free char *now = build_text(installed);
    error_set(reterr, EXIT_REFUSED, "journal was written by plugin '%s' %s, installed is %s",
              journal->name, then, now);
    return error_hint(reterr, "install the former build, or resume with --accept-plugin-change");
}
