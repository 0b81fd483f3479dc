/* Certificates of the trust store. Facts 1.5, 7.5. */
#include "certificates.h"

#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "errors.h"
#include "handlers.h"
#include "page.h"
#include "x509.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

static json_t *details_of(const struct x509_facts *facts)
{
    return json_make("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:b, s:b, s:s, s:i, s:s}", "subject_cn",
                     facts->subject_cn, "issuer_cn", facts->issuer_cn, "subject", facts->subject,
                     "issuer", facts->issuer, "not_before", (json_int_t)facts->not_before_ms,
                     "not_after", (json_int_t)facts->not_after_ms, "serial_number", facts->serial,
                     "is_valid", 1, "is_ca", facts->is_authority, "public_key_algo",
                     facts->algorithm, "public_key_length", (int)facts->bits, "version", "3");
}

static char *add(struct sim_nsx *sim, const char *display_name, const struct x509_facts *facts,
                 int has_private_key)
{
    char *id = nsx_uuid(sim);
    cleanup_json json_t *certificate =
        json_make("{s:s, s:s, s:s, s:s, s:b, s:[], s:[o], s:s}", "id", id, "display_name",
                  display_name == NULL ? facts->subject_cn : display_name, "resource_type",
                  facts->is_authority ? "certificate_ca" : "certificate_self_signed", "pem_encoded",
                  facts->pem, "has_private_key", has_private_key, "used_by", "details",
                  details_of(facts), "_sim_sha256", facts->sha256);
    nsx_stamp(sim, certificate, NULL);
    nsx_put(sim, NSX_CERTIFICATES, id, certificate);
    return id;
}

char *nsx_certificate_add(struct sim_nsx *sim, const char *display_name, const char *pem,
                          int has_private_key)
{
    struct x509_facts facts[X509_CHAIN];
    size_t count = x509_read(pem, facts);
    char *id = count == 0 ? NULL : add(sim, display_name, &facts[0], has_private_key);
    x509_clear(facts, count);
    return id;
}

static json_t *shown(const struct sim_nsx *sim, const struct nsx_request *request,
                     json_t *certificate)
{
    const char *id = json_text(certificate, "id");
    cleanup_json json_t *principal =
        nsx_table_find(&sim->intent.tables[NSX_PRINCIPALS], "certificate_id", id);
    if (principal != NULL && nsx_switch_is(sim, SW_CERTIFICATE_USED_BY, "filled"))
        json_put(certificate, "used_by",
                 json_make("[{s:s, s:[s]}]", "node_id", json_text(principal, "node_id"),
                           "service_types", "CLIENT_AUTH"));
    if (!nsx_query_is(request, "details", "true"))
        json_object_del(certificate, "details");
    return nsx_shown(sim, request, certificate);
}

static json_t *element(const struct sim_nsx *sim, const struct nsx_request *request, size_t index,
                       const void *context)
{
    const struct nsx_table *table = context;
    return shown(sim, request, nsx_record_tree(table->items[index]));
}

void nsx_certificates_list(struct sim_nsx *sim, struct nsx_request *request,
                           struct nsx_answer *answer)
{
    const struct nsx_table *table = &sim->intent.tables[NSX_CERTIFICATES];
    const char *type = nsx_query(request, "type");
    if (type == NULL && nsx_query(request, "sort_by") == NULL) {
        nsx_page_of(sim, request, table->count, element, table, answer);
        return;
    }
    json_t *all = json_array();
    for (size_t i = 0; i < table->count; i++) {
        json_t *certificate = nsx_record_tree(table->items[i]);
        if (type == NULL || strstr(json_text(certificate, "resource_type"), type) != NULL)
            json_add(all, shown(sim, request, certificate));
        else
            json_decref(certificate);
    }
    nsx_page(sim, request, all, answer);
}

static void validate(const struct sim_nsx *sim, const json_t *certificate,
                     struct nsx_answer *answer)
{
    const json_t *details = json_array_get(json_object_get(certificate, "details"), 0);
    int64_t now = nsx_now(sim);
    int is_good =
        json_whole(details, "not_before", 0) <= now && now <= json_whole(details, "not_after", 0);
    json_t *reply = json_make("{s:s}", "status", is_good ? "OK" : "REJECTED");
    if (!is_good)
        json_put_text(reply, "error_message", "The certificate has expired or is not valid yet.");
    nsx_answer_json(answer, 200, reply);
}

void nsx_certificate_get(struct sim_nsx *sim, struct nsx_request *request,
                         struct nsx_answer *answer)
{
    json_t *certificate = nsx_table_tree(&sim->intent.tables[NSX_CERTIFICATES], request->parts[0]);
    if (certificate == NULL) {
        nsx_error_not_found(sim, answer, request->parts[0]);
    } else if (nsx_query_is(request, "action", "validate")) {
        validate(sim, certificate, answer);
        json_decref(certificate);
    } else {
        nsx_answer_json(answer, 200, shown(sim, request, certificate));
    }
}

/* Every element of a chain becomes an object of its own. */
void nsx_certificates_import(struct sim_nsx *sim, struct nsx_request *request,
                             struct nsx_answer *answer)
{
    struct x509_facts facts[X509_CHAIN];
    const json_t *body = nsx_body(request, answer);
    if (body == NULL)
        return;
    const char *pem = json_text(body, "pem_encoded");
    if (!nsx_query_is(request, "action", "import")) {
        nsx_error(answer, 400, 255, "common-services", "Missing or unknown action.");
        return;
    }
    size_t count = pem == NULL ? 0 : x509_read(pem, facts);
    if (count == 0) {
        nsx_error(answer, 400, 2002, "internal-framework",
                  "pem_encoded holds no certificate in PEM form.");
        return;
    }
    json_t *results = json_array();
    for (size_t i = 0; i < count; i++) {
        cleanup_free char *id = add(sim, json_text(body, "display_name"), &facts[i],
                                    i == 0 && json_text(body, "private_key") != NULL);
        json_t *certificate = nsx_table_tree(&sim->intent.tables[NSX_CERTIFICATES], id);
        json_add(results, shown(sim, request, certificate));
    }
    x509_clear(facts, count);
    nsx_answer_json(answer, 200,
                    json_make("{s:I, s:o}", "result_count", (json_int_t)count, "results", results));
}

static int status_in_use(const struct sim_nsx *sim)
{
    if (nsx_switch_is(sim, SW_CERTIFICATE_IN_USE, "409"))
        return 409;
    return nsx_switch_is(sim, SW_CERTIFICATE_IN_USE, "412") ? 412 : 400;
}

void nsx_certificate_delete(struct sim_nsx *sim, struct nsx_request *request,
                            struct nsx_answer *answer)
{
    const char *id = request->parts[0];
    cleanup_json json_t *certificate = nsx_table_tree(&sim->intent.tables[NSX_CERTIFICATES], id);
    cleanup_json json_t *principal =
        nsx_table_find(&sim->intent.tables[NSX_PRINCIPALS], "certificate_id", id);
    if (certificate == NULL) {
        if (nsx_switch_is(sim, SW_CERTIFICATE_MISSING, "404"))
            nsx_error_not_found(sim, answer, id);
        else
            nsx_answer_deleted(sim, answer);
    } else if (principal != NULL) {
        nsx_error(answer, status_in_use(sim), 2009, "internal-framework",
                  "Certificate %s is in use, used by %s.", id, json_text(principal, "name"));
    } else if (json_object_get(sim->stale_certificates, id) != NULL) {
        nsx_error(answer, 400, 36518, "internal-framework",
                  "Certificate %s is stale and cannot be deleted.", id);
    } else if (nsx_refuse_protected(sim, request, certificate, answer) == 0) {
        nsx_remove(sim, NSX_CERTIFICATES, id);
        nsx_answer_deleted(sim, answer);
    }
}
