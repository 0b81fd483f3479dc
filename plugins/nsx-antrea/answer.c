#include "answer.h"

#include <ctype.h>
#include <salvor/helpers.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REFERENCES_MOST = 200 };

/* ---- the table ----------------------------------------------------------------------------------
 */

static const struct rule {
    int status; /* 0: any */
    int64_t code;
    enum answer_kind kind;
} rules[] = {
    {400, 289, ANSWER_OWNED},      {400, 500030, ANSWER_REFERENCED}, {400, 500045, ANSWER_PURGING},
    {400, 500087, ANSWER_STALE},   {400, 500232, ANSWER_STALE},      {400, 100148, ANSWER_STALE},
    {400, 500127, ANSWER_STALE},   {404, 500090, ANSWER_STALE},      {403, 98, ANSWER_LOGIN},
    {403, 403, ANSWER_LOGIN},      {403, 505, ANSWER_LICENCE},       {500, 98, ANSWER_BUSY},
    {500, 99, ANSWER_LOGIN},       {500, 607, ANSWER_BUSY},          {400, 60508, ANSWER_NO_INDEX},
    {400, 60514, ANSWER_NO_INDEX}, {400, 60515, ANSWER_NO_INDEX},    {429, 102, ANSWER_BUSY},
};

static int kind_of_code(int status, int64_t code, enum answer_kind *ret)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].code == code && rules[i].status == status) {
            *ret = rules[i].kind;
            return 1;
        }
    }
    return 0;
}

static enum answer_kind kind_of_status(int status)
{
    switch (status) {
    case 200:
    case 201:
    case 202:
    case 204:
        return ANSWER_DONE;
    case 301:
    case 302:
    case 307:
    case 308:
        return ANSWER_ELSEWHERE;
    case 401:
        return ANSWER_LOGIN;
    case 404:
        return ANSWER_ABSENT;
    case 409:
    case 412:
        return ANSWER_STALE;
    case 429:
    case 502:
    case 503:
    case 504:
        return ANSWER_BUSY;
    default:
        return ANSWER_FAILED;
    }
}

/* ---- the body -----------------------------------------------------------------------------------
 */

/* A number, or a text that is one: both are seen. */
static int64_t code_of(const json_t *error)
{
    const json_t *code = json_object_get(error, "error_code");
    if (json_is_integer(code))
        return json_integer_value(code);
    if (!json_is_string(code))
        return 0;
    char *end = NULL;
    const long long number = strtoll(json_string_value(code), &end, 10);
    return end != json_string_value(code) && *end == '\0' ? number : 0;
}

static void keep_message(struct answer *answer, const char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < size && used + 1 < sizeof answer->message; i++) {
        const unsigned char byte = (unsigned char)text[i];
        if (byte > 0x20 && byte != 0x7f)
            answer->message[used++] = (char)byte;
        else if (used > 0 && answer->message[used - 1] != ' ')
            answer->message[used++] = ' ';
    }
    /* not in the middle of a character */
    while (used > 0 && used + 1 == sizeof answer->message &&
           ((unsigned char)answer->message[used - 1] & 0x80) != 0)
        used--;
    answer->message[used] = '\0';
}

/* "...other objects path=[P,Q]" or the older form without "path=": the last brackets of the text.
 */
static json_t *references_in(const char *message)
{
    const char *open = strrchr(message, '[');
    const char *close = open != NULL ? strchr(open, ']') : NULL;
    json_t *paths = json_array();
    for (const char *at = open != NULL ? open + 1 : NULL;
         close != NULL && at < close && json_array_size(paths) < REFERENCES_MOST;) {
        while (at < close && (*at == ',' || isspace((unsigned char)*at)))
            at++;
        const size_t size = strcspn(at, ",] ");
        if (size > 0)
            (void)json_array_append_new(paths, json_stringn(at, size));
        at += size > 0 ? size : 1;
    }
    return paths;
}

static int says(const char *message, const char *word)
{
    return strcasestr(message, word) != NULL;
}

/* Codes of these are UNCONFIRMED (facts 1.4): told by their words. */
static enum answer_kind kind_of_words(int status, const char *message, enum answer_kind otherwise)
{
    if ((status == 400 || status == 409) &&
        (says(message, "already exists") || says(message, "unique") ||
         says(message, "certificate conflict")))
        return ANSWER_DUPLICATE;
    if ((status == 400 || status == 409 || status == 412) &&
        (says(message, "in use") || says(message, "used by") || says(message, "being referenced")))
        return ANSWER_REFERENCED;
    if (status == 404 && says(message, "could not be found"))
        return ANSWER_ABSENT;
    return otherwise;
}

static void read_error(int status, const json_t *error, struct answer *answer)
{
    const json_t *related = json_object_get(error, "related_errors");
    const char *message = salvor_json_text(error, "/error_message", "");
    int known = kind_of_code(status, code_of(error), &answer->kind);
    answer->code = code_of(error);
    for (size_t i = 0; !known && i < json_array_size(related); i++) {
        const json_t *one = json_array_get(related, i);
        known = kind_of_code(status, code_of(one), &answer->kind);
        if (known || *message == '\0')
            message = salvor_json_text(one, "/error_message", message);
        if (known)
            answer->code = code_of(one);
    }
    if (!known)
        answer->kind = kind_of_words(status, message, answer->kind);
    keep_message(answer, message, strlen(message));
    if (answer->kind == ANSWER_REFERENCED)
        answer->references = references_in(message);
}

void answer_read(int status, struct salvor_span body, struct answer *ret)
{
    *ret = (struct answer){.kind = kind_of_status(status)};
    if (ret->kind == ANSWER_DONE)
        return;
    salvor_auto_json json_t *error =
        body.size > 0 ? json_loadb(body.data, (size_t)body.size, 0, NULL) : NULL;
    if (json_is_object(error))
        read_error(status, error, ret);
    else if (body.size > 0)
        keep_message(ret, body.data, (size_t)body.size);
}

void answer_clear(struct answer *answer)
{
    json_decref(answer->references);
    answer->references = NULL;
}

const char *answer_words(enum answer_kind kind)
{
    switch (kind) {
    case ANSWER_DONE:
        return "done";
    case ANSWER_ABSENT:
        return "it does not exist";
    case ANSWER_STALE:
        return "it was changed meanwhile";
    case ANSWER_OWNED:
        return "it is owned by another principal";
    case ANSWER_REFERENCED:
        return "other objects use it";
    case ANSWER_PURGING:
        return "an object of that name is still being purged";
    case ANSWER_BUSY:
        return "the manager is busy or restarting";
    case ANSWER_LOGIN:
        return "the manager does not accept the credentials";
    case ANSWER_LICENCE:
        return "the manager has no licence for it";
    case ANSWER_NO_INDEX:
        return "the search index is not usable";
    case ANSWER_DUPLICATE:
        return "its name or certificate exists already";
    case ANSWER_ELSEWHERE:
        return "the manager sends to another node";
    case ANSWER_STRANGE:
        return "the answer is not what the API promises";
    case ANSWER_FAILED:
        break;
    }
    return "the manager refused";
}

salvor_status answer_status(enum answer_kind kind)
{
    switch (kind) {
    case ANSWER_DONE:
        return SALVOR_OK;
    case ANSWER_ABSENT:
        return SALVOR_NOT_FOUND;
    case ANSWER_PURGING:
    case ANSWER_BUSY:
    case ANSWER_NO_INDEX:
        return SALVOR_RETRY;
    case ANSWER_STALE:
    case ANSWER_OWNED:
    case ANSWER_REFERENCED:
    case ANSWER_DUPLICATE:
        return SALVOR_REFUSED;
    default:
        return SALVOR_FAILED;
    }
}
