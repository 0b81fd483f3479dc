/*
 * writer JOURNAL SEED ACKNOWLEDGEMENTS-FD: appends numbered records to a journal, made when it is
 * not there, in sessions as runs do, and reports what it was promised: "a N" once record N and all
 * before it are durable, "t N" before record N is tried.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "journal/journal.h"

static int reports = -1;
static uint64_t state;

static unsigned random_below(unsigned limit)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (unsigned)((state * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static void tell(char what, int64_t number)
{
    char line[32];
    int size = snprintf(line, sizeof line, "%c %lld\n", what, (long long)number);
    if (write(reports, line, (size_t)size) != size)
        _exit(9);
}

static int last_number(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    (void)sequence;
    (void)reterr;
    *(int64_t *)data = json_whole(body, "n", -1);
    return 1;
}

static void check(int result, const char *what, struct error *err)
{
    if (result == 0)
        return;
    (void)fprintf(stderr, "writer: %s: %s\n", what,
                  err->message != NULL ? err->message : "no message");
    exit(3);
}

static void session(const char *path, int64_t *number)
{
    struct error err = ERROR_INIT;
    struct journal *journal = NULL;
    if (access(path, F_OK) == 0)
        check(journal_open(path, &journal, &err), "open", &err);
    else
        check(journal_create(path, &journal, &err), "create", &err);
    int64_t found = 0;
    (void)journal_each_backward(journal, last_number, &found, &err);
    *number = found;
    int appends = 1 + (int)random_below(12);
    for (int i = 0; i < appends; i++) {
        static const unsigned sizes[] = {40, 300, 900, 5000, 20000};
        unsigned size = random_below(sizes[random_below(random_below(4) == 0 ? 5 : 3)]);
        char *text = memory_new(size + 1, 1);
        memset(text, 'a' + (int)random_below(26), size);
        int durable = random_below(3) != 0;
        tell('t', *number + 1);
        check(journal_append(journal, durable ? "intent" : "evidence",
                             json_make("{s:I, s:s}", "n", (json_int_t)(*number + 1), "text", text),
                             durable ? JOURNAL_DURABLE : JOURNAL_EVIDENCE, &err),
              "append", &err);
        (*number)++;
        if (durable)
            tell('a', *number);
        if (!durable && random_below(4) == 0) {
            check(journal_flush(journal, &err), "flush", &err);
            tell('a', *number);
        }
        free(text);
    }
    journal_close(journal);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int64_t number = 0;
    state = strtoull(argv[2], NULL, 10) * 2 + 1;
    reports = (int)strtol(argv[3], NULL, 10);
    for (unsigned i = 0, sessions = 1 + random_below(3); i < sessions; i++)
        session(argv[1], &number);
    return 0;
}
