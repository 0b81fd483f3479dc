#include "judge.h"

#include <stdio.h>
#include <string.h>

#include <salvor/interfaces.h>

#include "findings.h"

/* ---- gzip header ---------------------------------------------------------------------------- */

enum { HEADER_SIZE = 10 };

static salvor_status read_header(salvor_call *call, const char *artifact,
                                 unsigned char header[HEADER_SIZE], size_t *ret_size)
{
    const struct salvor_stream *stream = salvor_stream_of(call);
    salvor_stream_reader *reader = NULL;
    salvor_status status = SALVOR_OK;
    *ret_size = 0;
    SALVOR_TRY(stream->open(call, artifact, 0, &reader));
    while (status == SALVOR_OK && *ret_size < HEADER_SIZE) {
        uint64_t size = 0;
        status = stream->read(call, reader, header + *ret_size, HEADER_SIZE - *ret_size, &size);
        *ret_size += (size_t)size;
    }
    stream->close(call, reader);
    return status == SALVOR_END || status == SALVOR_FAILED ? SALVOR_OK : status;
}

/* No checksum covers the header: what differs from the operator's own is at least named. */
static salvor_status judge_header(salvor_call *call, const struct archive_survey *survey)
{
    static const struct {
        const char *field;
        size_t offset;
        size_t size;
        unsigned char wanted; /* each byte */
    } fields[] = {{"flags", 3, 1, 0}, {"MTIME", 4, 4, 0}, {"XFL", 8, 1, 0}, {"OS", 9, 1, 0xff}};
    unsigned char header[HEADER_SIZE];
    salvor_auto_text struct salvor_text detail = SALVOR_TEXT_INIT(512);
    size_t size = 0;
    SALVOR_TRY(read_header(call, survey->artifact, header, &size));
    if (size < HEADER_SIZE || header[0] != 0x1f || header[1] != 0x8b)
        return survey->damaged
                   ? SALVOR_OK
                   : salvor_raise(call, FINDING_DAMAGED, survey->artifact,
                                  "it is a tar without gzip, which the operator does not read");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        int same = 1;
        for (size_t j = 0; j < fields[i].size; j++)
            same = same && header[fields[i].offset + j] == fields[i].wanted;
        if (same)
            continue;
        salvor_text_format(&detail, "%s%s is", detail.size > 0 ? ", " : "", fields[i].field);
        for (size_t j = 0; j < fields[i].size; j++)
            salvor_text_format(&detail, " %02x", header[fields[i].offset + j]);
    }
    if (detail.size == 0)
        return SALVOR_OK;
    SALVOR_TRY(salvor_text_check(call, &detail, "a finding"));
    return salvor_raise(call, FINDING_GZIP_HEADER, survey->artifact, "%s",
                        salvor_text_get(&detail));
}

/* ---- name ----------------------------------------------------------------------------------- */

static salvor_status judge_name(salvor_call *call, const struct archive_survey *survey)
{
    const struct archive_name *name = &survey->name;
    if (!name->is_known)
        SALVOR_TRY(salvor_raise(call, FINDING_FILE_NAME, survey->artifact,
                                "it is not of the form <backup>-<UID of kube-system>-<time>"));
    if (survey->damaged || name->encrypted == (survey->encrypted > 0))
        return SALVOR_OK;
    return salvor_raise_as(call, name->encrypted ? SALVOR_SEVERITY_INFO : 0, FINDING_SUFFIX,
                           survey->artifact, "%s",
                           name->encrypted ? "it ends in .enc, and no member is encrypted"
                                           : "members are encrypted, and it does not end in .enc");
}

/* ---- resource set ---------------------------------------------------------------------------- */

static salvor_status judge_patterns(salvor_call *call, const struct resource_set *set)
{
    for (size_t i = 0; i < set->selector_count; i++) {
        const struct selector *selector = &set->selectors[i];
        for (size_t j = 0; j < SELECTOR_PATTERNS; j++) {
            const salvor_status status = selector->patterns[j].status;
            if (status == SALVOR_OK)
                continue;
            SALVOR_TRY(salvor_raise(
                call, status == SALVOR_REFUSED ? FINDING_PATTERN : FINDING_PATTERN_HERE, set->name,
                "resourceSelectors[%zu].%s of %s: %s", i,
                selector_pattern_name((enum selector_pattern)j), selector->api_version,
                selector->patterns[j].problem));
        }
        const char *dead = selector_dead_reason(selector);
        if (dead != NULL)
            SALVOR_TRY(salvor_raise(call, FINDING_DEAD_SELECTOR, set->name,
                                    "resourceSelectors[%zu] of %s: %s", i, selector->api_version,
                                    dead));
    }
    return SALVOR_OK;
}

static salvor_status judge_set(salvor_call *call, const struct archive_survey *survey)
{
    static const char *const of_the_vendor[] = {"rancher-resource-set", "rancher-resource-set-full",
                                                "rancher-resource-set-basic"};
    const struct resource_set *set = survey->set;
    if (!survey->set_is_there)
        return salvor_raise(call, FINDING_NO_SET, survey->artifact, "there is no '%s'",
                            FILTERS_MEMBER);
    if (set == NULL)
        return salvor_raise(call, FINDING_BAD_SET, FILTERS_MEMBER, "%s", survey->set_problem);
    SALVOR_TRY(judge_patterns(call, set));
    if (!resource_set_takes_secrets(set))
        SALVOR_TRY(salvor_raise(call, FINDING_BASIC_SET, set->name,
                                "none of its %zu selectors takes Secrets", set->selector_count));
    for (size_t i = 0; i < sizeof of_the_vendor / sizeof *of_the_vendor; i++) {
        if (strcmp(set->name, of_the_vendor[i]) == 0)
            return SALVOR_OK;
    }
    return salvor_raise(call, FINDING_OWN_SET, set->name, "%zu selectors", set->selector_count);
}

/* ---- what it holds --------------------------------------------------------------------------- */

static const char *or_unknown(const char *text)
{
    return *text != '\0' ? text : "unknown";
}

static salvor_status tell_content(salvor_call *call, const struct archive_survey *survey)
{
    salvor_auto_text struct salvor_text text = SALVOR_TEXT_INIT(4096);
    salvor_text_format(&text, "%zu objects of %zu types, %llu encrypted",
                       survey->index->objects.count, survey->index->types.count,
                       (unsigned long long)survey->encrypted);
    if (survey->provider[0] != '\0')
        salvor_text_format(&text, " (%s, key '%s')", survey->provider, survey->key);
    salvor_text_format(&text, "; Rancher %s, Kubernetes %s%s%s%s, server-url %s, install-uuid %s",
                       or_unknown(survey->rancher.text), or_unknown(survey->kubernetes.text),
                       survey->local_provider[0] != '\0' ? " (" : "", survey->local_provider,
                       survey->local_provider[0] != '\0' ? ")" : "", or_unknown(survey->server_url),
                       or_unknown(survey->install_uuid));
    if (survey->name.is_known)
        salvor_text_format(&text, "; backup '%s' of cluster %s, %s", survey->name.backup,
                           survey->name.cluster_uid, survey->name.time);
    SALVOR_TRY(salvor_text_check(call, &text, "a finding"));
    return salvor_raise(call, FINDING_READ, survey->artifact, "%s", salvor_text_get(&text));
}

salvor_status judge_file(salvor_call *call, const struct archive_survey *survey)
{
    if (survey->damaged)
        SALVOR_TRY(salvor_raise(call, FINDING_DAMAGED, survey->artifact,
                                "%s; %llu members were read before", survey->problem,
                                (unsigned long long)survey->members));
    SALVOR_TRY(judge_header(call, survey));
    SALVOR_TRY(judge_name(call, survey));
    if (survey->damaged)
        return SALVOR_OK;
    if (survey->old_format)
        SALVOR_TRY(salvor_raise(call, FINDING_OLD_FORMAT, survey->artifact, "it has a '%s'",
                                STATUS_TYPES_MEMBER));
    SALVOR_TRY(judge_set(call, survey));
    return tell_content(call, survey);
}
