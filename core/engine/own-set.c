#include "engine/own-set.h"

#include <salvor/plugin.h>
#include <stdlib.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "engine/delivery.h"
#include "engine/store-desk.h"

static int makes_set(const json_t *record)
{
    return json_whole(record, "kind", 0) == SALVOR_PROCEDURE_BACKUP &&
           !json_flag(record, "dry_run");
}

/* Where the set belongs when that is not the folder it is made in. */
static const json_t *far_store(const json_t *record)
{
    const json_t *store = json_object_get(record, "store");
    return json_is_object(store) && !store_is_folder(store) ? store : NULL;
}

/* 1 when the journal says that the set is there. */
static int is_delivered(const struct run *run)
{
    return json_text(run->state->set, "store") != NULL;
}

int own_set_begin(const struct run *run, const json_t *record, struct backup_set **ret_set,
                  struct error *reterr)
{
    if (!makes_set(record) || is_delivered(run))
        return 0;
    return backup_set_begin(json_text(record, "store_folder"), json_text(record, "provider"),
                            run->id, ret_set, reterr);
}

void own_set_look(struct run *run, const json_t *record)
{
    if (makes_set(record) && far_store(record) != NULL)
        delivery_look(run, far_store(record));
}

/* ---- its end ----------------------------------------------------------------------------------
 */

static json_t *members_of(const struct run *run, const json_t *record)
{
    char head[DIGEST_TEXT_SIZE];
    journal_head(run->journal, head);
    return json_make("{s:s, s:s, s:s, s:{s:s, s:s}, s:s, s:O, s:O, s:O?}", "run", run->id, "site",
                     json_text(record, "site"), "salvor", SALVOR_VERSION, "plugin", "version",
                     run->info->version, "build_id", run->build_id, "journal_head", head, "facts",
                     run->state->facts, "subject", run->state->items, "recipients",
                     json_object_get(json_object_get(record, "seal"), "recipients"));
}

static int commit(struct run *run, const json_t *record, struct backup_set *set,
                  struct error *reterr)
{
    cleanup_free char *digest = NULL;
    cleanup_json json_t *members = members_of(run, record);
    if (backup_set_commit(set, members, run->state->artifacts, &digest, reterr) != 0)
        return -1;
    kill_point("-", "set-committed");
    return run_record(run, "set",
                      json_make("{s:s, s:s?, s:s}", "name", run->id, "digest", digest, "path",
                                backup_set_folder(set)),
                      JOURNAL_DURABLE, reterr);
}

/* The set is whole here; whoever pushes it locks the folder itself. */
static int deliver(struct run *run, const json_t *store, struct backup_set **set,
                   struct error *reterr)
{
    cleanup_free char *folder = text_copy(backup_set_folder(*set));
    backup_set_close(take_pointer(*set));
    return delivery_push(run, store, folder, reterr);
}

int own_set_finish(struct run *run, const json_t *record, struct backup_set **set,
                   json_t **ret_backup, struct error *reterr)
{
    const json_t *store = far_store(record);
    if (!makes_set(record))
        return 0;
    if (!is_delivered(run) && (commit(run, record, *set, reterr) != 0 ||
                               (store != NULL && deliver(run, store, set, reterr) != 0)))
        return -1;
    if (store != NULL) {
        cleanup_free char *staged = text_format("%s/%s/%s", json_text(record, "store_folder"),
                                                json_text(record, "provider"), run->id);
        delivery_clear(run, staged);
    }
    json_decref(*ret_backup);
    *ret_backup = json_incref(run->state->set);
    return 0;
}
