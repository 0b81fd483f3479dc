/*
 * Sections of a shared object of this machine, read without libelf and without believing a single
 * offset in it. Nothing of the file is executed.
 */
#ifndef SALVOR_PLUGIN_ELF_FILE_H
#define SALVOR_PLUGIN_ELF_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { ELF_SECTION_LIMIT = 4096 };

struct elf_section {
    const char *name; /* borrowed from the file's own table */
    uint32_t type;    /* SHT_* */
    uint64_t offset;
    uint64_t address;
    uint64_t size;
    uint32_t link;
};

struct elf_file {
    char *path;                 /* for messages */
    int fd;                     /* -1: `bytes` */
    const unsigned char *bytes; /* borrowed */
    uint64_t size;
    char *names;
    struct elf_section *sections;
    size_t section_count;
};

/*
 * Opens a file, or takes borrowed bytes (`path` is what messages call them). What is not a 64-bit
 * shared object for this machine, or is cut short, is refused as "'PATH' is not a salvor plugin"
 * with the reason as detail (exit code 2). elf_close releases both.
 */
int elf_open(const char *path, struct elf_file *ret_file, struct error *reterr);
int elf_from_bytes(const char *path, const void *bytes, size_t size, struct elf_file *ret_file,
                   struct error *reterr);
void elf_close(struct elf_file *file);

/* The first section of that name or type, or NULL. */
const struct elf_section *elf_section_named(const struct elf_file *file, const char *name);
const struct elf_section *elf_section_typed(const struct elf_file *file, uint32_t type);

/* Content of a section of at most `limit` bytes, owned by the caller; a NUL follows it, so that a
 * string table cannot be read past its end. */
int elf_section_read(const struct elf_file *file, const struct elf_section *section, size_t limit,
                     unsigned char **ret_data, size_t *ret_size, struct error *reterr);

/* The refusal above with a reason. Returns -1. */
int elf_refuse(const struct elf_file *file, struct error *reterr, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define cleanup_elf __attribute__((cleanup(elf_close)))
#define ELF_FILE_INIT                    \
    {                                    \
        NULL, -1, NULL, 0, NULL, NULL, 0 \
    }

#endif
