/* Inside of the library alone: library.c hands the program's table to bridge.c. */
#ifndef SALVOR_NET_LIBRARY_H
#define SALVOR_NET_LIBRARY_H

struct net_bridge;

void bridge_set(const struct net_bridge *bridge);

#endif
