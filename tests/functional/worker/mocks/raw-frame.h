/* Writes to the worker's connection by itself: for the mocks that send what they must not. */
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static int raw_frame(uint32_t size, uint16_t type, uint32_t call, const char *payload)
{
    unsigned char header[12];
    const uint16_t flags = 0;
    memcpy(header, &size, 4);
    memcpy(header + 4, &type, 2);
    memcpy(header + 6, &flags, 2);
    memcpy(header + 8, &call, 4);
    return write(3, header, sizeof header) == (ssize_t)sizeof header &&
           write(3, payload, strlen(payload)) == (ssize_t)strlen(payload);
}
