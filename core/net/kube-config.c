#include "net/kube-config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "net/kube-config-entry.h"
#include "net/yaml-json.h"

/* ---- one file -------------------------------------------------------------------------------- */

static int read_entry(const struct kube_config_source *source,
                      const struct kube_config_section *section, const json_t *entry,
                      const char *where, json_t *entries)
{
    cleanup_free char *at = text_format("%s.%s", where, section->member);
    cleanup_free char *name_at = text_format("%s.name", where);
    json_t *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(entry) && !json_is_null(entry))
        return kube_config_bad(source, where, "must be a map");
    if (kube_config_text(source, json_object_get(entry, "name"), name_at, &name) != 0)
        return -1;
    cleanup_json json_t *own_name = name != NULL ? name : json_string("");
    const char *key = json_string_value(own_name);
    const int failed = kube_config_entry(source, json_object_get(entry, section->member), at,
                                         section->member, &value);
    cleanup_kube_config json_t *own_value = value;
    if (failed != 0)
        return -1;
    if (json_object_get(entries, key) != NULL)
        return error_set(source->reterr, EXIT_USAGE,
                         "kubeconfig '%s': '%s' has the name '%s' twice", source->name,
                         section->list, key);
    json_put_text(own_value, "origin", source->name);
    json_put(entries, key, take_pointer(own_value));
    return 0;
}

static int read_section(const struct kube_config_source *source,
                        const struct kube_config_section *section, const json_t *document,
                        json_t *config)
{
    const json_t *list = json_object_get(document, section->list);
    json_t *entries = json_make("{}");
    size_t index = 0;
    json_t *entry = NULL;
    json_put(config, section->list, entries);
    if (list == NULL || json_is_null(list))
        return 0;
    if (!json_is_array(list))
        return kube_config_bad(source, section->list, "must be a list");
    json_array_foreach (list, index, entry) {
        cleanup_free char *at = text_format("%s[%zu]", section->list, index);
        if (read_entry(source, section, entry, at, entries) != 0)
            return -1;
    }
    return 0;
}

static int check_kind(const struct kube_config_source *source, const json_t *document)
{
    static const struct {
        const char *key;
        const char *wanted;
    } words[] = {{"kind", "Config"}, {"apiVersion", "v1"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const json_t *value = json_object_get(document, words[i].key);
        const char *text = json_string_value(value);
        if (value != NULL && !json_is_null(value) && !text_equal(text, words[i].wanted) &&
            !text_equal(text, ""))
            return error_set(source->reterr, EXIT_USAGE, "kubeconfig '%s': '%s' must be '%s'",
                             source->name, words[i].key, words[i].wanted);
    }
    return 0;
}

static int read_document(const struct kube_config_source *source, const json_t *document,
                         json_t *config)
{
    json_t *current = NULL;
    if (!json_is_object(document) && !json_is_null(document))
        return error_set(source->reterr, EXIT_USAGE, "'%s' is no kubeconfig: it must be a map",
                         source->name);
    if (check_kind(source, document) != 0)
        return -1;
    for (size_t i = 0; i < KUBE_CONFIG_SECTIONS; i++) {
        if (read_section(source, &kube_config_sections[i], document, config) != 0)
            return -1;
    }
    if (kube_config_text(source, json_object_get(document, "current-context"), "current-context",
                         &current) != 0)
        return -1;
    json_put(config, "current-context", current != NULL ? current : json_string(""));
    json_put(config, "files", json_make("[s]", source->name));
    return 0;
}

static void make_empty(json_t *config)
{
    for (size_t i = 0; i < KUBE_CONFIG_SECTIONS; i++)
        json_put(config, kube_config_sections[i].list, json_make("{}"));
    json_put_text(config, "current-context", "");
    json_put(config, "files", json_make("[]"));
}

int kube_config_read(const char *text, size_t size, const char *name, const char *folder,
                     json_t **ret_config, struct error *reterr)
{
    const struct kube_config_source source = {name, folder, reterr};
    cleanup_kube_config json_t *document = NULL;
    cleanup_kube_config json_t *config = json_make("{}");
    if (size > KUBE_CONFIG_SIZE)
        return error_set(reterr, EXIT_USAGE, "kubeconfig '%s' is larger than %d MiB", name,
                         KUBE_CONFIG_SIZE >> 20);
    if (yaml_json(text, size, name, &document, reterr) != 0 ||
        read_document(&source, document, config) != 0)
        return -1;
    *ret_config = take_pointer(config);
    return 0;
}

static char *folder_of(const char *path)
{
    char current[PATH_MAX];
    const char *slash = strrchr(path, '/');
    cleanup_free char *folder =
        slash == NULL ? text_copy(".") : text_copy_span(path, (size_t)(slash - path));
    if (*path == '/')
        return take_pointer(folder);
    if (getcwd(current, sizeof current) == NULL)
        return NULL;
    return text_equal(folder, ".") ? text_copy(current) : text_format("%s/%s", current, folder);
}

/* *ret_config is NULL when the file is not there and need not be. */
static int read_file(const char *path, int must_exist, json_t **ret_config, struct error *reterr)
{
    cleanup_free char *folder = folder_of(path);
    char *text = NULL;
    size_t size = 0;
    struct stat status;
    *ret_config = NULL;
    if (!must_exist && stat(path, &status) != 0 && errno == ENOENT)
        return 0;
    if (file_read(path, KUBE_CONFIG_SIZE, &text, &size, reterr) != 0)
        return error_prefix(reterr, "kubeconfig");
    const int result = kube_config_read(text, size, path, folder, ret_config, reterr);
    sodium_memzero(text, size);
    free(text);
    return result;
}

/* ---- several files --------------------------------------------------------------------------- */

static void wipe(json_t *value)
{
    const char *name = NULL;
    json_t *member = NULL;
    size_t index = 0;
    if (json_is_string(value))
        sodium_memzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    json_object_foreach (value, name, member)
        wipe(member);
    json_array_foreach (value, index, member)
        wipe(member);
}

/* Takes what `config` has not got yet; the rest is wiped. */
static void merge(json_t *config, const json_t *more)
{
    for (size_t i = 0; i < KUBE_CONFIG_SECTIONS; i++) {
        json_t *entries = json_object_get(config, kube_config_sections[i].list);
        const char *name = NULL;
        json_t *entry = NULL;
        json_object_foreach (json_object_get(more, kube_config_sections[i].list), name, entry) {
            if (json_object_get(entries, name) != NULL)
                wipe(entry);
            else
                json_put(entries, name, json_incref(entry));
        }
    }
    if (text_equal(json_text(config, "current-context"), ""))
        json_put(config, "current-context", json_incref(json_object_get(more, "current-context")));
    if (json_array_extend(json_object_get(config, "files"), json_object_get(more, "files")) != 0)
        out_of_memory();
}

static int add_file(const char *path, int must_exist, json_t *config, struct error *reterr)
{
    json_t *more = NULL;
    if (json_array_size(json_object_get(config, "files")) >= KUBE_CONFIG_FILES)
        return error_set(reterr, EXIT_USAGE, "$KUBECONFIG names more than %d files",
                         KUBE_CONFIG_FILES);
    if (read_file(path, must_exist, &more, reterr) != 0)
        return -1;
    if (more == NULL)
        return 0;
    merge(config, more);
    json_decref(more);
    return 0;
}

/* Every file of a list with ':' between them, each once. */
static int add_list(const char *list, json_t *config, struct error *reterr)
{
    cleanup_json json_t *seen = json_make("{}");
    for (const char *at = list; at != NULL;) {
        const char *end = strchr(at, ':');
        cleanup_free char *path =
            end != NULL ? text_copy_span(at, (size_t)(end - at)) : text_copy(at);
        at = end != NULL ? end + 1 : NULL;
        if (*path == '\0' || json_object_get(seen, path) != NULL)
            continue;
        json_put(seen, path, json_true());
        if (add_file(path, 0, config, reterr) != 0)
            return -1;
    }
    return 0;
}

int kube_config_load(const char *path, const struct kube_environment *environment,
                     json_t **ret_config, struct error *reterr)
{
    cleanup_kube_config json_t *config = json_make("{}");
    int failed = 0;
    make_empty(config);
    if (path != NULL) {
        failed = add_file(path, 1, config, reterr);
    } else if (environment->kubeconfig != NULL && *environment->kubeconfig != '\0') {
        failed = add_list(environment->kubeconfig, config, reterr);
    } else if (environment->home != NULL) {
        cleanup_free char *usual = text_format("%s/.kube/config", environment->home);
        failed = add_file(usual, 0, config, reterr);
    }
    if (failed != 0)
        return -1;
    *ret_config = take_pointer(config);
    return 0;
}

void kube_environment_get(struct kube_environment *ret_environment)
{
    *ret_environment = (struct kube_environment){
        .kubeconfig = getenv("KUBECONFIG"),
        .home = getenv("HOME"),
        .service_host = getenv("KUBERNETES_SERVICE_HOST"),
        .service_port = getenv("KUBERNETES_SERVICE_PORT"),
        .account = "/var/run/secrets/kubernetes.io/serviceaccount",
    };
}

/* ---- the end --------------------------------------------------------------------------------- */

void kube_config_free(json_t *config)
{
    wipe(config);
    json_decref(config);
}
