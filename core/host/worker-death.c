#include "host/worker-death.h"

#include <signal.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

/* "9 (SIGKILL, Killed)"; owned by the caller. */
static char *signal_words(int number)
{
    const char *name = sigabbrev_np(number);
    const char *meaning = sigdescr_np(number);
    return text_format("%d (SIG%s, %s)", number, name != NULL ? name : "?",
                       meaning != NULL ? meaning : "unknown");
}

/* What a program meets by itself is another set: SEGV, ABRT, BUS, FPE, ILL, SYS, PIPE, XFSZ. */
static int comes_from_outside(int number)
{
    return number == SIGKILL || number == SIGTERM || number == SIGINT || number == SIGHUP ||
           number == SIGQUIT;
}

static void tell_memory(const struct worker_death *death, const char *who, const char *place,
                        const char *words, struct error *reterr)
{
    (void)error_set(reterr, EXIT_FAILED, "%s was ended in %s because memory had run out: signal %s",
                    who, place, words);
    (void)error_detail(reterr, "the kernel ended %lld process%s for want of memory meanwhile",
                       (long long)death->oom_kills, death->oom_kills == 1 ? "" : "es");
    (void)error_hint(reterr, "make room; 'worker-memory' under 'limits' in salvor.yaml bounds what "
                             "a plugin may use");
}

static void tell_processor_time(const struct worker_death *death, const char *who,
                                const char *place, struct error *reterr)
{
    if (death->limits.cpu_ms > 0)
        (void)error_set(reterr, EXIT_FAILED,
                        "%s used more processor time in %s than 'worker-cpu' allows (%lld s)", who,
                        place, (long long)((death->limits.cpu_ms + 999) / 1000));
    else
        (void)error_set(reterr, EXIT_FAILED,
                        "%s used more processor time in %s than the limit that salvor was started "
                        "with ('ulimit -t')",
                        who, place);
    (void)error_hint(reterr, "raise the limit if the work was in order; else tell the maintainer");
}

int worker_death_tell(const struct worker_death *death, const char *who, const char *place,
                      struct error *reterr)
{
    cleanup_free char *words = signal_words(death->signal_number);
    if (death->signal_number == SIGXCPU) {
        tell_processor_time(death, who, place, reterr);
        return 0;
    }
    if (death->signal_number == SIGKILL && death->oom_kills > 0) {
        tell_memory(death, who, place, words, reterr);
        return 0;
    }
    if (comes_from_outside(death->signal_number)) {
        (void)error_set(reterr, EXIT_FAILED, "%s was ended from outside in %s: signal %s", who,
                        place, words);
        (void)error_hint(reterr, "find out who or what on this machine sent it");
        return 0;
    }
    (void)error_set(reterr, EXIT_FAILED, "%s crashed in %s: signal %s", who, place, words);
    return 1;
}
