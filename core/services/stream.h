/* salvor.stream: see sdk/include/salvor/services.h. */
#ifndef SALVOR_SERVICES_STREAM_H
#define SALVOR_SERVICES_STREAM_H

#include <salvor/services.h>

extern const struct salvor_stream stream_table;

salvor_status stream_create(salvor_call *call, const char *name, const char *media_type,
                            uint32_t flags, salvor_stream_writer **ret_writer);
salvor_status stream_write(salvor_call *call, salvor_stream_writer *writer, const void *data,
                           uint64_t size);
salvor_status stream_commit(salvor_call *call, salvor_stream_writer *writer,
                            struct salvor_artifact *ret_artifact);
void stream_abort(salvor_call *call, salvor_stream_writer *writer);
salvor_status stream_adopt(salvor_call *call, const char *path, const char *name,
                           const char *media_type, uint32_t flags,
                           struct salvor_artifact *ret_artifact);

salvor_status stream_open(salvor_call *call, const char *name, uint32_t flags,
                          salvor_stream_reader **ret_reader);
salvor_status stream_read(salvor_call *call, salvor_stream_reader *reader, void *data,
                          uint64_t size, uint64_t *ret_size);
salvor_status stream_rewind(salvor_call *call, salvor_stream_reader *reader);
void stream_close(salvor_call *call, salvor_stream_reader *reader);
salvor_status stream_materialize(salvor_call *call, const char *name, const char **ret_path);
salvor_status stream_list(salvor_call *call, struct salvor_span *ret_json);

#endif
