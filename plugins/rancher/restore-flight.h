/* The requests under way of a restore: for each object create or update, overcome conflicts, then
 * its status. */
#ifndef SALVOR_RANCHER_RESTORE_FLIGHT_H
#define SALVOR_RANCHER_RESTORE_FLIGHT_H

#include "archive-reader.h"
#include "cluster.h"
#include "live-objects.h"
#include "object-reader.h"
#include "restore-bulk.h"

#define FLIGHTS 64u

enum flight_state { FLIGHT_FREE, FLIGHT_LOOKING, FLIGHT_WRITING, FLIGHT_STATUS };

struct flight {
    enum flight_state state;
    uint32_t number;
    uint32_t tries;
    int creating;
    int alone;      /* a reference to an owner was dropped */
    int has_status; /* the archived status is to be written */
    char group[256];
    char version[64];
    char resource[256];
    char ns[256]; /* "" for cluster scope */
    char name[512];
    struct salvor_text json; /* to be created, without resourceVersion */
    struct salvor_text path;
};

struct bulk {
    salvor_call *call;
    salvor_kube_client *client;
    const struct restore_request *request;
    struct restore_summary *summary;
    struct api_catalog catalog;
    struct live_objects live;
    struct object_reader reader;
    salvor_ledger *ledger; /* NULL in a dry run */
    unsigned char *done;   /* result by object, of earlier attempts */
    uint64_t entries;
    salvor_batch *batch;
    salvor_batch *questions; /* one at a time, answered at once */
    struct names asked;      /* owners outside of the archive: "apiVersion kind ns/name" */
    struct chunks answers;   /* their UIDs, 64 bytes each; "" when they do not live */
    struct flight flights[FLIGHTS];
    uint64_t bytes_under_way;
};

salvor_status flights_begin(struct bulk *bulk);

/* Starts an object; takes answers while there is no room. */
salvor_status flight_start(struct bulk *bulk, const struct archive_member *member);

/* Notes an object that is never restored. */
salvor_status flight_finish_kept(struct bulk *bulk, uint32_t number);

/* Waits for all answers. */
salvor_status flights_land(struct bulk *bulk);
void flights_clear(struct bulk *bulk);

#endif
