/* What the cluster says about itself: bootstrap-config, nsx-cert, cluster-id. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "player.h"
#include "yaml-json.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

#include "json-tree.h"

void identity_clear(struct identity *identity)
{
    free(identity->name);
    free(identity->certificate);
    free(identity->key);
    free(identity->cluster_id);
    json_decref(identity->managers);
    *identity = (struct identity){.name = NULL};
}

/* A key of a ConfigMap that holds YAML, as a value. */
static json_t *configuration(struct player *player, const char *map, const char *key)
{
    cleanup_free char *path = text_format("/api/v1" IN_SPACE "/configmaps/%s", map);
    cleanup_json json_t *object = kube_get(player, path);
    const char *text = json_text(tree_at(object, "data"), key);
    return text == NULL ? NULL : yaml_json_read(text, strlen(text));
}

static char *decoded(const json_t *secret, const char *key)
{
    const char *data = json_text(tree_at(secret, "data"), key);
    if (data == NULL)
        return NULL;
    size_t size = strlen(data), used = 0;
    char *text = memory_new(size + 1, 1);
    if (sodium_base642bin((unsigned char *)text, size, data, size, "\n", &used, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        used = 0;
    text[used] = '\0';
    return text;
}

void identity_read(struct player *player)
{
    struct identity *identity = &player->identity;
    cleanup_json json_t *bootstrap = configuration(player, "bootstrap-config", "bootstrap.conf");
    cleanup_json json_t *cluster_id = configuration(player, "cluster-id", "cluster-id.conf");
    cleanup_json json_t *secret = kube_get(player, "/api/v1" IN_SPACE "/secrets/nsx-cert");
    const json_t *proxies = tree_at(bootstrap, "proxyEndpoints.rest-api");
    const json_t *managers = json_object_get(bootstrap, "NSXManagers");
    const char *name = json_text(bootstrap, "clusterName");
    const char *id = json_text(cluster_id, "clusterID");
    identity_clear(identity);
    identity->name = name == NULL ? NULL : text_copy(name);
    identity->cluster_id = id == NULL ? NULL : text_copy(id);
    identity->certificate = decoded(secret, "tls.crt");
    identity->key = decoded(secret, "tls.key");
    /* Proxies, when there are any, take the place of the managers. */
    if (json_array_size(proxies) > 0)
        managers = proxies;
    identity->managers = json_is_string(managers)  ? json_make("[O]", managers)
                         : json_is_array(managers) ? json_clone(managers)
                                                   : json_array();
}

static char *url_of(const struct player *player, const char *name)
{
    for (size_t i = 0; i < player->name_count; i++)
        if (strcmp(player->names[i].name, name) == 0)
            return text_copy(player->names[i].url);
    return text_starts(name, "https://") ? text_copy(name) : text_format("https://%s", name);
}

int nsx_choose(struct player *player)
{
    const struct identity *identity = &player->identity;
    size_t count = json_array_size(identity->managers);
    if (identity->name == NULL || identity->certificate == NULL || identity->key == NULL ||
        count == 0)
        return -1;
    const char *name =
        json_string_value(json_array_get(identity->managers, player->next_manager % count));
    if (name == NULL)
        return -1;
    http_target_clear(&player->nsx);
    /* As interworking is shipped: NSXInsecure is true. */
    player->nsx = (struct http_target){.url = url_of(player, name),
                                       .certificate = text_copy(identity->certificate),
                                       .key = text_copy(identity->key),
                                       .is_insecure = 1};
    return 0;
}
