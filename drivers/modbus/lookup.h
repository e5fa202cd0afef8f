/* A host's name to addresses, within a time and cancellable, which getaddrinfo is not: a name server that
 * does not answer holds it for half a minute. A name is looked up on a thread of its own; one that is not
 * there in time goes on, and is asked about again by the next call. */
#ifndef RG_DRIVERS_MODBUS_LOOKUP_H
#define RG_DRIVERS_MODBUS_LOOKUP_H

#include <netdb.h>
#include <stdint.h>

struct lookup;

/* Numeric addresses need no thread. *pending: the caller's, NULL at first: the lookup that has not ended; always
 * for the same host and port. Returns 0 and *out (for freeaddrinfo), or an errno (ETIMEDOUT, ECANCELED,
 * EHOSTUNREACH, ENOMEM, ...), with *why a text for people or NULL. */
int lookup_host(const char *host, uint16_t port, int cancel_fd, int64_t until_us, struct lookup **pending,
                struct addrinfo **out, const char **why);
/* Lets go of one that has not ended: it frees itself when it does. Takes NULL. */
void lookup_abandon(struct lookup *l);

#endif
