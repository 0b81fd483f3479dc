/* Asks a server by salvor.http, at the option "url"; what it opens it leaves to
 * the host to close. In "discover" one request, in "validate" one whose answer never comes, in
 * "restore" many in a batch of which only one is waited for. */
#define MOCK_NAME "network"
#define MOCK_OWN_DESCRIPTOR
#include "mock.h"

static salvor_status one_request(salvor_call *call, const struct salvor_http *http,
                                 salvor_http_client *client, const char *path)
{
    struct salvor_http_request request;
    struct salvor_http_response response;
    memset(&request, 0, sizeof request);
    memset(&response, 0, sizeof response);
    request.struct_size = sizeof request;
    request.method = "GET";
    request.path = path;
    request.call_site = "mock.get";
    response.struct_size = sizeof response;
    salvor_status status = http->request(call, client, &request, &response);
    if (status == SALVOR_OK && response.code != 200)
        return SALVOR_FAILED;
    return status == SALVOR_OK ? mock_inventory(call)->item(call, "answer", "one", "{}") : status;
}

static salvor_status many_requests(salvor_call *call, const struct salvor_http *http,
                                   salvor_http_client *client)
{
    const struct salvor_batches *batches =
        (const struct salvor_batches *)call->host->get_interface(call, SALVOR_BATCH, 1);
    struct salvor_http_request request;
    struct salvor_batch_result result;
    salvor_batch *batch = NULL;
    salvor_status status = batches == NULL ? SALVOR_UNSUPPORTED : batches->open(call, "{}", &batch);
    memset(&request, 0, sizeof request);
    memset(&result, 0, sizeof result);
    request.struct_size = sizeof request;
    request.method = "GET";
    request.path = "/ok";
    result.struct_size = sizeof result;
    for (uint64_t i = 0; i < 10 && status == SALVOR_OK; i++)
        status = http->submit(call, batch, client, i, &request);
    if (status == SALVOR_OK)
        status = batches->next(call, batch, &result);
    if (status == SALVOR_OK && result.status == SALVOR_OK)
        return SALVOR_OK;
    return status == SALVOR_OK ? SALVOR_FAILED : status;
}

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    const struct salvor_http *http =
        (const struct salvor_http *)call->host->get_interface(call, SALVOR_HTTP, 1);
    salvor_http_client *client = NULL;
    char options[300];
    if (http == NULL)
        return SALVOR_UNSUPPORTED;
    (void)snprintf(options, sizeof options, "{\"url\":\"%s\"}",
                   call->host->option_text(call, "url"));
    salvor_status status = http->client_open(call, options, NULL, 0, &client);
    if (status != SALVOR_OK)
        return status;
    if (strcmp(hook, "restore") == 0)
        return many_requests(call, http, client);
    return one_request(call, http, client, strcmp(hook, "validate") == 0 ? "/never" : "/ok");
}

static const struct salvor_option own_options[] = {
    {"when", NULL, NULL, "hook in which to ask", NULL, "0.1", SALVOR_OPTION_STRING, 0,
     SALVOR_ON_ALL, 0},
    {"url", NULL, NULL, "whom to ask", NULL, "0.1", SALVOR_OPTION_URL, 0, SALVOR_ON_ALL, 0},
};

static const struct salvor_need own_needs[] = {
    {SALVOR_HTTP, 1, 1},
    {SALVOR_BATCH, 1, 1},
};

static const struct salvor_plugin mock_plugin = {SALVOR_PLUGIN_HEAD,
                                                 MOCK_NAME,
                                                 "0.1",
                                                 "a mock",
                                                 "Nobody <nobody@example.org>",
                                                 NULL,
                                                 "Apache-2.0",
                                                 own_options,
                                                 mock_procedures,
                                                 mock_findings,
                                                 NULL,
                                                 own_needs,
                                                 &mock_hooks,
                                                 SALVOR_ARRAY(own_options),
                                                 SALVOR_ARRAY(mock_procedures),
                                                 SALVOR_ARRAY(mock_findings),
                                                 SALVOR_NO_ARRAY,
                                                 SALVOR_ARRAY(own_needs)};

SALVOR_REGISTER_PLUGIN(mock_plugin)
