#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "wire/frame-rules.h"

struct sample {
    enum frame_type type;
    const char *body;
    const char *refused; /* part of the reason; NULL: it is sound */
};

static const struct sample samples[] = {
    {FRAME_READY, "{\"descriptor\":null,\"build_id\":\"\"}", NULL},
    {FRAME_READY, "{\"descriptor\":{},\"build_id\":\"a\"}", NULL},
    {FRAME_READY, "{\"descriptor\":[],\"build_id\":\"a\"}", "'descriptor'"},
    {FRAME_READY, "{\"descriptor\":{}}", "'build_id'"},
    {FRAME_REFUSED, "{\"message\":\"m\"}", NULL},
    {FRAME_REFUSED, "{\"message\":\"m\",\"hint\":3}", "'hint'"},
    {FRAME_LOG, "{\"level\":2000,\"text\":\"t\",\"more\":1}", NULL},
    {FRAME_LOG, "{\"level\":\"info\",\"text\":\"t\"}", "'level'"},
    {FRAME_LOG, "{\"level\":2000}", "'text'"},
    {FRAME_PROGRESS, "{\"done\":1,\"total\":0,\"what\":\"\"}", NULL},
    {FRAME_PROGRESS, "{\"done\":-1,\"total\":0,\"what\":\"\"}", "'done'"},
    {FRAME_ITEM, "{\"kind\":\"k\",\"name\":\"n\",\"details\":{}}", NULL},
    {FRAME_ITEM, "{\"kind\":\"k\",\"name\":\"n\",\"details\":[]}", "'details'"},
    {FRAME_FACT, "{\"name\":\"n\",\"class\":\"guard\",\"value\":null}", NULL},
    {FRAME_FACT, "{\"name\":\"n\",\"class\":\"guess\",\"value\":1}", "'class'"},
    {FRAME_FACT, "{\"name\":\"n\",\"class\":\"info\"}", "'value'"},
    {FRAME_FINDING, "{\"id\":\"i\",\"severity\":\"info\",\"object\":\"\",\"detail\":\"\"}", NULL},
    {FRAME_FINDING, "{\"id\":\"i\",\"severity\":\"doom\",\"object\":\"\",\"detail\":\"\"}",
     "'severity'"},
    {FRAME_PLAN, "{\"do\":\"decide\",\"procedure\":\"p\",\"reason\":\"r\"}", NULL},
    {FRAME_PLAN, "{\"do\":\"decide\",\"procedure\":\"p\"}", "'reason'"},
    {FRAME_PLAN, "{\"do\":\"rule_out\",\"procedure\":\"p\",\"reason\":\"r\"}", NULL},
    {FRAME_PLAN, "{\"do\":\"fact\",\"name\":\"n\",\"class\":\"guard\",\"value\":1}", NULL},
    {FRAME_PLAN, "{\"do\":\"step\",\"row\":\"r\",\"target\":\"\",\"parameters\":{},\"guards\":[]}",
     NULL},
    {FRAME_PLAN, "{\"do\":\"step\",\"row\":\"r\",\"target\":\"\",\"parameters\":{},\"guards\":[1]}",
     "'guards'"},
    {FRAME_PLAN, "{\"do\":\"objects\",\"index\":0,\"names\":[\"a\"]}", NULL},
    {FRAME_PLAN, "{\"do\":\"objects\",\"index\":0,\"names\":{}}", "'names'"},
    {FRAME_PLAN, "{\"do\":\"next_stage\",\"stage\":\"s\"}", NULL},
    {FRAME_PLAN, "{\"do\":\"dance\"}", "does 'dance'"},
    {FRAME_PLAN, "{}", "does ''"},
    {FRAME_NOTE, "{\"text\":\"t\"}", NULL},
    {FRAME_NOTE, "{}", "'text'"},
    {FRAME_RESULT, "{\"any\":1}", NULL},
    {FRAME_ARTIFACT,
     "{\"name\":\"n\",\"media_type\":\"m\",\"size\":1,\"sha256\":\"s\",\"sensitive\":false}", NULL},
    {FRAME_ARTIFACT, "{\"name\":\"n\",\"media_type\":\"m\",\"size\":1,\"sha256\":\"s\"}",
     "'sensitive'"},
    {FRAME_EVIDENCE, "{\"service\":\"s\",\"what\":\"w\",\"duration_ms\":3}", NULL},
    {FRAME_EVIDENCE, "{\"service\":\"s\",\"what\":\"w\",\"duration_ms\":0.5}", "'duration_ms'"},
    {FRAME_LEDGER, "{\"name\":\"n\",\"entries\":5,\"sha256\":\"s\"}", NULL},
    {FRAME_REQUEST, "{\"serial\":1,\"ask\":\"secret\"}", NULL},
    {FRAME_REQUEST, "{\"ask\":\"secret\"}", "'serial'"},
    {FRAME_STATE, "{\"serial\":0,\"state\":{}}", NULL},
    {FRAME_STATE, "{\"serial\":0,\"state\":[]}", "'state'"},
    {FRAME_STATE, "{\"state\":{}}", "'serial'"},
    {FRAME_DONE, "{\"status\":0}", NULL},
    {FRAME_DONE, "{\"status\":0,\"answer\":4000,\"error\":null}", NULL},
    {FRAME_DONE, "{\"status\":0,\"answer\":\"yes\"}", "'answer'"},
    {FRAME_DONE, "{\"status\":4000,\"error\":{\"message\":\"m\",\"detail\":null}}", NULL},
    {FRAME_DONE, "{\"status\":4000,\"error\":{\"detail\":\"d\"}}", "'error'"},
    {FRAME_DONE, "{}", "'status'"},
    {FRAME_CALL, "{}", "never sends"},
    {FRAME_REPLY, "{}", "never sends"},
};

static void each_frame_has_its_members(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const struct sample *sample = &samples[i];
        cleanup_error struct error err = ERROR_INIT;
        cleanup_json json_t *body = json_loads(sample->body, 0, NULL);
        assert_non_null(body);
        const int refused = frame_check(sample->type, body, &err) != 0;
        if (refused != (sample->refused != NULL))
            fail_msg("'%s' %s: %s", frame_type_name(sample->type), sample->body,
                     refused ? err.message : "let through");
        if (refused && strstr(err.message, sample->refused) == NULL)
            fail_msg("'%s' does not say %s", err.message, sample->refused);
        if (refused && sample->type != FRAME_CALL && sample->type != FRAME_REPLY)
            assert_non_null(strstr(err.message, frame_type_name(sample->type)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_frame_has_its_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
