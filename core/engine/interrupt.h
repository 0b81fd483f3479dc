/* Ctrl-C and TERM, counted: once asks for a safe point, twice stops now. */
#ifndef SALVOR_ENGINE_INTERRUPT_H
#define SALVOR_ENGINE_INTERRUPT_H

#include <stdint.h>

/* Installs the handlers for INT, TERM and HUP. */
void interrupt_install(void);

/*
 * Lets the time limit of the whole command come as the first interrupt, after `milliseconds`. It
 * counts at most once, so that it never stops a step by force.
 */
void interrupt_after(int64_t milliseconds);

/* 1 when that limit has passed and nobody pressed anything before. */
int interrupt_timed_out(void);

/* How often one of them came. */
int interrupt_count(void);

/* The last signal's number; 0 when none came. */
int interrupt_signal(void);

/* Sleeps, ending early (-1) at a signal; 0 when the time has passed. */
int interrupt_sleep(int64_t milliseconds);

#endif
