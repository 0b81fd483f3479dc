#include "judge.h"

#include <stdio.h>
#include <string.h>

#include <salvor/memory.h>
#include <salvor/object.h>
#include <salvor/scan.h>

#include "api-removals.h"
#include "findings.h"

enum lost_tally { LOST_ABSENT, LOST_VERSION, LOST_CYCLE, LOST_TALLIES };

/* ---- owners --------------------------------------------------------------------------------- */

/* The first owner because of which the object never comes, in words. */
static enum lost_tally reason_of(const struct owner_graph *graph, uint32_t number, char *detail,
                                 size_t size)
{
    const struct object_index *index = graph->index;
    const struct index_object *object = object_index_object(index, number);
    if ((object->flags & OBJECT_CYCLE) != 0) {
        (void)snprintf(detail, size, "each of its owners waits for another one");
        return LOST_CYCLE;
    }
    for (uint32_t i = object->first_link; i < index->links.count; i++) {
        const struct index_link *link = object_index_link(index, i);
        const struct owner_kind *kind = &graph->kinds[link->kind];
        const char *text = names_text(&index->owner_kinds, link->kind);
        const uint32_t owner = owner_graph_owner(graph, link);
        if (link->object != number)
            break;
        if (kind->state == OWNER_OTHER_VERSION) {
            const struct index_type *type = object_index_type_at(index, kind->type);
            (void)snprintf(detail, size, "its owner is a '%s', the archive has them as %s", text,
                           object_index_text(index, type->version));
            return LOST_VERSION;
        }
        if (kind->state == OWNER_ABSENT || (kind->state == OWNER_HERE && owner == OBJECT_NONE)) {
            (void)snprintf(detail, size, "its owner, a '%s', is not in the archive", text);
            return LOST_ABSENT;
        }
        if (kind->state == OWNER_HERE && (object_index_object(index, owner)->flags &
                                          (OBJECT_LOST | OBJECT_HIDDEN | OBJECT_LEFT_OUT |
                                           OBJECT_BUILTIN | OBJECT_CYCLE)) != 0) {
            (void)snprintf(detail, size, "its owner, a '%s', is itself left out", text);
            return LOST_ABSENT;
        }
    }
    (void)snprintf(detail, size, "its owner never comes");
    return LOST_ABSENT;
}

/* How many are lost for which reason: the index tells that, but no names. */
static void count_lost(const struct owner_graph *graph, uint64_t counts[LOST_TALLIES])
{
    char detail[512];
    for (uint32_t i = 0; i < graph->index->objects.count; i++) {
        if ((object_index_object(graph->index, i)->flags & OBJECT_LOST) != 0)
            counts[reason_of(graph, i, detail, sizeof detail)]++;
    }
}

/* Reads the archive again for names, as far as they are wanted. */
static salvor_status name_lost(salvor_call *call, const struct archive_survey *survey,
                               const struct encryption_config *config,
                               const struct owner_graph *graph, struct tally *tallies)
{
    auto_archive_reader archive_reader *reader = NULL;
    struct archive_member member;
    uint64_t counts[LOST_TALLIES] = {0};
    uint64_t wanted = 0;
    count_lost(graph, counts);
    for (size_t i = 0; i < LOST_TALLIES; i++)
        wanted += tally_wants(call, counts[i]);
    salvor_status status = archive_reader_open(call, survey->artifact, config, &reader);
    while (status == SALVOR_OK && wanted > 0 &&
           (status = archive_reader_next(reader, &member)) == SALVOR_OK) {
        char shown[SHOWN_SIZE];
        char detail[512];
        if (member.role != MEMBER_OBJECT ||
            (object_index_object(survey->index, (uint32_t)member.number)->flags & OBJECT_LOST) == 0)
            continue;
        const enum lost_tally which =
            reason_of(graph, (uint32_t)member.number, detail, sizeof detail);
        wanted -= tallies[which].count < tally_wants(call, counts[which]) ? 1 : 0;
        SALVOR_TRY(tally_add(call, &tallies[which], shown_name(salvor_span_of(member.path), shown),
                             "%s", detail));
    }
    for (size_t i = 0; i < LOST_TALLIES; i++)
        tallies[i].count = counts[i];
    return status == SALVOR_END ? SALVOR_OK : status;
}

static salvor_status judge_unknown_kinds(salvor_call *call, const struct owner_graph *graph)
{
    for (uint32_t i = 0; i < graph->index->owner_kinds.count; i++) {
        if (graph->kinds[i].state == OWNER_UNKNOWN)
            SALVOR_TRY(salvor_raise(call, FINDING_OWNER_KIND,
                                    names_text(&graph->index->owner_kinds, i),
                                    "if the cluster has such a kind, the operator leaves out what "
                                    "it owns; if not, it drops the reference"));
    }
    return SALVOR_OK;
}

/* Whether the cluster serves a kind, "apiVersion kind". */
static int is_served(const void *data, struct salvor_span group, struct salvor_span kind)
{
    const struct target *target = data;
    const struct salvor_span any = {NULL, 0};
    return api_catalog_find_kind(&target->catalog, group, any, kind) != NULL;
}

static salvor_status judge_owners(salvor_call *call, struct archive_survey *survey,
                                  const struct encryption_config *config,
                                  const struct target *target)
{
    const struct known_kinds known = {&survey->definitions, target != NULL ? is_served : NULL,
                                      target};
    struct tally tallies[LOST_TALLIES] = {{.finding = FINDING_LOST},
                                          {.finding = FINDING_LOST_VERSION},
                                          {.finding = FINDING_LOST_CYCLE}};
    struct owner_graph graph;
    salvor_status status = owner_graph_make(survey->index, &known, &graph);
    if (status != SALVOR_OK)
        return salvor_fail_memory(call, "the owners");
    /* of what did not open nothing is known, and it may be what others wait for */
    if (survey->closed == 0) {
        if (target == NULL)
            status = judge_unknown_kinds(call, &graph);
        if (status == SALVOR_OK && graph.lost > 0)
            status = name_lost(call, survey, config, &graph, tallies);
        for (size_t i = 0; status == SALVOR_OK && i < LOST_TALLIES; i++)
            status = tally_raise(call, &tallies[i]);
    }
    for (size_t i = 0; i < LOST_TALLIES; i++)
        tally_clear(&tallies[i]);
    owner_graph_clear(&graph);
    return status;
}

/* ---- namespaces ------------------------------------------------------------------------------ */

static salvor_status judge_namespaces(salvor_call *call, const struct archive_survey *survey,
                                      const struct target *target)
{
    /* every cluster has these */
    static const char *const everywhere[] = {"default", "kube-system", "kube-public",
                                             "kube-node-lease"};
    struct tally tally = {.finding = FINDING_NO_NAMESPACE,
                          .severity = target == NULL ? SALVOR_SEVERITY_WARNING : 0};
    salvor_status status = SALVOR_OK;
    for (uint32_t i = 0; status == SALVOR_OK && i < survey->index->namespaces.count; i++) {
        const char *ns = names_text(&survey->index->namespaces, i);
        char shown[SHOWN_SIZE];
        int known = archive_survey_has_namespace(survey, ns) ||
                    (target != NULL && target_has_namespace(target, ns));
        for (size_t j = 0; j < sizeof everywhere / sizeof *everywhere; j++)
            known = known || strcmp(ns, everywhere[j]) == 0;
        if (!known)
            status = tally_add(call, &tally, shown_name(salvor_span_of(ns), shown), "%s",
                               target == NULL ? "whether the target has it is not known"
                                              : "the target does not have it, either");
    }
    if (status == SALVOR_OK)
        status = tally_raise(call, &tally);
    tally_clear(&tally);
    return status;
}

/* ---- definitions ----------------------------------------------------------------------------- */

static salvor_status judge_type(salvor_call *call, const struct archive_survey *survey,
                                const struct target *target, const struct index_type *type,
                                const char *name, struct tally *undefined)
{
    const struct salvor_span group = salvor_span_of(object_index_text(survey->index, type->group));
    const struct definition *definition =
        api_group_is_builtin(group)
            ? NULL
            : definitions_find(&survey->definitions, group,
                               salvor_span_of(object_index_text(survey->index, type->resource)));
    if (api_group_is_builtin(group))
        return SALVOR_OK;
    if (definition == NULL && target != NULL &&
        api_catalog_find(&target->catalog, group, object_index_text(survey->index, type->version),
                         salvor_span_of(object_index_text(survey->index, type->resource))) != NULL)
        return SALVOR_OK; /* it is there already */
    if (definition == NULL)
        return tally_add(call, undefined, name, "%u objects%s", type->count,
                         target != NULL ? ", and the target does not serve it" : "");
    const struct definition_version *version = definition_version(
        definition, salvor_span_of(object_index_text(survey->index, type->version)));
    if (version != NULL && version->served)
        return SALVOR_OK;
    return salvor_raise(call, FINDING_NOT_SERVED, name, "%u objects; version '%s' is %s",
                        type->count, object_index_text(survey->index, type->version),
                        version == NULL ? "not in the definition" : "not served");
}

static salvor_status judge_unused(salvor_call *call, const struct archive_survey *survey)
{
    struct tally tally = {.finding = FINDING_UNUSED_DEFINITION};
    salvor_status status = SALVOR_OK;
    for (size_t i = 0; status == SALVOR_OK && i < survey->definitions.count; i++) {
        const struct definition *one = &survey->definitions.items[i];
        char name[SHOWN_SIZE];
        if (object_index_find_type(survey->index, one->plural, one->group, NULL) != OBJECT_NONE)
            continue;
        (void)snprintf(name, sizeof name, "%s.%s", one->plural, one->group);
        status = tally_add(call, &tally, name, "the archive has no object of it");
    }
    if (status == SALVOR_OK)
        status = tally_raise(call, &tally);
    tally_clear(&tally);
    return status;
}

static salvor_status judge_definitions(salvor_call *call, const struct archive_survey *survey,
                                       const struct target *target)
{
    struct tally undefined = {.finding = FINDING_NO_DEFINITION};
    salvor_status status = SALVOR_OK;
    for (uint32_t i = 0; status == SALVOR_OK && i < survey->index->types.count; i++)
        status = judge_type(call, survey, target, object_index_type_at(survey->index, i),
                            names_text(&survey->index->types_seen, i), &undefined);
    if (status == SALVOR_OK)
        status = tally_raise(call, &undefined);
    tally_clear(&undefined);
    return status == SALVOR_OK ? judge_unused(call, survey) : status;
}

/* ---- what else belongs together ----------------------------------------------------------------
 */

static salvor_status judge_references(salvor_call *call, const struct archive_survey *survey)
{
    struct tally tally = {.finding = FINDING_GIT_SECRET};
    salvor_status status = SALVOR_OK;
    for (size_t i = 0; status == SALVOR_OK && i < survey->reference_count; i++) {
        const struct secret_reference *reference = &survey->references[i];
        char name[SHOWN_SIZE];
        char whole[2 * 256 + 2];
        if (archive_survey_secret(survey, reference) != OBJECT_NONE)
            continue;
        (void)snprintf(whole, sizeof whole, "%s/%s", reference->ns, reference->name);
        status = tally_add(call, &tally, shown_name(salvor_span_of(whole), name), "'%s' names it",
                           reference->from);
    }
    if (status == SALVOR_OK)
        status = tally_raise(call, &tally);
    tally_clear(&tally);
    return status;
}

static salvor_status judge_rest(salvor_call *call, const struct archive_survey *survey)
{
    if (survey->builtin_roles + survey->left_out > 0)
        SALVOR_TRY(salvor_raise(call, FINDING_NOT_RESTORED, survey->artifact,
                                "%llu built-in roles; %llu deployments of Rancher and registration "
                                "Secrets of Fleet",
                                (unsigned long long)survey->builtin_roles,
                                (unsigned long long)survey->left_out));
    if (survey->downstream > 0)
        SALVOR_TRY(salvor_raise(call, FINDING_DOWNSTREAM, survey->artifact, "%llu beside 'local'",
                                (unsigned long long)survey->downstream));
    if (survey->git_repos > 0)
        SALVOR_TRY(salvor_raise(call, FINDING_FLEET, survey->artifact, "%llu GitRepos",
                                (unsigned long long)survey->git_repos));
    return SALVOR_OK;
}

salvor_status judge_relations(salvor_call *call, struct archive_survey *survey,
                              const struct encryption_config *config, const struct target *target)
{
    SALVOR_TRY(judge_owners(call, survey, config, target));
    SALVOR_TRY(judge_namespaces(call, survey, target));
    SALVOR_TRY(judge_definitions(call, survey, target));
    SALVOR_TRY(judge_references(call, survey));
    return judge_rest(call, survey);
}
