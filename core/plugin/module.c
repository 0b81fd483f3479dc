#include "plugin/module.h"

#include <dlfcn.h>
#include <ltdl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/banned.h"
#include "base/text.h"

struct module {
    lt_dlhandle handle;
    dev_t device;
    ino_t inode;
    struct module *next;
};

/* Modules are never given up, so that a refused one is not lost memory either. */
static struct module *modules;

/* Private to the process and never unmapped, from exactly this file. */
static lt_dlhandle open_resident(const char *path)
{
    lt_dladvise advise;
    if (lt_dlinit() != 0 || lt_dladvise_init(&advise) != 0)
        return NULL;
    lt_dlhandle handle = NULL;
    if (lt_dladvise_local(&advise) == 0 && lt_dladvise_resident(&advise) == 0)
        handle = lt_dlopenadvise(path, advise);
    lt_dladvise_destroy(&advise);
    return handle;
}

struct module *module_open(const char *path, char **ret_fault)
{
    /* libltdl binds lazily, so that a missing function would end the process at its first call,
     * and it calls every failure "file not found". Opened here first, the object is bound whole
     * and the reason is the linker's. The handle stays open on purpose. */
    if (dlopen(path, RTLD_NOW | RTLD_LOCAL) == NULL) {
        const char *fault = dlerror();
        *ret_fault = text_copy(fault != NULL ? fault : "unknown error");
        return NULL;
    }
    struct stat status;
    lt_dlhandle handle = stat(path, &status) == 0 ? open_resident(path) : NULL;
    if (handle == NULL) {
        const char *fault = lt_dlerror();
        *ret_fault = text_copy(fault != NULL ? fault : "libltdl cannot open it");
        return NULL;
    }
    struct module *module = memory_new(1, sizeof *module);
    *module = (struct module){handle, status.st_dev, status.st_ino, modules};
    modules = module;
    return module;
}

module_function module_find(const struct module *module, const char *name)
{
    void *address = lt_dlsym(module->handle, name);
    module_function function = NULL;
    /* ISO C has no conversion from an object's address to a function's. */
    memcpy(&function, &address, sizeof function);
    return function;
}

int module_is(const struct module *module, const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_dev == module->device &&
           status.st_ino == module->inode;
}
