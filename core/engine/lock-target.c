#include "engine/lock-target.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

#define USUAL_NAMESPACE "kube-system"
#define USUAL_NAME "salvor"

static const char *const members[] = {"kubeconfig", "context", "namespace", "name"};

enum { MEMBER_COUNT_OF_LOCK = sizeof members / sizeof *members };

static int broken(const char *plugin, const char *fact, const char *why, struct error *reterr)
{
    return error_set(reterr, EXIT_FAILED,
                     "plugin '%s' made a plan that cannot be run: fact '%s' %s", plugin, fact, why);
}

/* The value of a reserved fact, or NULL when it was not given. -1: of another class. */
static int value_of(const json_t *facts, const char *name, const char *plugin,
                    const json_t **ret_value, struct error *reterr)
{
    const json_t *fact = json_object_get(facts, name);
    *ret_value = json_object_get(fact, "value");
    if (fact == NULL || text_equal(json_text(fact, "class"), "info"))
        return 0;
    return broken(plugin, name, "must be of class info", reterr);
}

static int is_member(const char *key)
{
    for (size_t i = 0; i < MEMBER_COUNT_OF_LOCK; i++) {
        if (text_equal(members[i], key))
            return 1;
    }
    return 0;
}

/* 0: sound. A misspelt key would lock something else than was meant. */
static int check_lock(const json_t *lock, const char *plugin, struct error *reterr)
{
    const char *key = NULL;
    const json_t *value = NULL;
    if (!json_is_object(lock))
        return broken(plugin, LOCK_FACT, "must be an object", reterr);
    const char *none = json_text(lock, "none");
    if (json_object_get(lock, "none") != NULL)
        return none != NULL && *none != '\0' && json_object_size(lock) == 1
                   ? 0
                   : broken(plugin, LOCK_FACT, "must say why there is none, and nothing else",
                            reterr);
    json_object_foreach ((json_t *)lock, key, value) {
        if (!is_member(key) || !json_is_string(value) || json_string_length(value) == 0)
            return broken(plugin, LOCK_FACT,
                          "may have 'kubeconfig', 'context', 'namespace' and 'name', all texts",
                          reterr);
    }
    return 0;
}

static int check_rewinds(const json_t *rewinds, const char *plugin, struct error *reterr)
{
    size_t index = 0;
    const json_t *uid = NULL;
    if (rewinds == NULL)
        return 0;
    if (!json_is_array(rewinds))
        return broken(plugin, REWINDS_FACT, "must be an array of UIDs", reterr);
    json_array_foreach (rewinds, index, uid) {
        if (!json_is_string(uid) || json_string_length(uid) == 0)
            return broken(plugin, REWINDS_FACT, "must be an array of UIDs", reterr);
    }
    return 0;
}

/* The prefix is the core's: what it does not know may mean something to a later one. */
static int check_names(const json_t *facts, const char *plugin, struct error *reterr)
{
    const char *name = NULL;
    const json_t *fact = NULL;
    json_object_foreach ((json_t *)facts, name, fact) {
        (void)fact;
        if (text_starts(name, "salvor.") && !text_equal(name, LOCK_FACT) &&
            !text_equal(name, REWINDS_FACT))
            return broken(plugin, name, "has a name that is reserved for salvor", reterr);
    }
    return 0;
}

static const char *or_usual(const json_t *lock, const char *key, const char *usual)
{
    const char *text = json_text(lock, key);
    return text != NULL ? text : usual;
}

int lock_target(const json_t *of_site, const json_t *facts, const char *plugin, json_t **ret_target,
                struct error *reterr)
{
    const json_t *of_plugin = NULL;
    const json_t *rewinds = NULL;
    if (value_of(facts, LOCK_FACT, plugin, &of_plugin, reterr) != 0 ||
        value_of(facts, REWINDS_FACT, plugin, &rewinds, reterr) != 0 ||
        (of_plugin != NULL && check_lock(of_plugin, plugin, reterr) != 0) ||
        check_rewinds(rewinds, plugin, reterr) != 0)
        return -1;
    if (check_names(facts, plugin, reterr) != 0)
        return -1;
    const char *none = json_text(of_plugin, "none");
    if (!json_is_object(of_site))
        of_site = NULL;
    const json_t *lock = of_site != NULL ? of_site : of_plugin;
    if (of_site == NULL && (of_plugin == NULL || none != NULL)) {
        cleanup_free char *silent =
            text_format("neither the site ('lock-kubeconfig') nor plugin '%s' names a cluster that "
                        "could keep one",
                        plugin);
        *ret_target = json_make("{s:s, s:s}", "kind", "none", "why", none != NULL ? none : silent);
        return 0;
    }
    cleanup_json json_t *set_back = rewinds != NULL ? json_clone(rewinds) : json_array();
    *ret_target = json_make("{s:s, s:s, s:s?, s:s?, s:s, s:s, s:O}", "kind", "lease", "from",
                            of_site != NULL ? "site" : "plugin", "kubeconfig",
                            json_text(lock, "kubeconfig"), "context", json_text(lock, "context"),
                            "namespace", or_usual(lock, "namespace", USUAL_NAMESPACE), "name",
                            or_usual(lock, "name", USUAL_NAME), "rewinds", set_back);
    return 0;
}

int lock_target_is_lease(const json_t *target)
{
    return text_equal(json_text(target, "kind"), "lease");
}

char *lock_target_text(const json_t *target)
{
    const char *kubeconfig = json_text(target, "kubeconfig");
    const char *context = json_text(target, "context");
    return text_format("lease '%s/%s'%s%s%s in %s%s%s", json_text(target, "namespace"),
                       json_text(target, "name"), context != NULL ? " of the context '" : "",
                       context != NULL ? context : "", context != NULL ? "'" : "",
                       kubeconfig != NULL ? "'" : "the usual kubeconfig",
                       kubeconfig != NULL ? kubeconfig : "", kubeconfig != NULL ? "'" : "");
}
