/*
 * What a shared object offers to and asks of the dynamic linker, and what it runs when it is
 * loaded: read from its sections, for lint.
 */
#ifndef SALVOR_PLUGIN_ELF_DYNAMIC_H
#define SALVOR_PLUGIN_ELF_DYNAMIC_H

#include <stddef.h>

#include "base/error.h"
#include "plugin/elf-file.h"

/* A growing list of names; ends with NULL. */
struct name_list {
    char **items;
    size_t count;
};

struct elf_dynamic {
    struct name_list exported;     /* functions and data that others see */
    struct name_list needed;       /* symbols that it wants from elsewhere */
    struct name_list constructors; /* what runs at load; "" where the file names no function */
    struct name_list run_paths;    /* where it has the linker look for libraries */
    int has_symbols;               /* .symtab is there, so that constructors have names */
    int binds_now;                 /* linked with -z now */
    int writes_text;               /* needs its code made writable */
};

/* -1 as elf_section_read() when the file lies about itself. elf_dynamic_clear releases the rest. */
int elf_dynamic_read(const struct elf_file *file, struct elf_dynamic *ret_dynamic,
                     struct error *reterr);
void elf_dynamic_clear(struct elf_dynamic *dynamic);

#define cleanup_dynamic __attribute__((cleanup(elf_dynamic_clear)))

#endif
