/* What is known of the terminal, and the three standard descriptors. */
#ifndef SALVOR_CLI_TERMINAL_H
#define SALVOR_CLI_TERMINAL_H

/* Makes sure that descriptors 0 to 2 are open, so that no file gets their number. */
void terminal_open_standard(void);

/* 1 when descriptor `fd` is a terminal that can move its cursor (TERM is set and not "dumb"). */
int terminal_is_smart(int fd);

/* 1 when text on `fd` may be coloured: smart, and NO_COLOR unset or empty. */
int terminal_has_colour(int fd);

/* Columns of the terminal behind `fd`; $COLUMNS or 80 when it cannot be told. At least 20. */
int terminal_width(int fd);

/*
 * Flushes standard output. Returns `code`, or EXIT_FAILED with a message when something could not
 * be written and `code` says that all is well: a report cut off by a full disk is no success.
 */
int terminal_finish_output(int code);

#endif
