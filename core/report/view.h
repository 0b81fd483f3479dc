/* What all formats for people share: words, times and text that cannot do harm. */
#ifndef SALVOR_REPORT_VIEW_H
#define SALVOR_REPORT_VIEW_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { VIEW_TEXT_SIZE = 64 };

/* New text without control and direction characters (U+FFFD stands for them), which could move a
 * terminal's cursor or show names in another order. Newlines and tabs stay; NULL gives "". */
char *view_clean(const char *text);

/* A JSON value as one line: strings bare, all else compact. Cleaned; cut with "…" past `limit`
 * bytes (0: never). Owned by the caller. */
char *view_value(const json_t *value, size_t limit);

/* "850 ms", "12.4 s", "3 min 05 s", "2 h 07 min", "3 d 04 h". */
void view_duration(int64_t ms, char ret_text[VIEW_TEXT_SIZE]);

/* "+1:02:03", from the start of the run. */
void view_offset(int64_t ms, char ret_text[VIEW_TEXT_SIZE]);

/* "2026-11-21 03:15:02 UTC" of an RFC 3339 text; whatever else `at` is, cleaned and cut. */
void view_time(const char *at, char ret_text[VIEW_TEXT_SIZE]);

/* The status in words that need no manual: "Waiting for a person". */
const char *view_status(const json_t *report);
/* "good", "bad", "warn", "person" or "plain". */
const char *view_status_tone(const json_t *report);
const char *view_step_tone(const char *state);
/* "done", "not reached", "waits for a person". */
const char *view_step_state(const json_t *report, const json_t *step);
const char *view_severity_tone(const char *severity);

/* The run in a sentence or two, for whoever reads nothing else. Owned by the caller. */
char *view_summary(const json_t *report);

/* Which recovery the run rehearsed and how, or NULL when it is no drill. Owned by the caller. */
char *view_drill(const json_t *report);

/* What the drill did not try: array of texts, not cleaned; empty for what is no drill. Owned by the
 * caller. */
json_t *view_drill_gaps(const json_t *report);

/* What to do next, or NULL when nothing is left to do. Owned by the caller. */
char *view_next(const json_t *report);

/* One line on what the records are worth: proven, damaged, checked against heads. Owned by the
 * caller. */
char *view_trust(const json_t *report);
int view_is_trusted(const json_t *report);

/* `approval` in words: "at the prompt", "by its hash", "by policy 1f3a…". Owned by the caller. */
char *view_approval(const json_t *approval);

/* Why and when a run stood still: "killed, crashed or cut off from power". */
const char *view_interruption(const char *kind);

/* 1 when the step stands in a stage that was planned again and never ran. */
int view_is_superseded(const json_t *stage);

/* One entry of the evidence: what was asked, a command with its arguments, a request with its
 * answer, what a class of requests counted. Cleaned, at most some 300 bytes. Owned by the caller.
 */
char *view_evidence(const json_t *entry);

/* Planned objects of the step, or -1 when it names none. */
int64_t view_objects(const json_t *step);

/* Which servers answered although nobody checked who they are; owned by the caller, NULL: none. */
char *view_unchecked(const json_t *report);

/* What servers warned of, in their words; owned by the caller, NULL: of nothing. */
char *view_warned(const json_t *report);

/* "A-1, A-2" of a step's or finding's vendor statements; owned by the caller, "" for none. */
char *view_statements(const json_t *object);

#endif
