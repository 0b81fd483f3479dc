#include "plugin/vocabulary.h"

#include <salvor/plugin.h>
#include <stddef.h>

#include "base/banned.h"
#include "base/text.h"

const struct word words_effect[] = {{SALVOR_EFFECT_READ, "read"},
                                    {SALVOR_EFFECT_DECLARED_READ, "declared-read"},
                                    {SALVOR_EFFECT_CHANGE, "change"},
                                    {SALVOR_EFFECT_DESTRUCTIVE, "destructive"},
                                    {SALVOR_EFFECT_IRREVERSIBLE, "irreversible"},
                                    {0, NULL}};

const struct word words_fact[] = {{SALVOR_FACT_IDENTITY, "identity"},
                                  {SALVOR_FACT_GUARD, "guard"},
                                  {SALVOR_FACT_INFO, "info"},
                                  {0, NULL}};

const struct word words_answer[] = {{SALVOR_CHECK_NOT_STARTED, "not-started"},
                                    {SALVOR_CHECK_PARTIAL, "partial"},
                                    {SALVOR_CHECK_IN_PROGRESS, "in-progress"},
                                    {SALVOR_CHECK_DONE, "done"},
                                    {SALVOR_CHECK_CONFLICT, "conflict"},
                                    {SALVOR_CHECK_UNKNOWN, "unknown"},
                                    {0, NULL}};

const struct word words_severity[] = {{SALVOR_SEVERITY_INFO, "info"},
                                      {SALVOR_SEVERITY_WARNING, "warning"},
                                      {SALVOR_SEVERITY_BLOCKER, "blocker"},
                                      {0, NULL}};

const struct word words_procedure[] = {{SALVOR_PROCEDURE_BACKUP, "backup"},
                                       {SALVOR_PROCEDURE_RESTORE, "restore"},
                                       {SALVOR_PROCEDURE_POST_RESYNC, "post-resync"},
                                       {SALVOR_PROCEDURE_UNDO, "undo"},
                                       {0, NULL}};

const struct word words_option[] = {
    {SALVOR_OPTION_STRING, "string"},   {SALVOR_OPTION_INTEGER, "integer"},
    {SALVOR_OPTION_BOOLEAN, "boolean"}, {SALVOR_OPTION_DURATION, "duration"},
    {SALVOR_OPTION_SIZE, "size"},       {SALVOR_OPTION_PATH, "path"},
    {SALVOR_OPTION_URL, "url"},         {SALVOR_OPTION_CHOICE, "choice"},
    {SALVOR_OPTION_LIST, "list"},       {0, NULL}};

const struct word words_command[] = {
    {SALVOR_ON_DISCOVER, "discover"},       {SALVOR_ON_BACKUP, "backup"},
    {SALVOR_ON_VALIDATE, "validate"},       {SALVOR_ON_RESTORE, "restore"},
    {SALVOR_ON_POST_RESYNC, "post-resync"}, {0, NULL}};

const struct word words_status[] = {{SALVOR_OK, "ok"},
                                    {SALVOR_END, "end"},
                                    {SALVOR_FULL, "full"},
                                    {SALVOR_PENDING, "pending"},
                                    {SALVOR_UNSUPPORTED, "unsupported"},
                                    {SALVOR_NOT_FOUND, "not-found"},
                                    {SALVOR_REFUSED, "refused"},
                                    {SALVOR_RETRY, "retry"},
                                    {SALVOR_TIMEOUT, "timeout"},
                                    {SALVOR_FAILED, "failed"},
                                    {SALVOR_NEEDS_OPERATOR, "needs-operator"},
                                    {SALVOR_CANCELLED, "cancelled"},
                                    {SALVOR_BUG, "bug"},
                                    {0, NULL}};

const char *word_for(const struct word *table, uint32_t number)
{
    for (; table->word != NULL; table++) {
        if (table->number == number)
            return table->word;
    }
    return NULL;
}

uint32_t number_for(const struct word *table, const char *word)
{
    for (; table->word != NULL; table++) {
        if (text_equal(table->word, word))
            return table->number;
    }
    return 0;
}
