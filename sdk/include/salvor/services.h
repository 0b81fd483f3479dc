/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/services.h - the named, versioned services that get_interface() hands out.
 *
 * Each table begins with its size and version; later versions append. The shape of the bulk part is
 * JSON at open, bytes per object, pull instead of callbacks. The general rules of host.h hold:
 * `call` first, host memory lives until the hook returns unless a function says otherwise, a
 * failing function records its error text.
 */
#ifndef SALVOR_SERVICES_H
#define SALVOR_SERVICES_H

#include <salvor/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- salvor.inventory 1: what discover and observe saw -------------------------------------- */

#define SALVOR_INVENTORY "salvor.inventory"

struct salvor_inventory {
    uint32_t struct_size;
    uint32_t version;

    /* A thing that was found, for the operator's table: kind ("member"), its name, and details as a
     * JSON object. */
    salvor_status (*item)(salvor_call *call, const char *kind, const char *name, const char *json);

    /* A fact of the run: a name unique in it ("kube-system-uid"), its class SALVOR_FACT_*, its
     * value as any JSON. BUG when the same name was put with another class. */
    salvor_status (*fact)(salvor_call *call, const char *name, uint32_t fact_class,
                          const char *json);
};

/* ---- salvor.findings 1: what stands against a restore --------------------------------------- */

#define SALVOR_FINDINGS "salvor.findings"

struct salvor_findings {
    uint32_t struct_size;
    uint32_t version;

    /*
     * Raises finding `id` of the descriptor about `object` ("" for the whole). `detail` says what
     * was seen, with the values. severity: SALVOR_SEVERITY_*, never above the descriptor's; 0: the
     * descriptor's.
     */
    salvor_status (*raise)(salvor_call *call, const char *id, uint32_t severity, const char *object,
                           const char *detail);
};

/* ---- salvor.plan 1: planning one stage, and the results of steps ----------------------------- */

#define SALVOR_PLAN "salvor.plan"

struct salvor_planned_step {
    uint32_t struct_size;
    uint32_t guard_count;
    const char *row;           /* id of a row of the stage being planned */
    const char *target;        /* what it acts on, as the operator knows it; "" for none */
    const char *parameters;    /* JSON object, or NULL for {}: absolute goals, never relative */
    const char *const *guards; /* names of guard facts rechecked right before the step */
    const char *consequence;   /* destructive rows: what will be lost, one line; else NULL */
    const char *confirmation;  /* text the operator must type before an irreversible step, or NULL:
                                  the target */
};

struct salvor_plan {
    uint32_t struct_size;
    uint32_t version;

    /*
     * Chooses the procedure, in the plan hook of a first stage. `reason`: which observations led to
     * it, one line. With --path this only records the reason; a different procedure than the one
     * asked for is REFUSED.
     */
    salvor_status (*decide)(salvor_call *call, const char *procedure, const char *reason);

    /* A procedure that was considered and ruled out, and why. */
    salvor_status (*rule_out)(salvor_call *call, const char *procedure, const char *reason);

    /* A fact that the plan rests on (same rules as salvor.inventory); it is frozen with the plan.
     */
    salvor_status (*fact)(salvor_call *call, const char *name, uint32_t fact_class,
                          const char *json);

    /* Appends a step. Steps on the same target keep the order of the rows. *ret_index numbers them
     * from 0. */
    salvor_status (*step)(salvor_call *call, const struct salvor_planned_step *step,
                          uint32_t *ret_index);

    /* Names an object that the step `index` removes, overwrites or creates. A destructive step is
     * refused without at least one. Cheap: a million is fine. */
    salvor_status (*object)(salvor_call *call, uint32_t index, const char *name);

    /* Names the stage to plan when this one is done; without it the procedure ends here. */
    salvor_status (*next_stage)(salvor_call *call, const char *stage);

    /* In run_step: what later steps and plans need of this step, a JSON object of at most 64 KiB.
     */
    salvor_status (*step_result)(salvor_call *call, const char *json);

    /* In run_step or check_step: one line for the operator and the report ("12 of 300 are ready").
     */
    salvor_status (*note)(salvor_call *call, const char *text);
};

/* ---- salvor.secret 1 ------------------------------------------------------------------------ */

#define SALVOR_SECRET "salvor.secret"

struct salvor_secrets {
    uint32_t struct_size;
    uint32_t version;

    /* Opens the secret of an option (flag SALVOR_OPTION_SECRET). NOT_FOUND: not given. Prefer to
     * pass the handle on; the value is fetched once and zeroed when the call ends. */
    salvor_status (*open)(salvor_call *call, const char *option, salvor_secret **ret_secret);

    /* The bytes, for formats that need them inside. Recorded in the journal (without the value).
     * Valid until close. */
    salvor_status (*reveal)(salvor_call *call, salvor_secret *secret,
                            struct salvor_span *ret_value);

    /* A value that came from elsewhere (a token in an answer): redacted everywhere from now on. */
    salvor_status (*adopt)(salvor_call *call, const void *data, uint64_t size,
                           salvor_secret **ret_secret);

    void (*close)(salvor_call *call, salvor_secret *secret);

    /*
     * Keeps a secret beyond this call under `name` ([a-z0-9-], unique in the run): sealed with the
     * key of the run, which is destroyed when the run is closed. Sealing a name again replaces it.
     * Facts, parameters and results then hold the name. In run_step only.
     */
    salvor_status (*seal)(salvor_call *call, const char *name, salvor_secret *secret);

    /* Opens what an earlier step of this run sealed. NOT_FOUND: nothing under that name. */
    salvor_status (*unseal)(salvor_call *call, const char *name, salvor_secret **ret_secret);
};

/* ---- salvor.exec 1: commands on this machine ------------------------------------------------- */

#define SALVOR_EXEC "salvor.exec"

#define SALVOR_EXEC_SECRET_FD 1000u   /* the child reads it from descriptor `number` */
#define SALVOR_EXEC_SECRET_FILE 2000u /* a 0600 file; "{secret:NAME}" in argv, env: its path */

struct salvor_exec_secret {
    salvor_secret *secret;
    const char *name; /* for SECRET_FILE */
    uint32_t how;     /* SALVOR_EXEC_SECRET_* */
    uint32_t number;  /* for SECRET_FD: 3 to 9 */
};

/*
 * A command without a shell. The environment of the child is PATH, HOME, LANG=C.UTF-8 and what
 * `env` names, nothing else. Under rows that change nothing only declared reads may run.
 */
struct salvor_exec_request {
    uint32_t struct_size;
    uint32_t argc;
    const char *const *argv; /* argv[0]: absolute path, or a name looked up in PATH */
    const char *const *env;  /* "NAME=value" sets, "NAME" passes the host's own on */
    uint32_t env_count;
    uint32_t secret_count;
    const struct salvor_exec_secret *secrets;
    const char *folder;       /* working directory; NULL: the run's scratch folder */
    struct salvor_span input; /* standard input; empty: /dev/null */
    uint64_t output_limit;    /* bytes of stdout kept; 0: 1 MiB. More is an error, never cut */
    int64_t timeout_ms;       /* 0: what the call has left */
    const char *output_path;  /* stdout goes to this file below the scratch folder, or NULL */
    const char *script;       /* declared script reads: path that replaces "{script}", or NULL */
};

struct salvor_exec_result {
    uint32_t struct_size;   /* set by the caller */
    int32_t exit_status;    /* 0 to 255; -1 when a signal ended it */
    int32_t signal_number;  /* or 0 */
    uint32_t certainty;     /* NOT_SENT: it was never started */
    struct salvor_span out; /* stdout */
    struct salvor_span err; /* last 64 KiB of stderr */
    int64_t duration_ms;
};

#define SALVOR_JOB_ABSENT 1000u /* never started under this id */
#define SALVOR_JOB_RUNNING 2000u
#define SALVOR_JOB_ENDED 3000u /* exit_status or signal_number say how */
#define SALVOR_JOB_LOST 4000u  /* started, but machine restart or kill came before its status */

struct salvor_job_state {
    uint32_t struct_size; /* set by the caller */
    uint32_t state;       /* SALVOR_JOB_* */
    int32_t exit_status;  /* ENDED: 0 to 255; -1 when a signal ended it */
    int32_t signal_number;
    struct salvor_span out; /* last 64 KiB */
    struct salvor_span err; /* last 64 KiB */
    int64_t started_ms;     /* Unix epoch */
    int64_t ended_ms;       /* ENDED; else 0 */
};

struct salvor_exec {
    uint32_t struct_size;
    uint32_t version;

    /* Runs a command of seconds; it dies with the worker. OK whatever its exit status: the caller
     * judges that. TIMEOUT: it was killed. FAILED: not started, or too much output. */
    salvor_status (*run)(salvor_call *call, const struct salvor_exec_request *request,
                         struct salvor_exec_result *ret_result);

    /*
     * Starts a detached command that outlives worker, salvor and terminal, at most once per id (the
     * step's job_id, or it with a "-suffix"). Starting an id again changes nothing and returns OK:
     * the caller polls. The same id with another command is REFUSED. Of its output the newest
     * output_limit bytes stay on disk; timeout_ms, when given, limits its whole life. Not under a
     * row of effect read.
     */
    salvor_status (*job_start)(salvor_call *call, const char *id,
                               const struct salvor_exec_request *request);
    salvor_status (*job_poll)(salvor_call *call, const char *id,
                              struct salvor_job_state *ret_state);

    /* Waits until the job ended or the call's deadline; PENDING when it still runs then. */
    salvor_status (*job_wait)(salvor_call *call, const char *id,
                              struct salvor_job_state *ret_state);

    /* TERM, then KILL after ten seconds, to the job's whole process group. */
    salvor_status (*job_kill)(salvor_call *call, const char *id);

    /* A folder of this run for files that vendor commands need by path; removed when the run is
     * closed. The same path in every call of the run. */
    const char *(*scratch_folder)(salvor_call *call);
};

/* ---- salvor.stream 1: artifacts ------------------------------------------------------------- */

#define SALVOR_STREAM "salvor.stream"

#define SALVOR_STREAM_SENSITIVE 1u /* holds secrets: is encrypted to public keys, or left out */
#define SALVOR_STREAM_GZIP 2u      /* the service compresses or inflates */
#define SALVOR_STREAM_ZSTD 4u

struct salvor_artifact {
    uint32_t struct_size; /* set by the caller */
    uint32_t reserved;
    uint64_t size;   /* stored bytes */
    char sha256[65]; /* of the stored bytes, hexadecimal */
    char padding[7];
};

struct salvor_stream {
    uint32_t struct_size;
    uint32_t version;

    /* A new artifact of the set that the backup makes (in other procedures: of the run). name:
     * relative path of [A-Za-z0-9._-] parts; media_type as "application/json". REFUSED for a
     * sensitive one of a backup that has no recipient to encrypt it to. Where the operator left
     * secrets out (--without-secrets) all of it works as ever, but nothing is kept. */
    salvor_status (*create)(salvor_call *call, const char *name, const char *media_type,
                            uint32_t flags, salvor_stream_writer **ret_writer);
    salvor_status (*write)(salvor_call *call, salvor_stream_writer *writer, const void *data,
                           uint64_t size);
    /* Durable and named from now on; the writer is gone. Of one that was left out size is 0 and
     * sha256 empty. */
    salvor_status (*commit)(salvor_call *call, salvor_stream_writer *writer,
                            struct salvor_artifact *ret_artifact);
    void (*abort)(salvor_call *call, salvor_stream_writer *writer);

    /* Takes a finished file below the scratch folder in as an artifact (create, write, commit). */
    salvor_status (*adopt)(salvor_call *call, const char *path, const char *name,
                           const char *media_type, uint32_t flags,
                           struct salvor_artifact *ret_artifact);

    /* Reads an artifact of the source or of this run, sequentially, decrypted where it is encrypted
     * and decoded by `flags`. REFUSED when no private key for it is given, or when the source was
     * made without it. What this run left out opens, so that a check sees its step done; read() is
     * REFUSED then. */
    salvor_status (*open)(salvor_call *call, const char *name, uint32_t flags,
                          salvor_stream_reader **ret_reader);
    /* Up to `size` bytes. END at the proven end (digest and trailer match); until then what was
     * read is unverified. FAILED when the bytes are not what the manifest or the format says. */
    salvor_status (*read)(salvor_call *call, salvor_stream_reader *reader, void *data,
                          uint64_t size, uint64_t *ret_size);
    salvor_status (*rewind)(salvor_call *call, salvor_stream_reader *reader);
    void (*close)(salvor_call *call, salvor_stream_reader *reader);

    /* A verified private copy as a file below the scratch folder, for vendor commands; the copy of
     * an earlier call is verified and used again. */
    salvor_status (*materialize)(salvor_call *call, const char *name, const char **ret_path);

    /* What open() can read, as a JSON array sorted by name: [{"name","media_type","size","sha256",
     * "origin":"source|run","encrypted":bool,"left_out":bool}]. A bare vendor file is one artifact
     * under its file name; what is not known without a manifest is null. Left out: known by name,
     * but the backup was made without it. */
    salvor_status (*list)(salvor_call *call, struct salvor_span *ret_json);
};

/* ---- salvor.ledger 1: one small result an object -------------------------------------------- */

#define SALVOR_LEDGER "salvor.ledger"

struct salvor_ledger_entry {
    uint64_t key;    /* the plugin's number of the object, usually its ordinal in the stream */
    uint32_t result; /* the plugin's code, never 0 */
    uint32_t detail; /* HTTP status or the plugin's own */
};

struct salvor_ledgers {
    uint32_t struct_size;
    uint32_t version;

    /* The ledger of that name of the running step; entries of earlier attempts are still in it. */
    salvor_status (*open)(salvor_call *call, const char *name, salvor_ledger **ret_ledger);
    /* Appends; durable at the next sync, or after 512 entries or 250 ms. */
    salvor_status (*put)(salvor_call *call, salvor_ledger *ledger,
                         const struct salvor_ledger_entry *entry);
    salvor_status (*sync)(salvor_call *call, salvor_ledger *ledger);
    /* Reads from the start what is durable; END after the last. */
    salvor_status (*next)(salvor_call *call, salvor_ledger *ledger,
                          struct salvor_ledger_entry *ret_entry);
    /* Starts reading from the first entry again. */
    salvor_status (*rewind)(salvor_call *call, salvor_ledger *ledger);
    void (*close)(salvor_call *call, salvor_ledger *ledger);
};

/* ---- salvor.batch 1: the same queue for http, kube and ssh ---------------------------------- */

#define SALVOR_BATCH "salvor.batch"

struct salvor_batch_result {
    uint32_t struct_size; /* set by the caller */
    uint32_t certainty;   /* SALVOR_CERTAINTY_* */
    uint64_t tag;         /* as submitted */
    salvor_status status; /* OK: the peer answered, whatever `code` says */
    int32_t code;         /* HTTP status, or exit status of a command */
    uint32_t attempts;
    uint32_t reserved;
    struct salvor_span body; /* answer or stdout; until the next next() or close() of the batch */
    struct salvor_span err;  /* commands: last 64 KiB of stderr; as long as `body` */
};

struct salvor_batches {
    uint32_t struct_size;
    uint32_t version;

    /* options (JSON): {"in_flight": most at once, "class": name of the evidence class, "retry":
     * {"attempts","statuses"}}. The rate adapts to 429 and latency by itself. */
    salvor_status (*open)(salvor_call *call, const char *options, salvor_batch **ret_batch);
    /* The next result, waiting for it; END when nothing is in flight. Right after a result one
     * submit finds room, so that a request that follows from an answer can always be sent. */
    salvor_status (*next)(salvor_call *call, salvor_batch *batch,
                          struct salvor_batch_result *ret_result);
    void (*close)(salvor_call *call, salvor_batch *batch);
};

/* ---- salvor.http 1 -------------------------------------------------------------------------- */

#define SALVOR_HTTP "salvor.http"

#define SALVOR_HTTP_IDEMPOTENT 1u /* may be sent again although its method says otherwise */
#define SALVOR_HTTP_READ 2u       /* reads by declaration (a login, a search by POST) */

struct salvor_http_request {
    uint32_t struct_size;
    uint32_t flags; /* SALVOR_HTTP_* */
    const char *method;
    const char *path;           /* below the client's base URL, with query, already encoded */
    const char *const *headers; /* "Name: value" */
    uint32_t header_count;
    uint32_t reserved;
    struct salvor_span body;
    const char *call_site;   /* stable name for evidence and fault tests: "policies.delete" */
    uint64_t response_limit; /* bytes; 0: 16 MiB */
    int64_t timeout_ms;      /* 0: the client's */
};

struct salvor_http_response {
    uint32_t struct_size; /* set by the caller */
    int32_t code;         /* HTTP status; 0 without an answer */
    uint32_t certainty;
    uint32_t attempts;
    struct salvor_span headers; /* "name: value\n" lines, names in lower case */
    struct salvor_span body;
};

struct salvor_http {
    uint32_t struct_size;
    uint32_t version;

    /* options (JSON): base URL, trust (CA file, pinned SHA-256), login, deadlines, retry rule;
     * docs/services-http.md lists them. Secrets by handle: {"password": N} with secrets[N]. */
    salvor_status (*client_open)(salvor_call *call, const char *options,
                                 salvor_secret *const *secrets, uint32_t secret_count,
                                 salvor_http_client **ret_client);
    /* OK: the peer answered, whatever the status code. */
    salvor_status (*request)(salvor_call *call, salvor_http_client *client,
                             const struct salvor_http_request *request,
                             struct salvor_http_response *ret_response);
    /* Never blocks: FULL asks for batch.next() first. */
    salvor_status (*submit)(salvor_call *call, salvor_batch *batch, salvor_http_client *client,
                            uint64_t tag, const struct salvor_http_request *request);
    void (*client_close)(salvor_call *call, salvor_http_client *client);
};

/* ---- salvor.kube 1 -------------------------------------------------------------------------- */

#define SALVOR_KUBE "salvor.kube"

/* One request to the Kubernetes API. The verb decides the effect; dry_run makes any of them a read.
 */
struct salvor_kube_request {
    uint32_t struct_size;
    uint32_t dry_run;        /* 1: dryRun=All */
    const char *verb;        /* get, create, update, patch, delete */
    const char *group;       /* "" for the core group */
    const char *version;     /* "v1" */
    const char *resource;    /* plural: "deployments" */
    const char *subresource; /* "status", or NULL */
    const char *ns;          /* namespace, or NULL for cluster scope */
    const char *name;        /* NULL for create */
    const char *query;       /* further query, encoded ("fieldManager=salvor"), or NULL */
    const char *patch_type;  /* json, merge, apply; for patch */
    struct salvor_span body; /* JSON */
};

struct salvor_kube_page {
    uint32_t struct_size; /* set by the caller */
    uint32_t item_count;
    struct salvor_span body;         /* the raw page; until the next list_next or list_close */
    const struct salvor_span *items; /* the objects inside it */
    const char *list_kind;           /* "ConfigMapList" */
    const char *resource_version;    /* of the list */
    uint64_t remaining;              /* as the server estimates; 0: unknown */
    uint32_t inconsistent;           /* 1: a 410 was answered with the replacement token */
    uint32_t reserved;
};

struct salvor_kube {
    uint32_t struct_size;
    uint32_t version;

    /* options (JSON): {"kubeconfig","context","as",...}; {} is what kubectl would use.
     * docs/services-kube.md lists them, and the options of lists and waits. */
    salvor_status (*client_open)(salvor_call *call, const char *options,
                                 salvor_kube_client **ret_client);
    /* Group, version, resource, kind, scope, verbs of everything served, as JSON; groups whose
     * server is dead are listed under "unavailable". */
    salvor_status (*discovery)(salvor_call *call, salvor_kube_client *client,
                               struct salvor_span *ret_json);
    /* OK: answered; NOT_FOUND on 404. `code` is the HTTP status, *ret_body the object or Status. */
    salvor_status (*request)(salvor_call *call, salvor_kube_client *client,
                             const struct salvor_kube_request *request, int32_t *ret_code,
                             struct salvor_span *ret_body);
    salvor_status (*submit)(salvor_call *call, salvor_batch *batch, salvor_kube_client *client,
                            uint64_t tag, const struct salvor_kube_request *request);

    /* options (JSON): {"group","version","resource","namespace","labelSelector","fieldSelector",
     * "limit","metadata_only"}. One page is fetched ahead. */
    salvor_status (*list_open)(salvor_call *call, salvor_kube_client *client, const char *options,
                               salvor_kube_list **ret_list);
    salvor_status (*list_next)(salvor_call *call, salvor_kube_list *list,
                               struct salvor_kube_page *ret_page);
    void (*list_close)(salvor_call *call, salvor_kube_list *list);

    /* Waits (by watch, resumed as needed) until the object meets `condition` (JSON: {"exists":bool}
     * or {"path":"/status/phase","equals":...}) or the deadline; *ret_body is its last state. */
    salvor_status (*wait)(salvor_call *call, salvor_kube_client *client,
                          const struct salvor_kube_request *object, const char *condition,
                          int64_t timeout_ms, struct salvor_span *ret_body);
    void (*client_close)(salvor_call *call, salvor_kube_client *client);
};

/* ---- salvor.ssh 1: commands on other machines ----------------------------------------------- */

#define SALVOR_SSH "salvor.ssh"

struct salvor_ssh {
    uint32_t struct_size;
    uint32_t version;

    /* options (JSON): {"host","port","user","known_hosts" or "fingerprint","sudo"}; `key` is the
     * private key or NULL for the agent. Host keys are always checked. */
    salvor_status (*host_open)(salvor_call *call, const char *options, salvor_secret *key,
                               salvor_ssh_host **ret_host);
    /* argv is run without a remote shell seeing it unquoted; request.secrets go to standard input.
     * UNAVAILABLE transport is RETRY or TIMEOUT with its certainty, never an exit status. */
    salvor_status (*run)(salvor_call *call, salvor_ssh_host *host,
                         const struct salvor_exec_request *request,
                         struct salvor_exec_result *ret_result);
    salvor_status (*submit)(salvor_call *call, salvor_batch *batch, salvor_ssh_host *host,
                            uint64_t tag, const struct salvor_exec_request *request);
    salvor_status (*job_start)(salvor_call *call, salvor_ssh_host *host, const char *id,
                               const struct salvor_exec_request *request);
    salvor_status (*job_poll)(salvor_call *call, salvor_ssh_host *host, const char *id,
                              struct salvor_job_state *ret_state);
    salvor_status (*job_wait)(salvor_call *call, salvor_ssh_host *host, const char *id,
                              struct salvor_job_state *ret_state);
    salvor_status (*job_kill)(salvor_call *call, salvor_ssh_host *host, const char *id);
    /* Copies an artifact to `path` there (mode 0600 unless given), or a file there to an artifact;
     * both ends' SHA-256 are compared. */
    salvor_status (*put)(salvor_call *call, salvor_ssh_host *host, const char *artifact,
                         const char *path, uint32_t mode);
    salvor_status (*get)(salvor_call *call, salvor_ssh_host *host, const char *path,
                         const char *artifact, const char *media_type, uint32_t flags);
    void (*host_close)(salvor_call *call, salvor_ssh_host *host);
};

#ifdef __cplusplus
}
#endif

#endif
