/*
 * Prints how salvor reads kubeconfig files, for comparison with kubectl: config-view [FILE], as
 * `kubectl config view --raw --flatten -o json` does with the files of $KUBECONFIG.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "net/kube-config.h"

/* The contents of the file that the member `path` names, as member `path`-data. */
static int flatten_one(json_t *entry, const char *path)
{
    const char *file = json_text(entry, path);
    cleanup_free char *data = text_format("%s-data", path);
    cleanup_free char *bytes = NULL;
    cleanup_error struct error err = ERROR_INIT;
    size_t size = 0;
    if (file == NULL)
        return 0;
    if (file_read(file, 1 << 20, &bytes, &size, &err) != 0) {
        (void)fprintf(stderr, "config-view: %s\n", err.message);
        return -1;
    }
    const size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
    cleanup_free char *encoded = memory_new(room, 1);
    (void)sodium_bin2base64(encoded, room, (const unsigned char *)bytes, size,
                            sodium_base64_VARIANT_ORIGINAL);
    json_put_text(entry, data, encoded);
    (void)json_object_del(entry, path);
    return 0;
}

static int flatten(json_t *config)
{
    const char *name = NULL;
    json_t *entry = NULL;
    json_object_foreach (json_object_get(config, "clusters"), name, entry) {
        (void)json_object_del(entry, "origin");
        if (flatten_one(entry, "certificate-authority") != 0)
            return -1;
    }
    json_object_foreach (json_object_get(config, "users"), name, entry) {
        (void)json_object_del(entry, "origin");
        if (flatten_one(entry, "client-certificate") != 0 || flatten_one(entry, "client-key") != 0)
            return -1;
    }
    json_object_foreach (json_object_get(config, "contexts"), name, entry)
        (void)json_object_del(entry, "origin");
    return json_object_del(config, "files");
}

int main(int argc, char **argv)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *config = NULL;
    struct kube_environment environment;
    kube_environment_get(&environment);
    if (sodium_init() < 0 ||
        kube_config_load(argc > 1 ? argv[1] : NULL, &environment, &config, &err) != 0) {
        (void)fprintf(stderr, "config-view: %s\n", err.message != NULL ? err.message : "");
        return EXIT_FAILED;
    }
    if (flatten(config) != 0)
        return EXIT_FAILED;
    cleanup_free char *text = json_canonical(config);
    (void)puts(text);
    return EXIT_DONE;
}
