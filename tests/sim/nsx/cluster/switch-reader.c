/* What only a simulated NSX can say: positions of switches, its clock. */
#include <stdlib.h>
#include <string.h>

#include "player.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

void player_read_switches(struct player *player)
{
    json_t *switches = NULL;
    if (player->control.url == NULL ||
        http_request(&player->control, "GET", "/_sim/switches", NULL, NULL, &switches) != 200) {
        json_decref(switches);
        return;
    }
    json_decref(player->switches);
    player->switches = switches;
}

int player_switch_is(struct player *player, const char *name, const char *position,
                     const char *otherwise)
{
    size_t i;
    json_t *one;
    json_array_foreach (player->switches, i, one)
        if (text_equal(json_text(one, "name"), name))
            return text_equal(json_text(one, "position"), position);
    return strcmp(position, otherwise) == 0;
}

int64_t player_clock_ms(struct player *player)
{
    cleanup_json json_t *clock = NULL;
    if (player->control.url != NULL)
        http_request(&player->control, "GET", "/_sim/clock", NULL, NULL, &clock);
    return json_whole(clock, "nowMs", clock_realtime_ms());
}
