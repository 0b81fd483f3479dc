/* A worker that knows the calls about a Lease and nothing else. */
#include <stdlib.h>

#include "net/lease-service.h"
#include "worker/worker-main.h"

int main(int argc, char **argv)
{
    service_commands_register(lease_commands);
    worker_main_if_asked(argc, argv);
    return EXIT_FAILURE;
}
