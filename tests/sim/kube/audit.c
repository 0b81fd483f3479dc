#include "audit.h"

#include <errno.h>
#include <string.h>

#include "json-text.h"
#include "json-tree.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"

int audit_open(struct sim_kube *sim, const char *path, struct error *reterr)
{
    audit_close(sim);
    sim->audit = fopen(path, "ae");
    if (sim->audit == NULL)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot open audit log '%s'", path);
    sim->audit_path = text_copy(path);
    return 0;
}

void audit_close(struct sim_kube *sim)
{
    if (sim->audit != NULL)
        (void)fclose(sim->audit);
    sim->audit = NULL;
    free(sim->audit_path);
    sim->audit_path = NULL;
}

static void set_if(json_t *line, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        json_object_set_new(line, name, json_string(value));
}

static json_t *query_of(const struct sim_request *request)
{
    json_t *query = json_object();
    for (size_t i = 0; i < request->query_count; i++)
        json_object_set_new(query, request->query[i].name, json_string(request->query[i].value));
    return query;
}

void audit_write(struct sim_kube *sim, const struct sim_request *request,
                 const struct sim_answer *answer)
{
    if (sim->audit == NULL)
        return;
    const struct sim_route *route = &request->route;
    char time[CLOCK_TEXT_SIZE], digest[DIGEST_TEXT_SIZE];
    clock_format(clock_realtime_ms(), time);
    digest_text_of(request->body.data == NULL ? "" : request->body.data, request->body.size,
                   digest);
    cleanup_json json_t *line =
        json_pack("{s:I, s:s, s:s, s:s, s:o, s:i, s:I, s:s, s:I}", "sequence",
                  (json_int_t)++sim->audit_sequence, "time", time, "method", request->method,
                  "path", request->path, "query", query_of(request), "status", answer->status,
                  "requestSize", (json_int_t)request->body.size, "requestDigest", digest,
                  "answerSize", (json_int_t)answer->body.size);
    if (line == NULL)
        return;
    if (route->type != NULL) {
        set_if(line, "verb", route->verb);
        json_object_set_new(line, "group", json_string(route->type->group));
        set_if(line, "version", route->type->version);
        set_if(line, "resource", route->type->plural);
        set_if(line, "subresource", route->subresource);
        set_if(line, "namespace", route->space);
        set_if(line, "name", route->name);
    }
    set_if(line, "user", request->user.name);
    set_if(line, "reason", answer->reason);
    set_if(line, "contentType", request->content_type);
    set_if(line, "callSite", request->call_site);
    set_if(line, "userAgent", request->user_agent);
    if (request->is_dry)
        json_object_set_new(line, "dryRun", json_true());
    cleanup_buffer struct buffer text = BUFFER_INIT(1 << 20);
    json_text_write(&text, line);
    buffer_append_text(&text, "\n");
    /* One write a line: readers that follow the file never see half of one. */
    (void)fwrite(text.data, 1, text.size, sim->audit);
    (void)fflush(sim->audit);
}
