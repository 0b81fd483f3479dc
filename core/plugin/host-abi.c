#include "plugin/host-abi.h"

#include <salvor/plugin.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

struct negotiate_host host_abi(const struct interface_version *interfaces, size_t count)
{
    return (struct negotiate_host){.major = SALVOR_ABI_MAJOR,
                                   .minor = SALVOR_ABI_MINOR,
                                   .tag = SALVOR_ABI_TAG,
                                   .magic = SALVOR_ABI_MAGIC,
                                   /* From 1.0 on the size of 1.0, a number, while the struct
                                    * grows. */
                                   .first_size = sizeof(struct salvor_plugin),
                                   .flags = 0,
                                   .interfaces = interfaces,
                                   .interface_count = count};
}

static int parse_part(const char *text, size_t length, uint16_t *ret)
{
    unsigned long value = 0;
    if (length == 0 || length > 5)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (unsigned long)(text[i] - '0');
    }
    *ret = (uint16_t)value;
    return value <= UINT16_MAX ? 0 : -1;
}

int abi_parse(const char *text, uint16_t *ret_major, uint16_t *ret_minor)
{
    const char *dot = text != NULL ? strchr(text, '.') : NULL;
    if (dot == NULL || parse_part(text, (size_t)(dot - text), ret_major) != 0)
        return -1;
    return parse_part(dot + 1, strlen(dot + 1), ret_minor);
}
