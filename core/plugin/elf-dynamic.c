#include "plugin/elf-dynamic.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

enum { TABLE_LIMIT = 64 << 20, CONSTRUCTORS_LIMIT = 1 << 16 };

/* Content of one section; empty when the file has none. */
struct table {
    unsigned char *data; /* a NUL follows */
    size_t size;
};

static void table_clear(struct table *table)
{
    free(table->data);
}
#define cleanup_table __attribute__((cleanup(table_clear)))

static int read_table(const struct elf_file *file, const struct elf_section *section,
                      struct table *ret_table, struct error *reterr)
{
    ret_table->data = NULL;
    ret_table->size = 0;
    if (section == NULL)
        return 0;
    return elf_section_read(file, section, TABLE_LIMIT, &ret_table->data, &ret_table->size, reterr);
}

/* The string table that a section of symbols or tags refers to. */
static int read_strings(const struct elf_file *file, const struct elf_section *section,
                        struct table *ret_table, struct error *reterr)
{
    const struct elf_section *strings = section != NULL && section->link < file->section_count
                                            ? &file->sections[section->link]
                                            : NULL;
    return read_table(file, strings, ret_table, reterr);
}

static const char *string_at(const struct table *strings, uint64_t offset)
{
    return offset < strings->size ? (const char *)strings->data + offset : "";
}

static void list_add(struct name_list *list, const char *name)
{
    list->items = memory_resize(list->items, list->count + 2, sizeof *list->items);
    list->items[list->count++] = text_copy(name);
    list->items[list->count] = NULL;
}

static void list_clear(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

static Elf64_Sym symbol_at(const struct table *symbols, size_t index)
{
    Elf64_Sym symbol = {0};
    if (index < symbols->size / sizeof symbol)
        memcpy(&symbol, symbols->data + index * sizeof symbol, sizeof symbol);
    return symbol;
}

static int read_symbols(const struct elf_file *file, struct elf_dynamic *dynamic,
                        struct error *reterr)
{
    const struct elf_section *section = elf_section_typed(file, SHT_DYNSYM);
    cleanup_table struct table symbols = {NULL, 0};
    cleanup_table struct table strings = {NULL, 0};
    if (read_table(file, section, &symbols, reterr) != 0 ||
        read_strings(file, section, &strings, reterr) != 0)
        return -1;
    for (size_t i = 1; i < symbols.size / sizeof(Elf64_Sym); i++) {
        const Elf64_Sym symbol = symbol_at(&symbols, i);
        const char *name = string_at(&strings, symbol.st_name);
        const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
        if (name[0] == '\0' || ELF64_ST_BIND(symbol.st_info) == STB_LOCAL)
            continue;
        if (symbol.st_shndx == SHN_UNDEF)
            list_add(&dynamic->needed, name);
        else if (visibility == STV_DEFAULT || visibility == STV_PROTECTED)
            list_add(&dynamic->exported, name);
    }
    return 0;
}

static int read_tags(const struct elf_file *file, struct elf_dynamic *dynamic, struct error *reterr)
{
    const struct elf_section *section = elf_section_typed(file, SHT_DYNAMIC);
    cleanup_table struct table tags = {NULL, 0};
    cleanup_table struct table strings = {NULL, 0};
    if (read_table(file, section, &tags, reterr) != 0 ||
        read_strings(file, section, &strings, reterr) != 0)
        return -1;
    for (size_t at = 0; at + sizeof(Elf64_Dyn) <= tags.size; at += sizeof(Elf64_Dyn)) {
        Elf64_Dyn tag;
        memcpy(&tag, tags.data + at, sizeof tag);
        if (tag.d_tag == DT_NULL)
            break;
        if (tag.d_tag == DT_BIND_NOW || (tag.d_tag == DT_FLAGS && (tag.d_un.d_val & DF_BIND_NOW)) ||
            (tag.d_tag == DT_FLAGS_1 && (tag.d_un.d_val & DF_1_NOW)))
            dynamic->binds_now = 1;
        if (tag.d_tag == DT_TEXTREL || (tag.d_tag == DT_FLAGS && (tag.d_un.d_val & DF_TEXTREL)))
            dynamic->writes_text = 1;
        if (tag.d_tag == DT_RPATH || tag.d_tag == DT_RUNPATH)
            list_add(&dynamic->run_paths, string_at(&strings, tag.d_un.d_val));
    }
    return 0;
}

/* ---- constructors ---------------------------------------------------------------------------- */

/* What the slot at `address` will point to: mostly a relocation fills it in at load. */
static uint64_t target_of(const struct table *relocations, const struct table *symbols,
                          uint64_t address, uint64_t content)
{
    for (size_t at = 0; at + sizeof(Elf64_Rela) <= relocations->size; at += sizeof(Elf64_Rela)) {
        Elf64_Rela relocation;
        memcpy(&relocation, relocations->data + at, sizeof relocation);
        if (relocation.r_offset != address)
            continue;
        const Elf64_Sym symbol = symbol_at(symbols, ELF64_R_SYM(relocation.r_info));
        return symbol.st_value + (uint64_t)relocation.r_addend;
    }
    return content;
}

static const char *function_at(const struct table *symbols, const struct table *strings,
                               uint64_t address)
{
    for (size_t i = 1; i < symbols->size / sizeof(Elf64_Sym); i++) {
        const Elf64_Sym symbol = symbol_at(symbols, i);
        if (symbol.st_value == address && ELF64_ST_TYPE(symbol.st_info) == STT_FUNC)
            return string_at(strings, symbol.st_name);
    }
    return "";
}

static int read_constructors(const struct elf_file *file, struct elf_dynamic *dynamic,
                             struct error *reterr)
{
    const struct elf_section *names = elf_section_typed(file, SHT_SYMTAB);
    cleanup_table struct table relocations = {NULL, 0};
    cleanup_table struct table dynamic_symbols = {NULL, 0};
    cleanup_table struct table symbols = {NULL, 0};
    cleanup_table struct table strings = {NULL, 0};
    if (read_table(file, elf_section_named(file, ".rela.dyn"), &relocations, reterr) != 0 ||
        read_table(file, elf_section_typed(file, SHT_DYNSYM), &dynamic_symbols, reterr) != 0 ||
        read_table(file, names, &symbols, reterr) != 0 ||
        read_strings(file, names, &strings, reterr) != 0)
        return -1;
    dynamic->has_symbols = names != NULL;
    for (size_t i = 0; i < file->section_count; i++) {
        const struct elf_section *section = &file->sections[i];
        cleanup_table struct table slots = {NULL, 0};
        if (section->type != SHT_INIT_ARRAY)
            continue;
        if (elf_section_read(file, section, CONSTRUCTORS_LIMIT, &slots.data, &slots.size, reterr) !=
            0)
            return -1;
        for (size_t at = 0; at + sizeof(uint64_t) <= slots.size; at += sizeof(uint64_t)) {
            uint64_t content = 0;
            memcpy(&content, slots.data + at, sizeof content);
            uint64_t target =
                target_of(&relocations, &dynamic_symbols, section->address + at, content);
            list_add(&dynamic->constructors, function_at(&symbols, &strings, target));
        }
    }
    return 0;
}

int elf_dynamic_read(const struct elf_file *file, struct elf_dynamic *ret_dynamic,
                     struct error *reterr)
{
    cleanup_dynamic struct elf_dynamic dynamic = {.binds_now = 0};
    if (read_symbols(file, &dynamic, reterr) != 0 || read_tags(file, &dynamic, reterr) != 0 ||
        read_constructors(file, &dynamic, reterr) != 0)
        return -1;
    *ret_dynamic = dynamic;
    dynamic = (struct elf_dynamic){.binds_now = 0};
    return 0;
}

void elf_dynamic_clear(struct elf_dynamic *dynamic)
{
    list_clear(&dynamic->exported);
    list_clear(&dynamic->needed);
    list_clear(&dynamic->constructors);
    list_clear(&dynamic->run_paths);
    *dynamic = (struct elf_dynamic){.binds_now = 0};
}
