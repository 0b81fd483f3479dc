#include "cli/progress.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/display.h"
#include "cli/message.h"
#include "cli/terminal.h"

#define ERASE_LINE "\r\x1b[K"

struct progress {
    int fd;
    int draws;
    int64_t (*now)(void);
    int64_t drawn_at; /* last redraw, or last plain line */
    int64_t step_at;  /* when the step began */
    int is_visible;
    char *phase, *title, *what;
    size_t number, count;
    int attempt;
    uint64_t done, total;
};

static struct progress *active; /* the interlude of messages has no argument */

static void replace(char **slot, const char *text)
{
    free(*slot);
    *slot = text != NULL ? display_safe(text, 0) : NULL;
}

static char *items_text(const struct progress *progress)
{
    const char *what = progress->what != NULL ? progress->what : "";
    const char *space = *what != '\0' ? " " : "";
    if (progress->total == 0 && progress->done == 0)
        return text_copy("");
    if (progress->total == 0)
        return text_format("  %llu%s%s", (unsigned long long)progress->done, space, what);
    unsigned long long percent =
        (unsigned long long)((double)progress->done * 100.0 / (double)progress->total);
    return text_format("  %llu/%llu%s%s %llu%%", (unsigned long long)progress->done,
                       (unsigned long long)progress->total, space, what, percent);
}

/* Time and items stand before the title, so that a narrow terminal cuts what is known anyway. */
static char *line_text(const struct progress *progress)
{
    cleanup_free char *items = items_text(progress);
    cleanup_free char *elapsed = display_duration(progress->now() - progress->step_at);
    cleanup_free char *attempt =
        progress->attempt > 1 ? text_format(" (attempt %d)", progress->attempt) : text_copy("");
    if (progress->title == NULL)
        return text_format("%s  %s", elapsed, progress->phase != NULL ? progress->phase : "");
    return text_format("[%zu/%zu] %s%s  %s%s%s%s", progress->number, progress->count, elapsed,
                       items, progress->phase != NULL ? progress->phase : "",
                       progress->phase != NULL ? ": " : "", progress->title, attempt);
}

static void draw(struct progress *progress)
{
    cleanup_free char *line = line_text(progress);
    /* the last column stays free: some terminals wrap as soon as it is filled */
    cleanup_free char *clipped = display_clip(line, (size_t)terminal_width(progress->fd) - 1);
    cleanup_free char *bytes = text_format(ERASE_LINE "%s", clipped);
    (void)file_write_all(progress->fd, bytes, strlen(bytes));
    progress->is_visible = 1;
    progress->drawn_at = progress->now();
}

static void erase(struct progress *progress)
{
    if (progress->is_visible)
        (void)file_write_all(progress->fd, ERASE_LINE, sizeof ERASE_LINE - 1);
    progress->is_visible = 0;
}

static void before_message(void)
{
    erase(active);
}

static void after_message(void)
{
    if (active->draws && active->phase != NULL)
        draw(active);
}

static void update(struct progress *progress, int at_once)
{
    int64_t passed = progress->now() - progress->drawn_at;
    if (progress->draws) {
        if (at_once || passed >= PROGRESS_REDRAW_MS)
            draw(progress);
        return;
    }
    if (progress->title == NULL || passed < PROGRESS_PLAIN_MS)
        return;
    progress->drawn_at = progress->now();
    cleanup_free char *line = line_text(progress);
    message(MESSAGE_INFO, "%s", line);
}

struct progress *progress_new(int fd, int64_t (*now)(void))
{
    struct progress *progress = memory_new(1, sizeof *progress);
    progress->fd = fd;
    progress->now = now;
    progress->draws = terminal_is_smart(fd) && !message_is_json() && message_shows(MESSAGE_INFO);
    progress->step_at = now();
    progress->drawn_at = progress->step_at - PROGRESS_REDRAW_MS;
    active = progress;
    message_set_interlude(before_message, after_message);
    return progress;
}

void progress_phase(struct progress *progress, const char *phase)
{
    replace(&progress->phase, phase);
    replace(&progress->title, NULL);
    progress->step_at = progress->now();
    if (progress->draws)
        update(progress, 1);
}

void progress_step(struct progress *progress, const char *title, size_t number, size_t count,
                   int attempt)
{
    replace(&progress->title, title);
    replace(&progress->what, NULL);
    progress->number = number;
    progress->count = count;
    progress->attempt = attempt;
    progress->done = 0;
    progress->total = 0;
    progress->step_at = progress->now();
    if (progress->draws) {
        update(progress, 1);
        return;
    }
    progress->drawn_at = progress->step_at;
    if (attempt > 1)
        message(MESSAGE_INFO, "[%zu/%zu] %s (attempt %d)", number, count, progress->title, attempt);
    else
        message(MESSAGE_INFO, "[%zu/%zu] %s", number, count, progress->title);
}

void progress_items(struct progress *progress, uint64_t done, uint64_t total, const char *what)
{
    replace(&progress->what, what);
    progress->done = done;
    progress->total = total > 0 && total < done ? done : total;
    update(progress, 0);
}

void progress_tick(struct progress *progress)
{
    update(progress, 0);
}

void progress_step_end(struct progress *progress, const char *outcome, int64_t duration_ms)
{
    cleanup_free char *title = progress->title;
    progress->title = NULL;
    cleanup_free char *elapsed = display_duration(duration_ms);
    if (title != NULL)
        message(MESSAGE_INFO, "  %-8s %s (%s)", outcome, title, elapsed);
}

void progress_free(struct progress *progress)
{
    if (progress == NULL)
        return;
    message_set_interlude(NULL, NULL);
    erase(progress);
    active = NULL;
    free(progress->phase);
    free(progress->title);
    free(progress->what);
    free(progress);
}
