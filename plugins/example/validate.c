#include "etcd.h"
#include "keys.h"
#include "procedures.h"
#include "snapshot-file.h"

static salvor_status check_trailer(salvor_call *call, const char *source, const char **ret_name,
                                   int *ret_usable)
{
    enum trailer trailer = TRAILER_NO_SNAPSHOT;
    uint64_t size = 0;
    *ret_usable = 0;
    salvor_status status = snapshot_name(call, source, ret_name);
    const char *name = *ret_name;
    if (status == SALVOR_NOT_FOUND)
        return salvor_raise(call, "ETCD-SNAPSHOT-ABSENT", "", "there is no '%s' in it",
                            SNAPSHOT_ARTIFACT);
    SALVOR_TRY(status);
    SALVOR_TRY(snapshot_check_trailer(call, name, &trailer, &size));
    switch (trailer) {
    case TRAILER_GOOD:
        *ret_usable = 1;
        return SALVOR_OK;
    case TRAILER_MISSING:
        return salvor_raise(call, "ETCD-HASH-MISSING", name,
                            "%llu bytes are whole pages without the 32 bytes of a digest",
                            (unsigned long long)size);
    case TRAILER_WRONG:
        return salvor_raise(call, "ETCD-HASH-MISMATCH", name,
                            "the digest at its end is not that of the %llu bytes before it",
                            (unsigned long long)(size - 32));
    default:
        return salvor_raise(call, "ETCD-NO-SNAPSHOT", name,
                            "%llu bytes are fewer than any snapshot has", (unsigned long long)size);
    }
}

static salvor_status check_pages(salvor_call *call, const char *name)
{
    const char *path = NULL;
    salvor_auto_json json_t *status = NULL;
    SALVOR_TRY(salvor_stream_of(call)->materialize(call, name, &path));
    if (etcd_snapshot_status(call, path, &status) != SALVOR_OK)
        return salvor_raise(call, "ETCD-PAGES-DAMAGED", name, "%s", call->host->last_error(call));
    return salvor_raise(call, "ETCD-SNAPSHOT-READ", name,
                        "revision %lld, %lld keys and events, %lld bytes",
                        (long long)etcd_number(status, "/revision", 0),
                        (long long)etcd_number(status, "/totalKey", 0),
                        (long long)etcd_number(status, "/totalSize", 0));
}

static salvor_status check_keys(salvor_call *call)
{
    salvor_stream_reader *reader = NULL;
    salvor_status status = salvor_stream_of(call)->open(call, KEYS_ARTIFACT, 0, &reader);
    if (status == SALVOR_NOT_FOUND)
        return salvor_raise(call, "ETCD-KEYS-UNRECORDED", "",
                            "after a restore only revision and number of keys can be compared");
    if (status == SALVOR_OK)
        salvor_stream_of(call)->close(call, reader);
    return status;
}

salvor_status example_validate(salvor_call *call, const struct salvor_request *request)
{
    const char *name = NULL;
    int usable = 0;
    if (request->source == NULL)
        return salvor_fail(call, SALVOR_REFUSED, "name it with '--from latest|SET|FILE'",
                           "there is no backup to validate");
    SALVOR_TRY(check_trailer(call, request->source, &name, &usable));
    if (!usable)
        return SALVOR_OK;
    SALVOR_TRY(check_pages(call, name));
    return check_keys(call);
}
