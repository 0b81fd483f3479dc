/*
 * salvor.ledger: see sdk/include/salvor/services.h. One file a ledger,
 * <ledger_folder>/<step>/<name>, of 16-byte entries in little-endian order (u64 key, u32 result,
 * u32 detail). Every put is with the kernel at once, so that killing the worker loses nothing; a
 * thread makes it durable within 250 ms, put itself after 512 entries.
 */
#ifndef SALVOR_SERVICES_LEDGER_H
#define SALVOR_SERVICES_LEDGER_H

#include <salvor/services.h>

extern const struct salvor_ledgers ledger_table;

#endif
