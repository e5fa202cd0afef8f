/* Why TLS with a server does not come about, in words that an operator can act on. The client library that talks to the server
 * verifies it and refuses; it only does not say what was wrong with which certificate. So this looks for itself: a
 * connection of its own, verified in the same way, ended as soon as it is known.
 *
 * Blocking: name resolution, and timeout_ms for each step of the way. */
#ifndef RG_CRYPTO_HANDSHAKE_H
#define RG_CRYPTO_HANDSHAKE_H

#include <stdint.h>

#include "base/error.h"

#define HANDSHAKE_WORDS 256

struct handshake {
    const char *host; /* a name, or an address without brackets */
    uint16_t port;
    const char *ca;         /* file of the authorities to trust */
    const char *cert, *key; /* or NULL */
    int timeout_ms;
};

/* RG_EIO: *why says why it fails; RG_OK: nothing is found wrong; RG_ENOMEM. */
RG_NODISCARD enum rg_err handshake_explain(const struct handshake *h, char why[HANDSHAKE_WORDS]);

#endif
