/* The state of the fold from records to report; shared by the files of this room that fold. */
#ifndef SALVOR_REPORT_FOLD_H
#define SALVOR_REPORT_FOLD_H

#include <jansson.h>
#include <stdint.h>

enum {
    EVIDENCE_SHOWN = 1000, /* entries in the report; the journal keeps them all */
    LISTED = 500           /* items, notes, artifacts, timeline entries */
};

struct fold {
    json_t *report;
    json_t *timeline, *people, *evidence; /* borrowed from the report */
    json_t *steps;                        /* instance -> step, the newest plan's; borrowed values */
    json_t *stage;                        /* newest one planned, borrowed, or NULL */
    json_t *phase;                        /* open phase, borrowed, or NULL */
    json_t *groups;                       /* "service what" -> group of evidence; borrowed values */
    /* time */
    int64_t elapsed_ms; /* of the record at hand, since the first, never falling */
    int64_t clock;
    int64_t realtime_ms;
    char boot[64];
    int seen_any;
    /* the record at hand */
    const char *at;
    int64_t sequence;
    int running;
    int ended;               /* the newest start came to its end record */
    int64_t last_elapsed_ms; /* of the record before */
    int64_t resumed_ms;      /* elapsed at the newest resume */
    int64_t down_ms, people_ms;
};

/* A moment for the timeline; `step` may be NULL. tone: "good", "bad", "warn", "person", "plain". */
void fold_moment(struct fold *fold, const char *kind, const char *tone, const char *step,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* What a person did; `what` in words, `text` more of it or NULL. */
void fold_person(struct fold *fold, const char *who, const char *what, const char *step,
                 const char *text);

/* Adds to a list of the report that is cut at `limit`; what did not fit is counted in
 * "left_out". `value` is stolen. */
void fold_list(struct fold *fold, const char *name, json_t *value, size_t limit);

/* Stages, steps and what happens to them; 1 when the record was one of these. */
int fold_step_record(struct fold *fold, const char *type, const json_t *record);

/* What is still open when no record follows. */
void fold_steps_finish(struct fold *fold);

#endif
