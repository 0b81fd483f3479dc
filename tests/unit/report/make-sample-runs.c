/* make-sample-runs STATE_FOLDER: all samples as runs, to look at with `salvor runs` and `report`.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "samples.h"

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: make-sample-runs STATE_FOLDER\n");
        return 2;
    }
    for (int i = 0; i < SAMPLE_COUNT; i++) {
        char *folder = text_format("%s/runs/%s", argv[1], sample_run_id((enum sample)i));
        char *path = text_format("%s/journal.db", folder);
        if (file_make_folder(folder, NULL) != 0)
            return 1;
        sample_write((enum sample)i, path);
        free(path);
        free(folder);
    }
    return 0;
}
