#include "plugin/option-value.h"

#include <salvor/plugin.h>
#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

static int is_word_byte(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

/* Why `text` is not scheme://host..., or NULL. */
static const char *url_fault(const char *text)
{
    const char *colon = strstr(text, "://");
    if (colon == NULL || colon == text)
        return "it has no scheme (https://...)";
    for (const char *at = text; at < colon; at++) {
        if (!is_word_byte((unsigned char)*at) && (at == text || strchr("+-.", *at) == NULL))
            return "its scheme has a character that no scheme has";
    }
    const char *authority = colon + strlen("://");
    size_t length = strcspn(authority, "/?#");
    if (length == 0 || authority[0] == ':')
        return "it has no host";
    if (memchr(authority, '@', length) != NULL)
        return "credentials do not belong into it";
    for (const char *at = authority; *at != '\0'; at++) {
        if ((unsigned char)*at <= 0x20 || *at == 0x7f)
            return "it has a space or a control character";
    }
    return NULL;
}

static int is_choice(const struct plugin_option *option, const char *text)
{
    for (const char **choice = option->choices; choice != NULL && *choice != NULL; choice++) {
        if (strcmp(*choice, text) == 0)
            return 1;
    }
    return 0;
}

static int choice_error(const struct plugin_option *option, const char *shown, const char *text,
                        struct error *reterr)
{
    cleanup_buffer struct buffer list = BUFFER_INIT(4096);
    for (const char **choice = option->choices; choice != NULL && *choice != NULL; choice++)
        (void)buffer_format(&list, "%s%s", choice == option->choices ? "" : ", ", *choice);
    error_set(reterr, EXIT_USAGE, "%s is not one of %s", shown,
              list.data != NULL ? list.data : "no choices");
    const char *nearest = option->choices != NULL && !option->secret
                              ? text_nearest(text, (const char *const *)option->choices)
                              : NULL;
    return nearest != NULL ? error_hint(reterr, "did you mean '%s'?", nearest) : -1;
}

static int number_value(const char *shown, int parsed, int64_t number, const char *kind,
                        json_t **ret_value, struct error *reterr)
{
    if (parsed != 0)
        return error_set(reterr, EXIT_USAGE, "%s is not %s", shown, kind);
    *ret_value = json_integer(number);
    return 0;
}

int option_value_parse(const struct plugin_option *option, const char *text, json_t **ret_value,
                       struct error *reterr)
{
    cleanup_free char *shown = option->secret ? text_copy("the value") : text_format("'%s'", text);
    int64_t number = 0;
    int parsed = 0;
    const char *fault = NULL;
    switch (option->type) {
    case SALVOR_OPTION_INTEGER:
        parsed = text_parse_integer(text, &number);
        return number_value(shown, parsed, number, "a whole number", ret_value, reterr);
    case SALVOR_OPTION_DURATION:
        parsed = text_parse_duration(text, &number);
        return number_value(shown, parsed, number, "a duration such as 30s, 5m or 2h", ret_value,
                            reterr);
    case SALVOR_OPTION_SIZE:
        parsed = text_parse_size(text, &number);
        return number_value(shown, parsed, number, "a size such as 512, 64KiB or 10MiB", ret_value,
                            reterr);
    case SALVOR_OPTION_BOOLEAN:
        if (!text_equal(text, "true") && !text_equal(text, "false"))
            return error_set(reterr, EXIT_USAGE, "%s is neither true nor false", shown);
        *ret_value = json_boolean(text_equal(text, "true"));
        return 0;
    case SALVOR_OPTION_CHOICE:
        if (!is_choice(option, text))
            return choice_error(option, shown, text, reterr);
        break;
    case SALVOR_OPTION_URL:
        fault = url_fault(text);
        if (fault != NULL)
            return error_set(reterr, EXIT_USAGE, "%s is not a URL: %s", shown, fault);
        break;
    case SALVOR_OPTION_PATH:
        if (text[0] == '\0')
            return error_set(reterr, EXIT_USAGE, "the path is empty");
        break;
    default:
        break;
    }
    json_t *value = json_string(text);
    if (value == NULL)
        return error_set(reterr, EXIT_USAGE, "the value is not UTF-8");
    *ret_value = option->type == SALVOR_OPTION_LIST ? json_make("[o]", value) : value;
    return 0;
}
