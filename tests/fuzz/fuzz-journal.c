/*
 * Bytes of any origin as a journal: opening, proving, reading past damage, and every report. Inputs
 * that begin with '{' are the bodies of records, one a line, in a sound journal: what the chain
 * would stop at once gets to the reports that way.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "journal/journal.h"
#include "report/model.h"
#include "report/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *fuzz_path(void)
{
    static char path[64];
    if (path[0] == '\0') {
        (void)snprintf(path, sizeof path, "%s/salvor-fuzz-journal-%d.db",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
    }
    return path;
}

static void remove_file(void)
{
    (void)unlink(fuzz_path());
}

static int visit(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    (void)sequence;
    (void)reterr;
    *(size_t *)data += json_object_size(body);
    return 0;
}

static void report(struct journal *journal)
{
    static void (*const renderers[])(const json_t *report, FILE *out) = {
        report_render_text, report_render_markdown, report_render_html, report_render_json};
    const struct report_request request = {.run = "fuzz", .path = "fuzz", .verify = 1};
    json_t *model = NULL;
    if (report_model(journal, &request, &model, NULL) != 0)
        return;
    for (size_t i = 0; i < sizeof renderers / sizeof renderers[0]; i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        if (out == NULL)
            abort();
        renderers[i](model, out);
        (void)fclose(out);
        free(text);
    }
    json_decref(model);
}

static void report_of_bodies(const char *data, size_t size)
{
    struct journal *journal = NULL;
    if (journal_create(NULL, &journal, NULL) != 0)
        abort();
    while (size > 0) {
        const char *newline = memchr(data, '\n', size);
        size_t length = newline != NULL ? (size_t)(newline - data) : size;
        json_t *body = json_loadb(data, length, 0, NULL);
        const char *type = json_text(body, "type");
        char *copy = text_copy(type != NULL ? type : "note");
        if (json_is_object(body))
            (void)journal_append(journal, copy, body, JOURNAL_EVIDENCE, NULL);
        else
            json_decref(body);
        free(copy);
        data += newline != NULL ? length + 1 : length;
        size -= newline != NULL ? length + 1 : length;
    }
    report(journal);
    journal_close(journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int registered;
    cleanup_error struct error err = ERROR_INIT;
    struct journal *journal = NULL;
    int64_t readable = 0;
    size_t members = 0;
    if (size > 0 && data[0] == '{') {
        report_of_bodies((const char *)data, size);
        return 0;
    }
    if (!registered++)
        (void)atexit(remove_file);
    int fd = open(fuzz_path(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || file_write_all(fd, data, size) != 0)
        abort();
    (void)close(fd);
    if (journal_open_readonly(fuzz_path(), &journal, &err) != 0)
        return 0;
    (void)journal_verify(journal, NULL, &readable, &err);
    (void)journal_each(journal, visit, &members, &err);
    (void)journal_each_backward(journal, visit, &members, &err);
    report(journal);
    journal_close(journal);
    return 0;
}
