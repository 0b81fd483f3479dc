/* An invented provider, "shop", with an option of every type, for tests of the command line. */
#ifndef SALVOR_TESTS_CLI_SHOP_H
#define SALVOR_TESTS_CLI_SHOP_H

#include "plugin/plugin-find.h"

/* Owned by the caller. */
struct plugin_info *shop_info(void);

/* A plugin_finder that knows "shop" only. */
int shop_find(const char *name, const char *const *folders, struct plugin_file **ret_file,
              struct error *reterr);

#endif
