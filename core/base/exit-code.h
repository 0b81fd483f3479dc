/* The one table of exit codes (docs: salvor(1), section EXIT STATUS). Numbers are interface. */
#ifndef SALVOR_BASE_EXIT_CODE_H
#define SALVOR_BASE_EXIT_CODE_H

enum exit_code {
    EXIT_DONE = 0,            /* done; for validate: nothing above a warning */
    EXIT_FAILED = 1,          /* a step, a service or salvor itself failed */
    EXIT_USAGE = 2,           /* command line or configuration */
    EXIT_BLOCKED = 3,         /* findings of severity blocker */
    EXIT_WAITS = 4,           /* waits for a person: approval, manual step */
    EXIT_REFUSED = 5,         /* a guard, an identity check or a lock said no */
    EXIT_OUTCOME_UNKNOWN = 6, /* it cannot be told whether a step took effect */
    EXIT_INTERRUPTED = 130    /* stopped by the operator; the run can be resumed */
};

#endif
