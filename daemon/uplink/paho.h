/* The MQTT client of the daemon: Eclipse Paho C, asynchronous, TLS flavour. Its only user.
 *
 * No persistence, no offline buffer, no automatic reconnect; late answers are told apart by the connection's
 * number.
 *
 * Paho 1.3 resolves names while it holds the lock that all its functions take, whatever client they are for:
 * with a dead DNS server that is 10 s and more. So the loop never calls Paho: each transport has a thread of
 * its own that does, fed by a bounded queue. What Paho's threads say comes back through a mailbox; should
 * that ever be full, the connection counts as lost, for an acknowledgement may be among what did not fit.
 *
 * TLS: the server's certificate must lead to the CA and name the host, at least TLS 1.2 with forward
 * secrecy and an authenticated cipher, OpenSSL security level 2.
 * Paho leaves Nagle's algorithm on and its socket out of reach (1.3.12): two small messages in a row may be
 * 40 ms apart. */
#ifndef RG_UPLINK_PAHO_H
#define RG_UPLINK_PAHO_H

#include "uplink/transport.h"

#define PAHO_SYSTEM_CA                                                                                       \
    "/etc/ssl/certs/ca-certificates.crt" /* when no CA is configured; Debian's ca-certificates */

extern const struct transport_ops paho_transport;

#endif
