#include "../unit.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "plugin/elf-note.h"

/* A real shared object to read and to break: built beside this test. */
#define REAL_OBJECT SALVOR_TEST_OBJECT
enum { OBJECT_LIMIT = 16 << 20 };

static char *folder;

static int make_folder(void **state)
{
    (void)state;
    char pattern[] = "/tmp/salvor-test-note-XXXXXX";
    folder = text_copy(mkdtemp(pattern));
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    int result = file_remove_tree(folder, NULL);
    free(folder);
    return result;
}

static char *object_bytes(size_t *ret_size)
{
    char *bytes = NULL;
    assert_int_equal(file_read(REAL_OBJECT, OBJECT_LIMIT, &bytes, ret_size, NULL), 0);
    return bytes;
}

static void a_note_is_written_and_read_back(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = text_format("%s/salvor_a.so", folder);
    cleanup_note struct plugin_note note = {NULL, 0, NULL};
    assert_int_equal(note_read(REAL_OBJECT, &note, &err), -1);
    assert_string_equal(err.message, "'" REAL_OBJECT "' is not a salvor plugin");
    assert_string_equal(err.detail, "it has no note '.note.salvor'");
    assert_string_equal(err.hint, "if it is one that was just built: 'salvor plugin note FILE'");

    const char *texts[] = {"{\"name\":\"a\"}", "{\"name\":\"longer than before\"}", "x", ""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        /* In place from the second on: the note is replaced, not doubled. */
        assert_int_equal(note_write(i == 0 ? REAL_OBJECT : path, path, texts[i], &err), 0);
        note_clear(&note);
        assert_int_equal(note_read(path, &note, &err), 0);
        assert_string_equal(note.text, texts[i]);
        assert_int_equal(note.size, strlen(texts[i]));
        assert_int_equal(strlen(note.build_id), 40);
    }
    struct stat before;
    struct stat after;
    assert_int_equal(stat(REAL_OBJECT, &before), 0);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_mode, after.st_mode);
}

/* Every cut of the file is an error, never a crash and never half a note. */
static void every_truncation_is_refused(void **state)
{
    (void)state;
    cleanup_free char *path = text_format("%s/salvor_a.so", folder);
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(note_write(REAL_OBJECT, path, "{\"name\":\"a\"}", &err), 0);
    cleanup_free char *bytes = NULL;
    size_t size = 0;
    assert_int_equal(file_read(path, OBJECT_LIMIT, &bytes, &size, NULL), 0);
    for (size_t cut = 0; cut < size; cut++) {
        /* Exactly sized, so that the sanitizers see a read of one byte too many. */
        cleanup_free char *part = malloc(cut + (cut == 0));
        memcpy(part, bytes, cut);
        cleanup_elf struct elf_file file = ELF_FILE_INIT;
        cleanup_note struct plugin_note note = {NULL, 0, NULL};
        error_clear(&err);
        int result = elf_from_bytes("/x", part, cut, &file, &err) != 0 ||
                     note_read_elf(&file, &note, &err) != 0;
        assert_int_equal(result, 1);
        assert_string_equal(err.message, "'/x' is not a salvor plugin");
        assert_non_null(err.detail);
    }
}

static void set16(char *bytes, size_t offset, uint16_t value)
{
    memcpy(bytes + offset, &value, sizeof value);
}

static void set64(char *bytes, size_t offset, uint64_t value)
{
    memcpy(bytes + offset, &value, sizeof value);
}

static void foreign_and_damaged_files_are_told_apart(void **state)
{
    (void)state;
    enum {
        CLASS,
        ORDER,
        MACHINE,
        TYPE,
        NO_TABLE,
        NO_SECTIONS,
        FAR,
        HUGE_COUNT,
        NAMES,
        TEXT,
        EMPTY
    };
    const char *details[] = {"it is a 32-bit file, this salvor is a 64-bit program",
                             "it is for machines of the other byte order",
                             "it is for ELF machine 4660, this salvor for ",
                             "it is not a shared object",
                             "it has no section table",
                             "it has no section table",
                             "it is cut short: byte ",
                             "its section table is damaged",
                             "its section table is damaged",
                             "it is not an ELF file",
                             "it is not an ELF file"};
    for (int fault = CLASS; fault <= EMPTY; fault++) {
        size_t size = 0;
        cleanup_free char *bytes = object_bytes(&size);
        switch (fault) {
        case CLASS:
            bytes[EI_CLASS] = ELFCLASS32;
            break;
        case ORDER:
            bytes[EI_DATA] = bytes[EI_DATA] == ELFDATA2LSB ? ELFDATA2MSB : ELFDATA2LSB;
            break;
        case MACHINE:
            set16(bytes, offsetof(Elf64_Ehdr, e_machine), 0x1234);
            break;
        case TYPE:
            set16(bytes, offsetof(Elf64_Ehdr, e_type), ET_EXEC);
            break;
        case NO_TABLE:
            set64(bytes, offsetof(Elf64_Ehdr, e_shoff), 0);
            break;
        case NO_SECTIONS:
            set16(bytes, offsetof(Elf64_Ehdr, e_shnum), 0);
            break;
        case FAR:
            set64(bytes, offsetof(Elf64_Ehdr, e_shoff), UINT64_MAX - 8);
            break;
        case HUGE_COUNT:
            set16(bytes, offsetof(Elf64_Ehdr, e_shnum), 0xfff0);
            break;
        case NAMES:
            set16(bytes, offsetof(Elf64_Ehdr, e_shstrndx), 0xffff);
            break;
        case TEXT:
            memcpy(bytes, "#!/bin/sh\n", 10);
            break;
        default:
            size = 0;
        }
        cleanup_error struct error err = ERROR_INIT;
        cleanup_elf struct elf_file file = ELF_FILE_INIT;
        assert_int_equal(elf_from_bytes("/x", bytes, size, &file, &err), -1);
        assert_string_equal(err.message, "'/x' is not a salvor plugin");
        if (!text_starts(err.detail, details[fault]))
            fail_msg("fault %d: %s", fault, err.detail);
    }
}

/* An ELF file of one note section whose content a test chooses. */
static size_t tiny_object(unsigned char *file, const void *note, size_t note_size)
{
    static const char names[] = "\0.shstrtab\0.note.salvor";
    Elf64_Ehdr real;
    size_t size = 0;
    cleanup_free char *bytes = object_bytes(&size);
    memcpy(&real, bytes, sizeof real);
    size_t at = sizeof real;
    memcpy(file + at, note, note_size);
    Elf64_Shdr table[3] = {{0}};
    table[1] =
        (Elf64_Shdr){.sh_name = 11, .sh_type = SHT_NOTE, .sh_offset = at, .sh_size = note_size};
    at += note_size;
    memcpy(file + at, names, sizeof names);
    table[2] =
        (Elf64_Shdr){.sh_name = 1, .sh_type = SHT_STRTAB, .sh_offset = at, .sh_size = sizeof names};
    at += sizeof names;
    memcpy(file + at, table, sizeof table);
    real.e_shoff = at;
    real.e_shnum = 3;
    real.e_shstrndx = 2;
    memcpy(file, &real, sizeof real);
    return at + sizeof table;
}

static void note_sizes_are_not_believed(void **state)
{
    (void)state;
    const struct {
        uint32_t words[8];
        size_t size;
        const char *text, *detail;
    } cases[] = {
        /* owner "salvor\0" is 7 bytes in two words */
        {{7, 4, 1, 0x766c6173, 0x0000726f, 0x64636261}, 24, "abcd", NULL},
        {{7, 2, 1, 0x766c6173, 0x0000726f, 0x64636261}, 24, "ab", NULL},
        {{7, 0, 1, 0x766c6173, 0x0000726f}, 20, "", NULL},
        {{7, 4, 2, 0x766c6173, 0x0000726f, 0x64636261}, 24, NULL, "it has no note '.note.salvor'"},
        {{4, 4, 1, 0x00554e47, 0x64636261}, 20, NULL, "it has no note '.note.salvor'"},
        {{7, 0xffffffff, 1, 0x766c6173, 0x0000726f}, 20, NULL, "one of its notes is damaged"},
        {{0xffffffff, 4, 1, 0x766c6173, 0x0000726f}, 20, NULL, "one of its notes is damaged"},
        {{0xfffffffd, 0xfffffffd, 1, 0, 0}, 20, NULL, "one of its notes is damaged"},
        {{7, 8, 1, 0x766c6173, 0x0000726f, 0x64636261}, 24, NULL, "one of its notes is damaged"},
        {{7, 4}, 8, NULL, "it has no note '.note.salvor'"},
        {{0}, 0, NULL, "it has no note '.note.salvor'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char file[1024];
        size_t size = tiny_object(file, cases[i].words, cases[i].size);
        cleanup_error struct error err = ERROR_INIT;
        cleanup_elf struct elf_file elf = ELF_FILE_INIT;
        cleanup_note struct plugin_note note = {NULL, 0, NULL};
        assert_int_equal(elf_from_bytes("/x", file, size, &elf, &err), 0);
        int result = note_read_elf(&elf, &note, &err);
        if ((result == 0) != (cases[i].text != NULL) || !text_equal(note.text, cases[i].text) ||
            !text_equal(err.detail, cases[i].detail))
            fail_msg("case %zu: %s, %s", i, note.text, err.detail);
    }
    uint32_t twice[12] = {7, 4, 1, 0x766c6173, 0x0000726f, 0x64636261};
    memcpy(twice + 6, twice, 24);
    unsigned char file[1024];
    size_t size = tiny_object(file, twice, sizeof twice);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_elf struct elf_file elf = ELF_FILE_INIT;
    struct plugin_note note;
    assert_int_equal(elf_from_bytes("/x", file, size, &elf, &err), 0);
    assert_int_equal(note_read_elf(&elf, &note, &err), -1);
    assert_string_equal(err.detail, "it has two salvor notes");
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    struct plugin_note note;
    assert_int_equal(note_read(folder, &note, &err), -1);
    assert_string_equal(err.detail, "it is a folder");
    cleanup_free char *pipe = text_format("%s/pipe", folder);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(note_read(pipe, &note, &err), -1);
    assert_string_equal(err.detail, "it is not a regular file");
    assert_int_equal(note_read("/nonexistent/x.so", &note, &err), -1);
    assert_string_equal(err.message,
                        "cannot open plugin file '/nonexistent/x.so': No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_note_is_written_and_read_back, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(every_truncation_is_refused, make_folder, drop_folder),
        cmocka_unit_test(foreign_and_damaged_files_are_told_apart),
        cmocka_unit_test(note_sizes_are_not_believed),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, make_folder, drop_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
