#include "fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "fixture: %s\n", what);
    abort();
}

static struct made load(const char *path)
{
    struct made made = {NULL, 0};
    FILE *file = fopen(path, "r");
    must(file != NULL && fseek(file, 0, SEEK_END) == 0, path);
    made.size = (size_t)ftell(file);
    must(fseek(file, 0, SEEK_SET) == 0, path);
    made.data = malloc(made.size + 1);
    must(made.data != NULL && fread(made.data, 1, made.size, file) == made.size, path);
    made.data[made.size] = '\0';
    (void)fclose(file);
    return made;
}

struct made fixture_load(const char *beginning, char *name)
{
    char path[1024];
    const char *slash = strchr(beginning, '/');
    (void)snprintf(path, sizeof path, "%s/%.*s", RANCHER_FIXTURES, (int)(slash - beginning),
                   beginning);
    DIR *folder = opendir(path);
    must(folder != NULL, path);
    struct dirent *entry = readdir(folder);
    while (entry != NULL && strncmp(entry->d_name, slash + 1, strlen(slash + 1)) != 0)
        entry = readdir(folder);
    must(entry != NULL, beginning);
    const size_t used = strlen(path);
    (void)snprintf(path + used, sizeof path - used, "/%s", entry->d_name);
    if (name != NULL)
        (void)snprintf(name, 200, "%.199s", entry->d_name);
    (void)closedir(folder);
    return load(path);
}

struct made fixture_archive(const struct made_member *members)
{
    const struct made tar = make_tar(members);
    struct made gzip = make_gzip(tar.data, tar.size);
    free(tar.data);
    gzip.data[9] = (char)0xff; /* the operator knows no system */
    return gzip;
}
