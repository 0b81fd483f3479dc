#include "source-archive.h"

#include <stdio.h>
#include <string.h>

#include <salvor/helpers.h>

#include "archive-name.h"

salvor_status source_archive_name(salvor_call *call, char name[ARTIFACT_NAME_SIZE],
                                  char problem[512])
{
    const char *wanted = salvor_option_text(call, "archive", NULL);
    salvor_auto_json json_t *list = NULL;
    struct salvor_span json = {NULL, 0};
    const char *found = NULL;
    size_t index = 0;
    size_t count = 0;
    const json_t *one = NULL;
    SALVOR_TRY(salvor_stream_of(call)->list(call, &json));
    SALVOR_TRY(salvor_json_parse(call, json, "the list of artifacts", &list));
    json_array_foreach (list, index, one) {
        struct archive_name parts;
        const char *artifact = salvor_json_text(one, "/name", "");
        archive_name_read(artifact, &parts);
        if (strcmp(salvor_json_text(one, "/origin", "source"), "run") == 0)
            continue; /* made by this run itself */
        if (wanted != NULL ? strcmp(artifact, wanted) != 0 : !parts.is_archive)
            continue;
        found = artifact;
        count++;
    }
    if (count == 0) {
        (void)snprintf(problem, 512,
                       wanted != NULL ? "it has no '%s'"
                                      : "it has no file that ends in .tar.gz or "
                                        ".tar.gz.enc",
                       wanted);
        return SALVOR_NOT_FOUND;
    }
    if (count > 1) {
        (void)snprintf(problem, 512, "it has %zu archives, the last one is '%.300s'", count, found);
        return SALVOR_NOT_FOUND;
    }
    return salvor_span_copy(salvor_span_of(found), name, ARTIFACT_NAME_SIZE) == SALVOR_OK
               ? SALVOR_OK
               : salvor_fail(call, SALVOR_FAILED, NULL, "the name of the archive is too long");
}

/* The text of each key is a secret of its own wherever it may show up. */
static salvor_status redact(salvor_call *call, const struct encryption_config *config)
{
    for (size_t i = 0; i < config->provider_count; i++) {
        for (size_t j = 0; j < config->providers[i].key_count; j++) {
            const char *text = config->providers[i].keys[j].text;
            salvor_secret *secret = NULL;
            SALVOR_TRY(salvor_secrets_of(call)->adopt(call, text, strlen(text), &secret));
            salvor_secrets_of(call)->close(call, secret);
        }
    }
    return SALVOR_OK;
}

salvor_status source_encryption_config(salvor_call *call, struct encryption_config **ret_config)
{
    const struct salvor_secrets *secrets = salvor_secrets_of(call);
    salvor_secret *secret = NULL;
    struct salvor_span yaml = {NULL, 0};
    *ret_config = NULL;
    salvor_status status = secrets->open(call, "encryption-config", &secret);
    if (status == SALVOR_NOT_FOUND)
        return SALVOR_OK;
    SALVOR_TRY(status);
    status = secrets->reveal(call, secret, &yaml);
    if (status == SALVOR_OK)
        status = encryption_config_read(call, yaml, ret_config);
    secrets->close(call, secret);
    return status == SALVOR_OK ? redact(call, *ret_config) : status;
}
