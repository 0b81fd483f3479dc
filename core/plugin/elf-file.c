#include "plugin/elf-file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

#if defined(__x86_64__)
#define HOST_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HOST_MACHINE EM_AARCH64
#elif defined(__powerpc64__)
#define HOST_MACHINE EM_PPC64
#elif defined(__s390x__)
#define HOST_MACHINE EM_S390
#elif defined(__riscv)
#define HOST_MACHINE EM_RISCV
#else
#error "add this machine's ELF number"
#endif
#define HOST_DATA (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

enum { NAMES_LIMIT = 1 << 20 };

int elf_refuse(const struct elf_file *file, struct error *reterr, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cleanup_free char *detail = text_vformat(format, args);
    va_end(args);
    error_set(reterr, EXIT_USAGE, "'%s' is not a salvor plugin", file->path);
    return error_detail(reterr, "%s", detail);
}

static int read_at(const struct elf_file *file, uint64_t offset, void *ret_data, size_t size,
                   struct error *reterr)
{
    if (offset > file->size || size > file->size - offset)
        return elf_refuse(file, reterr, "it is cut short: byte %llu is needed, it has %llu",
                          (unsigned long long)offset + size, (unsigned long long)file->size);
    if (file->fd < 0) {
        memcpy(ret_data, file->bytes + offset, size);
        return 0;
    }
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(file->fd, (char *)ret_data + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(reterr, EXIT_USAGE, errno, "cannot read '%s'", file->path);
        if (got == 0)
            return elf_refuse(file, reterr, "it became shorter while it was read");
        done += (size_t)got;
    }
    return 0;
}

static int check_header(const struct elf_file *file, const Elf64_Ehdr *header, struct error *reterr)
{
    if (header->e_ident[EI_CLASS] != ELFCLASS64)
        return elf_refuse(file, reterr, "it is a 32-bit file, this salvor is a 64-bit program");
    if (header->e_ident[EI_DATA] != HOST_DATA)
        return elf_refuse(file, reterr, "it is for machines of the other byte order");
    if (header->e_machine != HOST_MACHINE)
        return elf_refuse(file, reterr, "it is for ELF machine %u, this salvor for %d",
                          header->e_machine, HOST_MACHINE);
    if (header->e_type != ET_DYN)
        return elf_refuse(file, reterr, "it is not a shared object");
    if (header->e_shoff == 0 || header->e_shnum == 0)
        return elf_refuse(file, reterr, "it has no section table");
    if (header->e_shentsize != sizeof(Elf64_Shdr) || header->e_shnum > ELF_SECTION_LIMIT ||
        header->e_shstrndx >= header->e_shnum)
        return elf_refuse(file, reterr, "its section table is damaged");
    return 0;
}

static int read_sections(struct elf_file *file, const Elf64_Ehdr *header, struct error *reterr)
{
    size_t count = header->e_shnum;
    cleanup_free Elf64_Shdr *table = memory_new(count, sizeof *table);
    if (read_at(file, header->e_shoff, table, count * sizeof *table, reterr) != 0)
        return -1;
    const Elf64_Shdr *names = &table[header->e_shstrndx];
    if (names->sh_size > NAMES_LIMIT || names->sh_type == SHT_NOBITS)
        return elf_refuse(file, reterr, "its section names are damaged");
    file->names = memory_new(names->sh_size + 1, 1);
    if (read_at(file, names->sh_offset, file->names, names->sh_size, reterr) != 0)
        return -1;
    file->names[names->sh_size] = '\0';
    file->sections = memory_new(count, sizeof *file->sections);
    for (size_t i = 0; i < count; i++) {
        if (table[i].sh_name > names->sh_size)
            return elf_refuse(file, reterr, "its section names are damaged");
        file->sections[i] = (struct elf_section){.name = file->names + table[i].sh_name,
                                                 .type = table[i].sh_type,
                                                 .offset = table[i].sh_offset,
                                                 .address = table[i].sh_addr,
                                                 .size = table[i].sh_size,
                                                 .link = table[i].sh_link};
    }
    file->section_count = count;
    return 0;
}

static int read_tables(struct elf_file *file, struct error *reterr)
{
    unsigned char magic[SELFMAG];
    Elf64_Ehdr header;
    if (file->size < sizeof magic)
        return elf_refuse(file, reterr, "it is not an ELF file");
    if (read_at(file, 0, magic, sizeof magic, reterr) != 0)
        return -1;
    if (memcmp(magic, ELFMAG, SELFMAG) != 0)
        return elf_refuse(file, reterr, "it is not an ELF file");
    if (read_at(file, 0, &header, sizeof header, reterr) != 0 ||
        check_header(file, &header, reterr) != 0)
        return -1;
    return read_sections(file, &header, reterr);
}

int elf_open(const char *path, struct elf_file *ret_file, struct error *reterr)
{
    cleanup_elf struct elf_file file = ELF_FILE_INIT;
    file.path = text_copy(path);
    /* Without O_NONBLOCK a named pipe in the place of a plugin would hang the command. */
    file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file.fd < 0)
        return error_errno(reterr, EXIT_USAGE, errno, "cannot open plugin file '%s'", path);
    struct stat status;
    if (fstat(file.fd, &status) != 0)
        return error_errno(reterr, EXIT_USAGE, errno, "cannot read '%s'", path);
    if (!S_ISREG(status.st_mode))
        return elf_refuse(&file, reterr, "it is %s",
                          S_ISDIR(status.st_mode) ? "a folder" : "not a regular file");
    file.size = (uint64_t)status.st_size;
    if (read_tables(&file, reterr) != 0)
        return -1;
    *ret_file = file;
    file = (struct elf_file)ELF_FILE_INIT;
    return 0;
}

int elf_from_bytes(const char *path, const void *bytes, size_t size, struct elf_file *ret_file,
                   struct error *reterr)
{
    cleanup_elf struct elf_file file = ELF_FILE_INIT;
    file.path = text_copy(path);
    file.bytes = bytes;
    file.size = size;
    if (read_tables(&file, reterr) != 0)
        return -1;
    *ret_file = file;
    file = (struct elf_file)ELF_FILE_INIT;
    return 0;
}

void elf_close(struct elf_file *file)
{
    free(file->path);
    free(file->names);
    free(file->sections);
    if (file->fd >= 0)
        (void)close(file->fd);
    *file = (struct elf_file)ELF_FILE_INIT;
}

const struct elf_section *elf_section_named(const struct elf_file *file, const char *name)
{
    for (size_t i = 0; i < file->section_count; i++) {
        if (strcmp(file->sections[i].name, name) == 0)
            return &file->sections[i];
    }
    return NULL;
}

const struct elf_section *elf_section_typed(const struct elf_file *file, uint32_t type)
{
    for (size_t i = 0; i < file->section_count; i++) {
        if (file->sections[i].type == type)
            return &file->sections[i];
    }
    return NULL;
}

int elf_section_read(const struct elf_file *file, const struct elf_section *section, size_t limit,
                     unsigned char **ret_data, size_t *ret_size, struct error *reterr)
{
    if (section->type == SHT_NOBITS || section->size > limit)
        return elf_refuse(file, reterr, "its section '%s' has %llu bytes, more than %zu",
                          section->name, (unsigned long long)section->size, limit);
    /* Checked before the memory is asked for, so that a forged size costs nothing. */
    if (section->offset > file->size || section->size > file->size - section->offset)
        return elf_refuse(file, reterr, "it is cut short: section '%s' ends behind its end",
                          section->name);
    cleanup_free unsigned char *data = memory_new(section->size + 1, 1);
    if (read_at(file, section->offset, data, section->size, reterr) != 0)
        return -1;
    data[section->size] = '\0';
    *ret_size = section->size;
    *ret_data = take_pointer(data);
    return 0;
}
