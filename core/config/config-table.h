/* The keys of salvor.yaml: one table for reading, the schema and the manual. */
#ifndef SALVOR_CONFIG_CONFIG_TABLE_H
#define SALVOR_CONFIG_CONFIG_TABLE_H

enum { CONFIG_MEMBER_LIMIT = 32 };

enum member_kind {
    MEMBER_TEXT,
    MEMBER_FOLDER,
    MEMBER_FOLDERS,
    MEMBER_DURATION,
    MEMBER_SIZE,
    MEMBER_FLAG,
    MEMBER_COUNT, /* a whole number from 1 */
    MEMBER_CHOICE,
    MEMBER_FILE,
    MEMBER_SERVER,    /* "https://host:port" */
    MEMBER_SECRET,    /* a reference */
    MEMBER_SECRETS,   /* a reference or a list of them */
    MEMBER_RECIPIENTS /* a public key or a list of them */
};

struct config_member {
    const char *name;
    enum member_kind kind;
    const char *help;    /* one line, lower case */
    const char *choices; /* of MEMBER_CHOICE: "folder s3" */
    const char *only;    /* store types that have it: "s3"; NULL: all */
    int required;        /* by those store types */
};

/* Each ends with a NULL (name). */
extern const char *const config_root_keys[];
extern const struct config_member config_site_members[]; /* beside the provider's options */
extern const struct config_member config_store_members[];
extern const struct config_member config_default_members[];
extern const struct config_member config_limit_members[];

/* Patterns without anchors, as the schema has them; a name becomes part of file names. */
#define CONFIG_NAME_PATTERN "[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
#define CONFIG_PROVIDER_PATTERN "[a-z][a-z0-9-]{0,31}"
int config_name_is_good(const char *name);
int config_provider_is_good(const char *name);

#endif
