#include "archive-reader.h"

#include <string.h>

#include <salvor/memory.h>
#include <salvor/report.h>
#include <salvor/scan.h>

struct archive_reader {
    salvor_archive *archive;
    const struct encryption_config *config;
    const struct encryption_target *target; /* of the type before, which mostly is the same */
    struct salvor_text type;                /* that type */
    struct salvor_text opened;
    uint64_t next_number;
};

enum { OBJECT_LIMIT = 256 << 20 };

salvor_status archive_reader_open(salvor_call *call, const char *artifact,
                                  const struct encryption_config *config,
                                  archive_reader **ret_reader)
{
    static const struct salvor_archive_limits limits = {.one_end = 1};
    archive_reader *reader = salvor_allocate_zeroed(sizeof *reader);
    if (reader == NULL)
        return salvor_fail_memory(call, "the archive");
    reader->config = config;
    reader->type.limit = reader->opened.limit = OBJECT_LIMIT;
    const salvor_status status = salvor_archive_open(call, artifact, &limits, &reader->archive);
    if (status != SALVOR_OK) {
        archive_reader_close(reader);
        return status;
    }
    *ret_reader = reader;
    return SALVOR_OK;
}

void archive_reader_close(archive_reader *reader)
{
    if (reader == NULL)
        return;
    salvor_archive_close(reader->archive);
    salvor_text_clear(&reader->type);
    salvor_text_clear(&reader->opened);
    salvor_release(reader);
}

const char *archive_reader_problem(const archive_reader *reader)
{
    return salvor_archive_problem(reader->archive);
}

salvor_status archive_reader_rewind(archive_reader *reader)
{
    reader->next_number = 0;
    return salvor_archive_rewind(reader->archive);
}

/* What the configuration says of a type; asked once for each run of members of one type. */
static const struct encryption_target *target_of(archive_reader *reader,
                                                 const struct member_path *at)
{
    if (reader->type.size != at->type.size ||
        memcmp(reader->type.data, at->type.data, (size_t)at->type.size) != 0) {
        salvor_text_reset(&reader->type);
        salvor_text_span(&reader->type, at->type);
        reader->target = encryption_config_find(reader->config, at->group, at->resource);
    }
    return reader->target;
}

static void open_member(archive_reader *reader, struct archive_member *member)
{
    member->json.size = 0;
    member->answer = CIPHER_NO_CONFIG;
    if (reader->config == NULL)
        return;
    member->answer = cipher_open(target_of(reader, &member->at), member->stored, member->at.ns,
                                 member->at.name, &reader->opened);
    if (member->answer == CIPHER_OPENED)
        member->json = salvor_text_as_span(&reader->opened);
}

salvor_status archive_reader_load(archive_reader *reader, struct archive_member *member)
{
    if (!member->is_file)
        return SALVOR_OK;
    SALVOR_TRY(salvor_archive_load(reader->archive, &member->stored));
    member->json = member->stored;
    if (member->role != MEMBER_OBJECT)
        return SALVOR_OK;
    member->encrypted = cipher_is_encrypted(member->stored);
    if (member->encrypted)
        open_member(reader, member);
    return SALVOR_OK;
}

salvor_status archive_reader_next(archive_reader *reader, struct archive_member *ret_member)
{
    struct salvor_archive_member found;
    memset(ret_member, 0, sizeof *ret_member);
    do {
        SALVOR_TRY(salvor_archive_next(reader->archive, &found));
    } while (found.kind == SALVOR_MEMBER_FOLDER);
    ret_member->path = found.path;
    ret_member->is_file = found.kind == SALVOR_MEMBER_FILE;
    ret_member->role = member_path_read(found.path, &ret_member->at, &ret_member->problem);
    if (found.dotted) {
        ret_member->role = MEMBER_ODD;
        ret_member->problem = "its path begins with './'";
    }
    if (!ret_member->is_file) {
        ret_member->role = MEMBER_ODD;
        ret_member->problem = "it is neither file nor folder";
    }
    if (ret_member->role == MEMBER_OBJECT)
        ret_member->number = reader->next_number++;
    return SALVOR_OK;
}
