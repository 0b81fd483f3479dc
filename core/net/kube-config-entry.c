#include "net/kube-config-entry.h"

#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

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

int kube_config_bad(const struct kube_config_source *source, const char *where, const char *what)
{
    return error_set(source->reterr, EXIT_USAGE, "kubeconfig '%s': '%s' %s", source->name, where,
                     what);
}

/* ---- values ---------------------------------------------------------------------------------- */

static int read_fields(const struct kube_config_source *source, const json_t *object,
                       const char *where, const struct field *fields, json_t **ret);

static int read_text(const struct kube_config_source *source, const json_t *value,
                     const char *where, json_t **ret)
{
    if (!json_is_string(value)) {
        (void)kube_config_bad(source, where, "must be a text");
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

static int read_path(const struct kube_config_source *source, const json_t *value,
                     const char *where, int may_be_name, json_t **ret)
{
    if (read_text(source, value, where, ret) != 0)
        return -1;
    const char *path = json_string_value(*ret);
    if (path == NULL || *path == '/' || (may_be_name && strchr(path, '/') == NULL))
        return 0;
    if (source->folder == NULL)
        return kube_config_bad(source, where, "is a relative path, which has no meaning here");
    cleanup_free char *whole = join(source->folder, path);
    json_decref(*ret);
    *ret = json_string(whole);
    return 0;
}

static int read_content(const struct kube_config_source *source, const json_t *value,
                        const char *where, json_t **ret)
{
    const size_t size = json_string_length(value);
    const size_t room = size / 4 * 3 + 3;
    size_t used = 0;
    if (!json_is_string(value))
        return kube_config_bad(source, where, "must be base64");
    if (size == 0)
        return 0;
    cleanup_free unsigned char *bytes = memory_new(room, 1);
    if (sodium_base642bin(bytes, room, json_string_value(value), size, "\r\n", &used, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return kube_config_bad(source, where, "is no base64");
    const size_t encoded = sodium_base64_encoded_len(used, sodium_base64_VARIANT_ORIGINAL);
    cleanup_free char *text = memory_new(encoded, 1);
    (void)sodium_bin2base64(text, encoded, bytes, used, sodium_base64_VARIANT_ORIGINAL);
    *ret = json_string(text);
    sodium_memzero(bytes, room);
    sodium_memzero(text, encoded);
    return 0;
}

static int read_texts(const struct kube_config_source *source, const json_t *value,
                      const char *where, json_t **ret)
{
    size_t index = 0;
    json_t *entry = NULL;
    if (!json_is_array(value))
        return kube_config_bad(source, where, "must be a list");
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

static int read_lists(const struct kube_config_source *source, const json_t *value,
                      const char *where, json_t **ret)
{
    const char *name = NULL;
    json_t *entry = NULL;
    if (!json_is_object(value))
        return kube_config_bad(source, where, "must be a map");
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

static int read_environment(const struct kube_config_source *source, const json_t *value,
                            const char *where, json_t **ret)
{
    size_t index = 0;
    json_t *entry = NULL;
    if (!json_is_array(value))
        return kube_config_bad(source, where, "must be a list");
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

static int read_extensions(const struct kube_config_source *source, const json_t *value,
                           const char *where, json_t **ret)
{
    size_t index = 0;
    json_t *entry = NULL;
    if (!json_is_array(value))
        return kube_config_bad(source, where, "must be a list");
    *ret = json_make("{}");
    json_array_foreach (value, index, entry) {
        cleanup_free char *at = text_format("%s[%zu]", where, index);
        const char *name = json_text(entry, "name");
        const json_t *extension = json_object_get(entry, "extension");
        if (!json_is_object(entry) || json_object_get(*ret, name != NULL ? name : "") != NULL)
            return kube_config_bad(source, at, "must be a map with a name of its own");
        json_put(*ret, name != NULL ? name : "",
                 extension != NULL ? json_clone(extension) : json_null());
    }
    return 0;
}

static int read_exec(const struct kube_config_source *source, const json_t *value,
                     const char *where, json_t **ret)
{
    if (read_fields(source, value, where, exec_fields, ret) != 0)
        return -1;
    if (json_text(*ret, "interactiveMode") == NULL &&
        text_equal(json_text(*ret, "apiVersion"), "client.authentication.k8s.io/v1beta1"))
        json_put_text(*ret, "interactiveMode", "IfAvailable");
    return 0;
}

static int read_flag(const struct kube_config_source *source, const json_t *value,
                     const char *where, json_t **ret)
{
    if (!json_is_boolean(value))
        return kube_config_bad(source, where, "must be true or false");
    *ret = json_is_true(value) ? json_true() : NULL;
    return 0;
}

/* *ret is what is to be kept, NULL when it says nothing; set even on failure. */
static int read_value(const struct kube_config_source *source, const json_t *value,
                      const char *where, enum kind kind, json_t **ret)
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

static int read_fields(const struct kube_config_source *source, const json_t *object,
                       const char *where, const struct field *fields, json_t **ret)
{
    *ret = json_make("{}");
    if (object == NULL || json_is_null(object))
        return 0;
    if (!json_is_object(object))
        return kube_config_bad(source, where, "must be a map");
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

/* ---- entries --------------------------------------------------------------------------------- */

const struct kube_config_section kube_config_sections[] = {
    {"clusters", "cluster"},
    {"users", "user"},
    {"contexts", "context"},
};

static const struct field *fields_of(const char *member)
{
    return text_equal(member, "cluster") ? cluster_fields
           : text_equal(member, "user")  ? user_fields
                                         : context_fields;
}

int kube_config_text(const struct kube_config_source *source, const json_t *value,
                     const char *where, json_t **ret)
{
    return read_value(source, value, where, TEXT, ret);
}

int kube_config_entry(const struct kube_config_source *source, const json_t *value,
                      const char *where, const char *member, json_t **ret)
{
    return read_fields(source, value, where, fields_of(member), ret);
}
