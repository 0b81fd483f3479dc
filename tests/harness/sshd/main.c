/* test-sshd: a host until standard input ends; prints what is to be known of it as JSON. */
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "sshd.h"

int main(void)
{
    struct sshd *host = sshd_start(&(struct sshd_settings){0});
    char byte = 0;
    if (host == NULL)
        return 77;
    cleanup_free char *fingerprint = sshd_fingerprint(host, "ed25519");
    cleanup_json json_t *about =
        json_make("{s:s,s:i,s:s,s:s,s:s,s:s,s:s}", "host", host->address, "port", host->port,
                  "user", host->user, "known_hosts", host->known_hosts, "key", host->key_file,
                  "home", host->home, "fingerprint", fingerprint);
    cleanup_free char *text = json_canonical(about);
    (void)puts(text);
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    sshd_stop(host);
    return 0;
}
