/* The trust store, for those that put certificates there. */
#ifndef SIM_NSX_CERTIFICATES_H
#define SIM_NSX_CERTIFICATES_H

#include "internal.h"

/* Adds the first certificate of the text; its id (new), or NULL when the text is none. */
char *nsx_certificate_add(struct sim_nsx *sim, const char *display_name, const char *pem,
                          int has_private_key);

#endif
