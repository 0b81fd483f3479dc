#include "services/services.h"

#include <salvor/services.h>

#include "base/banned.h"
#include "services/exec.h"
#include "services/secret.h"
#include "worker/interfaces.h"

void services_register(void)
{
    interface_register(SALVOR_EXEC, exec_table.version, &exec_table);
    interface_register(SALVOR_SECRET, secrets_table.version, &secrets_table);
}
