#include "net/s3-xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

enum { DEPTH_LIMIT = 8, TEXT_LIMIT = 16384 };

/* A document as elements come: `name` of the innermost and `parent` of it, with the text inside. */
struct reading {
    XML_Parser parser;
    const char *root; /* that it must have; NULL: any */
    int (*element)(struct reading *reading, const char *parent, const char *name, const char *text);
    void *data;
    char *names[DEPTH_LIMIT];
    int depth;
    struct buffer text;
    int failed;
    struct error *reterr;
};

static void stop(struct reading *reading)
{
    reading->failed = 1;
    (void)XML_StopParser(reading->parser, XML_FALSE);
}

static void complain(struct reading *reading, const char *what)
{
    (void)error_set(reading->reterr, EXIT_FAILED, "the server's answer %s", what);
    stop(reading);
}

/* "{namespace}Name" and "p:Name" are "Name". */
static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon != NULL ? colon + 1 : name;
}

static void on_start(void *data, const XML_Char *full, const XML_Char **attributes)
{
    struct reading *reading = data;
    const char *name = local_name(full);
    (void)attributes;
    if (reading->failed)
        return;
    if (reading->depth == DEPTH_LIMIT) {
        complain(reading, "is nested too deeply");
        return;
    }
    if (reading->depth == 0 && reading->root != NULL && !text_equal(name, reading->root)) {
        complain(reading, "is not of the kind that was asked for");
        return;
    }
    reading->names[reading->depth++] = text_copy(name);
    reading->text.size = 0;
}

static void on_text(void *data, const XML_Char *text, int size)
{
    struct reading *reading = data;
    if (!reading->failed && buffer_append(&reading->text, text, (size_t)size) != 0)
        complain(reading, "has a text that is too long");
}

static void on_end(void *data, const XML_Char *full)
{
    struct reading *reading = data;
    (void)full;
    if (reading->failed)
        return;
    const char *parent = reading->depth > 1 ? reading->names[reading->depth - 2] : "";
    const char *text = reading->text.size > 0 ? reading->text.data : "";
    if (reading->text.size > 0)
        reading->text.data[reading->text.size] = '\0';
    if (reading->element(reading, parent, reading->names[reading->depth - 1], text) != 0)
        stop(reading);
    free(reading->names[--reading->depth]);
    reading->text.size = 0;
}

static void on_doctype(void *data, const XML_Char *name, const XML_Char *system_id,
                       const XML_Char *public_id, int has_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    complain(data, "declares a document type");
}

static int read_document(struct reading *reading, const char *text, size_t size,
                         struct error *reterr)
{
    reading->reterr = reterr;
    reading->text = (struct buffer)BUFFER_INIT(TEXT_LIMIT);
    reading->parser = XML_ParserCreate(NULL);
    if (reading->parser == NULL)
        out_of_memory();
    XML_SetUserData(reading->parser, reading);
    XML_SetElementHandler(reading->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reading->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reading->parser, on_doctype);
    int parsed =
        size <= INT32_MAX && XML_Parse(reading->parser, text, (int)size, XML_TRUE) == XML_STATUS_OK;
    if (!parsed && !reading->failed)
        complain(reading, "is not XML");
    XML_ParserFree(reading->parser);
    while (reading->depth > 0)
        free(reading->names[--reading->depth]);
    buffer_clear(&reading->text);
    return reading->failed ? -1 : 0;
}

/* ---- lists ------------------------------------------------------------------------------------
 */

struct listing {
    s3_visit visit;
    void *data;
    char *key;
    int64_t size;
    int64_t modified_ms;
    int truncated;
    char *token;
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* encoding-type=url; a '+' is a blank. A NUL stays as it is written: it would cut the key to that
 * of another object. */
static char *decoded(const char *text)
{
    char *out = text_copy(text);
    char *to = out;
    for (const char *from = text; *from != '\0'; from++) {
        int high = *from == '%' ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;
        if (low >= 0 && (high | low) != 0) {
            *to++ = (char)(high * 16 + low);
            from += 2;
        } else {
            *to++ = *from;
            if (*from == '+')
                to[-1] = ' ';
        }
    }
    *to = '\0';
    return out;
}

static int end_entry(struct reading *reading, struct listing *listing, int is_prefix)
{
    if (listing->key == NULL) {
        complain(reading, "lists something without a key");
        return -1;
    }
    const size_t size = strlen(listing->key);
    if (is_prefix && (size == 0 || listing->key[size - 1] != '/')) {
        complain(reading, "lists a folder that is none");
        return -1;
    }
    const struct s3_entry entry = {listing->key, is_prefix, listing->size, listing->modified_ms};
    int result = listing->visit(listing->data, &entry, reading->reterr);
    free(take_pointer(listing->key));
    listing->size = 0;
    listing->modified_ms = -1;
    return result;
}

static int take_list(struct reading *reading, const char *parent, const char *name,
                     const char *text)
{
    struct listing *listing = reading->data;
    const int in_entry = text_equal(parent, "Contents");
    const int in_prefix = text_equal(parent, "CommonPrefixes");
    if ((in_entry && text_equal(name, "Key")) || (in_prefix && text_equal(name, "Prefix"))) {
        free(listing->key);
        listing->key = decoded(text);
    } else if (in_entry && text_equal(name, "Size")) {
        if (text_parse_integer(text, &listing->size) != 0 || listing->size < 0) {
            complain(reading, "has a size that is none");
            return -1;
        }
    } else if (in_entry && text_equal(name, "LastModified")) {
        listing->modified_ms = clock_parse(text);
        if (listing->modified_ms < 0) /* nothing there is so old */
            listing->modified_ms = -1;
    } else if (text_equal(name, "IsTruncated")) {
        listing->truncated = text_equal(text, "true");
    } else if (text_equal(name, "NextContinuationToken")) {
        free(listing->token);
        listing->token = text_copy(text);
    } else if (text_equal(name, "Contents") || text_equal(name, "CommonPrefixes")) {
        return end_entry(reading, listing, text_equal(name, "CommonPrefixes"));
    }
    return 0;
}

int s3_xml_list(const char *text, size_t size, s3_visit visit, void *data, char **ret_token,
                struct error *reterr)
{
    struct listing listing = {visit, data, NULL, 0, -1, 0, NULL};
    struct reading reading = {.root = "ListBucketResult", .element = take_list, .data = &listing};
    int result = read_document(&reading, text, size, reterr);
    free(listing.key);
    if (result == 0 && listing.truncated && listing.token == NULL)
        result = error_set(reterr, EXIT_FAILED,
                           "the server's answer is cut off and does not say how it goes on");
    if (result == 0 && listing.truncated)
        *ret_token = take_pointer(listing.token);
    else if (result == 0)
        *ret_token = NULL;
    free(listing.token);
    return result;
}

/* ---- uploads ----------------------------------------------------------------------------------
 */

static int take_upload_id(struct reading *reading, const char *parent, const char *name,
                          const char *text)
{
    char **id = reading->data;
    (void)parent;
    if (text_equal(name, "UploadId")) {
        free(*id);
        *id = text_copy(text);
    }
    return 0;
}

int s3_xml_upload_id(const char *text, size_t size, char **ret_id, struct error *reterr)
{
    cleanup_free char *id = NULL;
    struct reading reading = {
        .root = "InitiateMultipartUploadResult", .element = take_upload_id, .data = &id};
    if (read_document(&reading, text, size, reterr) != 0)
        return -1;
    if (id == NULL || *id == '\0')
        return error_set(reterr, EXIT_FAILED, "the server's answer names no upload");
    *ret_id = take_pointer(id);
    return 0;
}

struct uploads {
    const char *key;
    int (*visit)(void *data, const char *id, struct error *reterr);
    void *data;
    char *found_key;
    char *found_id;
};

static int take_uploads(struct reading *reading, const char *parent, const char *name,
                        const char *text)
{
    struct uploads *uploads = reading->data;
    int result = 0;
    if (text_equal(parent, "Upload") && text_equal(name, "Key")) {
        free(uploads->found_key);
        uploads->found_key = decoded(text);
    } else if (text_equal(parent, "Upload") && text_equal(name, "UploadId")) {
        free(uploads->found_id);
        uploads->found_id = text_copy(text);
    } else if (text_equal(name, "Upload")) {
        if (text_equal(uploads->found_key, uploads->key) && uploads->found_id != NULL)
            result = uploads->visit(uploads->data, uploads->found_id, reading->reterr);
        free(take_pointer(uploads->found_key));
        free(take_pointer(uploads->found_id));
    }
    return result;
}

int s3_xml_uploads(const char *text, size_t size, const char *key,
                   int (*visit)(void *data, const char *id, struct error *reterr), void *data,
                   struct error *reterr)
{
    struct uploads uploads = {key, visit, data, NULL, NULL};
    struct reading reading = {
        .root = "ListMultipartUploadsResult", .element = take_uploads, .data = &uploads};
    int result = read_document(&reading, text, size, reterr);
    free(uploads.found_key);
    free(uploads.found_id);
    return result;
}

/* ---- errors -----------------------------------------------------------------------------------
 */

struct told {
    char *code;
    char *message;
};

static int take_error(struct reading *reading, const char *parent, const char *name,
                      const char *text)
{
    struct told *told = reading->data;
    if (!text_equal(parent, "Error"))
        return 0;
    if (text_equal(name, "Code")) {
        free(told->code);
        told->code = text_copy(text);
    } else if (text_equal(name, "Message")) {
        free(told->message);
        told->message = text_copy(text);
    }
    return 0;
}

int s3_xml_error(const char *text, size_t size, char **ret_code, char **ret_message)
{
    struct told told = {NULL, NULL};
    struct reading reading = {.root = "Error", .element = take_error, .data = &told};
    int is_error = size > 0 && read_document(&reading, text, size, NULL) == 0;
    *ret_code = told.code != NULL ? told.code : text_copy("");
    *ret_message = told.message != NULL ? told.message : text_copy("");
    if (is_error)
        return 1;
    free(take_pointer(*ret_code));
    free(take_pointer(*ret_message));
    return 0;
}
