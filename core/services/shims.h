/*
 * Hidden sub-commands of salvor that the services start for every command: they stand between the
 * worker and the command. Both read what to start from descriptor SHIM_SPEC_FD (shim-spec.h).
 */
#ifndef SALVOR_SERVICES_SHIMS_H
#define SALVOR_SERVICES_SHIMS_H

/* Runs one command and ends its process group when the worker dies, however it dies. */
#define EXEC_SHIM_COMMAND "__exec-shim"
int exec_shim_main(int argc, char **argv);

/* argv[1]: folder of the job. Detached; runs the job at most once ever and writes its status. */
#define JOB_SHIM_COMMAND "__job-shim"
int job_shim_main(int argc, char **argv);

/* First thing in main() of every program that can be a worker: does not return when the arguments
 * ask for one of these. */
void shims_main_if_asked(int argc, char **argv);

#endif
