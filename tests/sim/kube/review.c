#include "review.h"

#include <string.h>

#include "access.h"
#include "json-tree.h"
#include "object.h"
#include "status.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

static const char *text_or_empty(const json_t *tree, const char *path)
{
    const char *text = tree_text(tree, path);
    return text == NULL ? "" : text;
}

static json_t *access_status(struct sim_kube *sim, const struct sim_user *user,
                             const json_t *review)
{
    struct access_question question = {0};
    const json_t *attributes = tree_at(review, "spec.resourceAttributes");
    if (attributes != NULL) {
        question = (struct access_question){.verb = text_or_empty(attributes, "verb"),
                                            .group = text_or_empty(attributes, "group"),
                                            .plural = text_or_empty(attributes, "resource"),
                                            .subresource = text_or_empty(attributes, "subresource"),
                                            .space = text_or_empty(attributes, "namespace"),
                                            .name = text_or_empty(attributes, "name")};
    } else {
        question = (struct access_question){
            .verb = text_or_empty(review, "spec.nonResourceAttributes.verb"),
            .group = "",
            .plural = "",
            .subresource = "",
            .space = "",
            .name = "",
            .path = text_or_empty(review, "spec.nonResourceAttributes.path")};
    }
    return json_pack("{s:b}", "allowed", access_allows(sim, user, &question));
}

static int collect(const json_t *rule, void *context)
{
    json_t *status = context;
    int urls = json_object_get(rule, "nonResourceURLs") != NULL;
    json_array_append(json_object_get(status, urls ? "nonResourceRules" : "resourceRules"),
                      (json_t *)(uintptr_t)rule);
    return 0;
}

void review_answer(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    const char *plural = request->route.type->plural;
    if (strcmp(request->route.verb, "create") != 0 || request->route.name[0] != '\0') {
        answer_status(answer, status_method_not_allowed());
        return;
    }
    cleanup_json json_t *review = object_read_body(request, answer);
    if (review == NULL)
        return;
    if (strcmp(plural, "selfsubjectaccessreviews") == 0) {
        tree_set(review, "status", access_status(sim, &request->user, review));
    } else if (text_ends(plural, "subjectaccessreviews")) {
        const struct sim_user asked = {text_or_empty(review, "spec.user"),
                                       tree_at(review, "spec.groups")};
        tree_set(review, "status", access_status(sim, &asked, review));
    } else if (strcmp(plural, "selfsubjectrulesreviews") == 0) {
        const char *space = tree_text(review, "spec.namespace");
        if (space == NULL || space[0] == '\0') {
            answer_status(answer, status_bad_request("no namespace on request"));
            return;
        }
        json_t *status =
            json_pack("{s:[], s:[], s:b}", "resourceRules", "nonResourceRules", "incomplete", 0);
        access_visit_rules(sim, &request->user, space, collect, status);
        tree_set(review, "status", status);
    } else if (strcmp(plural, "selfsubjectreviews") == 0) {
        tree_set(review, "status",
                 json_pack("{s:{s:s, s:O}}", "userInfo", "username", request->user.name, "groups",
                           request->user.groups));
    } else {
        tree_set(review, "status", json_pack("{s:b}", "authenticated", 0));
    }
    object_answer(request, answer, 201, review);
}
