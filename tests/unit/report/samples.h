/*
 * Journals as runs leave them, with times of our choosing: what the report is tested and looked at
 * with. The times pass in the records only.
 */
#ifndef SALVOR_TESTS_REPORT_SAMPLES_H
#define SALVOR_TESTS_REPORT_SAMPLES_H

#include <stdint.h>

enum sample {
    SAMPLE_UNDISTURBED, /* restore in two stages, then done */
    SAMPLE_RESUMED,     /* killed inside a step, gone on after a reboot, done */
    SAMPLE_FAILED,      /* a step failed after retries */
    SAMPLE_WAITING,     /* planned, nobody approved */
    SAMPLE_WAIVED,      /* findings, one of them waived */
    SAMPLE_MANUAL,      /* steps that a person did; typed confirmation; settled outcome */
    SAMPLE_HOSTILE,     /* every text is an attack on its reader */
    SAMPLE_BULK,        /* thousands of evidence records, retries, a long table */
    SAMPLE_KILLED,      /* no end yet */
    SAMPLE_CLOCK_BACK,  /* the time of day was set back twice, once over a reboot */
    SAMPLE_COUNT
};

/* Name for file names and messages. */
const char *sample_name(enum sample sample);

/* Run id that goes with it. */
const char *sample_run_id(enum sample sample);

/* Writes the journal of the sample to `path` (which must not exist); aborts on failure. */
void sample_write(enum sample sample, const char *path);

#endif
