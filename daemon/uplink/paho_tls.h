/* TLS of a Paho client: how it is verified, and words for why it fails. For paho_client.c and paho_thread.c.
 *
 * Certificates, keys and authorities are read from their files at each connection: Paho makes its TLS context for each
 * (SSLSocket.c, 1.3.12), so what was renewed on disk holds from the next connection on. */
#ifndef RG_UPLINK_PAHO_TLS_H
#define RG_UPLINK_PAHO_TLS_H

#include <MQTTAsync.h>

#include "uplink/paho_client.h"

/* error_cb gets OpenSSL's error lines. The target's texts are borrowed. */
MQTTAsync_SSLOptions paho_tls_options(const struct paho_target *target,
                                      int (*error_cb)(const char *line, size_t length, void *context),
                                      void *context);
/* The reason within such a line; it is short. */
void paho_tls_reason(const char *line, size_t length, char out[PAHO_REASON_MAX]);
/* Whether the files are of use, before Paho sees them: it would not say which one is not, and would ask at a terminal for the
 * passphrase of a key. Blocking. */
RG_NODISCARD enum rg_err paho_tls_check(const struct paho_target *target, char why[PAHO_REASON_MAX]);
/* Puts into event->reason what is wrong with the server, when that can be found out. Blocking, for up to some seconds. */
void paho_tls_explain(const struct paho_target *target, struct paho_event *event);

#endif
