/* What became of a transfer: from libcurl's word and what was seen on the way to fault, status,
 * certainty and an error for people. */
#ifndef SALVOR_NET_FLIGHT_RESULT_H
#define SALVOR_NET_FLIGHT_RESULT_H

#include "net/pool.h"

/* Fills the transfer's results; `flight->easy` (NULL: never began) still knows the transfer. */
void flight_judge(struct net_flight *flight, CURLcode code);

/* Milliseconds that a Retry-After value asks for (seconds or a date); -1: none that makes sense. */
int64_t retry_after_parse(struct salvor_span value, int64_t realtime_ms);

#endif
