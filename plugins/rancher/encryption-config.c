#include "encryption-config.h"

#include <sodium.h>
#include <string.h>

#include <salvor/memory.h>
#include <salvor/report.h>
#include <salvor/scan.h>

#include "yaml-tree.h"

enum { KEY_TEXT_LIMIT = 256, LIST_LIMIT = 10000 };

struct reader {
    salvor_call *call;
    struct encryption_config *config;
};

static salvor_status refuse(struct reader *reader, const struct yaml_node *node, const char *what)
{
    (void)salvor_fail(
        reader->call, SALVOR_REFUSED, "give the file that the backup was made with, unchanged",
        "encryption configuration, line %u: %s", node != NULL ? node->line : 0u, what);
    return SALVOR_REFUSED;
}

static salvor_status no_memory(struct reader *reader)
{
    (void)salvor_fail_memory(reader->call, "the encryption configuration");
    return SALVOR_FAILED;
}

const char *cipher_name(enum cipher cipher)
{
    static const char *const names[] = {[CIPHER_AESCBC] = "aescbc",
                                        [CIPHER_AESGCM] = "aesgcm",
                                        [CIPHER_SECRETBOX] = "secretbox",
                                        [CIPHER_KMS] = "kms",
                                        [CIPHER_IDENTITY] = "identity"};
    return names[cipher];
}

/* ---- keys -------------------------------------------------------------------------------- */

static salvor_status read_secret(struct reader *reader, const struct yaml_node *node,
                                 enum cipher cipher, struct encryption_key *key)
{
    const char *text = yaml_node_text(node);
    const size_t length = text != NULL ? strlen(text) : 0;
    if (length == 0 || length > KEY_TEXT_LIMIT)
        return refuse(reader, node, "a key without secret");
    key->secret = sodium_malloc(KEY_TEXT_LIMIT);
    key->text = sodium_malloc(length + 1);
    if (key->secret == NULL || key->text == NULL)
        return no_memory(reader);
    memcpy(key->text, text, length + 1);
    if (sodium_base642bin(key->secret, KEY_TEXT_LIMIT, text, length, NULL, &key->size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return refuse(reader, node, "the secret of a key is no base64");
    if (cipher == CIPHER_SECRETBOX && key->size != crypto_secretbox_KEYBYTES)
        return refuse(reader, node, "a secretbox key needs 32 bytes");
    if (cipher != CIPHER_SECRETBOX && key->size != 16 && key->size != 24 && key->size != 32)
        return refuse(reader, node, "an AES key needs 16, 24 or 32 bytes");
    return SALVOR_OK;
}

static salvor_status read_key(struct reader *reader, const struct yaml_node *node,
                              enum cipher cipher, struct encryption_key *key)
{
    static const char *const fields[] = {"name", "secret", NULL};
    if (!yaml_node_is_map(node) || yaml_node_stranger(node, fields) != NULL)
        return refuse(reader, node, "a key has a name and a secret, and nothing else");
    const char *name = yaml_node_text(yaml_node_at(node, "name"));
    if (name == NULL || *name == '\0')
        return refuse(reader, node, "a key without name");
    key->name = salvor_copy_text(name);
    if (key->name == NULL)
        return no_memory(reader);
    return read_secret(reader, yaml_node_at(node, "secret"), cipher, key);
}

static salvor_status read_keys(struct reader *reader, const struct yaml_node *node,
                               struct encryption_provider *provider)
{
    static const char *const fields[] = {"keys", NULL};
    const struct yaml_node *keys = yaml_node_at(node, "keys");
    const size_t count = yaml_node_count(keys);
    if (!yaml_node_is_map(node) || yaml_node_stranger(node, fields) != NULL ||
        !yaml_node_is_list(keys) || count == 0 || count > LIST_LIMIT)
        return refuse(reader, node, "a provider needs a list of keys, and nothing else");
    provider->keys = salvor_allocate_zeroed(count * sizeof *provider->keys);
    if (provider->keys == NULL)
        return no_memory(reader);
    for (size_t i = 0; i < count; i++) {
        provider->key_count++;
        SALVOR_TRY(read_key(reader, yaml_node_item(keys, i), provider->cipher, &provider->keys[i]));
    }
    return SALVOR_OK;
}

/* ---- providers ----------------------------------------------------------------------------- */

static salvor_status read_provider(struct reader *reader, const struct yaml_node *node,
                                   struct encryption_provider *provider)
{
    static const char *const names[] = {"aescbc", "aesgcm", "secretbox", "kms", "identity", NULL};
    static const char *const kms_fields[] = {"apiVersion", "name",    "cachesize",
                                             "endpoint",   "timeout", NULL};
    static const char *const no_fields[] = {NULL};
    if (!yaml_node_is_map(node) || yaml_node_count(node) != 1 ||
        yaml_node_stranger(node, names) != NULL)
        return refuse(reader, node,
                      "an element of providers is one of aescbc, aesgcm, secretbox, kms, identity");
    for (int i = CIPHER_AESCBC; i <= CIPHER_IDENTITY; i++) {
        const struct yaml_node *value = yaml_node_at(node, cipher_name((enum cipher)i));
        if (value == NULL)
            continue;
        provider->cipher = (enum cipher)i;
        if (i <= CIPHER_SECRETBOX)
            return read_keys(reader, value, provider);
        if (!yaml_node_is_map(value) ||
            yaml_node_stranger(value, i == CIPHER_KMS ? kms_fields : no_fields) != NULL)
            return refuse(reader, value, "a field that the provider does not have");
    }
    return SALVOR_OK;
}

/* ---- targets ------------------------------------------------------------------------------- */

static int covers(const struct encryption_target *target, const char *group, const char *resource)
{
    return (strcmp(target->group, "*") == 0 || strcmp(target->group, group) == 0) &&
           (strcmp(target->resource, "*") == 0 || strcmp(target->resource, resource) == 0);
}

static const char *resource_fault(const char *name, const char *resource, const char *group)
{
    static const char *const not_encrypted[] = {"apiserveripinfo", "serviceipallocations",
                                                "servicenodeportallocations"};
    if (strcmp(name, "*") == 0)
        return "'*' is no resource: '*.*' is every one";
    if (*resource == '\0' || strchr(name, '/') != NULL)
        return "a resource without name";
    if (strcmp(resource, "*") != 0 && strcmp(group, "*") == 0)
        return "a wildcard stands for all resources of a group, or for everything";
    for (const char *at = name; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z')
            return "a resource with capital letters";
    }
    if (strcmp(group, "extensions") == 0 || strcmp(group, "events.k8s.io") == 0)
        return "a group that is stored as another one";
    for (size_t i = 0; i < sizeof not_encrypted / sizeof *not_encrypted; i++) {
        if (*group == '\0' && strcmp(resource, not_encrypted[i]) == 0)
            return "a resource that the API server never encrypts";
    }
    return NULL;
}

/* The target of that name, made when it is not there yet. `first`: targets of this entry. */
static salvor_status target_for(struct reader *reader, const struct yaml_node *node, size_t first,
                                struct encryption_target **ret_target)
{
    struct encryption_config *config = reader->config;
    const char *name = yaml_node_text(node);
    if (name == NULL)
        return refuse(reader, node, "a resource is a text");
    const char *dot = strchr(name, '.');
    const char *group = dot != NULL ? dot + 1 : "";
    salvor_auto_release char *resource =
        salvor_copy_bytes(name, dot != NULL ? (size_t)(dot - name) : strlen(name));
    if (resource == NULL)
        return no_memory(reader);
    const char *fault = resource_fault(name, resource, group);
    if (fault != NULL)
        return refuse(reader, node, fault);
    *ret_target = NULL;
    for (size_t i = 0; i < config->target_count; i++) {
        struct encryption_target *one = &config->targets[i];
        const struct encryption_target wanted = {.group = (char *)(uintptr_t)group,
                                                 .resource = resource};
        const int covered = covers(one, group, resource);
        const int covering = covers(&wanted, one->group, one->resource);
        /* the same name in two entries adds providers; anything else that overlaps is refused, but
         * for a wildcard in a later entry, which is for what is left */
        if (covered && covering && strcmp(resource, "*") != 0 && i < first)
            *ret_target = one;
        else if (covered || (covering && i >= first))
            return refuse(reader, node, "a resource that another one covers already");
    }
    if (*ret_target != NULL)
        return SALVOR_OK;
    struct encryption_target *grown =
        salvor_resize(config->targets, (config->target_count + 1) * sizeof *grown);
    if (grown == NULL)
        return no_memory(reader);
    config->targets = grown;
    struct encryption_target *target = &grown[config->target_count];
    memset(target, 0, sizeof *target);
    target->group = salvor_copy_text(group);
    target->resource = salvor_copy_text(resource);
    config->target_count++;
    if (target->group == NULL || target->resource == NULL)
        return no_memory(reader);
    *ret_target = target;
    return SALVOR_OK;
}

static salvor_status add_provider(struct reader *reader, struct encryption_target *target,
                                  struct encryption_provider *provider)
{
    struct encryption_provider **grown =
        salvor_resize(target->providers, (target->provider_count + 1) * sizeof *grown);
    if (grown == NULL)
        return no_memory(reader);
    grown[target->provider_count] = provider;
    target->providers = grown;
    target->provider_count++;
    return SALVOR_OK;
}

static salvor_status read_entry(struct reader *reader, const struct yaml_node *node,
                                size_t first_provider)
{
    static const char *const fields[] = {"resources", "providers", NULL};
    struct encryption_config *config = reader->config;
    const struct yaml_node *resources = yaml_node_at(node, "resources");
    const struct yaml_node *providers = yaml_node_at(node, "providers");
    const size_t count = yaml_node_count(providers);
    const size_t first = config->target_count;
    if (!yaml_node_is_map(node) || yaml_node_stranger(node, fields) != NULL ||
        !yaml_node_is_list(resources) || yaml_node_count(resources) == 0 ||
        !yaml_node_is_list(providers) || count == 0)
        return refuse(reader, node, "an entry needs lists of resources and of providers");
    for (size_t i = 0; i < count; i++) {
        SALVOR_TRY(read_provider(reader, yaml_node_item(providers, i),
                                 &config->providers[first_provider + i]));
    }
    for (size_t i = 0; i < yaml_node_count(resources); i++) {
        struct encryption_target *target = NULL;
        SALVOR_TRY(target_for(reader, yaml_node_item(resources, i), first, &target));
        for (size_t j = 0; j < count; j++)
            SALVOR_TRY(add_provider(reader, target, &config->providers[first_provider + j]));
    }
    return SALVOR_OK;
}

/* ---- the file ------------------------------------------------------------------------------ */

static int is_kind(const struct yaml_node *root)
{
    const char *api_version = yaml_node_text(yaml_node_at(root, "apiVersion"));
    const char *kind = yaml_node_text(yaml_node_at(root, "kind"));
    if (api_version == NULL || kind == NULL)
        return 0;
    return (strcmp(api_version, "apiserver.config.k8s.io/v1") == 0 &&
            strcmp(kind, "EncryptionConfiguration") == 0) ||
           (strcmp(api_version, "v1") == 0 && strcmp(kind, "EncryptionConfig") == 0);
}

static salvor_status read_root(struct reader *reader, const struct yaml_node *root)
{
    static const char *const fields[] = {"apiVersion", "kind", "resources", NULL};
    struct encryption_config *config = reader->config;
    const struct yaml_node *entries = yaml_node_at(root, "resources");
    size_t total = 0;
    size_t next = 0;
    if (!is_kind(root))
        return refuse(reader, root, "it is no EncryptionConfiguration");
    if (yaml_node_stranger(root, fields) != NULL)
        return refuse(reader, yaml_node_stranger(root, fields), "an unknown field");
    if (!yaml_node_is_list(entries) || yaml_node_count(entries) == 0)
        return refuse(reader, root, "it names no resources");
    for (size_t i = 0; i < yaml_node_count(entries); i++)
        total += yaml_node_count(yaml_node_at(yaml_node_item(entries, i), "providers"));
    /* in one piece, so that targets can point at them */
    config->providers = salvor_allocate_zeroed((total + 1) * sizeof *config->providers);
    if (config->providers == NULL)
        return no_memory(reader);
    config->provider_count = total;
    for (size_t i = 0; i < yaml_node_count(entries); i++) {
        const struct yaml_node *entry = yaml_node_item(entries, i);
        SALVOR_TRY(read_entry(reader, entry, next));
        next += yaml_node_count(yaml_node_at(entry, "providers"));
    }
    return SALVOR_OK;
}

salvor_status encryption_config_read(salvor_call *call, struct salvor_span yaml,
                                     struct encryption_config **ret_config)
{
    struct reader reader = {call, NULL};
    auto_yaml_tree struct yaml_tree *tree = NULL;
    char problem[200];
    if (sodium_init() < 0)
        return salvor_fail(call, SALVOR_FAILED, NULL, "libsodium cannot be used");
    const salvor_status parsed = yaml_tree_read(yaml, &tree, problem, sizeof problem);
    if (parsed != SALVOR_OK)
        return salvor_fail(call, SALVOR_REFUSED,
                           "give the file that the backup was made with, unchanged",
                           "encryption configuration: %s", problem);
    reader.config = salvor_allocate_zeroed(sizeof *reader.config);
    if (reader.config == NULL)
        return no_memory(&reader);
    const salvor_status status = read_root(&reader, yaml_tree_root(tree));
    if (status != SALVOR_OK) {
        encryption_config_free(reader.config);
        return status;
    }
    *ret_config = reader.config;
    return SALVOR_OK;
}

void encryption_config_free(struct encryption_config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; config->providers != NULL && i < config->provider_count; i++) {
        struct encryption_provider *provider = &config->providers[i];
        for (size_t j = 0; j < provider->key_count; j++) {
            salvor_release(provider->keys[j].name);
            sodium_free(provider->keys[j].secret);
            sodium_free(provider->keys[j].text);
        }
        salvor_release(provider->keys);
    }
    for (size_t i = 0; i < config->target_count; i++) {
        salvor_release(config->targets[i].group);
        salvor_release(config->targets[i].resource);
        salvor_release(config->targets[i].providers);
    }
    salvor_release(config->providers);
    salvor_release(config->targets);
    salvor_release(config);
}

/* ---- asking -------------------------------------------------------------------------------- */

const struct encryption_target *encryption_config_find(const struct encryption_config *config,
                                                       struct salvor_span group,
                                                       struct salvor_span resource)
{
    const struct encryption_target *of_group = NULL;
    const struct encryption_target *of_all = NULL;
    for (size_t i = 0; i < config->target_count; i++) {
        const struct encryption_target *target = &config->targets[i];
        const int any = strcmp(target->resource, "*") == 0;
        if (any && strcmp(target->group, "*") == 0)
            of_all = target;
        else if (any && salvor_span_is(group, target->group))
            of_group = target;
        else if (salvor_span_is(group, target->group) && salvor_span_is(resource, target->resource))
            return target;
    }
    return of_group != NULL ? of_group : of_all;
}

int encryption_config_has_wildcards(const struct encryption_config *config)
{
    for (size_t i = 0; i < config->target_count; i++) {
        if (strcmp(config->targets[i].resource, "*") == 0)
            return 1;
    }
    return 0;
}

int encryption_config_has_kms(const struct encryption_config *config)
{
    for (size_t i = 0; i < config->provider_count; i++) {
        if (config->providers[i].cipher == CIPHER_KMS)
            return 1;
    }
    return 0;
}
