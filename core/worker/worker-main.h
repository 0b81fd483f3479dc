/*
 * The worker process: the same program, started by core/host with
 * `--worker SOCKET CANCEL` (numbers of inherited descriptors). It opens one plugin and runs its
 * hooks until the parent closes the connection.
 */
#ifndef SALVOR_WORKER_WORKER_MAIN_H
#define SALVOR_WORKER_WORKER_MAIN_H

/* First thing in main(): does not return when the arguments ask for a worker. */
void worker_main_if_asked(int argc, char **argv);

#endif
