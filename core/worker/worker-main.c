#include "worker/worker-main.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/locked.h"
#include "base/text.h"
#include "services/recorder.h"
#include "services/services.h"
#include "services/shims.h"
#include "worker/channel.h"
#include "worker/hooks.h"
#include "worker/interfaces.h"
#include "worker/limits.h"
#include "worker/network.h"
#include "worker/output-tables.h"
#include "worker/plugin-open.h"

enum { PROTOCOL = 1 };

/* ---- hygiene --------------------------------------------------------------------------------- */

/* A worker without its parent must not go on: by signal, and by the end of the stream where the
 * parent was gone before the signal could be asked for. */
static void die_with_parent(int fd)
{
    struct ucred peer = {0, 0, 0};
    socklen_t size = sizeof peer;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid != 0 &&
        peer.pid != getppid())
        channel_lost("salvor is gone");
}

/* ---- opening --------------------------------------------------------------------------------- */

static void register_interfaces(void)
{
    interface_register(SALVOR_INVENTORY, INVENTORY_VERSION, &inventory_table);
    interface_register(SALVOR_FINDINGS, FINDINGS_VERSION, &findings_table);
    interface_register(SALVOR_PLAN, PLAN_VERSION, &plan_table);
    services_register();
    network_register();
}

static int open_session(struct worker_session *session, char **ret_build_id, struct error *reterr)
{
    const char *path = json_text(session->open, "plugin");
    if (json_whole(session->open, "protocol", 0) != PROTOCOL)
        return error_set(reterr, EXIT_FAILED, "this worker is of another salvor than its parent");
    register_interfaces();
    if (recorder_open(session->open, &session->recorder, reterr) != 0)
        return -1;
    limits_set(json_object_get(session->open, "limits"));
    if (path != NULL)
        return plugin_open(session, path, ret_build_id, reterr);
    kill_point_identify("service", getppid());
    *ret_build_id = text_copy("");
    return 0;
}

static int answer_open(struct worker_session *session)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *build_id = NULL;
    const int opened = open_session(session, &build_id, &err) == 0;
    cleanup_json json_t *answer =
        opened ? json_make("{s:O?, s:s}", "descriptor", session->descriptor, "build_id", build_id)
               : json_make("{s:s, s:s?, s:s?}", "message", err.message, "detail", err.detail,
                           "hint", err.hint);
    channel_send(opened ? FRAME_READY : FRAME_REFUSED, 0, answer);
    return opened;
}

/* ---- the process ----------------------------------------------------------------------------- */

static int serve(struct worker_session *session)
{
    struct frame frame = {0};
    if (channel_receive(&frame) == 0)
        return EXIT_FAILURE;
    if (frame.type != FRAME_OPEN)
        channel_lost("salvor sent something else than 'open' first");
    session->open = frame.body;
    if (!answer_open(session))
        return EXIT_FAILURE;
    while (channel_receive(&frame) != 0) {
        if (frame.type == FRAME_CLOSE) {
            frame_clear(&frame);
            return EXIT_SUCCESS;
        }
        if (frame.type == FRAME_TELL) { /* its call ended while it was on the way */
            frame_clear(&frame);
            continue;
        }
        if (frame.type != FRAME_CALL || frame.call == 0)
            channel_lost("salvor sent what no worker expects");
        /* a thread of the plugin may still run: no exit handler may meet it */
        if (!hooks_run(session, &frame))
            _exit(EXIT_FAILURE);
    }
    return EXIT_FAILURE;
}

static int descriptor_number(const char *text)
{
    int64_t number = 0;
    if (text_parse_integer(text, &number) != 0 || number < 3 || number > 1023)
        channel_lost("not started by salvor");
    return (int)number;
}

void worker_main_if_asked(int argc, char **argv)
{
    shims_main_if_asked(argc, argv);
    if (argc < 2 || !text_equal(argv[1], "--worker"))
        return;
    if (argc < 4)
        channel_lost("not started by salvor");
    struct worker_session session = {.socket = descriptor_number(argv[2]),
                                     .cancel_fd = descriptor_number(argv[3])};
    if (argc < 5 || !text_equal(argv[4], "debug"))
        locked_hide_process();
    (void)signal(SIGPIPE, SIG_IGN);
    channel_open(session.socket);
    die_with_parent(session.socket);
    kill_point_identify("worker", getppid());
    int status = serve(&session);
    recorder_close(session.recorder);
    json_decref(session.open);
    exit(status);
}
