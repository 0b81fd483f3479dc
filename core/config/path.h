/* Paths as users write them, and the folders that salvor keeps its things in. */
#ifndef SALVOR_CONFIG_PATH_H
#define SALVOR_CONFIG_PATH_H

/*
 * Absolute form of `path`: "~/" is $HOME, anything relative starts at `folder` (NULL: the working
 * directory). Leading "./" goes away; nothing else is tidied, so that links keep their meaning.
 * Owned by the caller.
 */
char *path_absolute(const char *folder, const char *path);

/* $XDG_STATE_HOME/salvor, else /var/lib/salvor for root, else ~/.local/state/salvor. */
char *path_default_state_folder(void);

/* $XDG_CONFIG_HOME/salvor/salvor.yaml (~/.config without it); NULL without a home. */
char *path_user_config(void);

#endif
