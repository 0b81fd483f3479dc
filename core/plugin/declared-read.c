#include "plugin/declared-read.h"

#include <string.h>

#include "base/banned.h"
#include "base/text.h"

/* Programs that do whatever their arguments or input say: only a known script makes them readers.
 */
static const char *const interpreters[] = {
    "sh",         "bash",   "dash", "ash",  "ksh",    "zsh",   "fish",      "csh",  "tcsh",
    "perl",       "python", "ruby", "node", "lua",    "php",   "awk",       "gawk", "mawk",
    "powershell", "pwsh",   "cmd",  "su",   "expect", "tclsh", "osascript", NULL};

struct word_span {
    const char *text;
    size_t size;
};

/* The word at *at, moving on behind its space; size 0 at the end. */
static struct word_span next_word(const char **at)
{
    struct word_span word = {*at, strcspn(*at, " ")};
    *at += word.size;
    if (**at == ' ')
        (*at)++;
    return word;
}

static int word_is(struct word_span word, const char *text)
{
    return word.size == strlen(text) && memcmp(word.text, text, word.size) == 0;
}

/* python3.11 and powershell.exe are interpreters too. */
static int is_interpreter(struct word_span word)
{
    if (word.size > 4 && memcmp(word.text + word.size - 4, ".exe", 4) == 0)
        word.size -= 4;
    while (word.size > 0 && strchr("0123456789.-", word.text[word.size - 1]) != NULL)
        word.size--;
    for (const char *const *name = interpreters; *name != NULL; name++) {
        if (word_is(word, *name))
            return 1;
    }
    return 0;
}

static int is_digest(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

const char *declared_read_fault(const char *pattern, const char *script_sha256)
{
    if (pattern[0] == ' ' || text_ends(pattern, " ") || strstr(pattern, "  ") != NULL)
        return "its words are not separated by single spaces";
    const char *at = pattern;
    struct word_span program = next_word(&at);
    if (program.size == 0 || memchr(program.text, '*', program.size) != NULL ||
        memchr(program.text, '/', program.size) != NULL || word_is(program, "{script}"))
        return "its first word is not the name of one program";
    int scripts = 0;
    while (*at != '\0') {
        struct word_span word = next_word(&at);
        if (word_is(word, "**") && *at != '\0')
            return "'**' is not its last word";
        if (memchr(word.text, '*', word.size) != NULL && !word_is(word, "*") &&
            !word_is(word, "**"))
            return "'*' stands for a whole word only";
        scripts += word_is(word, "{script}");
    }
    if (scripts > 1)
        return "'{script}' stands in it twice";
    if (scripts == 1 && script_sha256 == NULL)
        return "it has a '{script}', but no digest of it";
    if (scripts == 0 && script_sha256 != NULL)
        return "it has the digest of a script, but no '{script}'";
    if (script_sha256 != NULL && !is_digest(script_sha256))
        return "the digest of its script is not 64 lower-case hexadecimal digits";
    if (is_interpreter(program) && scripts == 0)
        return "its program runs what it is given: name a '{script}' and its digest";
    return NULL;
}

int declared_read_matches(const char *pattern, const char *const *argv, size_t argc,
                          const char *script)
{
    if (argc == 0)
        return 0;
    const char *at = pattern;
    struct word_span program = next_word(&at);
    const char *slash = strrchr(argv[0], '/');
    if (!word_is(program, slash != NULL ? slash + 1 : argv[0]))
        return 0;
    size_t index = 1;
    while (*at != '\0') {
        struct word_span word = next_word(&at);
        if (word_is(word, "**"))
            return 1;
        if (index == argc)
            return 0;
        int fits = word_is(word, "*") ||
                   (word_is(word, "{script}") ? script != NULL && text_equal(argv[index], script)
                                              : word_is(word, argv[index]));
        if (!fits)
            return 0;
        index++;
    }
    return index == argc;
}
