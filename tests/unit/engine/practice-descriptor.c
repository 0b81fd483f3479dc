#include "practice.h"

#include "base/error.h"

static const char descriptor[] =
    "{\"abi\":\"0.1\",\"name\":\"practice\",\"version\":\"1.0\",\"summary\":\"a made-up "
    "provider\",\"maintainer\":\"nobody\",\"homepage\":null,\"license\":\"MIT\",\"options\":[],"
    "\"procedures\":[{\"id\":\"mend\",\"title\":\"Mend it\",\"document\":\"the page\",\"versions\":"
    "\"all\",\"kind\":\"restore\",\"stages\":[{\"id\":\"first\",\"title\":\"First\",\"rows\":["
#define ROW(id, effect, manual, instructions, attempts)                              \
    "{\"id\":\"" id "\",\"title\":\"Do " id                                          \
    "\",\"statements\":[\"P-1\"],\"instructions\":" instructions                     \
    ",\"undo\":null,\"effect\":\"" effect "\",\"manual\":" manual                    \
    ",\"idempotent\":false,\"job\":false,\"deadline_ms\":400,\"attempts\":" attempts \
    ",\"backoff_ms\":10,\"check_every_ms\":10}"
    ROW("look", "read", "false", "null", "1") "," ROW(
        "change", "change", "false", "null",
        "3") "," ROW("hand", "change", "true", "\"turn {what} on {target}\"",
                     "1") "," ROW("destroy", "destructive", "false", "null",
                                  "1") "]},{\"id\":\"second\",\"title\":"
                                       "\"Second\",\"rows\":[" ROW(
                                           "finish", "change", "false", "null",
                                           "1") "]}]},{\"id\":\"after\","
                                                "\"title\":\"After\",\"document\":\"the "
                                                "page\",\"versions\":\"all\",\"kind\":\"post-"
                                                "resync\","
                                                "\"stages\":[{\"id\":\"tidy-up\",\"title\":\"Tidy "
                                                "up\",\"rows\":[" ROW(
                                                    "tidy", "irreversible", "false", "null",
                                                    "1") "]}]}],\"findings\":[{\"id\":\"P-OLD\","
                                                         "\"title\":\"too "
                                                         "old\",\"statements\":[],\"remedy\":"
                                                         "\"take a newer one\",\"severity\":"
                                                         "\"blocker\",\"waivable\":true},{\"id\":"
                                                         "\"P-BROKEN\",\"title\":\"broken\","
                                                         "\"statements\":[],"
                                                         "\"remedy\":\"take "
                                                         "another\",\"severity\":\"blocker\","
                                                         "\"waivable\":false}],\"declared_reads\":"
                                                         "[],\"needs\":[],\"hooks\":[\"discover\","
                                                         "\"validate\",\"restore\",\"post_resync\","
                                                         "\"run_step\","
                                                         "\"check_step\",\"observe\"]}";

struct plugin_info *practice_info(void)
{
    struct plugin_info *info = NULL;
    struct error err = ERROR_INIT;
    json_t *json = json_loads(descriptor, 0, NULL);
    if (json == NULL || plugin_info_parse(json, &info, &err) != 0)
        (void)fprintf(stderr, "practice descriptor: %s\n", err.message != NULL ? err.message : "?");
    error_clear(&err);
    json_decref(json);
    return info;
}
