#include "config/lock-setting.h"

#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "config/path.h"

#define PREFIX "lock-"

static const char *const names[] = {"lock-kubeconfig", "lock-context", "lock-namespace",
                                    "lock-name", NULL};

int lock_setting_is(const char *name)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (text_equal(names[i], name))
            return 1;
    }
    return 0;
}

/* A name of Kubernetes: of a namespace ('.' is none there), or of an object. */
static int is_object_name(const char *text, int may_have_dots)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    const size_t size = strlen(text);
    const size_t most = may_have_dots ? 253 : 63;
    return size >= 1 && size <= most && strspn(text, letters) == size &&
           (may_have_dots || strchr(text, '.') == NULL) && strchr("-.", text[0]) == NULL &&
           strchr("-.", text[size - 1]) == NULL;
}

static int check(const char *name, const char *text, struct error *reterr)
{
    const int is_namespace = text_equal(name, "lock-namespace");
    if (*text == '\0')
        return error_set(reterr, EXIT_USAGE, "'%s' has no value", name);
    if ((!is_namespace && !text_equal(name, "lock-name")) || is_object_name(text, !is_namespace))
        return 0;
    (void)error_set(reterr, EXIT_USAGE, "'%s' is no name for '%s'", text, name);
    return error_hint(reterr, "lower case letters, digits and '-' inside%s",
                      is_namespace ? ", at most 63" : "; '.' too");
}

int lock_setting_take(const json_t *members, json_t *given, json_t **ret_lock, struct error *reterr)
{
    cleanup_json json_t *lock = json_object();
    for (size_t i = 0; names[i] != NULL; i++) {
        const char *of_file = json_text(members, names[i]);
        const char *of_line = json_text(given, names[i]);
        const char *text = of_line != NULL ? of_line : of_file;
        if (json_object_get(given, names[i]) != NULL && of_line == NULL)
            return error_set(reterr, EXIT_USAGE, "'%s' is given twice", names[i]);
        if (text == NULL)
            continue;
        if (check(names[i], text, reterr) != 0)
            return -1;
        const int is_path = text_equal(names[i], "lock-kubeconfig");
        cleanup_free char *value = is_path ? path_absolute(NULL, text) : text_copy(text);
        json_put_text(lock, names[i] + strlen(PREFIX), value);
        (void)json_object_del(given, names[i]);
    }
    *ret_lock = json_object_size(lock) > 0 ? take_pointer(lock) : NULL;
    return 0;
}
