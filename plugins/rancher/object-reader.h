/* salvor_object_read() for objects of any name: roles may have names that JSON escapes ("a<b"). */
#ifndef SALVOR_RANCHER_OBJECT_READER_H
#define SALVOR_RANCHER_OBJECT_READER_H

#include <salvor/canonical.h>
#include <salvor/object.h>

struct object_reader {
    salvor_canonicalizer *plain; /* made when it is needed */
};

/* As salvor_object_read(). ret_object may then point into the reader's own copy of the document,
 * until the next call. */
salvor_status object_reader_read(struct object_reader *reader, struct salvor_span json,
                                 struct salvor_object *ret_object,
                                 struct salvor_scan_error *reterr);
void object_reader_clear(struct object_reader *reader);

#endif
