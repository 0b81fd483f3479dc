/* The named services that need no network, ready to be registered with the worker. */
#ifndef SALVOR_SERVICES_SERVICES_H
#define SALVOR_SERVICES_SERVICES_H

/* Puts every table of this room into worker/interfaces.h. */
void services_register(void);

#endif
