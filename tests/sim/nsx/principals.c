/* Principal identities with certificates and with tokens. Facts 1.4, 7.4. */
#include <stdlib.h>
#include <string.h>

#include "certificates.h"
#include "change.h"
#include "errors.h"
#include "handlers.h"
#include "page.h"
#include "x509.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum { NAME_LIMIT = 255 };

static struct nsx_table *principals(const struct sim_nsx *sim)
{
    return (struct nsx_table *)(uintptr_t)&sim->intent.tables[NSX_PRINCIPALS];
}

static void list(struct sim_nsx *sim, struct nsx_request *request, const struct nsx_table *table,
                 struct nsx_answer *answer)
{
    json_t *results = json_array();
    for (size_t i = 0; i < table->count; i++)
        json_add(results, nsx_shown(sim, request, nsx_record_tree(table->items[i])));
    /* The one list without parameters for pages. */
    nsx_answer_json(
        answer, 200,
        json_make("{s:I, s:o}", "result_count", (json_int_t)table->count, "results", results));
}

static void get(struct sim_nsx *sim, struct nsx_request *request, const struct nsx_table *table,
                struct nsx_answer *answer)
{
    json_t *object = nsx_table_tree(table, request->parts[0]);
    if (object == NULL)
        nsx_error_not_found(sim, answer, request->parts[0]);
    else
        nsx_answer_json(answer, 200, nsx_shown(sim, request, object));
}

void nsx_principals_list(struct sim_nsx *sim, struct nsx_request *request,
                         struct nsx_answer *answer)
{
    list(sim, request, principals(sim), answer);
}

void nsx_principal_get(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    get(sim, request, principals(sim), answer);
}

/* Letters and digits, single separators between them. */
static int is_name(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size > NAME_LIMIT)
        return 0;
    int separated = 1;
    for (const char *at = name; *at != '\0'; at++) {
        int is_alnum =
            (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (!is_alnum && (separated || strchr("-._", *at) == NULL))
            return 0;
        separated = !is_alnum;
    }
    return !separated;
}

static int refuse(struct nsx_answer *answer, const char *message)
{
    nsx_error(answer, 400, 2000, "internal-framework", "%s", message);
    return -1;
}

static int is_duplicate(const struct sim_nsx *sim, const char *name, const char *node_id)
{
    static const enum nsx_table_id tables[] = {NSX_PRINCIPALS, NSX_TOKEN_PRINCIPALS};
    for (size_t t = 0; t < 2; t++) {
        const struct nsx_table *table = &sim->intent.tables[tables[t]];
        for (size_t i = 0; i < table->count; i++) {
            if (strstr(table->items[i]->text, name) == NULL)
                continue;
            cleanup_json json_t *other = nsx_record_tree(table->items[i]);
            if (text_equal(json_text(other, "name"), name) &&
                text_equal(json_text(other, "node_id"), node_id))
                return 1;
        }
    }
    return 0;
}

/* name, node_id and role of a new identity; -1 after answering. */
static int check(const struct sim_nsx *sim, const json_t *body, struct nsx_answer *answer)
{
    const char *name = json_text(body, "name"), *node_id = json_text(body, "node_id");
    const json_t *paths = json_object_get(body, "roles_for_paths");
    const char *role = json_text(body, "role");
    if (name == NULL || node_id == NULL || name[0] == '\0' || node_id[0] == '\0')
        return refuse(answer, "Required properties name and node_id must be given.");
    if (nsx_switch_is(sim, SW_PI_NAME_RULE, "enforced") && (!is_name(name) || !is_name(node_id)))
        return refuse(answer, "name and node_id must match ^[a-zA-Z0-9]+([-._]?[a-zA-Z0-9]+)*$ "
                              "and have at most 255 characters.");
    if (paths != NULL && nsx_switch_is(sim, SW_PI_ROLE_FORM, "role-only"))
        return refuse(answer, "Unrecognized field roles_for_paths.");
    if (role != NULL && paths == NULL && nsx_switch_is(sim, SW_PI_ROLE_FORM, "paths-only"))
        return refuse(answer, "role is not supported any more, use roles_for_paths.");
    if (is_duplicate(sim, name, node_id)) {
        int status = nsx_switch_is(sim, SW_PI_DUPLICATE, "409") ? 409 : 400;
        nsx_error(answer, status, 2027, "internal-framework",
                  "Principal identity with name %s and node_id %s already exists, the pair must "
                  "be unique.",
                  name, node_id);
        return -1;
    }
    return 0;
}

static void create(struct sim_nsx *sim, struct nsx_request *request, json_t *principal,
                   const char *certificate_id, struct nsx_answer *answer)
{
    cleanup_free char *id = nsx_uuid(sim);
    const char *name = json_text(principal, "name");
    cleanup_free char *shown = nsx_switch_is(sim, SW_PI_DISPLAY_NAME, "name")
                                   ? text_copy(name)
                                   : text_format("%s@%s", name, json_text(principal, "node_id"));
    cleanup_json json_t *certificate =
        nsx_table_tree(&sim->intent.tables[NSX_CERTIFICATES], certificate_id);
    json_object_del(principal, "certificate_pem");
    json_put_text(principal, "id", id);
    json_put_text(principal, "display_name", shown);
    json_put_text(principal, "resource_type", "PrincipalIdentity");
    json_put_text(principal, "certificate_id", certificate_id);
    json_put_text(principal, "_sim_sha256", json_text(certificate, "_sim_sha256"));
    if (json_object_get(principal, "is_protected") == NULL)
        json_put(principal, "is_protected", json_true());
    nsx_stamp(sim, principal, NULL);
    nsx_put(sim, NSX_PRINCIPALS, id, principal);
    nsx_answer_json(answer, 201, nsx_shown(sim, request, json_clone(principal)));
}

void nsx_principal_create_with_certificate(struct sim_nsx *sim, struct nsx_request *request,
                                           struct nsx_answer *answer)
{
    const json_t *body = nsx_body(request, answer);
    if (body == NULL || check(sim, body, answer) != 0)
        return;
    char fingerprint[DIGEST_TEXT_SIZE];
    const char *pem = json_text(body, "certificate_pem");
    if (x509_fingerprint(pem, fingerprint) != 0) {
        refuse(answer, "certificate_pem holds no certificate in PEM form.");
        return;
    }
    cleanup_json json_t *known =
        nsx_table_find(&sim->intent.tables[NSX_CERTIFICATES], "_sim_sha256", fingerprint);
    cleanup_json json_t *user =
        known == NULL ? NULL
                      : nsx_table_find(principals(sim), "certificate_id", json_text(known, "id"));
    if (user != NULL || (known != NULL && nsx_switch_is(sim, SW_PEM_REUSE, "any-certificate"))) {
        nsx_error(answer, 400, 2004, "internal-framework",
                  "The certificate already exists with id %s.", json_text(known, "id"));
        return;
    }
    cleanup_free char *certificate_id = nsx_certificate_add(sim, json_text(body, "name"), pem, 0);
    cleanup_json json_t *principal = json_clone(body);
    create(sim, request, principal, certificate_id, answer);
}

static int is_used(const struct sim_nsx *sim, const char *certificate_id, const char *except)
{
    cleanup_json json_t *user = nsx_table_find(principals(sim), "certificate_id", certificate_id);
    return user != NULL && !text_equal(json_text(user, "id"), except);
}

static void update_certificate(struct sim_nsx *sim, struct nsx_request *request, const json_t *body,
                               struct nsx_answer *answer)
{
    const char *id = json_text(body, "principal_identity_id");
    const char *certificate_id = json_text(body, "certificate_id");
    cleanup_json json_t *old = id == NULL ? NULL : nsx_table_tree(principals(sim), id);
    cleanup_json json_t *certificate =
        certificate_id == NULL
            ? NULL
            : nsx_table_tree(&sim->intent.tables[NSX_CERTIFICATES], certificate_id);
    if (old == NULL || certificate == NULL) {
        nsx_error_not_found(sim, answer, old == NULL ? id : certificate_id);
        return;
    }
    if (is_used(sim, certificate_id, id)) {
        nsx_error(answer, 400, 2004, "internal-framework",
                  "The certificate %s is used by another principal identity.", certificate_id);
        return;
    }
    if (nsx_refuse_protected(sim, request, old, answer) != 0)
        return;
    cleanup_json json_t *principal = json_clone(old);
    json_put_text(principal, "certificate_id", certificate_id);
    json_put_text(principal, "_sim_sha256", json_text(certificate, "_sim_sha256"));
    nsx_stamp(sim, principal, old);
    nsx_put(sim, NSX_PRINCIPALS, id, principal);
    nsx_answer_json(answer, 200, nsx_shown(sim, request, json_clone(principal)));
}

void nsx_principal_create(struct sim_nsx *sim, struct nsx_request *request,
                          struct nsx_answer *answer)
{
    const json_t *body = nsx_body(request, answer);
    if (body == NULL)
        return;
    if (nsx_query_is(request, "action", "update_certificate")) {
        update_certificate(sim, request, body, answer);
        return;
    }
    if (check(sim, body, answer) != 0)
        return;
    const char *certificate_id = json_text(body, "certificate_id");
    if (certificate_id == NULL ||
        nsx_table_get(&sim->intent.tables[NSX_CERTIFICATES], certificate_id) == NULL) {
        refuse(answer, "certificate_id names no certificate.");
        return;
    }
    if (is_used(sim, certificate_id, NULL)) {
        refuse(answer, "The certificate is used by another principal identity.");
        return;
    }
    cleanup_json json_t *principal = json_clone(body);
    create(sim, request, principal, certificate_id, answer);
}

static void answer_missing(const struct sim_nsx *sim, const struct nsx_request *request,
                           struct nsx_answer *answer)
{
    if (nsx_switch_is(sim, SW_DELETE_MISSING, "404"))
        nsx_error_not_found(sim, answer, request->parts[0]);
    else
        nsx_answer_deleted(sim, answer);
}

/* The certificate stays. */
void nsx_principal_delete(struct sim_nsx *sim, struct nsx_request *request,
                          struct nsx_answer *answer)
{
    cleanup_json json_t *principal = nsx_table_tree(principals(sim), request->parts[0]);
    if (principal == NULL) {
        answer_missing(sim, request, answer);
        return;
    }
    if (nsx_refuse_protected(sim, request, principal, answer) != 0)
        return;
    nsx_remove(sim, NSX_PRINCIPALS, request->parts[0]);
    nsx_answer_deleted(sim, answer);
}

/* --- token identities: of NSX's own parts and of Supervisors ---------------------------------- */

void nsx_token_principals_list(struct sim_nsx *sim, struct nsx_request *request,
                               struct nsx_answer *answer)
{
    list(sim, request, &sim->intent.tables[NSX_TOKEN_PRINCIPALS], answer);
}

void nsx_token_principal_get(struct sim_nsx *sim, struct nsx_request *request,
                             struct nsx_answer *answer)
{
    get(sim, request, &sim->intent.tables[NSX_TOKEN_PRINCIPALS], answer);
}

void nsx_token_principal_create(struct sim_nsx *sim, struct nsx_request *request,
                                struct nsx_answer *answer)
{
    const json_t *body = nsx_body(request, answer);
    if (body == NULL || check(sim, body, answer) != 0)
        return;
    cleanup_json json_t *principal = json_clone(body);
    cleanup_free char *id = nsx_uuid(sim);
    cleanup_free char *shown =
        text_format("%s@%s", json_text(principal, "name"), json_text(principal, "node_id"));
    json_put_text(principal, "id", id);
    json_put_text(principal, "display_name", shown);
    json_put_text(principal, "resource_type", "TokenBasedPrincipalIdentity");
    nsx_stamp(sim, principal, NULL);
    nsx_put(sim, NSX_TOKEN_PRINCIPALS, id, principal);
    nsx_answer_json(answer, 201, nsx_shown(sim, request, json_clone(principal)));
}

void nsx_token_principal_delete(struct sim_nsx *sim, struct nsx_request *request,
                                struct nsx_answer *answer)
{
    if (nsx_remove(sim, NSX_TOKEN_PRINCIPALS, request->parts[0]))
        nsx_answer_deleted(sim, answer);
    else
        answer_missing(sim, request, answer);
}
