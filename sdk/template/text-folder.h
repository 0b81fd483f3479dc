/* What the files of this plugin share. */
#ifndef TEXT_FOLDER_H
#define TEXT_FOLDER_H

#include <salvor/helpers.h>

#define ARTIFACT "files.tar"
#define PATH_SIZE 4096

/* folder.c: the site, a folder with text files. */

/* The folder of the site: option 'folder'. */
salvor_status site_folder(salvor_call *call, const char **ret_folder);

/* Runs a command and gives its result. What it ended with is the caller's to judge. */
salvor_status run_command(salvor_call *call, const char *const *argv,
                          struct salvor_exec_result *ret_result);

/* The same, and any other end than exit status 0 is reported. */
salvor_status run_command_well(salvor_call *call, const char *const *argv,
                               struct salvor_exec_result *ret_result);

/* The *.txt files of a folder with their SHA-256, as an object: {"a.txt": "<hex>"}. A folder that
 * does not exist has none. The caller owns *ret_files. */
salvor_status list_files(salvor_call *call, const char *folder, json_t **ret_files);

/* backup.c and restore.c: the planning hooks and the code of their rows. */
salvor_status plan_backup(salvor_call *call, const struct salvor_request *request);
salvor_status plan_restore(salvor_call *call, const struct salvor_request *request);
extern const struct salvor_row_code backup_code[];
extern const size_t backup_code_count;
extern const struct salvor_row_code restore_code[];
extern const size_t restore_code_count;

#endif
