#include "services/services.h"

#include <salvor/services.h>

#include "base/banned.h"
#include "services/exec.h"
#include "services/ledger.h"
#include "services/secret.h"
#include "services/ssh.h"
#include "services/stream.h"
#include "worker/interfaces.h"

void services_register(void)
{
    interface_register(SALVOR_EXEC, exec_table.version, &exec_table);
    interface_register(SALVOR_SECRET, secrets_table.version, &secrets_table);
    interface_register(SALVOR_SSH, ssh_table.version, &ssh_table);
    interface_register(SALVOR_STREAM, stream_table.version, &stream_table);
    interface_register(SALVOR_LEDGER, ledger_table.version, &ledger_table);
}
