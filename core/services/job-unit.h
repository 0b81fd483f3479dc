/*
 * A job has to outlive what started it, and systemd ends the processes of a unit with the unit. So
 * where salvor runs in a unit of systemd, jobs get a unit of their own, a transient scope:
 * systemd-run asks for it and then becomes the job's shim, with descriptors and environment as they
 * are.
 */
#ifndef SALVOR_SERVICES_JOB_UNIT_H
#define SALVOR_SERVICES_JOB_UNIT_H

struct job_unit {
    char *inside;   /* the unit that this process is in, or NULL */
    char **wrapper; /* words before the command that starts the job, ending with NULL; NULL: none is
                       needed, or none would help */
    const char *why_not; /* static text: one is needed and cannot be had; or NULL */
};

/* Looks where this process is. `description` is what the unit of the job says of itself. */
void job_unit_find(const char *description, struct job_unit *ret_unit);
void job_unit_clear(struct job_unit *unit);

/*
 * From the text of /proc/self/cgroup: the innermost unit, owned by the caller, or NULL. *ret_user:
 * it belongs to the manager of user `uid`.
 */
char *job_unit_of(const char *cgroups, unsigned uid, int *ret_user);

#define cleanup_job_unit __attribute__((cleanup(job_unit_clear)))

#endif
