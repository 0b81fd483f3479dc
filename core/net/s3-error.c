/* What an S3 server answers when it refuses, in words that say what to do. */
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "net/s3-task.h"
#include "net/s3-xml.h"

static const struct {
    const char *code;
    enum exit_code exit;
    const char *hint;
} known[] = {
    {"AccessDenied", EXIT_REFUSED, NULL}, /* see add_right */
    {"AllAccessDisabled", EXIT_REFUSED, "the bucket is closed to everybody"},
    {"InvalidAccessKeyId", EXIT_USAGE, "the server knows no such access key"},
    {"SignatureDoesNotMatch", EXIT_USAGE, "the secret key is not the one of this access key"},
    {"ExpiredToken", EXIT_USAGE, "the session token has run out: get new credentials"},
    {"InvalidToken", EXIT_USAGE, "the session token is not one of this server"},
    {"RequestTimeTooSkewed", EXIT_FAILED,
     "the clock of this machine and that of the server differ too much"},
    {"NoSuchBucket", EXIT_USAGE, "the bucket does not exist: make it, or correct 'bucket'"},
    {"AuthorizationHeaderMalformed", EXIT_USAGE,
     "the bucket is in another region: correct 'region'"},
    {"PermanentRedirect", EXIT_USAGE,
     "the bucket is reached by another name: correct 'endpoint', 'region' or 'addressing'"},
    {"TemporaryRedirect", EXIT_FAILED, "the bucket is new or moved: try again later"},
    {"XAmzContentSHA256Mismatch", EXIT_FAILED,
     "the bytes that arrived are not those that were sent: nothing was stored"},
    {"BadDigest", EXIT_FAILED,
     "the bytes that arrived are not those that were sent: nothing was stored"},
    {"EntityTooLarge", EXIT_FAILED, "the server takes no objects of that size"},
    {"QuotaExceeded", EXIT_FAILED, "make room, or raise the quota of the bucket"},
    {"XMinioAdminBucketQuotaExceeded", EXIT_FAILED, "make room, or raise the quota of the bucket"},
    {"XMinioStorageFull", EXIT_FAILED, "the server's disks are full: make room there"},
    {"InvalidObjectState", EXIT_FAILED, "the object is archived: have it restored first"},
    {"ObjectLocked", EXIT_REFUSED, "the object is locked: its retention time is not over"},
    {"MethodNotAllowed", EXIT_REFUSED, "the bucket forbids this operation"},
};

static const char *code_of_status(int32_t status)
{
    switch (status) {
    case 301:
        return "PermanentRedirect";
    case 307:
        return "TemporaryRedirect";
    case 403:
        return "AccessDenied";
    default:
        return "";
    }
}

/* What a policy has to allow for this request. */
static const char *right_for(const struct s3_task *task)
{
    const char *first = task->query_count > 0 ? task->query[0].name : "";
    if (task->key == NULL)
        return text_equal(task->what, "list") ? "s3:ListBucket" : "s3:ListBucketMultipartUploads";
    if (text_equal(task->method, "DELETE"))
        return text_equal(first, "uploadId") ? "s3:AbortMultipartUpload" : "s3:DeleteObject";
    return text_equal(task->method, "GET") || text_equal(task->method, "HEAD") ? "s3:GetObject"
                                                                               : "s3:PutObject";
}

static int add_right(struct s3_task *task)
{
    return error_hint(&task->error,
                      "the access key lacks '%s' for this bucket and prefix; 'salvor backups "
                      "check-store' tries every right",
                      right_for(task));
}

int s3_answer_error(struct s3_task *task)
{
    cleanup_free char *place =
        task->key != NULL ? text_format("s3://%s/%s", task->s3->name,
                                        task->key + (text_starts(task->key, task->s3->prefix)
                                                         ? strlen(task->s3->prefix)
                                                         : 0))
                          : text_format("s3://%s", task->s3->name);
    cleanup_free char *code = NULL;
    cleanup_free char *message = NULL;
    enum exit_code exit = EXIT_FAILED;
    const char *hint = NULL;
    const int is_told = s3_xml_error(task->answer.data, task->answer.size, &code, &message);
    if (!is_told)
        code = text_copy(code_of_status(task->status));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (text_equal(code, known[i].code)) {
            exit = known[i].exit;
            hint = known[i].hint;
        }
    }
    free(task->code);
    task->code = take_pointer(code);
    error_clear(&task->error);
    (void)error_set(&task->error, exit, "cannot %s '%s': the server answers %d%s%s%s%s", task->what,
                    place, (int)task->status, *task->code != '\0' ? " " : "", task->code,
                    message != NULL && *message != '\0' ? ": " : "",
                    message != NULL ? message : "");
    if (text_equal(task->code, "AccessDenied"))
        return add_right(task);
    return hint != NULL ? error_hint(&task->error, "%s", hint) : -1;
}
