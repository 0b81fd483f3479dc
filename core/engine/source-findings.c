#include "engine/source-findings.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/json.h"

enum { NAMES_LIMIT = 4096 };

/* Texts of the array, separated by commas, as far as there is room. */
static char *joined(const json_t *texts)
{
    cleanup_buffer struct buffer names = BUFFER_INIT(NAMES_LIMIT);
    size_t index = 0;
    const json_t *text = NULL;
    json_array_foreach (texts, index, text) {
        if (buffer_format(&names, "%s'%s'", index > 0 ? ", " : "", json_string_value(text)) != 0)
            break;
    }
    return buffer_take(&names);
}

int source_findings_record(struct run *run, struct error *reterr)
{
    const json_t *left_out = json_object_get(json_object_get(run->source, "open"), "left_out");
    if (json_array_size(left_out) == 0)
        return 0;
    cleanup_free char *names = joined(left_out);
    json_t *finding = json_make(
        "{s:s, s:s, s:s?, s:s, s:s, s:s, s:[], s:s}", "id", "SALVOR-WITHOUT-SECRETS", "severity",
        "warning", "object", json_text(run->source, "name"), "detail", names, "title",
        "the backup was made with --without-secrets: sensitive artifacts are not in it", "remedy",
        "have what they would hold at hand from elsewhere, or take a backup with a recipient",
        "statements", "hook", "validate");
    return run_record(run, "finding", finding, JOURNAL_EVIDENCE, reterr);
}
