/* The hook 'validate'. */
#ifndef SALVOR_RANCHER_VALIDATE_H
#define SALVOR_RANCHER_VALIDATE_H

#include <salvor/plugin.h>

salvor_status rancher_validate(salvor_call *call, const struct salvor_request *request);

#endif
