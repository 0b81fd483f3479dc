#include "plugin/elf-note.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

enum { FILE_LIMIT = 256 << 20, BUILD_ID_LIMIT = 64 };

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* ---- reading -------------------------------------------------------------------------------- */

static int take_note(const struct elf_file *file, const Elf64_Nhdr *header,
                     const unsigned char *name, const unsigned char *content,
                     struct plugin_note *note, struct error *reterr)
{
    if (header->n_namesz == sizeof NOTE_OWNER && memcmp(name, NOTE_OWNER, sizeof NOTE_OWNER) == 0 &&
        header->n_type == NOTE_TYPE) {
        if (note->text != NULL)
            return elf_refuse(file, reterr, "it has two salvor notes");
        note->text = text_copy_span((const char *)content, header->n_descsz);
        note->size = header->n_descsz;
    }
    if (header->n_namesz == sizeof ELF_NOTE_GNU &&
        memcmp(name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0 && header->n_type == NT_GNU_BUILD_ID &&
        header->n_descsz <= BUILD_ID_LIMIT && note->build_id[0] == '\0') {
        static const char digits[] = "0123456789abcdef";
        free(note->build_id);
        note->build_id = memory_new(2 * (size_t)header->n_descsz + 1, 1);
        char *end = note->build_id;
        for (size_t i = 0; i < header->n_descsz; i++) {
            *end++ = digits[content[i] >> 4];
            *end++ = digits[content[i] & 15];
        }
        *end = '\0';
    }
    return 0;
}

/* Every note of one section; false sizes are found before they are used. */
static int take_notes(const struct elf_file *file, const unsigned char *data, size_t size,
                      struct plugin_note *note, struct error *reterr)
{
    size_t at = 0;
    while (size - at >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr header;
        memcpy(&header, data + at, sizeof header);
        at += sizeof header;
        size_t name_size = padded(header.n_namesz);
        if (name_size > size - at || padded(header.n_descsz) > size - at - name_size)
            return elf_refuse(file, reterr, "one of its notes is damaged");
        if (take_note(file, &header, data + at, data + at + name_size, note, reterr) != 0)
            return -1;
        at += name_size + padded(header.n_descsz);
    }
    return 0;
}

int note_look(const struct elf_file *file, struct plugin_note *ret_note, struct error *reterr)
{
    cleanup_note struct plugin_note note = {.build_id = text_copy("")};
    for (size_t i = 0; i < file->section_count; i++) {
        const struct elf_section *section = &file->sections[i];
        int ours = strcmp(section->name, NOTE_SECTION) == 0;
        /* Foreign notes can be large (annobin): only small ones can hold a build id. */
        if (section->type != SHT_NOTE || (!ours && section->size > 4096))
            continue;
        cleanup_free unsigned char *data = NULL;
        size_t size = 0;
        if (elf_section_read(file, section, NOTE_LIMIT, &data, &size, reterr) != 0 ||
            take_notes(file, data, size, &note, reterr) != 0)
            return -1;
    }
    *ret_note = note;
    note = (struct plugin_note){NULL, 0, NULL};
    return 0;
}

int note_read_elf(const struct elf_file *file, struct plugin_note *ret_note, struct error *reterr)
{
    cleanup_note struct plugin_note note = {NULL, 0, NULL};
    if (note_look(file, &note, reterr) != 0)
        return -1;
    if (note.text == NULL) {
        elf_refuse(file, reterr, "it has no note '" NOTE_SECTION "'");
        return error_hint(reterr, "if it is one that was just built: 'salvor plugin note FILE'");
    }
    *ret_note = note;
    note = (struct plugin_note){NULL, 0, NULL};
    return 0;
}

int note_read(const char *path, struct plugin_note *ret_note, struct error *reterr)
{
    cleanup_elf struct elf_file file = ELF_FILE_INIT;
    if (elf_open(path, &file, reterr) != 0)
        return -1;
    return note_read_elf(&file, ret_note, reterr);
}

void note_clear(struct plugin_note *note)
{
    free(note->text);
    free(note->build_id);
    *note = (struct plugin_note){NULL, 0, NULL};
}

/* ---- writing -------------------------------------------------------------------------------- */

static int append(struct buffer *out, const void *data, size_t size, struct error *reterr)
{
    if (buffer_append(out, data, size) != 0)
        return error_set(reterr, EXIT_FAILED, "the plugin file is larger than %d bytes",
                         FILE_LIMIT);
    return 0;
}

static int append_padding(struct buffer *out, size_t multiple, struct error *reterr)
{
    static const char zeros[8];
    return append(out, zeros, (multiple - out->size % multiple) % multiple, reterr);
}

static int append_note(struct buffer *out, const char *text, struct error *reterr)
{
    size_t size = strlen(text);
    const Elf64_Nhdr header = {
        .n_namesz = sizeof NOTE_OWNER, .n_descsz = (Elf64_Word)size, .n_type = NOTE_TYPE};
    if (append(out, &header, sizeof header, reterr) != 0 ||
        append(out, NOTE_OWNER, sizeof NOTE_OWNER, reterr) != 0 ||
        append_padding(out, 4, reterr) != 0 || append(out, text, size, reterr) != 0)
        return -1;
    return append_padding(out, 4, reterr);
}

/* `out` holds the whole old file, which elf_from_bytes() found sound. */
static int rewrite(struct buffer *out, const struct elf_file *file, const char *text,
                   struct error *reterr)
{
    Elf64_Ehdr header;
    memcpy(&header, out->data, sizeof header);
    size_t count = header.e_shnum;
    cleanup_free Elf64_Shdr *table = memory_new(count + 1, sizeof *table);
    memcpy(table, out->data + header.e_shoff, count * sizeof *table);
    Elf64_Shdr *names = &table[header.e_shstrndx];

    size_t index = count;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(file->sections[i].name, NOTE_SECTION) == 0)
            index = i;
    }
    Elf64_Word name = index < count ? table[index].sh_name : (Elf64_Word)names->sh_size;
    if (append_padding(out, 8, reterr) != 0)
        return -1;
    size_t start = out->size;
    if (append_note(out, text, reterr) != 0)
        return -1;
    table[index] = (Elf64_Shdr){.sh_name = name,
                                .sh_type = SHT_NOTE,
                                .sh_offset = start,
                                .sh_size = out->size - start,
                                .sh_addralign = 4};
    if (index == count) {
        start = out->size;
        if (append(out, file->names, names->sh_size, reterr) != 0 ||
            append(out, NOTE_SECTION, sizeof NOTE_SECTION, reterr) != 0)
            return -1;
        names->sh_offset = start;
        names->sh_size = out->size - start;
        count++;
    }
    if (append_padding(out, 8, reterr) != 0)
        return -1;
    header.e_shoff = out->size;
    header.e_shnum = (Elf64_Half)count;
    if (append(out, table, count * sizeof *table, reterr) != 0)
        return -1;
    memcpy(out->data, &header, sizeof header);
    return 0;
}

int note_write(const char *path, const char *out_path, const char *text, struct error *reterr)
{
    cleanup_free char *old = NULL;
    size_t size = 0;
    cleanup_elf struct elf_file file = ELF_FILE_INIT;
    struct stat status;
    if (file_read(path, FILE_LIMIT, &old, &size, reterr) != 0 ||
        elf_from_bytes(path, old, size, &file, reterr) != 0)
        return -1;
    if (stat(path, &status) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot read '%s'", path);
    if (strlen(text) > NOTE_LIMIT - 64 || file.section_count >= ELF_SECTION_LIMIT)
        return error_set(reterr, EXIT_FAILED, "the note does not fit into '%s'", path);
    cleanup_buffer struct buffer out = BUFFER_INIT(FILE_LIMIT + 2 * NOTE_LIMIT);
    if (append(&out, old, size, reterr) != 0 || rewrite(&out, &file, text, reterr) != 0)
        return -1;
    return file_write_atomic(out_path, out.data, out.size, status.st_mode & 0777, reterr);
}
