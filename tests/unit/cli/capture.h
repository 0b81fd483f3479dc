/* Standard error of this program in a pipe or a pseudo-terminal, for tests of what is shown. */
#ifndef SALVOR_TESTS_CLI_CAPTURE_H
#define SALVOR_TESTS_CLI_CAPTURE_H

#include <stddef.h>

struct capture {
    int reader; /* what was written comes here */
    int saved;  /* the real standard error */
    char text[65536];
    size_t size;
};

void capture_pipe(struct capture *capture);
/* A terminal of this width. */
void capture_terminal(struct capture *capture, int columns);

/* Everything written since the last call; lives until the next. */
const char *capture_text(struct capture *capture);

void capture_end(struct capture *capture);

#endif
