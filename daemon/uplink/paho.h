/* The MQTT client of the daemon: Eclipse Paho C, asynchronous, TLS flavour. Its only user. */
#ifndef RG_UPLINK_PAHO_H
#define RG_UPLINK_PAHO_H

#include "uplink/transport.h"

extern const struct transport_ops paho_transport;

#endif
