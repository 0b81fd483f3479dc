/*
 * The folders of runs below the state folder, their ids and locks. What a run is doing is read from
 * its journal, who is doing it from its lock. Layout: docs/internals.md, "Files of a run".
 */
#ifndef SALVOR_JOURNAL_RUN_FOLDER_H
#define SALVOR_JOURNAL_RUN_FOLDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct run_folder {
    char *id;
    char *path; /* absolute when the state folder is */
    int lock;   /* descriptor of the run's lock; -1 when only found, not opened */
};

/* 1 when `id` is YYYYMMDD-HHMMSS-<command>-<4 hex>: nothing else becomes part of a path. */
int run_id_is_valid(const char *id);

/*
 * Makes and locks the folder of a new run: mode 0700, durable in its parent. `command` is lower
 * case letters and hyphens. Refuses a state folder that others can write to.
 */
int run_folder_create(const char *state_folder, const char *command, struct run_folder **ret_folder,
                      struct error *reterr);

/*
 * Finds a run by its id, the beginning of its id when only one has it, or "last" (the newest).
 * Exit code 2 with the candidates when there is none or more than one.
 */
int run_folder_find(const char *state_folder, const char *name, struct run_folder **ret_folder,
                    struct error *reterr);

/* Finds and locks it; exit code 5 while another process works on the run. */
int run_folder_open(const char *state_folder, const char *name, struct run_folder **ret_folder,
                    struct error *reterr);

/* Releases lock and memory; NULL is fine. */
void run_folder_close(struct run_folder *folder);

/* Path of the journal in it; owned by the caller. */
char *run_folder_journal(const struct run_folder *folder);

/* Ids of all runs, newest first, ending with NULL; release with run_ids_free. A state folder that
 * does not exist has none. */
int run_folder_list(const char *state_folder, char ***ret_ids, size_t *ret_count,
                    struct error *reterr);
void run_ids_free(char **ids);

/* ---- lock of a site -------------------------------------------------------------------------- */

struct site_lock;

/*
 * Runs with effect hold the lock of their site: locks/<provider>-<site>.lock. `site` NULL or "": a
 * site that has no name. Exit code 5 while another run has it.
 */
int site_lock_take(const char *state_folder, const char *provider, const char *site,
                   const char *run, struct site_lock **ret_lock, struct error *reterr);
void site_lock_release(struct site_lock *lock);

#endif
