#include "services/ssh-marks.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { NOISE_LIMIT = 4096, HELD_LIMIT = 1 << 20 };

void ssh_mark_make(char ret_mark[SSH_MARK_SIZE])
{
    unsigned char random[16];
    randombytes_buf(random, sizeof random);
    char digits[2 * sizeof random + 1];
    (void)sodium_bin2hex(digits, sizeof digits, random, sizeof random);
    (void)snprintf(ret_mark, SSH_MARK_SIZE, "salvor-%s", digits);
}

void ssh_marks_init(struct ssh_marks *marks, const char *mark, enum ssh_marks_phase phase)
{
    *marks = (struct ssh_marks){.mark = mark,
                                .phase = phase,
                                .held = BUFFER_INIT(HELD_LIMIT),
                                .noise = BUFFER_INIT((size_t)2 * NOISE_LIMIT),
                                .status = -1};
}

void ssh_marks_clear(struct ssh_marks *marks)
{
    buffer_clear(&marks->held);
    buffer_clear(&marks->noise);
}

/* ---- where things go ------------------------------------------------------------------------- */

struct where {
    int (*take)(void *data, const char *bytes, size_t size, struct error *reterr);
    void *data;
    struct error *reterr;
};

static void add_noise(struct ssh_marks *marks, const char *bytes, size_t size)
{
    if (size > NOISE_LIMIT) {
        bytes += size - NOISE_LIMIT;
        size = NOISE_LIMIT;
    }
    if (marks->noise.size + size > NOISE_LIMIT)
        buffer_consume(&marks->noise, marks->noise.size + size - NOISE_LIMIT);
    (void)buffer_append(&marks->noise, bytes, size);
}

/* Hands the first `size` held bytes on. */
static int hand_on(struct ssh_marks *marks, size_t size, const struct where *where)
{
    int result = 0;
    if (marks->phase != SSH_MARKS_CONTENT)
        add_noise(marks, marks->held.data, size);
    else if (size > 0 && where->take != NULL)
        result = where->take(where->data, marks->held.data, size, where->reterr);
    buffer_consume(&marks->held, size);
    return result;
}

/* ---- marks ----------------------------------------------------------------------------------- */

/* Understands the word behind a mark at the beginning of what is held. 1: done, 0: more is needed,
 * -1: it is no mark. */
static int take_word(struct ssh_marks *marks)
{
    const char *word = marks->held.data + SSH_MARK_SIZE - 1;
    size_t size = marks->held.size - (SSH_MARK_SIZE - 1);
    if (size == 0)
        return 0;
    if (marks->phase == SSH_MARKS_READY) {
        if (*word != '\n')
            return -1;
        marks->phase = SSH_MARKS_CONTENT;
        buffer_consume(&marks->held, SSH_MARK_SIZE);
        return 1;
    }
    const char *end = memchr(word, ';', size < SSH_MARK_WORD ? size : SSH_MARK_WORD);
    if (end == NULL)
        return size < SSH_MARK_WORD ? 0 : -1;
    if (*word != ':')
        return -1;
    if (marks->phase == SSH_MARKS_START) {
        memcpy(marks->word, word + 1, (size_t)(end - word) - 1);
        marks->phase = memcmp(marks->word, "start", 6) == 0 ? SSH_MARKS_CONTENT : SSH_MARKS_REFUSED;
    } else {
        marks->status = (int32_t)strtol(word + 1, NULL, 10);
        marks->phase = SSH_MARKS_END;
    }
    buffer_consume(&marks->held, (size_t)(end + 1 - marks->held.data));
    return 1;
}

static int judge(struct ssh_marks *marks, const struct where *where)
{
    while (marks->phase != SSH_MARKS_END && marks->phase != SSH_MARKS_REFUSED &&
           marks->held.size > 0) {
        const char *at = memmem(marks->held.data, marks->held.size, marks->mark, SSH_MARK_SIZE - 1);
        if (at == NULL) {
            /* The end may be the beginning of a mark. */
            size_t kept =
                marks->held.size < SSH_MARK_SIZE - 2 ? marks->held.size : SSH_MARK_SIZE - 2;
            return hand_on(marks, marks->held.size - kept, where);
        }
        if (hand_on(marks, (size_t)(at - marks->held.data), where) != 0)
            return -1;
        int taken = take_word(marks);
        if (taken == 0)
            return 0;
        if (taken < 0 && hand_on(marks, SSH_MARK_SIZE - 1, where) != 0)
            return -1;
    }
    return 0;
}

int ssh_marks_feed(struct ssh_marks *marks, const char *bytes, size_t size,
                   int (*take)(void *data, const char *bytes, size_t size, struct error *reterr),
                   void *data, struct error *reterr)
{
    const struct where where = {take, data, reterr};
    if (marks->phase == SSH_MARKS_END || marks->phase == SSH_MARKS_REFUSED)
        return 0;
    if (buffer_append(&marks->held, bytes, size) != 0)
        return error_set(reterr, EXIT_FAILED, "a piece of output is too large");
    return judge(marks, &where);
}

int ssh_marks_finish(struct ssh_marks *marks,
                     int (*take)(void *data, const char *bytes, size_t size, struct error *reterr),
                     void *data, struct error *reterr)
{
    const struct where where = {take, data, reterr};
    if (marks->phase == SSH_MARKS_END || marks->phase == SSH_MARKS_REFUSED)
        return 0;
    return hand_on(marks, marks->held.size, &where);
}
