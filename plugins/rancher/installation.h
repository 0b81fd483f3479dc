/* Whether Rancher was installed again by hand, as a migration asks for. */
#ifndef SALVOR_RANCHER_INSTALLATION_H
#define SALVOR_RANCHER_INSTALLATION_H

#include <salvor/helpers.h>

/* Row: parameters {"version","server_url"}. */
salvor_status rancher_is_installed(salvor_call *call, const struct salvor_step *step,
                                   json_t *parameters, uint32_t *ret_answer);

#endif
