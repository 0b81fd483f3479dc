#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "journal/journal-database.h"
#include "journal/journal.h"

#define BOOT_ONE "5e0c1c5e-0000-4000-8000-000000000001"
#define BOOT_TWO "5e0c1c5e-0000-4000-8000-000000000002"

static const int64_t START_MS = INT64_C(1795230902250); /* 2026-11-21T03:15:02.250Z */

struct script {
    struct journal *journal;
    int64_t realtime_ms;
    int64_t clock_ms;
    const char *boot;
    int attempt;
    const char *step;
};

/* ---- records --------------------------------------------------------------------------------- */

static void die(const char *why)
{
    (void)fprintf(stderr, "sample: %s\n", why);
    abort();
}

static void pass(struct script *script, int64_t ms)
{
    script->realtime_ms += ms;
    script->clock_ms += ms;
}

/* As journal_append, but at the script's time. */
static void record(struct script *script, const char *type, json_t *body)
{
    struct journal *journal = script->journal;
    char at[CLOCK_TEXT_SIZE];
    unsigned char hash[DIGEST_SIZE];
    clock_format(script->realtime_ms, at);
    json_t *whole = json_make("{s:s, s:s, s:I, s:s}", "type", type, "at", at, "clock",
                              (json_int_t)script->clock_ms, "boot", script->boot);
    if (body != NULL && json_object_update(whole, body) != 0)
        die("update");
    char *text = json_dumps(whole, JSON_COMPACT);
    journal_record_hash(journal->head, journal->sequence + 1, text, strlen(text), hash);
    (void)sqlite3_bind_int64(journal->insert, 1, journal->sequence + 1);
    (void)sqlite3_bind_blob(journal->insert, 2, journal->head, DIGEST_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_blob(journal->insert, 3, hash, DIGEST_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_text(journal->insert, 4, text, -1, SQLITE_STATIC);
    if (sqlite3_step(journal->insert) != SQLITE_DONE || sqlite3_reset(journal->insert) != SQLITE_OK)
        die("insert");
    journal->sequence++;
    memcpy(journal->head, hash, DIGEST_SIZE);
    free(text);
    json_decref(whole);
    json_decref(body);
}

static json_t *run_body(const char *id, const char *command, json_t *waivers)
{
    return json_make("{s:s, s:s, s:s, s:I, s:{s:s, s:s, s:s, s:s}, s:s, s:{s:s, s:s}, s:{s:s}, "
                     "s:{s:s, s:s, s:s}, s:n, s:o, s:[], s:b, s:b, s:s, s:I}",
                     "run", id, "command", command, "provider", "example", "kind", (json_int_t)2000,
                     "plugin", "path", "/usr/lib/salvor/plugins/salvor_example.so", "version",
                     "0.1.0", "build_id", "6a3f81d2c4", "abi", "0.1", "site", "berlin-1", "options",
                     "endpoint", "https://10.20.0.11:2379", "data_dir", "/var/lib/etcd", "secrets",
                     "password", "file:/etc/salvor/etcd.pass", "source", "name",
                     "20261120-220000-backup-7c01", "digest",
                     "9b1c2f6a5d0e4738a1b2c3d4e5f60718293a4b5c6d7e8f901122334455667788", "path",
                     "/var/lib/salvor/sets/example/20261120-220000-backup-7c01", "procedure",
                     "waivers", waivers != NULL ? waivers : json_array(), "manual", "post_resync",
                     1, "dry_run", 0, "salvor", "0.1.0", "pid", (json_int_t)4242);
}

static void phase(struct script *script, const char *name)
{
    record(script, "phase", json_make("{s:s}", "phase", name));
}

static void fact(struct script *script, const char *name, const char *class, json_t *value)
{
    record(script, "fact",
           json_make("{s:s, s:s, s:o}", "name", name, "class", class, "value", value));
}

static void evidence(struct script *script, const char *service, const char *what, int64_t ms)
{
    json_t *body = json_make("{s:s, s:s, s:I}", "service", service, "what", what, "duration_ms",
                             (json_int_t)ms);
    pass(script, ms);
    if (script->step != NULL) {
        json_put_text(body, "step", script->step);
        json_put(body, "attempt", json_integer(script->attempt));
    }
    record(script, "evidence", body);
}

static void look_around(struct script *script)
{
    phase(script, "discovering");
    evidence(script, "exec", "run: etcdctl endpoint status", 180);
    record(script, "item",
           json_make("{s:s, s:s, s:{s:s, s:b}}", "kind", "etcd-member", "name", "berlin-etcd-1",
                     "details", "endpoint", "https://10.20.0.11:2379", "healthy", 0));
    fact(script, "cluster.id", "identity", json_string("cdf818194e3a8c32"));
    fact(script, "backup.revision", "guard", json_integer(10412));
    fact(script, "backup.keys", "info", json_integer(10000));
    pass(script, 300);
    phase(script, "discovered");
    phase(script, "validating");
    evidence(script, "stream", "read: snapshot.db", 640);
    record(script, "finding",
           json_make("{s:s, s:s, s:s, s:s}", "id", "member-down", "severity", "warning", "object",
                     "berlin-etcd-1", "detail",
                     "does not answer on https://10.20.0.11:2379 (connection refused)"));
    phase(script, "validated");
    pass(script, 40);
}

struct row {
    const char *id;
    const char *title;
    const char *effect;
    const char *target;
    const char *consequence;
    int manual;
    int objects;
};

static const struct row first_rows[] = {
    {"stop", "Stop the member", "change", "berlin-etcd-1", "clients lose the cluster", 0, 0},
    {"restore-snapshot", "Restore the snapshot into a new data folder", "change",
     "/var/lib/etcd-restored", NULL, 0, 0},
    {"start", "Start the member on the restored data", "change", "berlin-etcd-1", NULL, 0, 0},
    {NULL, NULL, NULL, NULL, NULL, 0, 0}};

static const struct row second_rows[] = {
    {"check-keys", "Check every key against the backup", "read", "berlin-etcd-1", NULL, 0, 10000},
    {"remove-old", "Remove the old data folder", "irreversible", "/var/lib/etcd",
     "the broken data cannot be looked at any more", 0, 1},
    {NULL, NULL, NULL, NULL, NULL, 0, 0}};

static const struct row manual_rows[] = {
    {"power-on", "Power the host on", "change", "berlin-esx-4", NULL, 1, 0},
    {"rejoin", "Join the host to the cluster again", "change", "berlin-esx-4", NULL, 0, 0},
    {"remove-old", "Remove the orphaned transport node", "irreversible", "tn-4711",
     "its tunnels go down", 0, 3},
    {NULL, NULL, NULL, NULL, NULL, 0, 0}};

/* Returns the hash that stands for the plan. */
static const char *plan(struct script *script, const char *procedure, const char *stage, int number,
                        const struct row *rows)
{
    static char hash[DIGEST_TEXT_SIZE];
    static char previous[DIGEST_TEXT_SIZE];
    json_t *steps = json_array();
    for (int i = 0; rows[i].id != NULL; i++) {
        char *instance = text_format("%s/%s/%d", procedure, stage, i + 1);
        json_add(steps,
                 json_make("{s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:{}, s:[], s:s?, s:n, s:s?, s:o}",
                           "step", instance, "row", rows[i].id, "title", rows[i].title, "effect",
                           rows[i].effect, "manual", rows[i].manual, "idempotent", 1, "target",
                           rows[i].target, "parameters", "guards", "consequence",
                           rows[i].consequence, "confirmation", "instructions",
                           rows[i].manual ? "Open the console of the host and press power.\nWait "
                                            "until it answers to ping."
                                          : NULL,
                           "objects",
                           rows[i].objects > 0
                               ? json_make("{s:i, s:s}", "count", rows[i].objects, "sha256", "00")
                               : json_null()));
        free(instance);
    }
    json_t *body = json_make("{s:i, s:s, s:s, s:s, s:i, s:s?, s:o}", "salvor-plan", 1, "provider",
                             "example", "procedure", procedure, "stage", stage, "number", number,
                             "next_stage", number == 1 ? "verify" : NULL, "steps", steps);
    memcpy(previous, hash, sizeof hash);
    json_digest(body, hash);
    record(script, "decision",
           json_make("{s:s, s:s, s:[{s:s, s:s}], s:s}", "procedure", procedure, "reason",
                     "the only member is down and its data folder fails the integrity check",
                     "ruled_out", "procedure", "replace-member", "reason",
                     "no other member is left that could take a new one", "by", "plugin"));
    record(script, "plan",
           json_make("{s:s, s:i, s:s, s:s?, s:o}", "stage", stage, "number", number, "hash", hash,
                     "previous", number > 1 ? previous : NULL, "body", body));
    return hash;
}

static void approve(struct script *script, const char *stage, const char *hash, const char *by,
                    int64_t after_ms)
{
    pass(script, after_ms);
    record(script, "approval",
           json_make("{s:s, s:s, s:s, s:s}", "hash", hash, "stage", stage, "by", by, "who",
                     "root (ines)"));
}

static void check(struct script *script, const char *when, const char *answer)
{
    record(script, "check",
           json_make("{s:s, s:i, s:s, s:s}", "step", script->step, "attempt", script->attempt,
                     "when", when, "answer", answer));
}

static void begin_step(struct script *script, const char *step, int attempt)
{
    script->step = step;
    script->attempt = attempt;
    check(script, "before", "not-started");
    record(script, "intent", json_make("{s:s, s:i}", "step", step, "attempt", attempt));
}

static void end_step(struct script *script, const char *status, int64_t ms, json_t *error)
{
    pass(script, ms);
    json_t *body = json_make("{s:s, s:i, s:s, s:I}", "step", script->step, "attempt",
                             script->attempt, "status", status, "duration_ms", (json_int_t)ms);
    if (error != NULL)
        json_put(body, "error", error);
    if (text_equal(status, "done"))
        check(script, "after", "done");
    record(script, "outcome", body);
    script->step = NULL;
    pass(script, 15);
}

static void whole_step(struct script *script, const char *step, int64_t ms)
{
    begin_step(script, step, 1);
    record(script, "checkpoint",
           json_make("{s:s, s:i, s:s, s:{s:i}}", "step", step, "attempt", 1, "kind", "pre-image",
                     "value", "generation", 4));
    evidence(script, "exec", "run: systemctl", 90);
    end_step(script, "done", ms, NULL);
}

static void end_run(struct script *script, const char *status, int code, json_t *error)
{
    json_t *body = json_make("{s:s, s:i}", "status", status, "exit_code", code);
    if (error != NULL)
        json_put(body, "error", error);
    record(script, "end", body);
    if (code == 0)
        record(script, "close", NULL);
}

static void stage_done(struct script *script, const char *stage)
{
    record(script, "stage", json_make("{s:s, s:s}", "stage", stage, "status", "done"));
}

static void resume(struct script *script)
{
    record(script, "resume",
           json_make("{s:I, s:s, s:b}", "pid", (json_int_t)977, "who", "root (ines)",
                     "accept_plugin_change", 0));
}

/* ---- the samples ----------------------------------------------------------------------------- */

static void second_stage(struct script *script)
{
    const char *hash = plan(script, "restore-single", "verify", 2, second_rows);
    approve(script, "verify", hash, "prompt", 48000);
    whole_step(script, "restore-single/verify/1", 22400);
    script->step = "restore-single/verify/2";
    record(script, "confirmation",
           json_make("{s:s, s:s, s:s}", "step", script->step, "text", "/var/lib/etcd", "who",
                     "root (ines)"));
    whole_step(script, "restore-single/verify/2", 1300);
    stage_done(script, "verify");
    phase(script, "procedure-done");
    end_run(script, "done", 0, NULL);
}

static void undisturbed(struct script *script)
{
    look_around(script);
    const char *hash = plan(script, "restore-single", "restore", 1, first_rows);
    approve(script, "restore", hash, "prompt", 95000);
    whole_step(script, "restore-single/restore/1", 2600);
    begin_step(script, "restore-single/restore/2", 1);
    record(script, "evidence",
           json_make("{s:s, s:s, s:s, s:s, s:s, s:I}", "service", "exec", "what", "job-start",
                     "job", "restore-4f2a", "state", "running", "step", script->step, "duration_ms",
                     (json_int_t)12));
    pass(script, 60000);
    record(script, "evidence",
           json_make("{s:s, s:s, s:s, s:s, s:s, s:i, s:I}", "service", "exec", "what", "job-poll",
                     "job", "restore-4f2a", "state", "ended", "step", script->step, "exit_status",
                     0, "duration_ms", (json_int_t)8));
    end_step(script, "done", 11800, NULL);
    whole_step(script, "restore-single/restore/3", 7900);
    stage_done(script, "restore");
    second_stage(script);
}

static void resumed(struct script *script)
{
    look_around(script);
    const char *hash = plan(script, "restore-single", "restore", 1, first_rows);
    approve(script, "restore", hash, "hash", 95000);
    whole_step(script, "restore-single/restore/1", 2600);
    begin_step(script, "restore-single/restore/2", 1);
    evidence(script, "exec", "job-start", 12);
    /* The power goes; the clock of the new boot starts from nothing, the time of day does not. */
    script->realtime_ms += 11 * 60 * 1000 + 40000;
    script->clock_ms = 41000;
    script->boot = BOOT_TWO;
    resume(script);
    check(script, "resume", "partial");
    record(script, "intent", json_make("{s:s, s:i}", "step", script->step, "attempt", 2));
    script->attempt = 2;
    end_step(script, "done", 58000, NULL);
    whole_step(script, "restore-single/restore/3", 7900);
    stage_done(script, "restore");
    second_stage(script);
}

static json_t *connection_error(void)
{
    return json_make("{s:s, s:s, s:s}", "message",
                     "member 'berlin-etcd-1' did not become healthy within 2 min", "detail",
                     "last answer: 503 Service Unavailable", "hint",
                     "look at 'journalctl -u etcd' on berlin-etcd-1, then 'salvor resume last'");
}

static void failed(struct script *script)
{
    look_around(script);
    const char *hash = plan(script, "restore-single", "restore", 1, first_rows);
    approve(script, "restore", hash, "yes", 50);
    whole_step(script, "restore-single/restore/1", 2600);
    whole_step(script, "restore-single/restore/2", 63000);
    for (int attempt = 1; attempt <= 3; attempt++) {
        begin_step(script, "restore-single/restore/3", attempt);
        record(script, "evidence",
               json_make("{s:s, s:s, s:s, s:b, s:i}", "service", "tls", "what",
                         "insecure-skip-verify", "url", "https://berlin-1:443", "insecure", 1,
                         "duration_ms", 0));
        record(script, "evidence",
               json_make("{s:s, s:s, s:s, s:i}", "service", "kube", "what", "warning", "text",
                         "candles are no longer made", "duration_ms", 0));
        record(script, "evidence",
               json_make("{s:s, s:s, s:s, s:i, s:i}", "service", "http", "what", "GET health",
                         "url", "https://berlin-1:443/health", "status", 503, "duration_ms", 900));
        record(script, "evidence",
               json_make("{s:s, s:s, s:[{s:s, s:s, s:i, s:i}, {s:s, s:s, s:i}], s:i}", "service",
                         "kube", "what", "class objects", "counts", "verb", "create", "type",
                         "configmaps", "status", 201, "count", 500, "verb", "create", "type",
                         "secrets", "count", 2, "duration_ms", 100));
        end_step(script, attempt < 3 ? "retry" : "timed-out", 119000, connection_error());
        pass(script, 5000 * attempt);
    }
    end_run(script, "failed", 1, connection_error());
}

static void waiting(struct script *script)
{
    look_around(script);
    (void)plan(script, "restore-single", "restore", 1, first_rows);
    pass(script, 2000);
    end_run(script, "waits", 4,
            json_make("{s:s, s:s}", "message", "stage 'restore' needs an approval", "hint",
                      "'salvor resume last --approve HASH', or run it at a terminal"));
}

static void waived(struct script *script)
{
    look_around(script);
    record(script, "finding",
           json_make("{s:s, s:s, s:s, s:s}", "id", "backup-old", "severity", "blocker", "object",
                     "20261120-220000-backup-7c01", "detail",
                     "taken 4 h 35 min ago, limit is 1 h"));
    record(script, "finding",
           json_make("{s:s, s:s, s:s, s:s}", "id", "no-quorum", "severity", "info", "object", "",
                     "detail", "one member of one"));
    const char *hash = plan(script, "restore-single", "restore", 1, first_rows);
    approve(script, "restore", hash, "policy", 20);
    whole_step(script, "restore-single/restore/1", 2600);
    whole_step(script, "restore-single/restore/2", 63000);
    whole_step(script, "restore-single/restore/3", 7900);
    stage_done(script, "restore");
    end_run(script, "done", 0, NULL);
}

static void manual(struct script *script)
{
    look_around(script);
    const char *hash = plan(script, "hosts", "rejoin", 1, manual_rows);
    approve(script, "rejoin", hash, "prompt", 61000);
    script->step = "hosts/rejoin/1";
    script->attempt = 0;
    record(script, "manual",
           json_make("{s:s, s:s, s:s}", "step", script->step, "event", "shown", "who", "ines"));
    pass(script, 2000);
    end_run(script, "waits", 4, json_make("{s:s}", "message", "waits for a person"));
    pass(script, 14 * 60 * 1000);
    resume(script);
    record(script, "manual",
           json_make("{s:s, s:s, s:s}", "step", script->step, "event", "shown", "who", "ines"));
    pass(script, 31000);
    record(script, "manual",
           json_make("{s:s, s:s, s:s}", "step", script->step, "event", "confirmed", "who", "ines"));
    check(script, "after", "done");
    record(script, "manual",
           json_make("{s:s, s:s, s:s}", "step", script->step, "event", "seen-done", "who", "ines"));
    record(script, "outcome",
           json_make("{s:s, s:i, s:s, s:I}", "step", script->step, "attempt", 0, "status", "done",
                     "duration_ms", (json_int_t)31000));
    begin_step(script, "hosts/rejoin/2", 1);
    pass(script, 9000);
    end_run(script, "unknown", 6,
            json_make("{s:s}", "message", "it cannot be told whether the host joined"));
    pass(script, 180000);
    resume(script);
    record(script, "settle",
           json_make("{s:s, s:s, s:s, s:s}", "step", "hosts/rejoin/2", "as", "done", "reason",
                     "seen in the console: host is in the cluster", "who", "ines"));
    script->step = "hosts/rejoin/3";
    record(script, "confirmation",
           json_make("{s:s, s:s, s:s}", "step", script->step, "text", "tn-4711", "who", "ines"));
    whole_step(script, "hosts/rejoin/3", 1200);
    stage_done(script, "rejoin");
    end_run(script, "done", 0, NULL);
}

#define ATTACK \
    "</style><script>alert(1)</script><img src=x onerror=alert(2)>\"'&`|*[x](javascript:0)"
#define TERMINAL "\x1b[2J\x1b]0;owned\x07 \xe2\x80\xae\xc2\x9b"

static void hostile(struct script *script)
{
    static const struct row rows[] = {{ATTACK, ATTACK, ATTACK, ATTACK TERMINAL, ATTACK, 1, 5},
                                      {NULL, NULL, NULL, NULL, NULL, 0, 0}};
    const char *hash = NULL;
    record(script, "item",
           json_make("{s:s, s:s, s:{s:s}}", "kind", ATTACK, "name", ATTACK TERMINAL, "details",
                     ATTACK, ATTACK));
    fact(script, ATTACK, ATTACK, json_string(ATTACK TERMINAL));
    fact(script, "nested", "info", json_make("{s:[s, i, n]}", ATTACK, ATTACK, 1));
    record(script, "finding",
           json_make("{s:s, s:s, s:s, s:s}", "id", ATTACK, "severity", ATTACK, "object", ATTACK,
                     "detail", ATTACK "\n# x\n- y" TERMINAL));
    record(script, "note", json_make("{s:s}", "text", ATTACK));
    hash = plan(script, ATTACK, ATTACK, 1, rows);
    approve(script, ATTACK, hash, ATTACK, 1000);
    script->step = ATTACK "/" ATTACK "/1";
    script->attempt = 1;
    begin_step(script, script->step, 1);
    evidence(script, ATTACK, ATTACK, 5);
    record(script, "manual",
           json_make("{s:s, s:s, s:s}", "step", script->step, "event", "seen-done", "who", ATTACK));
    record(script, "artifact",
           json_make("{s:s, s:s, s:I, s:s}", "name", ATTACK, "media_type", ATTACK, "size",
                     (json_int_t)-5, "sha256", ATTACK));
    end_step(script, ATTACK, -7,
             json_make("{s:s, s:s}", "message", ATTACK TERMINAL, "hint", ATTACK));
    /* Types that do not fit where the report looks for them. */
    record(script, "fact", json_make("{s:i, s:i}", "name", 7, "class", 9));
    record(script, "plan", json_make("{s:s, s:s}", "stage", "odd", "body", "not an object"));
    record(script, "plan",
           json_make("{s:s, s:{s:[n, i, {}]}}", "stage", "odder", "body", "steps", 7));
    record(script, "evidence",
           json_make("{s:i, s:[], s:s}", "service", 1, "what", "duration_ms", "x"));
    record(
        script, "end",
        json_make("{s:s, s:s, s:s}", "status", ATTACK, "exit_code", "x", "error", "not an object"));
    record(script, ATTACK, NULL);
}

static void bulk(struct script *script)
{
    look_around(script);
    const char *hash = plan(script, "restore-single", "restore", 1, first_rows);
    approve(script, "restore", hash, "hash", 12000);
    begin_step(script, "restore-single/restore/1", 1);
    for (int i = 0; i < 3000; i++) {
        char *what =
            text_format("%s /api/v1/namespaces/n%d/configmaps", i % 3 ? "PUT" : "GET", i % 40);
        evidence(script, "kube", what, 3 + i % 7);
        free(what);
    }
    record(script, "ledger",
           json_make("{s:s, s:i, s:s}", "name", "objects", "entries", 3000, "sha256", "ab12"));
    end_step(script, "done", 900, NULL);
    whole_step(script, "restore-single/restore/2", 63000);
    whole_step(script, "restore-single/restore/3", 7900);
    stage_done(script, "restore");
    record(script, "artifact",
           json_make("{s:s, s:s, s:I, s:s, s:b}", "name", "snapshot.db", "media_type",
                     "application/octet-stream", "size", (json_int_t)48234496, "sha256",
                     "9b1c2f6a5d0e4738a1b2c3d4e5f60718293a4b5c6d7e8f901122334455667788",
                     "sensitive", 1));
    end_run(script, "done", 0, NULL);
}

static void killed(struct script *script)
{
    look_around(script);
    const char *hash = plan(script, "restore-single", "restore", 1, first_rows);
    approve(script, "restore", hash, "prompt", 30000);
    whole_step(script, "restore-single/restore/1", 2600);
    begin_step(script, "restore-single/restore/2", 1);
    evidence(script, "exec", "job-start", 12);
}

static void clock_back(struct script *script)
{
    look_around(script);
    const char *hash = plan(script, "restore-single", "restore", 1, first_rows);
    approve(script, "restore", hash, "prompt", 30000);
    script->realtime_ms -= 3600000;
    whole_step(script, "restore-single/restore/1", 2600);
    begin_step(script, "restore-single/restore/2", 1);
    script->realtime_ms -= 7200000;
    script->clock_ms = 40000;
    script->boot = BOOT_TWO;
    resume(script);
    script->attempt = 2;
    record(script, "intent", json_make("{s:s, s:i}", "step", script->step, "attempt", 2));
    end_step(script, "done", 58000, NULL);
    whole_step(script, "restore-single/restore/3", 7900);
    stage_done(script, "restore");
    end_run(script, "done", 0, NULL);
}

/* ---------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *id;
    const char *command;
    void (*write)(struct script *script);
} samples[SAMPLE_COUNT] = {
    [SAMPLE_UNDISTURBED] = {"undisturbed", "20261121-031502-restore-a001", "restore", undisturbed},
    [SAMPLE_RESUMED] = {"resumed", "20261121-031502-restore-a002", "restore", resumed},
    [SAMPLE_FAILED] = {"failed", "20261121-031502-restore-a003", "restore", failed},
    [SAMPLE_WAITING] = {"waiting", "20261121-031502-restore-a004", "restore", waiting},
    [SAMPLE_WAIVED] = {"waived", "20261121-031502-restore-a005", "restore", waived},
    [SAMPLE_MANUAL] = {"manual", "20261121-031502-post-resync-a006", "post-resync", manual},
    [SAMPLE_HOSTILE] = {"hostile", "20261121-031502-restore-a007", ATTACK, hostile},
    [SAMPLE_BULK] = {"bulk", "20261121-031502-restore-a008", "restore", bulk},
    [SAMPLE_KILLED] = {"killed", "20261121-031502-restore-a009", "restore", killed},
    [SAMPLE_CLOCK_BACK] = {"clock-back", "20261121-031501-discover-a010", "restore", clock_back},
};

const char *sample_name(enum sample sample)
{
    return samples[sample].name;
}

const char *sample_run_id(enum sample sample)
{
    return samples[sample].id;
}

void sample_write(enum sample sample, const char *path)
{
    struct error err = ERROR_INIT;
    struct script script = {NULL, START_MS, 8000000, BOOT_ONE, 0, NULL};
    if (journal_create(path, &script.journal, &err) != 0)
        die(err.message);
    sqlite3 *database = script.journal->database;
    if (sqlite3_exec(database, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(database));
    json_t *waivers = NULL;
    if (sample == SAMPLE_WAIVED)
        waivers = json_make("[{s:s, s:s}]", "finding", "backup-old", "reason",
                            "newer sets are encrypted to a key that burned with the site");
    if (sample == SAMPLE_HOSTILE)
        waivers = json_make("[{s:s, s:s}, i]", "finding", ATTACK, "reason", ATTACK, 7);
    record(&script, "run", run_body(samples[sample].id, samples[sample].command, waivers));
    samples[sample].write(&script);
    if (sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(database));
    journal_close(script.journal);
    error_clear(&err);
}
