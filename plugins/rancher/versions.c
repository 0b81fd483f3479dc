#include "versions.h"

#include <string.h>

static const struct operator_line lines[] = {
    {4, 8, 23, 28},  {5, 9, 23, 30},  {6, 10, 28, 31},  {7, 11, 30, 32},
    {8, 12, 31, 33}, {9, 13, 32, 34}, {10, 14, 33, 35}, {11, 15, 34, 36},
};

/* Digits at *at, which moves behind them; 0: there are none, or too many. */
static int read_number(const char **at, uint32_t *ret_number)
{
    const char *from = *at;
    *ret_number = 0;
    while (**at >= '0' && **at <= '9' && *at - from < 7)
        *ret_number = *ret_number * 10 + (uint32_t)(*(*at)++ - '0');
    return *at > from && (**at < '0' || **at > '9');
}

void version_read(const char *text, struct version *ret_version)
{
    memset(ret_version, 0, sizeof *ret_version);
    const size_t size = strlen(text);
    memcpy(ret_version->text, text,
           size < sizeof ret_version->text ? size : sizeof ret_version->text - 1);
    const char *at = text + (*text == 'v');
    if (!read_number(&at, &ret_version->major) || *at++ != '.' ||
        !read_number(&at, &ret_version->minor))
        return;
    ret_version->known = 1;
    if (*at == '.') {
        at++;
        ret_version->release = read_number(&at, &ret_version->patch) && (*at == '\0' || *at == '+');
    }
}

int version_compare(const struct version *a, const struct version *b)
{
    if (a->major != b->major)
        return a->major < b->major ? -1 : 1;
    if (a->minor != b->minor)
        return a->minor < b->minor ? -1 : 1;
    return (a->patch > b->patch) - (a->patch < b->patch);
}

int version_is_same(const struct version *a, const struct version *b)
{
    return strcmp(a->text + (a->text[0] == 'v'), b->text + (b->text[0] == 'v')) == 0;
}

int version_is_development(const struct version *version)
{
    return !version->known || !version->release || strstr(version->text, "head") != NULL;
}

const char *kubernetes_distribution(const char *version)
{
    static const char *const names[] = {"k3s", "rke2", "eks", "gke", "aks"};
    const char *build = strpbrk(version, "+-");
    for (size_t i = 0; build != NULL && i < sizeof names / sizeof *names; i++) {
        if (strstr(build, names[i]) != NULL)
            return names[i];
    }
    return "";
}

const struct operator_line *operator_line_of_rancher(uint32_t rancher_minor)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (lines[i].rancher_minor == rancher_minor)
            return &lines[i];
    }
    return NULL;
}

const struct operator_line *operator_line_of_operator(uint32_t operator_major)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (lines[i].operator_major == operator_major)
            return &lines[i];
    }
    return NULL;
}
