#include "life-signs.h"

#include <stdio.h>
#include <string.h>

#include "picture.h"

#define MINUTE_MS INT64_C(60000)

static int is_alive_word(const char *status)
{
    return strcmp(status, "HEALTHY") == 0 || strcmp(status, "DEGRADED") == 0;
}

/* Careful: a time that cannot be told from the restore's end counts as after it. */
static int is_after_restore(const struct picture *picture, int64_t time)
{
    const int64_t end = salvor_json_integer(picture_json(picture), "/managers/restore/end_time", 0);
    return time > 0 && time > end - picture_clock_margin(picture);
}

const char *life_sign(const struct picture *picture, const json_t *control_plane, char *buffer,
                      size_t size)
{
    static const char *const components[] = {"controller", "mp_adapter", "ccp_adapter"};
    for (size_t i = 0; i < sizeof components / sizeof *components; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/status/%s", components[i]);
        const char *status = salvor_json_text(control_plane, path, "UNKNOWN");
        if (is_alive_word(status)) {
            (void)snprintf(buffer, size, "%s is %s", components[i], status);
            return buffer;
        }
    }
    if (is_after_restore(picture, salvor_json_integer(control_plane, "/status/heartbeat", 0))) {
        (void)snprintf(buffer, size, "a heartbeat came after the restore");
        return buffer;
    }
    const json_t *inventory = picture_inventory_of(picture, control_plane);
    if (is_after_restore(picture, salvor_json_integer(inventory, "/last_sync_time", 0))) {
        (void)snprintf(buffer, size, "its inventory was updated after the restore");
        return buffer;
    }
    return NULL;
}

const char *proof_of_absence(const struct picture *picture, const char *name)
{
    const json_t *gone = picture_find(picture, GONE_BY_NAME, name);
    const char *proof = salvor_json_text(gone, "/proof", "");
    if (strcmp(proof, "operator") != 0 && strcmp(proof, "infrastructure") != 0 &&
        strcmp(proof, "silence") != 0)
        return NULL;
    return salvor_json_text(gone, "/said", proof);
}

int silence_proves(const struct picture *picture, const json_t *control_plane, int api_name_gone,
                   int64_t now_ms)
{
    char sign[160];
    const int64_t end = salvor_json_integer(picture_json(picture), "/managers/restore/end_time", 0);
    const int64_t interval = salvor_json_integer(control_plane, "/report_interval", 60) * 1000;
    const int64_t patience = 3 * interval > 30 * MINUTE_MS ? 3 * interval : 30 * MINUTE_MS;
    if (strcmp(salvor_json_text(picture_json(picture), "/managers/restore/status", ""),
               "SUCCESS") != 0 ||
        end <= 0 || !api_name_gone || life_sign(picture, control_plane, sign, sizeof sign) != NULL)
        return 0;
    return now_ms - end > patience + picture_clock_margin(picture);
}
