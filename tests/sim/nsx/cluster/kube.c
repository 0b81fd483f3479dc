/* The cluster's API server, by a kubeconfig. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "player.h"
#include "yaml-json.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#include "json-tree.h"

enum { CONFIG_LIMIT = 1 << 20 };

/* The element of a list of a kubeconfig that has this name, its inner object. */
static const json_t *named(const json_t *config, const char *list, const char *name,
                           const char *inner)
{
    size_t i;
    json_t *entry;
    json_array_foreach (json_object_get(config, list), i, entry)
        if (name == NULL || text_equal(json_text(entry, "name"), name))
            return json_object_get(entry, inner);
    return NULL;
}

/* "FIELD-data" in base64, or the file that "FIELD" names; NULL when neither is there. */
static char *pem_of(const json_t *object, const char *field)
{
    cleanup_free char *data_field = text_format("%s-data", field);
    const char *data = json_text(object, data_field), *path = json_text(object, field);
    char *text = NULL;
    if (data != NULL) {
        size_t size = strlen(data), used = 0;
        text = memory_new(size + 1, 1);
        if (sodium_base642bin((unsigned char *)text, size, data, size, "\n", &used, NULL,
                              sodium_base64_VARIANT_ORIGINAL) != 0)
            used = 0;
        text[used] = '\0';
    } else if (path != NULL) {
        file_read(path, CONFIG_LIMIT, &text, NULL, NULL);
    }
    return text;
}

int kube_open(const char *path, struct http_target *ret)
{
    cleanup_free char *text = NULL;
    cleanup_error struct error error = ERROR_INIT;
    size_t size;
    if (file_read(path, CONFIG_LIMIT, &text, &size, &error) != 0) {
        fprintf(stderr, "sim-antrea-cluster: %s\n", error.message);
        return -1;
    }
    cleanup_json json_t *config = yaml_json_read(text, size);
    const json_t *context =
        named(config, "contexts", json_text(config, "current-context"), "context");
    const json_t *cluster = named(config, "clusters", json_text(context, "cluster"), "cluster");
    const json_t *user = named(config, "users", json_text(context, "user"), "user");
    const char *server = json_text(cluster, "server"), *token = json_text(user, "token");
    if (server == NULL) {
        fprintf(stderr, "sim-antrea-cluster: '%s' names no server\n", path);
        return -1;
    }
    *ret = (struct http_target){
        .url = text_copy(server),
        .authority = pem_of(cluster, "certificate-authority"),
        .certificate = pem_of(user, "client-certificate"),
        .key = pem_of(user, "client-key"),
        .bearer = token == NULL ? NULL : text_format("Authorization: Bearer %s", token),
        .is_insecure = text_equal(json_text(cluster, "insecure-skip-tls-verify"), "true")};
    return 0;
}

const char *kube_text(const json_t *object, const char *path)
{
    return tree_text(object, path);
}

json_t *kube_get(struct player *player, const char *path)
{
    json_t *object = NULL;
    if (http_request(&player->kube, "GET", path, NULL, NULL, &object) == 200)
        return object;
    json_decref(object);
    return NULL;
}

int kube_apply(struct player *player, const char *collection, const json_t *object)
{
    int status = http_request(&player->kube, "POST", collection, NULL, object, NULL);
    if (status != 409)
        return status;
    cleanup_free char *path = text_format("%s/%s", collection, kube_text(object, "metadata.name"));
    return http_request(&player->kube, "PATCH", path, "application/merge-patch+json", object, NULL);
}

int kube_patch_status(struct player *player, const char *path, json_t *status)
{
    cleanup_json json_t *patch = json_make("{s:o}", "status", status);
    cleanup_free char *at = text_format("%s/status", path);
    return http_request(&player->kube, "PATCH", at, "application/merge-patch+json", patch, NULL);
}

void kube_delete(struct player *player, const char *path)
{
    cleanup_json json_t *options = json_make("{s:s}", "propagationPolicy", "Background");
    http_request(&player->kube, "DELETE", path, NULL, options, NULL);
}
