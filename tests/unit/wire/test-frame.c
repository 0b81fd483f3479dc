#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "wire/frame.h"

#include "base/banned.h"

enum { ROOM = 2 * (FRAME_PAYLOAD_LIMIT + FRAME_HEADER_SIZE) };

static void put_raw(struct buffer *out, uint32_t size, unsigned type, unsigned flags, uint32_t call,
                    const char *payload)
{
    const unsigned char header[FRAME_HEADER_SIZE] = {
        (unsigned char)size,         (unsigned char)(size >> 8),  (unsigned char)(size >> 16),
        (unsigned char)(size >> 24), (unsigned char)type,         (unsigned char)(type >> 8),
        (unsigned char)flags,        (unsigned char)(flags >> 8), (unsigned char)call,
        (unsigned char)(call >> 8),  (unsigned char)(call >> 16), (unsigned char)(call >> 24),
    };
    assert_int_equal(buffer_append(out, header, sizeof header), 0);
    assert_int_equal(buffer_append_text(out, payload), 0);
}

static void put_text(struct buffer *out, const char *payload)
{
    put_raw(out, (uint32_t)strlen(payload), FRAME_LOG, 0, 7, payload);
}

/* Decodes one frame that must be refused with `expected` in the text. */
static void refuse(struct buffer *in, const char *expected)
{
    struct frame frame = {0};
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(frame_decode(in, &frame, &err), -1);
    assert_non_null(err.message);
    if (strstr(err.message, expected) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, expected);
    assert_null(frame.body);
}

static void round_trip_keeps_type_call_and_body(void **state)
{
    (void)state;
    static const enum frame_type types[] = {
        FRAME_PART,     FRAME_TELL,    FRAME_STATE,   FRAME_OPEN, FRAME_CALL,     FRAME_REPLY,
        FRAME_CLOSE,    FRAME_READY,   FRAME_REFUSED, FRAME_LOG,  FRAME_PROGRESS, FRAME_ITEM,
        FRAME_FACT,     FRAME_FINDING, FRAME_PLAN,    FRAME_NOTE, FRAME_RESULT,   FRAME_ARTIFACT,
        FRAME_EVIDENCE, FRAME_LEDGER,  FRAME_REQUEST, FRAME_DONE,
    };
    cleanup_buffer struct buffer stream = BUFFER_INIT(ROOM);
    cleanup_json json_t *body =
        json_pack("{s:s,s:[i,i],s:n}", "text", "\xc3\xa9\n\"", "list", 1, -2, "nothing");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_int_equal(frame_encode(&stream, types[i], 0xfedcba98u - (uint32_t)i, body, NULL), 0);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct frame frame = {0};
        assert_int_equal(frame_decode(&stream, &frame, NULL), 1);
        assert_int_equal(frame.type, types[i]);
        assert_int_equal(frame.call, 0xfedcba98u - (uint32_t)i);
        assert_true(json_equal(frame.body, body));
        assert_string_not_equal(frame_type_name(frame.type), "unknown");
        frame_clear(&frame);
        assert_null(frame.body);
    }
    assert_int_equal(stream.size, 0);
    assert_string_equal(frame_type_name(99), "unknown");
    assert_string_equal(frame_type_name(FRAME_PLAN), "plan");
}

static void waits_for_every_byte(void **state)
{
    (void)state;
    cleanup_buffer struct buffer whole = BUFFER_INIT(ROOM);
    cleanup_json json_t *body = json_pack("{s:s}", "text", "hello");
    assert_int_equal(frame_encode(&whole, FRAME_LOG, 1, body, NULL), 0);
    cleanup_buffer struct buffer part = BUFFER_INIT(ROOM);
    for (size_t i = 0; i < whole.size; i++) {
        struct frame frame = {0};
        cleanup_error struct error err = ERROR_INIT;
        assert_int_equal(frame_decode(&part, &frame, &err), 0);
        assert_int_equal(part.size, i);
        assert_int_equal(buffer_append(&part, whole.data + i, 1), 0);
    }
    struct frame frame = {0};
    assert_int_equal(frame_decode(&part, &frame, NULL), 1);
    frame_clear(&frame);
}

static void header_is_little_endian(void **state)
{
    (void)state;
    cleanup_buffer struct buffer stream = BUFFER_INIT(ROOM);
    cleanup_json json_t *body = json_object();
    assert_int_equal(frame_encode(&stream, FRAME_DONE, 0x01020304, body, NULL), 0);
    static const unsigned char expected[] = {2, 0, 0, 0, 120, 0, 0, 0, 4, 3, 2, 1, '{', '}'};
    assert_int_equal(stream.size, sizeof expected);
    assert_memory_equal(stream.data, expected, sizeof expected);
}

static void refuses_what_is_not_a_frame(void **state)
{
    (void)state;
    static const struct {
        const char *payload, *expected;
    } bad[] = {
        {"[]", "not a JSON object"},
        {"\"text\"", "not JSON"},
        {"", "not JSON"},
        {"{", "not JSON"},
        {"{\"a\":1,\"a\":2}", "duplicate object key"},
        {"{}x", "not JSON"},
        {"{\"a\":\"\\u0000\"}", "not JSON"},
        {"{\"a\":\"\xff\"}", "not JSON"},
        {"{\"a\":1e999}", "not JSON"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cleanup_buffer struct buffer stream = BUFFER_INIT(ROOM);
        put_text(&stream, bad[i].payload);
        refuse(&stream, bad[i].expected);
    }
}

static void refuses_a_bad_header_before_its_payload_came(void **state)
{
    (void)state;
    cleanup_buffer struct buffer type = BUFFER_INIT(ROOM);
    put_raw(&type, 100, 7, 0, 0, "");
    refuse(&type, "unknown type 7");
    cleanup_buffer struct buffer flags = BUFFER_INIT(ROOM);
    put_raw(&flags, 100, FRAME_LOG, 0x8000, 0, "");
    refuse(&flags, "unknown flags 0x8000");
    cleanup_buffer struct buffer size = BUFFER_INIT(ROOM);
    put_raw(&size, FRAME_PAYLOAD_LIMIT + 1, FRAME_LOG, 0, 0, "");
    refuse(&size, "passes the limit");
    cleanup_buffer struct buffer huge = BUFFER_INIT(ROOM);
    put_raw(&huge, 0xffffffffu, FRAME_LOG, 0, 0, "");
    refuse(&huge, "4294967295");
}

static void refuses_deep_nesting(void **state)
{
    (void)state;
    cleanup_buffer struct buffer deep = BUFFER_INIT(ROOM);
    assert_int_equal(buffer_append_text(&deep, "{\"a\":"), 0);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buffer_append_text(&deep, "["), 0);
    cleanup_buffer struct buffer stream = BUFFER_INIT(ROOM);
    put_text(&stream, deep.data);
    refuse(&stream, "not JSON");
}

static void payload_limit_is_exact(void **state)
{
    (void)state;
    const size_t frame_of_text = strlen("{\"t\":\"\"}");
    cleanup_free char *text = memory_new(1, FRAME_PAYLOAD_LIMIT + 2);
    memset(text, 'x', FRAME_PAYLOAD_LIMIT + 1);
    text[FRAME_PAYLOAD_LIMIT - frame_of_text] = '\0';
    cleanup_buffer struct buffer stream = BUFFER_INIT(ROOM);
    cleanup_json json_t *fits = json_pack("{s:s}", "t", text);
    assert_int_equal(frame_encode(&stream, FRAME_ITEM, 1, fits, NULL), 0);
    assert_int_equal(stream.size, FRAME_HEADER_SIZE + FRAME_PAYLOAD_LIMIT);
    struct frame frame = {0};
    assert_int_equal(frame_decode(&stream, &frame, NULL), 1);
    frame_clear(&frame);

    text[FRAME_PAYLOAD_LIMIT - frame_of_text] = 'x';
    text[FRAME_PAYLOAD_LIMIT - frame_of_text + 1] = '\0';
    cleanup_json json_t *small = json_object();
    cleanup_json json_t *large = json_pack("{s:s}", "t", text);
    assert_int_equal(frame_encode(&stream, FRAME_NOTE, 1, small, NULL), 0);
    const size_t before = stream.size;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(frame_encode(&stream, FRAME_ITEM, 1, large, &err), -1);
    assert_non_null(strstr(err.message, "'item' frame"));
    assert_int_equal(stream.size, before);
    assert_int_equal(frame_decode(&stream, &frame, NULL), 1);
    assert_int_equal(frame.type, FRAME_NOTE);
    frame_clear(&frame);
}

static void a_full_buffer_refuses_the_frame_whole(void **state)
{
    (void)state;
    cleanup_buffer struct buffer stream = BUFFER_INIT(20);
    cleanup_json json_t *body = json_pack("{s:s}", "text", "hello");
    assert_int_equal(frame_encode(&stream, FRAME_LOG, 1, body, NULL), -1);
    assert_int_equal(stream.size, 0);
}

/* An object of about `size` bytes, full of what must be escaped again. */
static json_t *large_body(size_t size)
{
    json_t *list = json_array();
    for (size_t i = 0; i * 40 < size; i++)
        json_add(list, json_string("quote \" and slash \\ and \xe2\x82\xac"));
    return json_make("{s:o}", "list", list);
}

/* Feeds `stream` to frame_join; 1 with *ret_frame, or -1. */
static int join_all(struct buffer *stream, struct frame_parts *parts, struct frame *ret_frame,
                    struct error *reterr)
{
    int joined = 0;
    while (joined == 0) {
        assert_int_equal(frame_decode(stream, ret_frame, NULL), 1);
        joined = frame_join(parts, ret_frame, reterr);
    }
    return joined;
}

static void large_bodies_travel_in_parts(void **state)
{
    (void)state;
    static const size_t sizes[] = {10, FRAME_PAYLOAD_LIMIT / 2, 3 * FRAME_PAYLOAD_LIMIT};
    cleanup_buffer struct buffer stream = BUFFER_INIT(64 << 20);
    struct frame_parts parts = {BUFFER_INIT(FRAME_PARTS_LIMIT), 0};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct frame frame = {0};
        cleanup_json json_t *body = large_body(sizes[i]);
        assert_int_equal(frame_encode_parts(&stream, FRAME_CALL, 9, body, NULL), 0);
        assert_int_equal(join_all(&stream, &parts, &frame, NULL), 1);
        assert_int_equal(frame.type, FRAME_CALL);
        assert_int_equal(frame.call, 9);
        assert_true(json_equal(frame.body, body));
        assert_int_equal(stream.size, 0);
        frame_clear(&frame);
    }
    buffer_clear(&parts.text);
}

static void parts_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *part, *last, *expected;
    } bad[] = {
        {"{\"text\":\"{}\"}", "{\"parts\":2}", "do not fit together"},
        {"{\"text\":\"{}\"}", "{}", "do not fit together"},
        {"{\"text\":\"{\"}", "{\"parts\":1}", "do not fit together"},
        {"{\"text\":\"[]\"}", "{\"parts\":1}", "do not fit together"},
        {"{\"text\":7}", "{\"parts\":1}", "without a text"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cleanup_buffer struct buffer stream = BUFFER_INIT(ROOM);
        struct frame_parts parts = {BUFFER_INIT(FRAME_PARTS_LIMIT), 0};
        struct frame frame = {0};
        cleanup_error struct error err = ERROR_INIT;
        put_raw(&stream, (uint32_t)strlen(bad[i].part), FRAME_PART, 0, 1, bad[i].part);
        put_raw(&stream, (uint32_t)strlen(bad[i].last), FRAME_CALL, 0, 1, bad[i].last);
        assert_int_equal(join_all(&stream, &parts, &frame, &err), -1);
        assert_non_null(strstr(err.message, bad[i].expected));
        assert_null(frame.body);
        buffer_clear(&parts.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_keeps_type_call_and_body),
        cmocka_unit_test(waits_for_every_byte),
        cmocka_unit_test(header_is_little_endian),
        cmocka_unit_test(refuses_what_is_not_a_frame),
        cmocka_unit_test(refuses_a_bad_header_before_its_payload_came),
        cmocka_unit_test(refuses_deep_nesting),
        cmocka_unit_test(payload_limit_is_exact),
        cmocka_unit_test(large_bodies_travel_in_parts),
        cmocka_unit_test(parts_that_do_not_fit_are_refused),
        cmocka_unit_test(a_full_buffer_refuses_the_frame_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
