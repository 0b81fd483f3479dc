#include "services/ssh-job-note.h"

#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "services/run-paths.h"

enum { NOTE_LIMIT = 4096, HOST_DIGITS = 12 };

static char *note_path(struct worker_call *call, const struct ssh_target *target, const char *id)
{
    char digest[DIGEST_TEXT_SIZE];
    const char *jobs = run_folder(call, "jobs_folder");
    digest_text_of(target->name, strlen(target->name), digest);
    return jobs != NULL ? text_format("%s/.ssh/%s-%.*s.json", jobs, id, HOST_DIGITS, digest) : NULL;
}

salvor_status ssh_job_note_read(struct worker_call *call, const struct ssh_target *target,
                                const char *id, struct ssh_job_note *ret_note)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = note_path(call, target, id);
    cleanup_free char *text = NULL;
    size_t size = 0;
    *ret_note = (struct ssh_job_note){0};
    if (path == NULL)
        return SALVOR_FAILED;
    if (access(path, F_OK) != 0)
        return SALVOR_OK;
    if (file_read(path, NOTE_LIMIT, &text, &size, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    cleanup_json json_t *note = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const char *boot = json_text(note, "boot");
    if (boot == NULL)
        return call_fail(call, SALVOR_FAILED, "'%s' is damaged: it is no note about a job", path);
    ret_note->known = 1;
    ret_note->answered = json_flag(note, "answered");
    (void)snprintf(ret_note->boot, sizeof ret_note->boot, "%s", boot);
    return SALVOR_OK;
}

salvor_status ssh_job_note_write(struct worker_call *call, const struct ssh_target *target,
                                 const char *id, const struct ssh_job_note *note)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = note_path(call, target, id);
    if (path == NULL)
        return SALVOR_FAILED;
    cleanup_free char *folder = text_copy_span(path, (size_t)(strrchr(path, '/') - path));
    cleanup_json json_t *json = json_make("{s:s,s:s,s:b}", "host", target->name, "boot", note->boot,
                                          "answered", note->answered);
    cleanup_free char *text = json_canonical(json);
    if (file_make_folder(folder, &err) != 0 ||
        file_write_atomic(path, text, strlen(text), 0600, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    return SALVOR_OK;
}

int ssh_job_note_says_lost(const struct ssh_job_note *note, const char *boot)
{
    return note->known && (note->answered || !text_equal(note->boot, boot));
}
