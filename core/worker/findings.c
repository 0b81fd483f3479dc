#include "base/banned.h"
#include "base/json.h"
#include "plugin/plugin-info.h"
#include "plugin/vocabulary.h"
#include "worker/argument.h"
#include "worker/output-tables.h"

static salvor_status raise_finding(salvor_call *plugin_call, const char *id, uint32_t severity,
                                   const char *object, const char *detail)
{
    struct worker_call *call = call_of(plugin_call);
    static const char function[] = "findings.raise";
    salvor_status status = argument_text(call, function, "id", id, ARGUMENT_NAME_LIMIT);
    if (status == SALVOR_OK)
        status = argument_any_text(call, function, "object", object, ARGUMENT_NAME_LIMIT);
    if (status == SALVOR_OK)
        status = argument_any_text(call, function, "detail", detail, ARGUMENT_TEXT_LIMIT);
    if (status != SALVOR_OK)
        return status;
    const struct plugin_finding *finding = plugin_info_finding(call->session->plugin, id);
    if (finding == NULL)
        return call_fail(call, SALVOR_BUG, "%s: the plugin declares no finding '%s'", function, id);
    if (severity == 0)
        severity = finding->severity;
    const char *word = word_for(words_severity, severity);
    if (word == NULL || severity > finding->severity)
        return call_fail(call, SALVOR_BUG, "%s: '%s' cannot be raised above '%s'", function, id,
                         word_for(words_severity, finding->severity));
    call_send(call, FRAME_FINDING,
              json_make("{s:s, s:s, s:s, s:s}", "id", id, "severity", word, "object", object,
                        "detail", detail));
    return SALVOR_OK;
}

const struct salvor_findings findings_table = {
    .struct_size = sizeof findings_table,
    .version = FINDINGS_VERSION,
    .raise = raise_finding,
};
