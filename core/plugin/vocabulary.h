/* The ABI's numbers and the words that stand for them in JSON, journal, plan and output. */
#ifndef SALVOR_PLUGIN_VOCABULARY_H
#define SALVOR_PLUGIN_VOCABULARY_H

#include <stdint.h>

struct word {
    uint32_t number;
    const char *word;
};

/* Tables, each ending with a NULL word. */
extern const struct word words_effect[];    /* SALVOR_EFFECT_*: "read", "declared-read" ... */
extern const struct word words_fact[];      /* SALVOR_FACT_*: "identity", "guard", "info" */
extern const struct word words_answer[];    /* SALVOR_CHECK_*: "not-started", "partial" ... */
extern const struct word words_severity[];  /* SALVOR_SEVERITY_*: "info", "warning", "blocker" */
extern const struct word words_procedure[]; /* SALVOR_PROCEDURE_*: "backup", "restore" ... */
extern const struct word words_option[];    /* SALVOR_OPTION_* types: "string", "integer" ... */
extern const struct word words_command[];   /* SALVOR_ON_*: "discover", "backup" ... */
extern const struct word words_status[];    /* salvor_status: "ok", "refused" ... */

/* NULL when the table lacks it. */
const char *word_for(const struct word *table, uint32_t number);

/* 0 when the table lacks it (no table but words_status names 0). */
uint32_t number_for(const struct word *table, const char *word);

#endif
