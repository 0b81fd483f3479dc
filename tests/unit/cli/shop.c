#include "shop.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/text.h"

#define ALL "\"commands\":[\"discover\",\"backup\",\"validate\",\"restore\",\"post-resync\"]"
#define OPTION(name, type, more) \
    "{\"name\":\"" name "\",\"type\":\"" type "\",\"help\":\"the " name " to use\"," more "}"

static const char descriptor[] =
    "{\"abi\":\"0.1\",\"name\":\"shop\",\"version\":\"1.2\",\"summary\":\"an invented provider\","
    "\"maintainer\":\"Nobody <nobody@example.com>\",\"license\":\"Apache-2.0\","
    "\"hooks\":[\"discover\",\"restore\",\"run_step\",\"check_step\"],\"options\":["              //
    OPTION("kubeconfig", "path", ALL ",\"value_name\":\"FILE\"") ","                              //
    OPTION("context", "string", ALL) ","                                                          //
    OPTION("namespace", "string", ALL ",\"default\":\"shop-system\"") ","                         //
    OPTION("endpoint", "url", ALL ",\"required\":true,\"value_name\":\"URL\"") ","                //
    OPTION("password", "string", ALL ",\"secret\":true") ","                                      //
    OPTION("token", "string", "\"commands\":[\"restore\"],\"secret\":true,\"required\":true") "," //
    OPTION("mode", "choice",
           "\"commands\":[\"restore\"],\"choices\":[\"native\",\"operator\"],"
           "\"default\":\"native\"") ","                              //
    OPTION("workers", "integer", "\"commands\":[\"restore\"]") ","    //
    OPTION("insecure", "boolean", ALL) ","                            //
    OPTION("grace", "duration", "\"commands\":[\"post-resync\"]") "," //
    OPTION("part-size", "size", "\"commands\":[\"backup\"]") ","      //
    OPTION("node", "list", ALL)                                       //
    "],\"procedures\":[{\"id\":\"in-place\",\"title\":\"in place\",\"document\":\"Restoring\","
    "\"versions\":\"1.x\",\"kind\":\"restore\",\"stages\":[{\"id\":\"all\",\"title\":\"all\","
    "\"rows\":[{\"id\":\"stop-server\",\"title\":\"stop the server\",\"effect\":\"change\","
    "\"deadline_ms\":60000,\"attempts\":1}]}]},{\"id\":\"undo-in-place\",\"title\":\"undo\","
    "\"document\":\"Restoring\",\"versions\":\"1.x\",\"kind\":\"undo\",\"stages\":[{\"id\":\"all\","
    "\"title\":\"all\",\"rows\":[{\"id\":\"start-old\",\"title\":\"start the old server\","
    "\"effect\":\"change\",\"deadline_ms\":60000,\"attempts\":1}]}]}],\"findings\":[{\"id\":"
    "\"SHOP-OLD\",\"title\":\"the backup is old\",\"remedy\":\"take a newer one\",\"severity\":"
    "\"blocker\",\"waivable\":true}]}";

struct plugin_info *shop_info(void)
{
    json_error_t where;
    cleanup_json json_t *json = json_loads(descriptor, JSON_REJECT_DUPLICATES, &where);
    struct plugin_info *info = NULL;
    cleanup_error struct error err = ERROR_INIT;
    if (json == NULL || plugin_info_parse(json, &info, &err) != 0) {
        (void)fprintf(stderr, "shop: %s %s\n", json == NULL ? where.text : err.message,
                      err.detail != NULL ? err.detail : "");
        abort();
    }
    return info;
}

int shop_find(const char *name, const char *const *folders, struct plugin_file **ret_file,
              struct error *reterr)
{
    (void)folders;
    if (!text_equal(name, "shop"))
        return error_set(reterr, EXIT_USAGE, "there is no plugin '%s'", name);
    struct plugin_file *file = memory_new(1, sizeof *file);
    file->path = text_copy("/nowhere/salvor_shop.so");
    file->build_id = text_copy("");
    file->info = shop_info();
    *ret_file = file;
    return 0;
}
