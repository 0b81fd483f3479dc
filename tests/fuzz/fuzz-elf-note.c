/* A plugin file is read before anything of it is trusted: no bytes may crash that. */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plugin/elf-dynamic.h"
#include "plugin/elf-note.h"
#include "plugin/note-skim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    struct elf_file file = ELF_FILE_INIT;
    struct plugin_note note = {NULL, 0, NULL};
    struct elf_dynamic dynamic = {.binds_now = 0};
    if (elf_from_bytes("fuzz", data, size, &file, &err) == 0) {
        if (note_read_elf(&file, &note, &err) == 0) {
            json_decref(note_skim(note.text, note.size));
            note_clear(&note);
        }
        if (elf_dynamic_read(&file, &dynamic, &err) == 0)
            elf_dynamic_clear(&dynamic);
        elf_close(&file);
    }
    error_clear(&err);
    return 0;
}
