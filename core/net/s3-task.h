/*
 * Requests to an S3 server, several at once, each signed anew at every attempt and repeated by the
 * one retry rule of this room; for the files that make a store of them.
 */
#ifndef SALVOR_NET_S3_TASK_H
#define SALVOR_NET_S3_TASK_H

#include "net/sigv4.h"
#include "net/transport.h"
#include "store/store.h"

enum {
    S3_QUERY_LIMIT = 8,
    S3_AT_ONCE = 16, /* requests under way */
    S3_HEADERS = 8
};

struct evidence_class;

struct s3 {
    struct store store; /* first */
    struct worker_call *call;
    struct net_pool *pool;
    struct evidence_class *evidence;
    char *name; /* of the store */
    char *bucket;
    char *prefix; /* "" or ending with '/' */
    char *region;
    char *host;  /* as the Host header has it */
    int in_path; /* the bucket stands in the path */
    char *access_key;
    char *secret_key; /* locked */
    char *token;      /* locked, or NULL */
    int64_t skew_ms;  /* what the server's clock is ahead of ours, once it complained */
};

/* The store's keys below the prefix; owned by the caller. */
char *s3_key(const struct s3 *s3, const char *key);
char *s3_place(const struct store *store, const char *key);

struct s3_task {
    /* What is asked; zero is a good default for all but the first. */
    const char *method;
    const char *what; /* for errors: "write", "read", "list", "look at", "remove" */
    char *key;        /* of the bucket (s3_key), NULL: the bucket itself. Owned by the task */
    struct sigv4_pair query[S3_QUERY_LIMIT]; /* in the order of names; texts outlive the task */
    size_t query_count;
    const char *meta_sha256;    /* x-amz-meta-salvor-sha256, or NULL */
    const char *payload_sha256; /* of the body; NULL: there is none */
    struct salvor_span body;    /* or */
    int fd;                     /* of a body in a file; 0 or less: none */
    int64_t offset;             /* where it begins there */
    int64_t size;               /* of it */
    store_sink sink;            /* where a good answer goes, or NULL: kept in `answer` */
    void *sink_data;
    size_t answer_limit;
    int once;    /* not repeatable once it was sent */
    void *owner; /* of the task, for the queue */

    /* How it went. */
    int result; /* 0, STORE_ABSENT (404), -1 */
    struct error error;
    char *code; /* of S3's error document, or NULL */
    int32_t status;
    uint32_t certainty;
    struct buffer answer;
    struct buffer headers; /* of the answer, as net_transfer has them */

    /* s3-task.c's own */
    struct net_transfer transfer;
    char *target;
    char *lines[S3_HEADERS];
    size_t line_count;
    uint32_t attempt;
    int64_t due;   /* monotonic ms */
    int64_t begun; /* of the first attempt */
    int64_t moved; /* of the present attempt, told to the watch */
    int64_t taken; /* bytes that the sink has */
    char *etag;    /* of what the sink is taking */
    struct error sink_error;
    struct s3 *s3;
    int state;
};

void s3_task_clear(struct s3_task *task);

#define cleanup_s3_task __attribute__((cleanup(s3_task_clear)))

/* Runs it to its end; returns task->result, with *reterr for -1. */
int s3_run(struct s3 *s3, struct s3_task *task, struct error *reterr);

/* A stream of tasks, S3_AT_ONCE (or `at_once`) of them under way. */
struct s3_queue {
    /* The next task, or NULL with *reterr unset: there is no more; set: the queue ends with it. */
    struct s3_task *(*next)(void *data, struct error *reterr);
    /* A finished one; result 0 or STORE_ABSENT. Non-zero ends the queue with *reterr. */
    int (*done)(void *data, struct s3_task *task, struct error *reterr);
    /* One that did not come to its end because another failed, or that failed itself; or NULL. */
    void (*drop)(struct s3_task *task);
    void *data;
    size_t at_once;
};

/* 0 when all ended well; the first failure cancels what is under way. */
int s3_run_queue(struct s3 *s3, const struct s3_queue *queue, struct error *reterr);

/* Value of a header of the answer, owned by the caller; NULL: there is none. */
char *s3_header(const struct s3_task *task, const char *name);

/* The error of an answer, in words that help; sets task->code. Always -1. */
int s3_answer_error(struct s3_task *task);

#endif
