/*
 * Asking the person at the terminal. The question goes to /dev/tty, so that it is seen whatever is
 * redirected; what was typed before the question was shown does not count as its answer.
 */
#ifndef SALVOR_CLI_PROMPT_H
#define SALVOR_CLI_PROMPT_H

#include <stddef.h>

enum prompt_answer { PROMPT_NOBODY = -1, PROMPT_NO = 0, PROMPT_YES = 1 };

enum { PROMPT_LINE_LIMIT = 256 };

/* Asked whenever a signal interrupts the waiting; 1 ends it as PROMPT_NO. NULL: signals are
 * ignored. */
void prompt_set_interrupted(int (*interrupted)(void));

/* 1 when there is somebody to ask. */
int prompt_has_person(void);

/* "QUESTION [y/N] ": yes only for "y" or "yes". PROMPT_NOBODY without a terminal. */
enum prompt_answer prompt_yes_no(const char *question);

/* One line that is not shown, into `line` of `size` bytes, which the caller keeps secret. For
 * secret_reference_set_asker. */
int prompt_secret(const char *question, char *line, size_t size, size_t *ret_size);

/* Yes only when exactly `expected` is typed. */
enum prompt_answer prompt_text(const char *question, const char *expected);

#endif
