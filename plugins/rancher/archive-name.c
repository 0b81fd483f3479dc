#include "archive-name.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { UID_SIZE = 36, DATE_SIZE = 19 }; /* "2026-01-02T03-04-05" */

static int cut_suffix(const char *name, size_t *size, const char *suffix)
{
    const size_t length = strlen(suffix);
    if (*size < length || memcmp(name + *size - length, suffix, length) != 0)
        return 0;
    *size -= length;
    return 1;
}

/* Digits where `form` has a 0, a minus or the old '#' where it has a colon, else the same. */
static int has_form(const char *text, const char *form)
{
    for (; *form != '\0'; form++, text++) {
        if (*form == '0'   ? *text < '0' || *text > '9'
            : *form == ':' ? *text != '-' && *text != '#'
                           : *text != *form)
            return 0;
    }
    return 1;
}

static int number(const char *text, int digits)
{
    int value = 0;
    for (int i = 0; i < digits; i++)
        value = value * 10 + (text[i] - '0');
    return value;
}

static int is_uid(const char *text)
{
    for (int i = 0; i < UID_SIZE; i++) {
        const int dash = i == 8 || i == 13 || i == 18 || i == 23;
        const int hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        if (dash ? text[i] != '-' : !hex)
            return 0;
    }
    return 1;
}

/* *ret_offset: seconds east of Greenwich. The bytes of date and offset. */
static size_t time_at_end(const char *name, size_t size, int *ret_offset)
{
    *ret_offset = 0;
    if (size > DATE_SIZE && name[size - 1] == 'Z' &&
        has_form(name + size - DATE_SIZE - 1, "0000-00-00T00:00:00"))
        return DATE_SIZE + 1;
    if (size > DATE_SIZE + 6 && (name[size - 6] == '+' || name[size - 6] == '-') &&
        has_form(name + size - 5, "00:00") &&
        has_form(name + size - DATE_SIZE - 6, "0000-00-00T00:00:00")) {
        *ret_offset = (number(name + size - 5, 2) * 60 + number(name + size - 2, 2)) * 60;
        if (name[size - 6] == '-')
            *ret_offset = -*ret_offset;
        return DATE_SIZE + 6;
    }
    return 0;
}

static void read_time(const char *text, size_t size, int offset, struct archive_name *name)
{
    struct tm broken = {.tm_year = number(text, 4) - 1900,
                        .tm_mon = number(text + 5, 2) - 1,
                        .tm_mday = number(text + 8, 2),
                        .tm_hour = number(text + 11, 2),
                        .tm_min = number(text + 14, 2),
                        .tm_sec = number(text + 17, 2)};
    name->seconds = (int64_t)timegm(&broken) - offset;
    memcpy(name->time, text, size);
    name->time[size] = '\0';
    name->time[13] = name->time[16] = ':';
    if (size > DATE_SIZE + 1)
        name->time[size - 3] = ':';
}

void archive_name_read(const char *path, struct archive_name *ret_name)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t size = strlen(name);
    int offset = 0;
    memset(ret_name, 0, sizeof *ret_name);
    const int encrypted = cut_suffix(name, &size, ".enc");
    if (!cut_suffix(name, &size, ".tar.gz"))
        return;
    ret_name->is_archive = 1;
    ret_name->encrypted = encrypted;
    const size_t time_size = time_at_end(name, size, &offset);
    if (time_size == 0 || size < time_size + UID_SIZE + 3)
        return;
    const size_t backup_size = size - time_size - UID_SIZE - 2;
    const char *uid = name + backup_size + 1;
    if (uid[-1] != '-' || uid[UID_SIZE] != '-' || !is_uid(uid) ||
        backup_size >= sizeof ret_name->backup)
        return;
    ret_name->is_known = 1;
    memcpy(ret_name->backup, name, backup_size);
    memcpy(ret_name->cluster_uid, uid, UID_SIZE);
    read_time(name + size - time_size, time_size, offset, ret_name);
}

int archive_name_write(const char *backup, const char *cluster_uid, int64_t seconds, int encrypted,
                       char *buffer, size_t size)
{
    const time_t when = (time_t)seconds;
    struct tm broken;
    char text[32];
    if (gmtime_r(&when, &broken) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H-%M-%SZ", &broken) == 0)
        return -1;
    const int made = snprintf(buffer, size, "%s-%s-%s.tar.gz%s", backup, cluster_uid, text,
                              encrypted ? ".enc" : "");
    return made > 0 && (size_t)made < size ? 0 : -1;
}
