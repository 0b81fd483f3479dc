/* Forced HTTP/2 with trailers, as gRPC needs it, against a real etcd: test-grpc ORIGIN. */
#include "../../unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/http.h"
#include "practice-call.h"

static const char *origin;

static salvor_status ask(struct practice *practice, const char *http, int trailers,
                         struct salvor_http_response *ret)
{
    static const char *const headers[] = {"Content-Type: application/grpc"};
    salvor_http_client *client = NULL;
    cleanup_free char *options =
        text_format("{\"url\":\"%s\",\"http\":\"%s\",\"trailers\":%s,\"retry\":{\"attempts\":1}}",
                    origin, http, trailers ? "true" : "false");
    if (http_table.client_open(practice_call(practice), options, NULL, 0, &client) != SALVOR_OK)
        fail_msg("%s", practice->call.error.message);
    const struct salvor_http_request request = {.struct_size = sizeof request,
                                                .method = "POST",
                                                .path = "/etcdserverpb.Maintenance/Status",
                                                .headers = headers,
                                                .header_count = 1,
                                                /* one message, not compressed, without a field */
                                                .body = {"\0\0\0\0\0", 5},
                                                .call_site = "etcd.status"};
    *ret = (struct salvor_http_response){.struct_size = sizeof *ret};
    return http_table.request(practice_call(practice), client, &request, ret);
}

static void an_answer_has_its_trailers(void **state)
{
    struct practice *practice = *state;
    struct salvor_http_response response;
    if (ask(practice, "2-only", 1, &response) != SALVOR_OK)
        fail_msg("%s; %s", practice->call.error.message, practice->call.error.detail);
    assert_int_equal(response.code, 200);
    assert_true(response.body.size > 5);
    assert_non_null(strstr(response.headers.data, "content-type: application/grpc\n"));
    assert_non_null(strstr(response.headers.data, "grpc-status: 0\n"));
    assert_string_equal(json_text(practice_frame(practice, FRAME_EVIDENCE), "http"), "2");
}

static void another_version_is_no_answer(void **state)
{
    struct practice *practice = *state;
    struct salvor_http_response response;
    /* etcd answers HTTP/1.1 on that path with something that is no gRPC and has no trailers */
    assert_int_not_equal(ask(practice, "1.1", 1, &response), SALVOR_OK);
    assert_int_not_equal(response.certainty, SALVOR_CERTAINTY_ANSWERED);
}

#define practised(test) cmocka_unit_test_setup_teardown(test, practice_setup, practice_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        practised(an_answer_has_its_trailers),
        practised(another_version_is_no_answer),
    };
    origin = argc > 1 ? argv[1] : "";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
