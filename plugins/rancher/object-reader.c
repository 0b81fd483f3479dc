#include "object-reader.h"

salvor_status object_reader_read(struct object_reader *reader, struct salvor_span json,
                                 struct salvor_object *ret_object, struct salvor_scan_error *reterr)
{
    struct salvor_span plain;
    const salvor_status status = salvor_object_read(json, ret_object, reterr);
    if (status == SALVOR_OK || salvor_scan_check(json, NULL) != SALVOR_OK)
        return status;
    /* sound JSON all the same: with the fewest escapes the names may be readable */
    if (reader->plain == NULL)
        reader->plain = salvor_canonicalizer_create(NULL, 0);
    if (reader->plain == NULL ||
        salvor_canonicalize(reader->plain, json, &plain, NULL) != SALVOR_OK)
        return status;
    return salvor_object_read(plain, ret_object, reterr);
}

void object_reader_clear(struct object_reader *reader)
{
    salvor_canonicalizer_free(reader->plain);
    reader->plain = NULL;
}
