#include "cli/report-command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/lease-heads.h"
#include "cli/message.h"
#include "journal/journal.h"
#include "journal/lock-file.h"
#include "journal/run-folder.h"
#include "report/model.h"
#include "report/render.h"
#include "report/view.h"

#include "base/banned.h"

/* RUN, or the path of a journal that was copied from somewhere else. */
static int find_journal(const struct arguments *arguments, struct report_request *request,
                        char **ret_path, char **ret_name, struct error *reterr)
{
    const char *operand = arguments->operands[0];
    if (strchr(operand, '/') != NULL) {
        *ret_path = text_copy(operand);
        *ret_name = text_copy(operand);
        return 0;
    }
    struct run_folder *folder = NULL;
    if (run_folder_find(arguments->state_folder, operand, &folder, reterr) != 0)
        return -1;
    cleanup_free char *lock = text_format("%s/lock", folder->path);
    request->running = lock_file_is_held(lock, NULL);
    *ret_path = run_folder_journal(folder);
    *ret_name = text_copy(folder->id);
    run_folder_close(folder);
    return 0;
}

static void render(const json_t *report, enum output_format format)
{
    switch (format) {
    case OUTPUT_JSON:
        report_render_json(report, stdout);
        break;
    case OUTPUT_MARKDOWN:
        report_render_markdown(report, stdout);
        break;
    case OUTPUT_HTML:
        report_render_html(report, stdout);
        break;
    default:
        report_render_text(report, stdout);
        break;
    }
}

/* The Lease may lie in a cluster that is gone by now: then it proves nothing, and says so. */
static json_t *heads_in_the_lease(const json_t *report)
{
    cleanup_error struct error err = ERROR_INIT;
    json_t *heads = lease_heads_of(report, &err);
    if (heads == NULL)
        message(MESSAGE_WARNING, "the heads in the lease of this run are not compared: %s",
                err.message);
    return heads;
}

static int prove(struct journal *journal, struct report_request *request, json_t **report,
                 struct error *reterr)
{
    cleanup_json json_t *plain = take_pointer(*report);
    /* a journal that was copied from elsewhere names a cluster of elsewhere */
    cleanup_json json_t *heads =
        strchr(request->run, '/') == NULL ? heads_in_the_lease(plain) : NULL;
    request->verify = 1;
    request->more_heads = heads;
    return report_model(journal, request, report, reterr);
}

int report_command(const struct arguments *arguments, struct error *reterr)
{
    struct report_request request = {.known_heads = arguments->operands + 1};
    const int proves = arguments->verify || arguments->operand_count > 1;
    cleanup_free char *path = NULL;
    cleanup_free char *name = NULL;
    cleanup_json json_t *report = NULL;
    struct journal *journal = NULL;
    if (find_journal(arguments, &request, &path, &name, reterr) != 0 ||
        journal_open_readonly(path, &journal, reterr) != 0)
        return -1;
    request.run = name;
    request.path = path;
    int result = report_model(journal, &request, &report, reterr);
    if (result == 0 && proves)
        result = prove(journal, &request, &report, reterr);
    journal_close(journal);
    if (result != 0)
        return -1;
    render(report, arguments->output);
    int code = report_exit_code(report);
    if (code != EXIT_DONE) {
        cleanup_free char *trust = view_trust(report);
        message(MESSAGE_ERROR, "%s", trust);
    }
    return code;
}
