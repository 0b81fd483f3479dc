#include "engine/request.h"

#include <salvor/plugin.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "engine/policy.h"
#include "engine/procedure.h"

static int check_procedure(const struct engine_request *request, struct error *reterr)
{
    const struct plugin_info *info = request->plugin->info;
    if (request->asked_for == NULL)
        return 0;
    const struct plugin_procedure *procedure = plugin_info_procedure(info, request->asked_for);
    int fits = procedure != NULL &&
               (procedure->kind == request->kind || (procedure->kind == SALVOR_PROCEDURE_UNDO &&
                                                     request->kind == SALVOR_PROCEDURE_RESTORE));
    if (fits)
        return 0;
    if (procedure != NULL)
        (void)error_set(reterr, EXIT_USAGE, "procedure '%s' is not one for '%s'",
                        request->asked_for, request->command);
    else
        (void)error_set(reterr, EXIT_USAGE, "provider '%s' has no procedure '%s'", info->name,
                        request->asked_for);
    return error_hint(reterr, "'salvor plugin show %s' lists its procedures", info->name);
}

int request_check(const struct engine_request *request, struct error *reterr)
{
    static const struct {
        uint32_t kind;
        const char *hook;
    } hooks[] = {{SALVOR_PROCEDURE_BACKUP, "backup"},
                 {SALVOR_PROCEDURE_RESTORE, "restore"},
                 {SALVOR_PROCEDURE_POST_RESYNC, "post_resync"}};
    const struct plugin_info *info = request->plugin->info;
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
        if (request->kind == hooks[i].kind && !plugin_info_has_hook(info, hooks[i].hook))
            return error_set(reterr, EXIT_USAGE, "provider '%s' offers no '%s'", info->name,
                             request->command);
    }
    if (procedure_check_waivers(info, request->waivers, reterr) != 0 ||
        procedure_check_manual(info, request->manual, reterr) != 0)
        return -1;
    return check_procedure(request, reterr);
}

int engine_check_consent(const struct engine_consent *consent, struct error *reterr)
{
    cleanup_json json_t *policy = NULL;
    char sha256[DIGEST_TEXT_SIZE];
    return consent->policy_file != NULL ? policy_load(consent->policy_file, &policy, sha256, reterr)
                                        : 0;
}
