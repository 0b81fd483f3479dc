/*
 * The note in which a plugin file carries its descriptor as JSON (docs/internals.md), so that
 * listing, help and completion run no plugin code.
 */
#ifndef SALVOR_PLUGIN_ELF_NOTE_H
#define SALVOR_PLUGIN_ELF_NOTE_H

#include <stddef.h>

#include "base/error.h"
#include "plugin/elf-file.h"

#define NOTE_SECTION ".note.salvor"
#define NOTE_OWNER "salvor"
enum { NOTE_TYPE = 1, NOTE_LIMIT = 1 << 20 };

struct plugin_note {
    char *text; /* JSON as it stands there, not checked; NUL-terminated */
    size_t size;
    char *build_id; /* GNU build id in hexadecimal, "" when the linker wrote none */
};

/* Reads the note of a plugin file; a file without one is refused with exit code 2. */
int note_read(const char *path, struct plugin_note *ret_note, struct error *reterr);
int note_read_elf(const struct elf_file *file, struct plugin_note *ret_note, struct error *reterr);
/* The same, but text is NULL when there is no note. */
int note_look(const struct elf_file *file, struct plugin_note *ret_note, struct error *reterr);
void note_clear(struct plugin_note *note);

/*
 * Writes a copy of the shared object `path` that carries `text` as its note to `out_path` (may be
 * the same), atomically and with the same permissions. Sections keep their numbers, loaded bytes
 * their places: only the section table moves to the end.
 */
int note_write(const char *path, const char *out_path, const char *text, struct error *reterr);

#define cleanup_note __attribute__((cleanup(note_clear)))

#endif
