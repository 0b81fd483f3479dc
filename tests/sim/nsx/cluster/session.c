/* The connection of the adapters to NSX. */
#include <stdlib.h>
#include <string.h>

#include "player.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"

enum { RETRY_MS = 50, RETRY_MOST_MS = 400 };

static void take_line(const char *line, size_t size, void *user)
{
    struct player *player = user;
    cleanup_json json_t *message = json_loadb(line, size, 0, NULL);
    const char *type = json_text(message, "type");
    if (text_equal(type, "hello")) {
        player->is_connected = 1;
        player->must_report = 1;
        player->is_full = 1;
        player->session.retry_ms = 0;
    } else if (text_equal(type, "policies")) {
        json_decref(player->wanted);
        player->wanted = json_clone(json_object_get(message, "policies"));
    }
    player->is_dirty = 1;
}

void session_end(struct player *player)
{
    http_stream_close(&player->session, player->multi);
    player->is_connected = 0;
    free(player->session_key);
    player->session_key = NULL;
    json_decref(player->wanted);
    player->wanted = NULL;
}

static char *key_of(const struct identity *identity)
{
    char text[DIGEST_TEXT_SIZE];
    cleanup_free char *all =
        text_format("%s|%s|%s", identity->name == NULL ? "" : identity->name,
                    identity->cluster_id == NULL ? "" : identity->cluster_id,
                    identity->certificate == NULL ? "" : identity->certificate);
    digest_text_of(all, strlen(all), text);
    return text_copy(text);
}

static void note_end(struct player *player)
{
    int was_connected = player->is_connected;
    int64_t now = clock_monotonic_ms();
    session_end(player);
    /* Each refusal costs tn-proxy a restart. */
    if (!was_connected)
        player->restarts++;
    player->next_manager++;
    int64_t wait = was_connected ? RETRY_MS : RETRY_MS * (int64_t)player->restarts;
    player->session.retry_ms = now + (wait > RETRY_MOST_MS ? RETRY_MOST_MS : wait);
}

void session_work(struct player *player, int adapters_run)
{
    cleanup_free char *key = key_of(&player->identity);
    int64_t now = clock_monotonic_ms();
    if (player->session_key != NULL && !player->session.is_open)
        note_end(player);
    if (player->session_key != NULL && (!adapters_run || strcmp(player->session_key, key) != 0))
        session_end(player);
    if (!adapters_run) {
        player->restarts = 0;
        return;
    }
    if (player->session_key != NULL)
        return;
    if (now < player->session.retry_ms) {
        if (player->look_ms == 0 || player->session.retry_ms < player->look_ms)
            player->look_ms = player->session.retry_ms;
        return;
    }
    if (nsx_choose(player) != 0)
        return;
    cleanup_free char *path =
        text_format("/sim-adapter/v1/session?cluster_id=%s", player->identity.cluster_id);
    http_stream_open(&player->session, player->multi, &player->nsx, path, take_line, player);
    player->session_key = take_pointer(key);
}
