/*
 * put-note FILE [SUMMARY]: gives a broken plugin file the note that its parent wants to see, so
 * that its refusal is the worker's to make. The note is the plugin's own where its descriptor can
 * be read (with SUMMARY in the place of its own), else a sound one of the name that the file has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/elf-note.h"
#include "plugin/loader.h"
#include "plugin/search.h"

static const struct interface_version offered[] = {
    {SALVOR_INVENTORY, 1}, {SALVOR_FINDINGS, 1}, {SALVOR_PLAN, 1}, {SALVOR_EXEC, 1}};

/* Its own descriptor, canonical; NULL when it cannot be loaded. Broken ones may crash the child. */
static char *own_note(const char *path, const char *name)
{
    int ends[2];
    if (pipe(ends) != 0)
        return NULL;
    pid_t child = fork();
    if (child == 0) {
        const struct salvor_host host = {.struct_size = sizeof host};
        const struct loader_request request = {.path = path,
                                               .name = name,
                                               .host = &host,
                                               .interfaces = offered,
                                               .interface_count =
                                                   sizeof offered / sizeof offered[0],
                                               .inspect = 1};
        const struct loaded_plugin *plugin = NULL;
        (void)alarm(5);
        if (loader_load(&request, &plugin, NULL) != 0)
            _exit(1);
        cleanup_free char *text = json_canonical(plugin->descriptor);
        _exit(file_write_all(ends[1], text, strlen(text)) == 0 ? 0 : 1);
    }
    (void)close(ends[1]);
    cleanup_buffer struct buffer text = BUFFER_INIT(NOTE_LIMIT);
    char chunk[4096];
    for (ssize_t got = 0; (got = read(ends[0], chunk, sizeof chunk)) > 0;)
        (void)buffer_append(&text, chunk, (size_t)got);
    (void)close(ends[0]);
    int status = 0;
    int done = waitpid(child, &status, 0) == child && status == 0;
    return done ? buffer_take(&text) : NULL;
}

int main(int argc, char **argv)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = argc > 1 ? realpath(argv[1], NULL) : NULL;
    cleanup_free char *name = path != NULL ? plugin_name_of_file(strrchr(path, '/') + 1) : NULL;
    if (name == NULL) {
        (void)fprintf(stderr, "usage: put-note .../salvor_NAME.so [SUMMARY]\n");
        return 2;
    }
    cleanup_free char *own = own_note(path, name);
    cleanup_json json_t *note =
        own != NULL ? json_loads(own, 0, NULL)
                    : json_make("{s:s, s:s, s:s, s:s, s:s, s:s, s:[s]}", "abi", "0.1", "name", name,
                                "version", "1.0", "summary", "forged", "maintainer", "nobody",
                                "license", "MIT", "hooks", "discover");
    if (argc > 2)
        json_put_text(note, "summary", argv[2]);
    cleanup_free char *text = json_canonical(note);
    if (note_write(path, path, text, &err) != 0) {
        (void)fprintf(stderr, "put-note: %s\n", err.message);
        return 1;
    }
    return 0;
}
