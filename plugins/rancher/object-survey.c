#include "object-survey.h"

#include <stdio.h>
#include <string.h>

#include <salvor/memory.h>
#include <salvor/object.h>
#include <salvor/report.h>
#include <salvor/scan.h>

#include "big-number.h"

/* ---- small things of documents -------------------------------------------------------------- */

/* Text at a path, "" when it is not there or does not fit. */
static void copy_text(struct salvor_span json, const char *path, char *buffer, size_t size)
{
    struct salvor_token token;
    struct salvor_span value;
    buffer[0] = '\0';
    if (salvor_scan_find(json, path, &token, &value, NULL) != SALVOR_OK ||
        token.type != SALVOR_TOKEN_STRING || salvor_token_decode(&token, buffer, size) != SALVOR_OK)
        buffer[0] = '\0';
}

static int is_there(struct salvor_span json, const char *path)
{
    struct salvor_token token;
    return salvor_scan_find(json, path, &token, NULL, NULL) == SALVOR_OK &&
           token.type != SALVOR_TOKEN_NULL;
}

/* "builtin" may be a boolean or a text. */
static int is_true(struct salvor_span json, const char *path)
{
    struct salvor_token token;
    if (salvor_scan_find(json, path, &token, NULL, NULL) != SALVOR_OK)
        return 0;
    return token.type == SALVOR_TOKEN_TRUE ||
           (token.type == SALVOR_TOKEN_STRING && salvor_token_is(&token, "true"));
}

static int ends_with(struct salvor_span text, const char *end)
{
    const size_t size = strlen(end);
    return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

/* ---- types that mean something --------------------------------------------------------------- */

struct view {
    salvor_call *call;
    const struct archive_member *member;
    const struct salvor_object *object;
    const char *shown;
    struct index_object *entry;
    struct archive_survey *survey;
};

static salvor_status take_secret(const struct view *view)
{
    const struct salvor_span json = view->member->json;
    char type[128];
    copy_text(json, "/type", type, sizeof type);
    if (strcmp(type, "fleet.cattle.io/cluster-registration-values") == 0) {
        view->entry->flags |= OBJECT_REGISTRATION;
        view->survey->left_out++;
    }
    if (!view->member->encrypted)
        view->survey->clear_secrets++;
    if (is_there(json, "/data/" ENCRYPTION_CONFIG_KEY))
        return tally_add(
            view->call,
            &view->survey->tallies[view->member->encrypted ? TALLY_LOCKED_KEY : TALLY_CLEAR_KEY],
            view->shown, "it has the key '%s'", ENCRYPTION_CONFIG_KEY);
    if (!view->member->encrypted && is_there(json, "/data/accessKey") &&
        is_there(json, "/data/secretKey"))
        return tally_add(view->call, &view->survey->tallies[TALLY_CLEAR_S3], view->shown,
                         "it has the keys 'accessKey' and 'secretKey'");
    return SALVOR_OK;
}

static salvor_status take_token(const struct view *view)
{
    if (!view->member->encrypted)
        view->survey->clear_secrets++;
    return SALVOR_OK;
}

static salvor_status take_setting(const struct view *view)
{
    struct archive_survey *survey = view->survey;
    const struct salvor_span json = view->member->json;
    char value[512];
    copy_text(json, "/value", value, sizeof value);
    if (value[0] == '\0')
        copy_text(json, "/default", value, sizeof value);
    if (salvor_span_is(view->object->name, "server-version"))
        version_read(value, &survey->rancher);
    else if (salvor_span_is(view->object->name, "server-url"))
        (void)snprintf(survey->server_url, sizeof survey->server_url, "%s", value);
    else if (salvor_span_is(view->object->name, "install-uuid"))
        (void)snprintf(survey->install_uuid, sizeof survey->install_uuid, "%.63s", value);
    return SALVOR_OK;
}

static salvor_status take_cluster(const struct view *view)
{
    struct archive_survey *survey = view->survey;
    const struct salvor_span json = view->member->json;
    char version[128];
    if (!salvor_span_is(view->object->name, "local")) {
        survey->downstream++;
        return SALVOR_OK;
    }
    copy_text(json, "/status/version/gitVersion", version, sizeof version);
    version_read(version, &survey->kubernetes);
    copy_text(json, "/status/provider", survey->local_provider, sizeof survey->local_provider);
    copy_text(json, "/status/driver", survey->local_driver, sizeof survey->local_driver);
    return SALVOR_OK;
}

static salvor_status take_role(const struct view *view)
{
    if (is_true(view->member->json, "/builtin")) {
        view->entry->flags |= OBJECT_BUILTIN;
        view->survey->builtin_roles++;
    }
    return SALVOR_OK;
}

static salvor_status take_deployment(const struct view *view)
{
    if (salvor_span_is(view->member->at.ns, "cattle-system") &&
        (ends_with(view->member->at.name, "rancher") ||
         ends_with(view->member->at.name, "rancher-webhook"))) {
        view->entry->flags |= OBJECT_LEFT_OUT;
        view->survey->left_out++;
    }
    return SALVOR_OK;
}

static salvor_status take_definition(const struct view *view)
{
    const salvor_status status = definitions_add(&view->survey->definitions, view->member->json);
    if (status == SALVOR_FAILED)
        return salvor_fail_memory(view->call, "a definition");
    if (status == SALVOR_REFUSED)
        return tally_add(view->call, &view->survey->tallies[TALLY_NO_OBJECT], view->shown,
                         "it is no definition of a type");
    const struct definitions *definitions = &view->survey->definitions;
    if (definitions->items[definitions->count - 1].preserves_unknown)
        return tally_add(view->call, &view->survey->tallies[TALLY_NO_SCHEMA], view->shown,
                         "both engines replace it by one that takes everything");
    return SALVOR_OK;
}

/* A Secret named in the object's own namespace, or in one that it names. */
static salvor_status refer(const struct view *view, const char *name_path, const char *ns_path)
{
    struct archive_survey *survey = view->survey;
    char name[256];
    char ns[256];
    copy_text(view->member->json, name_path, name, sizeof name);
    if (name[0] == '\0')
        return SALVOR_OK;
    if (ns_path != NULL)
        copy_text(view->member->json, ns_path, ns, sizeof ns);
    else
        (void)salvor_span_copy(view->member->at.ns, ns, sizeof ns);
    struct secret_reference *grown =
        salvor_resize(survey->references, (survey->reference_count + 1) * sizeof *grown);
    if (grown == NULL)
        return salvor_fail_memory(view->call, "a reference to a Secret");
    survey->references = grown;
    struct secret_reference *reference = &grown[survey->reference_count++];
    reference->ns = salvor_copy_text(ns);
    reference->name = salvor_copy_text(name);
    reference->from = salvor_copy_text(view->shown);
    return reference->ns != NULL && reference->name != NULL && reference->from != NULL
               ? SALVOR_OK
               : salvor_fail_memory(view->call, "a reference to a Secret");
}

static salvor_status take_git_repo(const struct view *view)
{
    view->survey->git_repos++;
    SALVOR_TRY(refer(view, "/spec/clientSecretName", NULL));
    SALVOR_TRY(refer(view, "/spec/helmSecretName", NULL));
    return refer(view, "/spec/helmSecretNameForPaths", NULL);
}

static salvor_status take_helm_op(const struct view *view)
{
    return refer(view, "/spec/helmSecretName", NULL);
}

static salvor_status take_cluster_repo(const struct view *view)
{
    return refer(view, "/spec/clientSecret/name", "/spec/clientSecret/namespace");
}

static const struct {
    const char *group;
    const char *resource;
    salvor_status (*take)(const struct view *view);
} interests[] = {
    {"", "secrets", take_secret},
    {"management.cattle.io", "settings", take_setting},
    {"management.cattle.io", "tokens", take_token},
    {"management.cattle.io", "clusters", take_cluster},
    {"management.cattle.io", "globalroles", take_role},
    {"management.cattle.io", "roletemplates", take_role},
    {"apps", "deployments", take_deployment},
    {"apiextensions.k8s.io", "customresourcedefinitions", take_definition},
    {"fleet.cattle.io", "gitrepos", take_git_repo},
    {"fleet.cattle.io", "helmops", take_helm_op},
    {"catalog.cattle.io", "clusterrepos", take_cluster_repo},
};

/* ---- any object ------------------------------------------------------------------------------ */

/* What the object says of itself, against its place. NULL: they agree. */
static const char *disagreement(const struct salvor_object *object, const struct member_path *at)
{
    struct salvor_span group;
    struct salvor_span version;
    salvor_group_version(object->api_version, &group, &version);
    if (object->kind.size == 0)
        return "it has no kind";
    if (group.size != at->group.size || memcmp(group.data, at->group.data, (size_t)group.size) != 0)
        return "its group is another one";
    if (version.size != at->version.size ||
        memcmp(version.data, at->version.data, (size_t)version.size) != 0)
        return "its API version is another one";
    if (object->name.size != at->name.size ||
        memcmp(object->name.data, at->name.data, (size_t)at->name.size) != 0)
        return "its name is another one";
    if (object->ns.size != at->ns.size ||
        (at->ns.size > 0 && memcmp(object->ns.data, at->ns.data, (size_t)at->ns.size) != 0))
        return "its namespace is another one";
    return NULL;
}

static salvor_status take_owners(salvor_call *call, const struct salvor_object *object,
                                 uint32_t number, struct archive_survey *survey)
{
    struct salvor_owner owner;
    for (uint32_t i = 0; salvor_object_owner(object, i, &owner) == SALVOR_OK; i++) {
        if (owner.kind.size == 0 || owner.name.size == 0)
            continue;
        if (object_index_own(survey->index, number, &owner) != SALVOR_OK)
            return salvor_fail_memory(call, "the index of the archive");
    }
    return SALVOR_OK;
}

salvor_status object_survey_take(salvor_call *call, const struct archive_member *member,
                                 uint32_t number, const char *shown, struct archive_survey *survey)
{
    struct salvor_object object;
    struct salvor_scan_error error = {"", 0};
    char digits[32];
    if (object_reader_read(&survey->reader, member->json, &object, &error) != SALVOR_OK)
        return tally_add(call, &survey->tallies[TALLY_NO_OBJECT], shown, "%s, at byte %llu",
                         error.problem, (unsigned long long)error.offset);
    const char *difference = disagreement(&object, &member->at);
    if (difference != NULL)
        return tally_add(call, &survey->tallies[TALLY_MISPLACED], shown, "%s", difference);
    struct index_object *entry = object_index_object(survey->index, number);
    struct index_type *type = object_index_type_at(survey->index, entry->type);
    if (type->kind == NAME_NONE) {
        type->kind = names_add(&survey->index->texts, object.kind);
        if (type->kind == NAME_NONE)
            return salvor_fail_memory(call, "the index of the archive");
    }
    SALVOR_TRY(take_owners(call, &object, number, survey));
    if (big_number_find(member->json, digits, sizeof digits))
        SALVOR_TRY(
            tally_add(call, &survey->tallies[TALLY_BIG_NUMBER], shown, "it holds %s", digits));
    const struct view view = {call, member, &object, shown, entry, survey};
    for (size_t i = 0; i < sizeof interests / sizeof *interests; i++) {
        if (salvor_span_is(member->at.resource, interests[i].resource) &&
            salvor_span_is(member->at.group, interests[i].group))
            return interests[i].take(&view);
    }
    return SALVOR_OK;
}
