#include "situation.h"

#include <salvor/helpers.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

static json_t *certificate(const char *name, int number)
{
    return json_pack("{s:s%, s:s, s:I, s:I}", "sha256", name, strlen(name), "cn", name,
                     "not_before", (json_int_t)(1690000000000LL + number), "not_after",
                     (json_int_t)1990000000000LL);
}

static void add_cluster(json_t *situation, const char *name)
{
    char node_id[64];
    char principal[64];
    char pem[64];
    (void)snprintf(node_id, sizeof node_id, "node-%s", name);
    (void)snprintf(principal, sizeof principal, "principal-%s", name);
    (void)snprintf(pem, sizeof pem, "certificate-%s", name);
    json_t *managers = json_object_get(situation, "managers");
    json_array_append_new(
        json_object_get(managers, "control_planes"),
        json_pack("{s:s, s:s, s:s+, s:i, s:I, s:o, s:i, s:{s:s, s:s, s:s, s:b, s:b, s:I}}", "id",
                  name, "node_id", node_id, "path", "/infra/cluster-control-planes/", name,
                  "revision", 1, "create_time", (json_int_t)(SITUATION_BACKUP - 1000000),
                  "certificate", certificate(name, 0), "report_interval", 60, "status",
                  "controller", "HEALTHY", "mp_adapter", "HEALTHY", "ccp_adapter", "HEALTHY",
                  "mp_connected", 1, "ccp_session", 1, "heartbeat",
                  (json_int_t)(SITUATION_END + 600000)));
    json_array_append_new(json_object_get(managers, "principals"),
                          json_pack("{s:s, s:s, s:s, s:s, s:i}", "id", principal, "name", name,
                                    "node_id", name, "certificate_id", pem, "revision", 0));
    json_array_append_new(json_object_get(managers, "certificates"),
                          json_pack("{s:s, s:o}", "id", pem, "certificate", certificate(name, 0)));
    json_array_append_new(json_object_get(managers, "inventory"),
                          json_pack("{s:s, s:s, s:I, s:{s:i, s:i}}", "external_id", node_id, "name",
                                    name, "last_sync_time", (json_int_t)(SITUATION_END + 600000),
                                    "counts", "pods", 12, "services", 3));
    json_array_append_new(json_object_get(situation, "clusters"),
                          json_pack("{s:s+, s:b, s:s+, s:s+, s:s, s:s, s:o, s:{s:i, s:i}}",
                                    "context", "context-", name, "reachable", 1, "kube_system_uid",
                                    "uid-", name, "antrea_uuid", "antrea-", name, "name", name,
                                    "id", node_id, "certificate", certificate(name, 0), "counts",
                                    "pods", 12, "services", 3));
}

json_t *situation_new(void)
{
    json_t *situation = json_pack(
        "{s:{s:s, s:{s:s, s:I, s:I}, s:{s:s, s:s}, s:[], s:[], s:[], s:[]}, s:[], s:n, s:[], s:i}",
        "managers", "version", "4.2.1.0", "restore", "status", "SUCCESS", "backup_timestamp",
        (json_int_t)SITUATION_BACKUP, "end_time", (json_int_t)SITUATION_END, "cluster_status",
        "management", "STABLE", "control", "STABLE", "control_planes", "principals", "certificates",
        "inventory", "clusters", "capture", "gone", "skew_ms", 2000);
    assert_non_null(situation);
    add_cluster(situation, "alpha");
    add_cluster(situation, "beta");
    add_cluster(situation, "gamma");
    return situation;
}

void situation_set(json_t *situation, const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    json_t *value = json_vpack_ex(NULL, 0, format, args);
    va_end(args);
    assert_non_null(value);
    char parent_path[256];
    (void)snprintf(parent_path, sizeof parent_path, "%s", path);
    char *last = strrchr(parent_path, '/');
    assert_non_null(last);
    *last++ = '\0';
    json_t *parent = salvor_json_at(situation, parent_path);
    if (json_is_array(parent)) {
        size_t index =
            (size_t)(strcmp(last, "-") == 0 ? json_array_size(parent) : (size_t)(last[0] - '0'));
        assert_int_equal(index < json_array_size(parent) ? json_array_set_new(parent, index, value)
                                                         : json_array_append_new(parent, value),
                         0);
        return;
    }
    assert_int_equal(json_object_set_new(parent, last, value), 0);
}

void situation_remove(json_t *situation, const char *path, const char *name)
{
    static const char *const members[] = {"/id", "/name", "/context"};
    json_t *array = salvor_json_at(situation, path);
    for (size_t i = json_array_size(array); i-- > 0;) {
        for (size_t k = 0; k < sizeof members / sizeof *members; k++) {
            const char *text = salvor_json_text(json_array_get(array, i), members[k], "");
            if (strcmp(text, name) == 0) {
                assert_int_equal(json_array_remove(array, i), 0);
                return;
            }
        }
    }
    fail_msg("there is no '%s' in '%s'", name, path);
}
