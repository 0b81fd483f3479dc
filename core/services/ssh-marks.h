/*
 * The words by which the far side's script and this side understand each other within the streams
 * of a session. "salvor-" and 128 random bits are the mark; behind it stands
 *
 *   newline         "ready": nothing before it on this stream is of the command
 *   ":start;"       on standard error: the command begins now
 *   ":WORD;"        on standard error instead of it: it does not, see what was printed before
 *   ":NUMBER;"      it has ended with that status; nothing behind it is of the command
 */
#ifndef SALVOR_SERVICES_SSH_MARKS_H
#define SALVOR_SERVICES_SSH_MARKS_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum { SSH_MARK_SIZE = 40 /* with the NUL */, SSH_MARK_WORD = 16 };

/* A new mark. */
void ssh_mark_make(char ret_mark[SSH_MARK_SIZE]);

enum ssh_marks_phase {
    SSH_MARKS_READY,   /* waits for "ready" (standard output begins so) */
    SSH_MARKS_START,   /* waits for "start" (standard error begins so) */
    SSH_MARKS_CONTENT, /* what comes is the command's */
    SSH_MARKS_REFUSED, /* it does not start */
    SSH_MARKS_END      /* it ended */
};

struct ssh_marks {
    const char *mark;
    enum ssh_marks_phase phase;
    struct buffer held;       /* not judged yet */
    struct buffer noise;      /* the last of what came before the command's own */
    int32_t status;           /* at the end */
    char word[SSH_MARK_WORD]; /* of a refusal */
};

/* `phase`: SSH_MARKS_READY or SSH_MARKS_START. */
void ssh_marks_init(struct ssh_marks *marks, const char *mark, enum ssh_marks_phase phase);

/* Takes what was read and hands the command's own to `take` (NULL: nowhere); -1 when that fails. */
int ssh_marks_feed(struct ssh_marks *marks, const char *bytes, size_t size,
                   int (*take)(void *data, const char *bytes, size_t size, struct error *reterr),
                   void *data, struct error *reterr);

/* The stream ended without a mark: what is held back is noise, or the command's. */
int ssh_marks_finish(struct ssh_marks *marks,
                     int (*take)(void *data, const char *bytes, size_t size, struct error *reterr),
                     void *data, struct error *reterr);

void ssh_marks_clear(struct ssh_marks *marks);

#endif
