#include "../unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "net/sigv4.h"

/* The examples of the S3 documentation ("Signature Calculations for the Authorization Header"). */
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define WELCOME "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
#define HOST                                     \
    {                                            \
        "host", "examplebucket.s3.amazonaws.com" \
    }
#define DATE                             \
    {                                    \
        "x-amz-date", "20130524T000000Z" \
    }

static void expect(struct sigv4_request request, const char *names, const char *signature)
{
    request.time = "20130524T000000Z";
    request.region = "us-east-1";
    request.service = "s3";
    request.access_key = "AKIAIOSFODNN7EXAMPLE";
    request.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    cleanup_free char *found = sigv4_authorization(&request);
    cleanup_free char *wanted = text_format(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=%s, Signature=%s",
        names, signature);
    assert_string_equal(found, wanted);
}

static void the_documented_examples_come_out(void **state)
{
    (void)state;
    static const struct sigv4_pair get[] = {
        HOST, {"range", "bytes=0-9"}, {"x-amz-content-sha256", EMPTY}, DATE};
    expect((struct sigv4_request){.method = "GET",
                                  .path = "/test.txt",
                                  .headers = get,
                                  .header_count = 4,
                                  .payload_sha256 = EMPTY},
           "host;range;x-amz-content-sha256;x-amz-date",
           "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    static const struct sigv4_pair put[] = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                                            HOST,
                                            {"x-amz-content-sha256", WELCOME},
                                            DATE,
                                            {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
    cleanup_free char *path = sigv4_encode("/test$file.text", 1);
    expect((struct sigv4_request){.method = "PUT",
                                  .path = path,
                                  .headers = put,
                                  .header_count = 5,
                                  .payload_sha256 = WELCOME},
           "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
           "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    static const struct sigv4_pair plain[] = {HOST, {"x-amz-content-sha256", EMPTY}, DATE};
    static const struct sigv4_pair lifecycle[] = {{"lifecycle", ""}};
    expect((struct sigv4_request){.method = "GET",
                                  .path = "/",
                                  .query = lifecycle,
                                  .query_count = 1,
                                  .headers = plain,
                                  .header_count = 3,
                                  .payload_sha256 = EMPTY},
           "host;x-amz-content-sha256;x-amz-date",
           "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    static const struct sigv4_pair list[] = {{"max-keys", "2"}, {"prefix", "J"}};
    expect((struct sigv4_request){.method = "GET",
                                  .path = "/",
                                  .query = list,
                                  .query_count = 2,
                                  .headers = plain,
                                  .header_count = 3,
                                  .payload_sha256 = EMPTY},
           "host;x-amz-content-sha256;x-amz-date",
           "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void everything_reserved_is_encoded(void **state)
{
    (void)state;
    cleanup_free char *path = sigv4_encode("/a b+c=d@e/\xc3\xa4~-_.%", 1);
    assert_string_equal(path, "/a%20b%2Bc%3Dd%40e/%C3%A4~-_.%25");
    cleanup_free char *value = sigv4_encode("a/b", 0);
    assert_string_equal(value, "a%2Fb");
    static const struct sigv4_pair query[] = {
        {"list-type", "2"}, {"prefix", "p/ s"}, {"uploads", ""}};
    cleanup_free char *text = sigv4_query(query, 3);
    assert_string_equal(text, "list-type=2&prefix=p%2F%20s&uploads=");
}

static void blanks_of_header_values_do_not_count(void **state)
{
    (void)state;
    struct sigv4_request request = {.method = "GET",
                                    .path = "/",
                                    .header_count = 1,
                                    .payload_sha256 = EMPTY,
                                    .time = "20130524T000000Z",
                                    .region = "r",
                                    .service = "s3",
                                    .access_key = "a",
                                    .secret_key = "s"};
    static const struct sigv4_pair tidy[] = {{"host", "a b c"}};
    static const struct sigv4_pair loose[] = {{"host", "  a  b   c "}};
    request.headers = tidy;
    cleanup_free char *one = sigv4_authorization(&request);
    request.headers = loose;
    cleanup_free char *other = sigv4_authorization(&request);
    assert_string_equal(one, other);
}

static void times_are_in_utc(void **state)
{
    char text[SIGV4_TIME_SIZE];
    (void)state;
    sigv4_time(INT64_C(1369353600000), text);
    assert_string_equal(text, "20130524T000000Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_examples_come_out),
        cmocka_unit_test(everything_reserved_is_encoded),
        cmocka_unit_test(blanks_of_header_values_do_not_count),
        cmocka_unit_test(times_are_in_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
