/*
 * What a struct salvor_exec_request says, wherever the command will run: its words, what the
 * running row allows, a declared script, and how it is told to the journal.
 */
#ifndef SALVOR_SERVICES_COMMAND_REQUEST_H
#define SALVOR_SERVICES_COMMAND_REQUEST_H

#include <jansson.h>
#include <stddef.h>

#include "worker/call.h"

enum { COMMAND_ARGUMENTS = 4096, COMMAND_ARGV_BYTES = 1 << 20 };

/* The words as a JSON array and in one readable line, both owned by the caller (also on failure,
 * then perhaps NULL). BUG when the request has none. */
salvor_status command_argv(struct worker_call *call, const struct salvor_exec_request *request,
                           json_t **ret_argv, char **ret_text);

/*
 * The effect gate: OK when the command is a declared read and the row may run those (*ret_declared
 * is its entry of the descriptor), or when the row may change things now. `script`: that of the
 * request; `job`: never a read; `what`: "run 'ls'".
 */
salvor_status command_gate(struct worker_call *call, const json_t *argv, const char *script,
                           int job, const char *what, const json_t **ret_declared);

/* Reads the script at `path`; REFUSED when it has another digest than `sha256` (NULL: any). Owned
 * by the caller. */
salvor_status command_script(struct worker_call *call, const char *path, const char *sha256,
                             const char *command, char **ret_text, size_t *ret_size);

/* The words as evidence shows them: long ones by size and digest. Owned by the caller. */
json_t *command_argv_evidence(const json_t *argv);

/* "not-sent", "sent", "answered" */
const char *command_certainty_word(uint32_t certainty);

#endif
