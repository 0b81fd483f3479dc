/* The reader of archives of the provider 'rancher': whatever the bytes, it ends, and a survey of
 * what it took is sound. The input is the archive as it stands; a plain tar is one, too, so that
 * the fuzzer gets past gzip's checksum. */
#include <stdlib.h>

#include <salvor/plugin.h>

#include "../unit/sdk/fake-host.h"
#include "archive-survey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char yaml[] =
    "{apiVersion: apiserver.config.k8s.io/v1, kind: EncryptionConfiguration, resources: ["
    "{resources: ['*.*'], providers: [{secretbox: {keys: [{name: key1, secret: "
    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}]}}, {aesgcm: {keys: [{name: key1, secret: "
    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}]}}, {aescbc: {keys: [{name: key1, secret: "
    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}]}}]}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fake_host host;
    const struct fake_artifact artifacts[] = {{"a.tar.gz", (const char *)data, size},
                                              {NULL, NULL, 0}};
    struct encryption_config *config = NULL;
    struct archive_survey survey;
    struct owner_graph graph;
    host.artifacts = artifacts;
    salvor_call *call = fake_call(&host);
    fake_reset(&host);
    if (encryption_config_read(call, (struct salvor_span){yaml, sizeof yaml - 1}, &config) !=
        SALVOR_OK)
        abort();
    const salvor_status status = archive_survey_make(call, "a.tar.gz", config, &survey);
    if (status == SALVOR_OK) {
        const struct known_kinds known = {&survey.definitions, NULL, NULL};
        if (owner_graph_make(survey.index, &known, &graph) != SALVOR_OK)
            abort();
        for (uint32_t i = 0; i < survey.index->objects.count; i++) {
            if (object_index_object(survey.index, i)->level > graph.deepest + 1)
                abort();
        }
        owner_graph_clear(&graph);
    }
    archive_survey_clear(&survey);
    encryption_config_free(config);
    if (host.open_streams != 0)
        abort();
    return 0;
}
