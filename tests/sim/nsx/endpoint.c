#include "endpoint.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapter.h"
#include "identity.h"
#include "server.h"
#include "x509.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum { IDLE_TIMEOUT_S = 300, CONNECTION_MEMORY = 256 << 10, CONNECTIONS = 4096 };

/* One program serves one simulator, so that callbacks of GnuTLS, which have no place for a context,
 * find it here; the doors live as long as it. */
static struct sim_nsx *serving;
static struct nsx_door doors[NSX_MANAGERS + 1];

/* The parent's daemons: a child may neither use nor stop them, only keep them, so that leak
 * checkers see them as used. */
static struct MHD_Daemon *volatile parents_daemons[NSX_MANAGERS + 1];

char *nsx_manager_url(const struct sim_nsx *sim, int manager)
{
    return text_format("https://127.0.0.1:%u", sim->managers[manager].port);
}

/* --- certificates ----------------------------------------------------------------------------- */

static void note_fingerprints(struct nsx_manager *manager)
{
    struct x509_facts facts[X509_CHAIN];
    size_t count = x509_read(manager->certificate.pem, facts);
    if (count > 0) {
        memcpy(manager->sha256, facts[0].sha256, DIGEST_TEXT_SIZE);
        memcpy(manager->sha1, facts[0].sha1, sizeof manager->sha1);
    }
    x509_clear(facts, count);
}

static int make_certificate(const struct sim_nsx *sim, struct certificate *ret,
                            struct error *reterr)
{
    enum { DAY = 24 * 3600 };
    cleanup_free char *names = text_format("IP:127.0.0.1,DNS:localhost,DNS:%s", sim->fqdn);
    struct certificate_request request = {.common_name = sim->fqdn,
                                          .organization = "Simulated NSX",
                                          .names = names,
                                          .valid_from_s = -DAY,
                                          .valid_to_s = 825 * (int64_t)DAY};
    return certificate_make(&request, ret, reterr);
}

int nsx_certificate_replace(struct sim_nsx *sim, int manager, struct error *reterr)
{
    struct certificate made = {NULL, NULL};
    if (make_certificate(sim, &made, reterr) != 0)
        return -1;
    certificate_clear(&sim->managers[manager].certificate);
    sim->managers[manager].certificate = made;
    note_fingerprints(&sim->managers[manager]);
    sim->must_reopen = 1;
    return 0;
}

/* The door is opened anew with it: a daemon keeps the certificate that it was started with. */
static void close_door(struct sim_nsx *sim, struct nsx_manager *manager, int index)
{
    if (manager->daemon == NULL)
        return;
    nsx_server_drop(sim, index);
    MHD_run(manager->daemon);
    MHD_stop_daemon(manager->daemon);
    manager->daemon = NULL;
}

void nsx_certificate_other(struct sim_nsx *sim)
{
    if (sim->saved.pem != NULL)
        return;
    sim->saved = sim->managers[0].certificate;
    sim->managers[0].certificate = (struct certificate){NULL, NULL};
    struct error error = ERROR_INIT;
    if (nsx_certificate_replace(sim, 0, &error) != 0)
        nsx_certificate_back(sim);
    error_clear(&error);
}

void nsx_certificate_back(struct sim_nsx *sim)
{
    if (sim->saved.pem == NULL)
        return;
    certificate_clear(&sim->managers[0].certificate);
    sim->managers[0].certificate = sim->saved;
    sim->saved = (struct certificate){NULL, NULL};
    note_fingerprints(&sim->managers[0]);
    sim->must_reopen = 1;
}

/* --- client certificates ---------------------------------------------------------------------- */

/* With that position the handshake ends at a certificate that nobody has. */
static int check_peer(gnutls_session_t session)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    char fingerprint[DIGEST_TEXT_SIZE];
    cleanup_free char *name = NULL;
    if (chain == NULL || count == 0 || nsx_switch_is(serving, SW_UNKNOWN_CERTIFICATE, "403"))
        return 0;
    if (x509_read_der(chain[0].data, chain[0].size, fingerprint, &name) != 0)
        return GNUTLS_E_CERTIFICATE_ERROR;
    cleanup_json json_t *principal = nsx_principal_of(serving, fingerprint);
    return principal == NULL ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

static void connection_started(void *context, struct MHD_Connection *connection, void **slot,
                               enum MHD_ConnectionNotificationCode code)
{
    (void)context;
    (void)slot;
    if (code != MHD_CONNECTION_NOTIFY_STARTED)
        return;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info == NULL)
        return;
    /* Identities sign their own certificates: a list of authorities would mislead clients. */
    gnutls_certificate_send_x509_rdn_sequence(info->tls_session, 1);
    gnutls_session_set_verify_function(info->tls_session, check_peer);
}

/* --- ports ------------------------------------------------------------------------------------ */

static int bind_port(uint16_t port, uint16_t *ret_port, struct error *reterr)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot make a socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    /* So that the port can be kept while the manager is away. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        error_errno(reterr, EXIT_FAILED, errno, "cannot use port '%u'", port);
        (void)close(fd);
        return -1;
    }
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static int open_door(struct sim_nsx *sim, struct nsx_manager *manager, int index,
                     struct error *reterr)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    struct nsx_door *door = &doors[index < 0 ? NSX_MANAGERS : index];
    *door = (struct nsx_door){sim, index};
    int fd = bind_port(manager->port, &manager->port, reterr);
    if (fd < 0 || listen(fd, SOMAXCONN) != 0) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, NULL},
        {index < 0 ? MHD_OPTION_END : MHD_OPTION_HTTPS_MEM_CERT, 0, manager->certificate.pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, manager->certificate.key_pem},
        /* Any trust makes it ask for client certificates; nothing is verified by it. */
        {MHD_OPTION_HTTPS_MEM_TRUST, 0, manager->certificate.pem},
        {MHD_OPTION_END, 0, NULL},
    };
    if (index >= 0)
        flags |= MHD_USE_TLS;
    manager->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, nsx_server_handle, door, MHD_OPTION_NOTIFY_COMPLETED,
                         nsx_server_done, door, MHD_OPTION_NOTIFY_CONNECTION, connection_started,
                         door, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (manager->daemon == NULL) {
        (void)close(fd);
        return error_set(reterr, EXIT_FAILED, "cannot start the server on port '%u'",
                         manager->port);
    }
    manager->epoll_fd = MHD_get_daemon_info(manager->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return 0;
}

int sim_nsx_listen(struct sim_nsx *sim, struct error *reterr)
{
    return nsx_endpoints_open(sim, reterr);
}

int nsx_endpoints_open(struct sim_nsx *sim, struct error *reterr)
{
    serving = sim;
    if (open_door(sim, &sim->control, -1, reterr) != 0)
        return -1;
    for (int i = 0; i < sim->manager_count; i++) {
        struct nsx_manager *manager = &sim->managers[i];
        if (manager->certificate.pem == NULL) {
            if (make_certificate(sim, &manager->certificate, reterr) != 0)
                return -1;
            note_fingerprints(manager);
        }
        manager->reserve_fd = bind_port(manager->port, &manager->port, reterr);
        if (manager->reserve_fd < 0)
            return -1;
    }
    sim->must_reopen = 1;
    return nsx_endpoints_apply(sim, reterr);
}

int nsx_endpoints_apply(struct sim_nsx *sim, struct error *reterr)
{
    sim->must_reopen = 0;
    for (int i = 0; i < sim->manager_count; i++) {
        struct nsx_manager *manager = &sim->managers[i];
        int wanted = !manager->is_off && sim->service != NSX_SERVICE_DOWN;
        /* A changed certificate needs another daemon. */
        int outdated = manager->daemon != NULL && strcmp(manager->served, manager->sha256) != 0;
        if (manager->daemon != NULL && (!wanted || outdated))
            close_door(sim, manager, i);
        if (manager->daemon == NULL && wanted && open_door(sim, manager, i, reterr) != 0)
            return -1;
        memcpy(manager->served, manager->sha256, DIGEST_TEXT_SIZE);
    }
    return 0;
}

void nsx_endpoints_close(struct sim_nsx *sim)
{
    for (int i = 0; i < sim->manager_count; i++)
        close_door(sim, &sim->managers[i], i);
    close_door(sim, &sim->control, -1);
}

void nsx_endpoints_forget(struct sim_nsx *sim)
{
    for (int i = 0; i < sim->manager_count; i++) {
        parents_daemons[i] = sim->managers[i].daemon;
        sim->managers[i].daemon = NULL;
        sim->managers[i].reserve_fd = -1;
        sim->managers[i].port = 0;
    }
    parents_daemons[NSX_MANAGERS] = sim->control.daemon;
    sim->control.daemon = NULL;
    sim->control.port = 0;
}

void nsx_endpoints_clear(struct sim_nsx *sim)
{
    nsx_endpoints_close(sim);
    for (int i = 0; i < NSX_MANAGERS; i++) {
        certificate_clear(&sim->managers[i].certificate);
        if (sim->managers[i].reserve_fd >= 0)
            (void)close(sim->managers[i].reserve_fd);
    }
    certificate_clear(&sim->saved);
}

json_t *sim_nsx_addresses(const struct sim_nsx *sim)
{
    json_t *managers = json_array();
    for (int i = 0; i < sim->manager_count; i++) {
        const struct nsx_manager *manager = &sim->managers[i];
        cleanup_free char *url = nsx_manager_url(sim, i);
        json_add(managers,
                 json_make("{s:s, s:i, s:s, s:s, s:s, s:b}", "url", url, "port", (int)manager->port,
                           "sha256", manager->sha256, "sha1", manager->sha1, "certificate",
                           manager->certificate.pem, "up", manager->daemon != NULL));
    }
    return json_make("{s:o, s:i, s:i, s:o}", "control",
                     json_sprintf("http://127.0.0.1:%u", sim->control.port), "controlPort",
                     (int)sim->control.port, "pid", (int)getpid(), "managers", managers);
}
