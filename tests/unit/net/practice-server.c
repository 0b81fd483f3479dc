#include "practice-server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

struct practice_server {
    struct MHD_Daemon *daemon;
    struct practice_server_options options;
    char *url;
    atomic_int connections;
    atomic_int requests;
};

/* ---- one request ----------------------------------------------------------------------------- */

const char *served_header(const struct served *served, const char *name)
{
    return MHD_lookup_connection_value(served->connection, MHD_HEADER_KIND, name);
}

const char *served_query(const struct served *served, const char *name)
{
    return MHD_lookup_connection_value(served->connection, MHD_GET_ARGUMENT_KIND, name);
}

void served_set_header(struct served *served, const char *name, const char *value)
{
    char(*pair)[256] = served->headers[served->header_count++];
    (void)snprintf(pair[0], sizeof pair[0], "%s", name);
    (void)snprintf(pair[1], sizeof pair[1], "%s", value);
}

struct chunk_reader {
    char *data;
    size_t size;
};

static ssize_t read_chunk(void *data, uint64_t position, char *room, size_t size)
{
    const struct chunk_reader *reader = data;
    const size_t left = reader->size - (size_t)position;
    const size_t take = left < size ? left : size;
    if (left == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    memcpy(room, reader->data + position, take);
    return (ssize_t)take;
}

static void free_reader(void *data)
{
    struct chunk_reader *reader = data;
    free(reader->data);
    free(reader);
}

static struct MHD_Response *response_of(struct served *served)
{
    const size_t size = served->out.size;
    char *data = buffer_take(&served->out);
    if (!served->chunked)
        return MHD_create_response_from_buffer(size, data, MHD_RESPMEM_MUST_FREE);
    struct chunk_reader *reader = memory_new(1, sizeof *reader);
    *reader = (struct chunk_reader){data, size};
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_chunk, reader,
                                             free_reader);
}

static enum MHD_Result respond(struct practice_server *server, struct served *served)
{
    served->body = served->body_in.data != NULL ? served->body_in.data : "";
    served->body_size = served->body_in.size;
    served->number = atomic_fetch_add(&server->requests, 1) + 1;
    served->status = 200;
    served->out = (struct buffer)BUFFER_INIT(64 << 20);
    server->options.answer(served, server->options.data);
    if (served->wait_ms > 0)
        (void)poll(NULL, 0, served->wait_ms);
    struct MHD_Response *response = response_of(served);
    for (size_t i = 0; i < served->header_count; i++)
        (void)MHD_add_response_header(response, served->headers[i][0], served->headers[i][1]);
    enum MHD_Result result =
        MHD_queue_response(served->connection, (unsigned)served->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *data, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    struct served *served = *state;
    (void)version;
    if (served == NULL) {
        served = memory_new(1, sizeof *served);
        served->connection = connection;
        served->body_in = (struct buffer)BUFFER_INIT(64 << 20);
        *state = served;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        (void)buffer_append(&served->body_in, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    served->method = method;
    served->path = url;
    return respond(data, served);
}

static void complete(void *data, struct MHD_Connection *connection, void **state,
                     enum MHD_RequestTerminationCode code)
{
    struct served *served = *state;
    (void)data;
    (void)connection;
    (void)code;
    if (served == NULL)
        return;
    buffer_clear(&served->body_in);
    buffer_clear(&served->out);
    free(served);
    *state = NULL;
}

static void connection_event(void *data, struct MHD_Connection *connection, void **state,
                             enum MHD_ConnectionNotificationCode code)
{
    struct practice_server *server = data;
    (void)connection;
    (void)state;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        (void)atomic_fetch_add(&server->connections, 1);
}

/* ---- the server ------------------------------------------------------------------------------ */

struct practice_server *practice_server_start(const struct practice_server_options *options)
{
    struct practice_server *server = memory_new(1, sizeof *server);
    server->options = *options;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    struct MHD_OptionItem more[6];
    size_t count = 0;
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION;
    if (options->certificate != NULL) {
        flags |= MHD_USE_TLS;
        more[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, options->certificate->pem};
        more[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, options->certificate->key_pem};
    }
    if (options->client_authority != NULL)
        more[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0,
                                                (void *)(uintptr_t)options->client_authority};
    more[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, server, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
        MHD_OPTION_NOTIFY_COMPLETED, complete, NULL, MHD_OPTION_NOTIFY_CONNECTION, connection_event,
        server, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
    if (server->daemon == NULL)
        abort();
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    server->url = text_format("%s://127.0.0.1:%u", options->certificate != NULL ? "https" : "http",
                              info->port);
    return server;
}

void practice_server_stop(struct practice_server *server)
{
    if (server == NULL)
        return;
    MHD_stop_daemon(server->daemon);
    free(server->url);
    free(server);
}

const char *practice_server_url(const struct practice_server *server)
{
    return server->url;
}

int practice_server_connections(struct practice_server *server)
{
    return atomic_load(&server->connections);
}

int practice_server_requests(struct practice_server *server)
{
    return atomic_load(&server->requests);
}

/* ---- certificates ---------------------------------------------------------------------------- */

static void make(const struct certificate_request *request, struct certificate *ret)
{
    cleanup_error struct error err = ERROR_INIT;
    if (certificate_make(request, ret, &err) != 0)
        abort();
}

void practice_certificates(struct certificate *ret_authority, struct certificate *ret_server)
{
    make(&(struct certificate_request){.common_name = "practice authority",
                                       .valid_from_s = -60,
                                       .valid_to_s = 3600,
                                       .is_authority = 1},
         ret_authority);
    make(&(struct certificate_request){.common_name = "practice",
                                       .names = "IP:127.0.0.1,DNS:practice.example",
                                       .valid_from_s = -60,
                                       .valid_to_s = 3600,
                                       .issuer = ret_authority},
         ret_server);
}

void practice_client_certificate(const struct certificate *authority, struct certificate *ret)
{
    make(&(struct certificate_request){.common_name = "client",
                                       .valid_from_s = -60,
                                       .valid_to_s = 3600,
                                       .is_client = 1,
                                       .issuer = authority},
         ret);
}

char *practice_fingerprint(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    (void)X509_digest(certificate, EVP_sha256(), hash, &size);
    struct buffer text = BUFFER_INIT(200);
    for (unsigned i = 0; i < size; i++)
        (void)buffer_format(&text, "%s%02X", i > 0 ? ":" : "", hash[i]);
    X509_free(certificate);
    (void)BIO_free(bio);
    return buffer_take(&text);
}
