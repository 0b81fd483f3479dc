#include "../unit.h"

#include <string.h>

#include <salvor/scan.h>

#include "owner-graph.h"

struct row {
    const char *path;
    const char *kind;
    const char *owners[3]; /* "apiVersion Kind name" */
    uint16_t flags;
    int level;
    int lost;
};

static void add(struct object_index *index, const struct row *row)
{
    struct member_path path;
    const char *problem = NULL;
    uint32_t number = 0;
    uint32_t earlier = 0;
    assert_int_equal(member_path_read(row->path, &path, &problem), MEMBER_OBJECT);
    const uint32_t type = object_index_type(index, &path);
    assert_int_equal(object_index_add(index, &path, type, row->flags, &number, &earlier),
                     SALVOR_OK);
    object_index_type_at(index, type)->kind = names_add(&index->texts, salvor_span_of(row->kind));
    for (size_t i = 0; i < 3 && row->owners[i] != NULL; i++) {
        const char *kind = strchr(row->owners[i], ' ') + 1;
        const char *name = strchr(kind, ' ') + 1;
        const struct salvor_owner owner = {
            .api_version = {row->owners[i], (uint64_t)(kind - row->owners[i] - 1)},
            .kind = {kind, (uint64_t)(name - kind - 1)},
            .name = salvor_span_of(name)};
        assert_int_equal(object_index_own(index, number, &owner), SALVOR_OK);
    }
}

static void check(const struct row *rows, size_t count, const struct definitions *definitions)
{
    auto_object_index struct object_index *index = object_index_create();
    struct owner_graph graph;
    uint32_t lost = 0;
    for (size_t i = 0; i < count; i++)
        add(index, &rows[i]);
    const struct known_kinds known = {definitions, NULL, NULL};
    assert_int_equal(owner_graph_make(index, &known, &graph), SALVOR_OK);
    for (size_t i = 0; i < count; i++) {
        const struct index_object *object = object_index_object(index, (uint32_t)i);
        if (object->level != rows[i].level)
            fail_msg("'%s' has level %u", rows[i].path, object->level);
        if (((object->flags & OBJECT_LOST) != 0) != rows[i].lost)
            fail_msg("'%s' has flags %x", rows[i].path, object->flags);
        lost += rows[i].lost != 0;
    }
    assert_int_equal(graph.lost, lost);
    owner_graph_clear(&graph);
}

#define M "management.cattle.io/v3"

/* What the operator does with each was seen on the operator, or read in its code. */
static void orders_and_finds_losses(void **state)
{
    static const struct row rows[] = {
        {"rolebindings.rbac.authorization.k8s.io#v1/n/late.json",
         "RoleBinding",
         {M " GlobalRoleBinding grb"},
         0,
         2,
         0},
        {"users.management.cattle.io#v3/u1.json", "User", {NULL}, 0, 0, 0},
        {"globalrolebindings.management.cattle.io#v3/grb.json",
         "GlobalRoleBinding",
         {M " User u1"},
         0,
         1,
         0},
        {"globalrolebindings.management.cattle.io#v3/orphan.json",
         "GlobalRoleBinding",
         {M " User gone"},
         0,
         0,
         1},
        /* what depends on a lost one is lost, too */
        {"rolebindings.rbac.authorization.k8s.io#v1/n/of-orphan.json",
         "RoleBinding",
         {M " User u1", M " GlobalRoleBinding orphan"},
         0,
         1,
         1},
        /* an owner under another API version */
        {"machines.cluster.x-k8s.io#v1beta2/n/m.json", "Machine", {NULL}, 0, 0, 0},
        {"secrets.#v1/n/of-machine.json",
         "Secret",
         {"cluster.x-k8s.io/v1beta1 Machine m"},
         0,
         1,
         1},
        /* the operator drops references to built-in roles */
        {"globalroles.management.cattle.io#v3/gr.json", "GlobalRole", {NULL}, OBJECT_BUILTIN, 0, 0},
        {"clusterroles.rbac.authorization.k8s.io#v1/cr.json",
         "ClusterRole",
         {M " GlobalRole gr"},
         0,
         1,
         0},
        {"clusterroles.rbac.authorization.k8s.io#v1/cr2.json",
         "ClusterRole",
         {M " GlobalRole elsewhere"},
         0,
         0,
         0},
        /* kinds of Kubernetes that are never in an archive, and kinds of nobody */
        {"configmaps.#v1/n/of-node.json", "ConfigMap", {"v1 Node n"}, 0, 0, 1},
        {"configmaps.#v1/n/of-stranger.json", "ConfigMap", {"x.io/v1 Stranger s"}, 0, 0, 0},
        /* a namespaced owner of another namespace is not the owner */
        {"secrets.#v1/other/of-machine.json",
         "Secret",
         {"cluster.x-k8s.io/v1beta2 Machine m"},
         0,
         0,
         1},
        {"secrets.#v1/n/fine.json", "Secret", {"cluster.x-k8s.io/v1beta2 Machine m"}, 0, 1, 0},
        /* what the operator overlooks or leaves out never comes */
        {"configmaps.#v1/n/my-filters.json", "ConfigMap", {NULL}, OBJECT_HIDDEN, 0, 0},
        {"secrets.#v1/n/of-hidden.json", "Secret", {"v1 ConfigMap my-filters"}, 0, 1, 1},
        {"deployments.apps#v1/cattle-system/rancher.json",
         "Deployment",
         {NULL},
         OBJECT_LEFT_OUT,
         0,
         0},
        {"secrets.#v1/cattle-system/of-rancher.json",
         "Secret",
         {"apps/v1 Deployment rancher"},
         0,
         1,
         1},
        /* built-in roles are not restored anyway: nothing is lost */
        {"roletemplates.management.cattle.io#v3/rt.json",
         "RoleTemplate",
         {M " User gone"},
         OBJECT_BUILTIN,
         0,
         0},
    };
    const struct definitions none = {NULL, 0};
    (void)state;
    check(rows, sizeof rows / sizeof *rows, &none);
}

static void circles_come_last(void **state)
{
    static const struct row rows[] = {
        {"a.x.io#v1/a.json", "A", {"x.io/v1 A b"}, 0, 2, 1},
        {"a.x.io#v1/b.json", "A", {"x.io/v1 A a"}, 0, 2, 1},
        {"a.x.io#v1/c.json", "A", {NULL}, 0, 0, 0},
        {"a.x.io#v1/d.json", "A", {"x.io/v1 A c"}, 0, 1, 0},
        {"a.x.io#v1/e.json", "A", {"x.io/v1 A a"}, 0, 2, 1},
    };
    const struct definitions none = {NULL, 0};
    (void)state;
    check(rows, sizeof rows / sizeof *rows, &none);
}

static void a_definition_makes_a_kind_known(void **state)
{
    static const struct row rows[] = {
        {"secrets.#v1/n/s.json", "Secret", {"x.io/v1 Stranger s"}, 0, 0, 1},
    };
    struct definitions definitions = {NULL, 0};
    (void)state;
    assert_int_equal(
        definitions_add(&definitions,
                        salvor_span_of("{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"spec\":{"
                                       "\"group\":\"x.io\",\"names\":{\"plural\":\"strangers\","
                                       "\"kind\":\"Stranger\"},\"scope\":\"Namespaced\","
                                       "\"versions\":[{\"name\":\"v1\",\"served\":true,"
                                       "\"storage\":true}]}}")),
        SALVOR_OK);
    check(rows, 1, &definitions);
    definitions_clear(&definitions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_and_finds_losses),
        cmocka_unit_test(circles_come_last),
        cmocka_unit_test(a_definition_makes_a_kind_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
