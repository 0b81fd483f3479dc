/* Regular expressions in Go's dialect: pattern, a NUL, text. Whatever the bytes, parsing and
 * searching end, and what is refused says why. */
#include <stdlib.h>
#include <string.h>

#include "go-regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char problem[GO_REGEX_PROBLEM_SIZE];
    go_regex *regex = NULL;
    char *text = malloc(size + 2);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = text[size + 1] = '\0';
    const salvor_status status = go_regex_compile(text, &regex, problem);
    if (status != SALVOR_OK && problem[0] == '\0')
        abort();
    const char *subject = text + strlen(text) + 1;
    if (status == SALVOR_OK && subject <= text + size)
        (void)go_regex_search(regex,
                              (struct salvor_span){subject, (uint64_t)(text + size - subject)});
    go_regex_free(regex);
    free(text);
    return 0;
}
