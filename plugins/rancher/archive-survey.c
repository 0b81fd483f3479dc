#include "archive-survey.h"

#include <stdio.h>
#include <string.h>

#include <salvor/interfaces.h>
#include <salvor/memory.h>
#include <salvor/report.h>
#include <salvor/scan.h>

#include "findings.h"
#include "object-survey.h"

static const char *const tally_findings[SURVEY_TALLIES] = {
    [TALLY_ODD] = FINDING_ODD_MEMBER,        [TALLY_NO_OBJECT] = FINDING_NO_OBJECT,
    [TALLY_MISPLACED] = FINDING_MISPLACED,   [TALLY_TWICE] = FINDING_TWICE,
    [TALLY_HIDDEN] = FINDING_HIDDEN,         [TALLY_BIG_NUMBER] = FINDING_BIG_NUMBER,
    [TALLY_LONG_NAME] = FINDING_LONG_NAME,   [TALLY_REPLACED_SET] = FINDING_REPLACED_SET,
    [TALLY_CLEAR_KEY] = FINDING_CLEAR_KEY,   [TALLY_LOCKED_KEY] = FINDING_LOCKED_KEY,
    [TALLY_CLEAR_S3] = FINDING_CLEAR_S3,     [TALLY_CLOSED] = FINDING_CLOSED,
    [TALLY_NOT_OPENED] = FINDING_NOT_OPENED, [TALLY_KMS] = FINDING_KMS,
    [TALLY_NO_SCHEMA] = FINDING_NO_SCHEMA,
};

/* ---- members ------------------------------------------------------------------------------- */

static salvor_status take_set(salvor_call *call, const struct archive_member *member,
                              struct archive_survey *survey)
{
    survey->set_is_there = 1;
    resource_set_free(survey->set);
    survey->set = NULL;
    survey->set_problem[0] = '\0';
    struct salvor_span json = member->json;
    if (resource_set_read(call, json, &survey->set) != SALVOR_OK)
        (void)snprintf(survey->set_problem, sizeof survey->set_problem, "%s",
                       call->host->last_error(call));
    return SALVOR_OK;
}

/* What the operator makes of a file whose path holds "filters". */
static salvor_status note_hidden(salvor_call *call, const char *path, const char *shown,
                                 struct archive_survey *survey)
{
    if (!member_is_hidden(path))
        return SALVOR_OK;
    SALVOR_TRY(tally_add(call, &survey->tallies[TALLY_HIDDEN], shown,
                         "its path contains the operator's own word"));
    /* of several the last one counts: only what comes behind the real one replaces it */
    if (member_replaces_resource_set(path) && survey->set_is_there)
        return tally_add(call, &survey->tallies[TALLY_REPLACED_SET], shown,
                         "its path contains 'filters.json', and it comes behind the resource set");
    return SALVOR_OK;
}

static salvor_status note_closed(salvor_call *call, const struct archive_member *member,
                                 const char *shown, struct archive_survey *survey)
{
    char provider[16] = "?";
    char key[256] = "?";
    const enum survey_tally which = member->answer == CIPHER_NO_CONFIG   ? TALLY_CLOSED
                                    : member->answer == CIPHER_NEEDS_KMS ? TALLY_KMS
                                    : member->answer == CIPHER_NO_BLOB   ? TALLY_NO_OBJECT
                                                                         : TALLY_NOT_OPENED;
    if (member->answer == CIPHER_NO_MEMORY)
        return salvor_fail_memory(call, "an encrypted object");
    survey->closed++;
    if (cipher_label(member->stored, provider, sizeof provider, key, sizeof key) != 0 &&
        which != TALLY_NO_OBJECT)
        return tally_add(call, &survey->tallies[TALLY_NO_OBJECT], shown, "%s",
                         cipher_answer_text(CIPHER_NO_BLOB));
    if (survey->provider[0] == '\0') {
        memcpy(survey->provider, provider, sizeof survey->provider);
        memcpy(survey->key, key, sizeof survey->key);
    }
    if (which == TALLY_NO_OBJECT)
        return tally_add(call, &survey->tallies[which], shown, "%s",
                         cipher_answer_text(member->answer));
    return tally_add(call, &survey->tallies[which], shown, "%s, key '%s': %s", provider, key,
                     cipher_answer_text(member->answer));
}

static salvor_status take_object(salvor_call *call, const struct archive_member *member,
                                 struct archive_survey *survey)
{
    char shown[SHOWN_SIZE];
    uint32_t number = 0;
    uint32_t earlier = OBJECT_NONE;
    uint16_t flags = member_is_hidden(member->path) ? OBJECT_HIDDEN : 0;
    const uint32_t type = object_index_type(survey->index, &member->at);
    if (member->encrypted)
        flags |= OBJECT_ENCRYPTED;
    if (member->encrypted && member->answer != CIPHER_OPENED)
        flags |= OBJECT_CLOSED;
    if (type == OBJECT_NONE ||
        object_index_add(survey->index, &member->at, type, flags, &number, &earlier) != SALVOR_OK)
        return salvor_fail_memory(call, "the index of the archive");
    object_index_type_at(survey->index, type)->bytes += member->stored.size;
    object_index_type_at(survey->index, type)->encrypted += (uint32_t)member->encrypted;
    survey->encrypted += (uint64_t)member->encrypted;
    (void)shown_name(salvor_span_of(member->path), shown);
    if (earlier != OBJECT_NONE)
        SALVOR_TRY(tally_add(call, &survey->tallies[TALLY_TWICE], shown, "the last one counts"));
    if (member->at.name.size > OBJECT_NAME_LIMIT)
        SALVOR_TRY(tally_add(call, &survey->tallies[TALLY_LONG_NAME], shown,
                             "%llu bytes, %u are "
                             "the limit",
                             (unsigned long long)member->at.name.size, OBJECT_NAME_LIMIT));
    SALVOR_TRY(note_hidden(call, member->path, shown, survey));
    if (member->stored.size == 0)
        return tally_add(call, &survey->tallies[TALLY_ODD], shown, "it is empty");
    if ((flags & OBJECT_CLOSED) != 0)
        return note_closed(call, member, shown, survey);
    return object_survey_take(call, member, number, shown, survey);
}

static salvor_status take(salvor_call *call, const struct archive_member *member,
                          struct archive_survey *survey)
{
    char shown[SHOWN_SIZE];
    survey->members++;
    survey->bytes += member->stored.size;
    switch (member->role) {
    case MEMBER_OBJECT:
        return take_object(call, member, survey);
    case MEMBER_RESOURCE_SET:
        return take_set(call, member, survey);
    case MEMBER_ASIDE:
        if (strcmp(member->path, STATUS_TYPES_MEMBER) == 0)
            survey->old_format = 1;
        if (member_replaces_resource_set(member->path) && survey->set_is_there)
            return tally_add(call, &survey->tallies[TALLY_REPLACED_SET],
                             shown_name(salvor_span_of(member->path), shown),
                             "its path contains 'filters.json', and it comes behind the resource "
                             "set");
        return SALVOR_OK;
    default:
        return tally_add(call, &survey->tallies[TALLY_ODD],
                         shown_name(salvor_span_of(member->path), shown), "%s", member->problem);
    }
}

/* ---- the whole ----------------------------------------------------------------------------- */

static salvor_status read_all(salvor_call *call, archive_reader *reader,
                              struct archive_survey *survey)
{
    struct archive_member member;
    salvor_status status;
    while ((status = archive_reader_next(reader, &member)) == SALVOR_OK &&
           (status = archive_reader_load(reader, &member)) == SALVOR_OK) {
        SALVOR_TRY(take(call, &member, survey));
        call->host->progress(call, survey->members, 0, "members");
        if (call->host->cancelled(call))
            return SALVOR_CANCELLED;
    }
    if (status == SALVOR_END)
        return SALVOR_OK;
    if (status != SALVOR_FAILED || *archive_reader_problem(reader) == '\0')
        return status;
    survey->damaged = 1;
    survey->problem = salvor_copy_text(archive_reader_problem(reader));
    return survey->problem != NULL ? SALVOR_OK : salvor_fail_memory(call, "a finding");
}

salvor_status archive_survey_make(salvor_call *call, const char *artifact,
                                  const struct encryption_config *config,
                                  struct archive_survey *ret_survey)
{
    auto_archive_reader archive_reader *reader = NULL;
    memset(ret_survey, 0, sizeof *ret_survey);
    ret_survey->artifact = artifact;
    archive_name_read(artifact, &ret_survey->name);
    for (size_t i = 0; i < SURVEY_TALLIES; i++)
        ret_survey->tallies[i].finding = tally_findings[i];
    ret_survey->index = object_index_create();
    if (ret_survey->index == NULL)
        return salvor_fail_memory(call, "the index of the archive");
    SALVOR_TRY(archive_reader_open(call, artifact, config, &reader));
    return read_all(call, reader, ret_survey);
}

void archive_survey_clear(struct archive_survey *survey)
{
    object_index_free(survey->index);
    object_reader_clear(&survey->reader);
    definitions_clear(&survey->definitions);
    resource_set_free(survey->set);
    for (size_t i = 0; i < survey->reference_count; i++) {
        salvor_release(survey->references[i].ns);
        salvor_release(survey->references[i].name);
        salvor_release(survey->references[i].from);
    }
    salvor_release(survey->references);
    for (size_t i = 0; i < SURVEY_TALLIES; i++)
        tally_clear(&survey->tallies[i]);
    salvor_release((void *)(uintptr_t)survey->problem);
    memset(survey, 0, sizeof *survey);
}

uint32_t archive_survey_secret(const struct archive_survey *survey,
                               const struct secret_reference *reference)
{
    return object_index_find(survey->index,
                             object_index_find_type(survey->index, "secrets", "", "v1"),
                             salvor_span_of(reference->ns), salvor_span_of(reference->name));
}

int archive_survey_has_namespace(const struct archive_survey *survey, const char *ns)
{
    return object_index_find(survey->index,
                             object_index_find_type(survey->index, "namespaces", "", "v1"),
                             salvor_span_of(""), salvor_span_of(ns)) != OBJECT_NONE;
}
