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
#include "net/yaml-json.h"

enum kind {
    TEXT,
    PATH,    /* resolved against the folder of the file */
    PROGRAM, /* a path when it holds a slash */
    FLAG,
    CONTENT, /* base64 */
    TEXTS,
    LISTS, /* name -> list of texts */
    ENVIRONMENT,
    EXEC,
    PROVIDER,
    EXTENSIONS
};

struct field {
    const char *name;
    enum kind kind;
};

static const struct field cluster_fields[] = {
    {"server", TEXT},
    {"tls-server-name", TEXT},
    {"insecure-skip-tls-verify", FLAG},
    {"certificate-authority", PATH},
    {"certificate-authority-data", CONTENT},
    {"proxy-url", TEXT},
    {"disable-compression", FLAG},
    {"extensions", EXTENSIONS},
    {NULL, TEXT},
};

static const struct field user_fields[] = {
    {"client-certificate", PATH},
    {"client-certificate-data", CONTENT},
    {"client-key", PATH},
    {"client-key-data", CONTENT},
    {"token", TEXT},
    {"tokenFile", PATH},
    {"as", TEXT},
    {"as-uid", TEXT},
    {"as-groups", TEXTS},
    {"as-user-extra", LISTS},
    {"username", TEXT},
    {"password", TEXT},
    {"auth-provider", PROVIDER},
    {"exec", EXEC},
    {NULL, TEXT},
};

static const struct field context_fields[] = {
    {"cluster", TEXT},
    {"user", TEXT},
    {"namespace", TEXT},
    {NULL, TEXT},
};

static const struct field exec_fields[] = {
    {"command", PROGRAM},      {"args", TEXTS},       {"env", ENVIRONMENT},
    {"apiVersion", TEXT},      {"installHint", TEXT}, {"provideClusterInfo", FLAG},
    {"interactiveMode", TEXT}, {NULL, TEXT},
};

static const struct field provider_fields[] = {{"name", TEXT}, {NULL, TEXT}};

static const struct field variable_fields[] = {{"name", TEXT}, {"value", TEXT}, {NULL, TEXT}};

/* A file while it is read. */
struct source {
    const char *name;   /* for messages */
    const char *folder; /* where relative paths start */
    struct error *reterr;
};

static int bad(const struct source *source, const char *where, const char *what)
{
    return error_set(source->reterr, EXIT_USAGE, "kubeconfig '%s': '%s' %s", source->name, where,
                     what);
}

/* ---- values ---------------------------------------------------------------------------------- */

static int read_fields(const struct source *source, const json_t *object, const char *where,
                       const struct field *fields, json_t **ret);

static int read_text(const struct source *source, const json_t *value, const char *where,
                     json_t **ret)
{
    if (!json_is_string(value)) {
        (void)bad(source, where, "must be a text");
        return error_hint(source->reterr, "a number or a word like 'yes' is a text in quotes only");
    }
    if (json_string_length(value) > 0)
        *ret = json_stringn(json_string_value(value), json_string_length(value));
    return 0;
}

/* Joined and tidied by its text alone, "a/./b/../c" being "a/c", as kubectl does it. */
static char *join(const char *folder, const char *path)
{
    cleanup_free char *whole = text_format("%s/%s", folder, path);
    char *tidy = memory_new(strlen(whole) + 2, 1);
    size_t used = 0;
    for (const char *at = whole; *at != '\0';) {
        at += strspn(at, "/");
        const size_t size = strcspn(at, "/");
        if (size == 2 && memcmp(at, "..", 2) == 0) {
            while (used > 0 && tidy[--used] != '/')
                continue;
        } else if (size > 0 && !(size == 1 && *at == '.')) {
            tidy[used++] = '/';
            memcpy(tidy + used, at, size);
            used += size;
        }
        at += size;
    }
    if (used == 0)
        tidy[used++] = '/';
    tidy[used] = '\0';
    return tidy;
}

static int read_path(const struct source *source, const json_t *value, const char *where,
                     int may_be_name, json_t **ret)
{
    if (read_text(source, value, where, ret) != 0)
        return -1;
    const char *path = json_string_value(*ret);
    if (path == NULL || *path == '/' || (may_be_name && strchr(path, '/') == NULL))
        return 0;
    if (source->folder == NULL)
        return bad(source, where, "is a relative path, which has no meaning here");
    cleanup_free char *whole = join(source->folder, path);
    json_decref(*ret);
    *ret = json_string(whole);
    return 0;
}

static int read_content(const struct source *source, const json_t *value, const char *where,
                        json_t **ret)
{
    const size_t size = json_string_length(value);
    const size_t room = size / 4 * 3 + 3;
    size_t used = 0;
    if (!json_is_string(value))
        return bad(source, where, "must be base64");
    if (size == 0)
        return 0;
    cleanup_free unsigned char *bytes = memory_new(room, 1);
    if (sodium_base642bin(bytes, room, json_string_value(value), size, "\r\n", &used, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return bad(source, where, "is no base64");
    const size_t encoded = sodium_base64_encoded_len(used, sodium_base64_VARIANT_ORIGINAL);
    cleanup_free char *text = memory_new(encoded, 1);
    (void)sodium_bin2base64(text, encoded, bytes, used, sodium_base64_VARIANT_ORIGINAL);
    *ret = json_string(text);
    sodium_memzero(bytes, room);
    sodium_memzero(text, encoded);
    return 0;
}

static int read_texts(const struct source *source, const json_t *value, const char *where,
                      json_t **ret)
{
    size_t index = 0;
    json_t *entry = NULL;
    if (!json_is_array(value))
        return bad(source, where, "must be a list");
    json_t *texts = json_make("[]");
    *ret = texts;
    json_array_foreach (value, index, entry) {
        cleanup_free char *at = text_format("%s[%zu]", where, index);
        json_t *text = NULL;
        if (!json_is_null(entry) && read_text(source, entry, at, &text) != 0)
            return -1;
        json_add(texts, text != NULL ? text : json_string(""));
    }
    return 0;
}

static int read_lists(const struct source *source, const json_t *value, const char *where,
                      json_t **ret)
{
    const char *name = NULL;
    json_t *entry = NULL;
    if (!json_is_object(value))
        return bad(source, where, "must be a map");
    *ret = json_make("{}");
    json_object_foreach ((json_t *)(uintptr_t)value, name, entry) {
        cleanup_free char *at = text_format("%s.%s", where, name);
        json_t *texts = NULL;
        const int failed = json_is_null(entry) ? 0 : read_texts(source, entry, at, &texts);
        json_put(*ret, name, texts != NULL ? texts : json_make("[]"));
        if (failed != 0)
            return -1;
    }
    return 0;
}

static int read_environment(const struct source *source, const json_t *value, const char *where,
                            json_t **ret)
{
    size_t index = 0;
    json_t *entry = NULL;
    if (!json_is_array(value))
        return bad(source, where, "must be a list");
    *ret = json_make("[]");
    json_array_foreach (value, index, entry) {
        cleanup_free char *at = text_format("%s[%zu]", where, index);
        json_t *variable = NULL;
        const int failed = read_fields(source, entry, at, variable_fields, &variable);
        json_add(*ret, variable);
        if (failed != 0)
            return -1;
    }
    return 0;
}

static int read_extensions(const struct source *source, const json_t *value, const char *where,
                           json_t **ret)
{
    size_t index = 0;
    json_t *entry = NULL;
    if (!json_is_array(value))
        return bad(source, where, "must be a list");
    *ret = json_make("{}");
    json_array_foreach (value, index, entry) {
        cleanup_free char *at = text_format("%s[%zu]", where, index);
        const char *name = json_text(entry, "name");
        const json_t *extension = json_object_get(entry, "extension");
        if (!json_is_object(entry) || json_object_get(*ret, name != NULL ? name : "") != NULL)
            return bad(source, at, "must be a map with a name of its own");
        json_put(*ret, name != NULL ? name : "",
                 extension != NULL ? json_clone(extension) : json_null());
    }
    return 0;
}

static int read_exec(const struct source *source, const json_t *value, const char *where,
                     json_t **ret)
{
    if (read_fields(source, value, where, exec_fields, ret) != 0)
        return -1;
    if (json_text(*ret, "interactiveMode") == NULL &&
        text_equal(json_text(*ret, "apiVersion"), "client.authentication.k8s.io/v1beta1"))
        json_put_text(*ret, "interactiveMode", "IfAvailable");
    return 0;
}

static int read_flag(const struct source *source, const json_t *value, const char *where,
                     json_t **ret)
{
    if (!json_is_boolean(value))
        return bad(source, where, "must be true or false");
    *ret = json_is_true(value) ? json_true() : NULL;
    return 0;
}

/* *ret is what is to be kept, NULL when it says nothing; set even on failure. */
static int read_value(const struct source *source, const json_t *value, const char *where,
                      enum kind kind, json_t **ret)
{
    *ret = NULL;
    if (value == NULL || json_is_null(value))
        return 0;
    switch (kind) {
    case TEXT:
        return read_text(source, value, where, ret);
    case PATH:
        return read_path(source, value, where, 0, ret);
    case PROGRAM:
        return read_path(source, value, where, 1, ret);
    case FLAG:
        return read_flag(source, value, where, ret);
    case CONTENT:
        return read_content(source, value, where, ret);
    case TEXTS:
        return read_texts(source, value, where, ret);
    case LISTS:
        return read_lists(source, value, where, ret);
    case ENVIRONMENT:
        return read_environment(source, value, where, ret);
    case EXEC:
        return read_exec(source, value, where, ret);
    case PROVIDER:
        return read_fields(source, value, where, provider_fields, ret);
    case EXTENSIONS:
        return read_extensions(source, value, where, ret);
    }
    return 0;
}

static int says_nothing(const json_t *value)
{
    return (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

static int read_fields(const struct source *source, const json_t *object, const char *where,
                       const struct field *fields, json_t **ret)
{
    *ret = json_make("{}");
    if (object == NULL || json_is_null(object))
        return 0;
    if (!json_is_object(object))
        return bad(source, where, "must be a map");
    for (const struct field *field = fields; field->name != NULL; field++) {
        cleanup_free char *at = text_format("%s.%s", where, field->name);
        json_t *value = NULL;
        const int failed =
            read_value(source, json_object_get(object, field->name), at, field->kind, &value);
        if (value != NULL && !says_nothing(value))
            json_put(*ret, field->name, value);
        else
            json_decref(value);
        if (failed != 0)
            return -1;
    }
    return 0;
}

/* ---- one file -------------------------------------------------------------------------------- */

struct section {
    const char *list;   /* "clusters" */
    const char *member; /* "cluster" */
    const struct field *fields;
};

static const struct section sections[] = {
    {"clusters", "cluster", cluster_fields},
    {"users", "user", user_fields},
    {"contexts", "context", context_fields},
};

enum { SECTIONS = sizeof sections / sizeof sections[0] };

static int read_entry(const struct source *source, const struct section *section,
                      const json_t *entry, const char *where, json_t *entries)
{
    cleanup_free char *at = text_format("%s.%s", where, section->member);
    cleanup_free char *name_at = text_format("%s.name", where);
    json_t *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(entry) && !json_is_null(entry))
        return bad(source, where, "must be a map");
    if (read_value(source, json_object_get(entry, "name"), name_at, TEXT, &name) != 0)
        return -1;
    cleanup_json json_t *own_name = name != NULL ? name : json_string("");
    const char *key = json_string_value(own_name);
    const int failed =
        read_fields(source, json_object_get(entry, section->member), at, section->fields, &value);
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

static int read_section(const struct source *source, const struct section *section,
                        const json_t *document, json_t *config)
{
    const json_t *list = json_object_get(document, section->list);
    json_t *entries = json_make("{}");
    size_t index = 0;
    json_t *entry = NULL;
    json_put(config, section->list, entries);
    if (list == NULL || json_is_null(list))
        return 0;
    if (!json_is_array(list))
        return bad(source, section->list, "must be a list");
    json_array_foreach (list, index, entry) {
        cleanup_free char *at = text_format("%s[%zu]", section->list, index);
        if (read_entry(source, section, entry, at, entries) != 0)
            return -1;
    }
    return 0;
}

static int check_kind(const struct source *source, const json_t *document)
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

static int read_document(const struct source *source, const json_t *document, json_t *config)
{
    json_t *current = NULL;
    if (!json_is_object(document) && !json_is_null(document))
        return error_set(source->reterr, EXIT_USAGE, "'%s' is no kubeconfig: it must be a map",
                         source->name);
    if (check_kind(source, document) != 0)
        return -1;
    for (size_t i = 0; i < SECTIONS; i++) {
        if (read_section(source, &sections[i], document, config) != 0)
            return -1;
    }
    if (read_value(source, json_object_get(document, "current-context"), "current-context", TEXT,
                   &current) != 0)
        return -1;
    json_put(config, "current-context", current != NULL ? current : json_string(""));
    json_put(config, "files", json_make("[s]", source->name));
    return 0;
}

static void make_empty(json_t *config)
{
    for (size_t i = 0; i < SECTIONS; i++)
        json_put(config, sections[i].list, json_make("{}"));
    json_put_text(config, "current-context", "");
    json_put(config, "files", json_make("[]"));
}

int kube_config_read(const char *text, size_t size, const char *name, const char *folder,
                     json_t **ret_config, struct error *reterr)
{
    const struct source source = {name, folder, reterr};
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
    for (size_t i = 0; i < SECTIONS; i++) {
        json_t *entries = json_object_get(config, sections[i].list);
        const char *name = NULL;
        json_t *entry = NULL;
        json_object_foreach (json_object_get(more, sections[i].list), name, entry) {
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
