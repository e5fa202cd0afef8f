/* What Paho leaves undone with its socket. For paho_thread.c. */
#ifndef RG_UPLINK_PAHO_SOCKET_H
#define RG_UPLINK_PAHO_SOCKET_H

#include <stddef.h>
#include <stdint.h>

/* Turns Nagle's algorithm off (TCP_NODELAY) on this process's TCP connections to that port of whatever host; how many it was on for.
 *
 * Paho 1.3.12 leaves it on and gives its socket to nobody, so it is looked for among the process's (/proc/self/fd; where that cannot be
 * read, nothing changes). With it on, a small message waits while an earlier one is not acknowledged, and that waits for the broker's
 * delayed acknowledgement: 40 ms for an alarm that follows telemetry. On a connection that is not Paho's it does no harm: libmodbus turns it off, too. */
size_t paho_socket_no_delay(uint16_t port);

#endif
