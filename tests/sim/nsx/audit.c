#include "audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

int nsx_audit_open(struct sim_nsx *sim, const char *path, struct error *reterr)
{
    nsx_audit_close(sim);
    sim->audit = fopen(path, "ae");
    if (sim->audit == NULL)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot open audit log '%s'", path);
    sim->audit_path = text_copy(path);
    return 0;
}

void nsx_audit_close(struct sim_nsx *sim)
{
    if (sim->audit != NULL)
        (void)fclose(sim->audit);
    sim->audit = NULL;
    free(sim->audit_path);
    sim->audit_path = NULL;
}

static void count(struct sim_nsx *sim, const struct nsx_request *request)
{
    const char *caller = request->caller.name == NULL ? "-" : request->caller.name;
    json_t *of_caller = json_object_get(sim->counters, caller);
    if (of_caller == NULL) {
        json_put(sim->counters, caller, json_object());
        of_caller = json_object_get(sim->counters, caller);
    }
    cleanup_free char *form =
        text_format("%s %s", request->method, request->template == NULL ? "-" : request->template);
    json_put(of_caller, form, json_integer(json_whole(of_caller, form, 0) + 1));
}

static void set_if(json_t *line, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        json_put_text(line, name, value);
}

void nsx_audit_write(struct sim_nsx *sim, const struct nsx_request *request,
                     const struct nsx_answer *answer)
{
    static const char *const kinds[] = {"nobody", "user", "principal"};
    count(sim, request);
    if (sim->audit == NULL)
        return;
    char time[CLOCK_TEXT_SIZE];
    clock_format(nsx_now(sim), time);
    cleanup_json json_t *query = json_object();
    for (size_t i = 0; i < request->query_count; i++)
        json_put_text(query, request->query[i].name, request->query[i].value);
    cleanup_json json_t *line = json_make(
        "{s:I, s:s, s:i, s:s, s:s, s:O, s:s, s:i, s:I, s:I}", "sequence",
        (json_int_t)++sim->audit_sequence, "time", time, "manager", request->manager, "method",
        request->method, "path", request->path, "query", query, "userKind",
        kinds[request->caller.kind], "status", answer->outcome == NSX_CLOSED ? 0 : answer->status,
        "requestSize", (json_int_t)request->body.size, "answerSize", (json_int_t)answer->body.size);
    set_if(line, "template", request->template);
    set_if(line, "user", request->caller.name);
    set_if(line, "callSite", request->call_site);
    set_if(line, "userAgent", request->user_agent);
    set_if(line, "overwrite", request->overwrite);
    if (answer->error_code != 0)
        json_put(line, "errorCode", json_integer(answer->error_code));
    if (request->effects != NULL)
        json_put(line, "effects", json_incref(request->effects));
    cleanup_free char *text = json_dumps(line, JSON_COMPACT);
    /* One write a line: readers that follow the file never see half of one. */
    fprintf(sim->audit, "%s\n", text);
    (void)fflush(sim->audit);
}
