#include "services/shims.h"

#include "base/banned.h"
#include "base/text.h"
#include "services/ssh-program.h"

void shims_main_if_asked(int argc, char **argv)
{
    if (argc < 2)
        return;
    if (text_equal(argv[1], EXEC_SHIM_COMMAND))
        exit(exec_shim_main(argc - 1, argv + 1));
    if (text_equal(argv[1], JOB_SHIM_COMMAND))
        exit(job_shim_main(argc - 1, argv + 1));
    if (text_equal(argv[1], SSH_HOST_KEY_COMMAND))
        exit(ssh_host_key_main(argc - 1, argv + 1));
}
