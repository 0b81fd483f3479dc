/* make-shop BARE OUT: writes the descriptor of the invented provider into a plugin file. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "plugin/elf-note.h"
#include "plugin/plugin-info.h"
#include "shop.h"

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    struct plugin_info *info = shop_info();
    cleanup_free char *text = json_canonical(info->json);
    cleanup_error struct error err = ERROR_INIT;
    int result = note_write(argv[1], argv[2], text, &err);
    if (result != 0)
        (void)fprintf(stderr, "make-shop: %s\n", err.message);
    plugin_info_free(info);
    return result == 0 ? 0 : 1;
}
