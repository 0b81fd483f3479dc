/* A folder as a store: each object is a file, written beside its place, synced and renamed. */
#ifndef SALVOR_STORE_FOLDER_STORE_H
#define SALVOR_STORE_FOLDER_STORE_H

#include "store/store.h"

/* `folder` need not exist yet. */
struct store *folder_store_new(const char *folder);

/* Opens `folder`/`key` for reading without following a link on the way; -1 with errno. */
int folder_open(const char *folder, const char *key);

#endif
