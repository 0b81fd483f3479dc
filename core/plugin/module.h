/*
 * One shared object in this process. libltdl stands behind these three functions and nowhere else,
 * so that it can be replaced. Not thread-safe: only the worker's main thread loads.
 */
#ifndef SALVOR_PLUGIN_MODULE_H
#define SALVOR_PLUGIN_MODULE_H

struct module;
typedef void (*module_function)(void);

/*
 * Maps the object at an absolute path with all its symbols resolved, for good: a plugin is never
 * unloaded. NULL on failure; *ret_fault is then the linker's own text, owned by the caller.
 */
struct module *module_open(const char *path, char **ret_fault);

/* An exported function by its name or, in a bundled object, by <module>_LTX_<name>; or NULL. */
module_function module_find(const struct module *module, const char *name);

/* 1 when `path` names the same file (device and inode), whatever it is called. */
int module_is(const struct module *module, const char *path);

#endif
