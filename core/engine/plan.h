/*
 * One stage's plan: made from what the plan hook emits, checked against the descriptor, frozen in
 * its canonical form (docs/internals.md, "The plan") whose SHA-256 is what a person approves.
 */
#ifndef SALVOR_ENGINE_PLAN_H
#define SALVOR_ENGINE_PLAN_H

#include <jansson.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "plugin/plugin-info.h"

struct plan_builder;

struct plan_context {
    const struct plugin_info *info;
    const char *build_id;
    uint32_t kind;         /* SALVOR_PROCEDURE_* */
    const char *asked_for; /* procedure named with --path, or NULL */
    const char *procedure; /* already decided, or NULL in a first stage */
    const char *stage;     /* NULL: the first of the procedure */
    int64_t number;        /* of the plan in the run, from 1 */
    const char *previous;  /* hash of the plan before, or NULL */
    const json_t *source;  /* {"name","digest"} or NULL */
    const json_t *options; /* of the site, without secrets: steps read them; or NULL */
    const json_t *lock;    /* of the site's settings, or NULL */
    const json_t *facts;   /* frozen so far */
    const json_t *waivers; /* array */
    const json_t *manual;  /* array of row or step names that the operator does by hand */
    /* Hears the objects of a step as they come, before the plan is finished. */
    int (*objects)(void *data, const char *step, const json_t *names, struct error *reterr);
    void *data;
};

/* `context` is borrowed until the builder is freed. */
struct plan_builder *plan_builder_new(const struct plan_context *context);
void plan_builder_free(struct plan_builder *builder);

/* Takes the body of a PLAN frame. -1: the plugin broke a rule; the text names it. */
int plan_builder_take(struct plan_builder *builder, const json_t *frame, struct error *reterr);

/* The canonical plan, owned by the caller. */
int plan_builder_finish(struct plan_builder *builder, json_t **ret_body, struct error *reterr);

/* What the hook decided: {"procedure","reason","ruled_out"}; NULL when it decided nothing.
 * Borrowed. */
const json_t *plan_builder_decision(const struct plan_builder *builder);

/* Facts that the hook added: name -> {"class","value"}; borrowed. */
const json_t *plan_builder_facts(const struct plan_builder *builder);

/* The most effect of any step of a plan body; SALVOR_EFFECT_READ for an empty one. */
uint32_t plan_effect(const json_t *body);

/* SHA-256 of the canonical form. */
void plan_hash(const json_t *body, char ret_text[DIGEST_TEXT_SIZE]);

#endif
