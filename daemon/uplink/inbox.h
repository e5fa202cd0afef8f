/* What came from a platform, on its way to the loop: for paho.c. Memory is fixed when it is made.
 *
 * A few commands wait; of receipts the newest of each stream, for a later one says all that an earlier one said. So a flood of
 * either costs nothing but itself, and never the other. */
#ifndef RG_UPLINK_INBOX_H
#define RG_UPLINK_INBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "uplink/transport.h"

#define INBOX_COMMANDS 8
#define INBOX_BATCH 12 /* all that it can hold, but for one */

struct inbox;

/* NULL when out of memory. commands: whether there is room for any at all. */
struct inbox *inbox_create(bool commands);
/* Any thread. Copies; what is too long is noted without its text. True: the loop is to be woken. */
bool inbox_put(struct inbox *b, const struct transport_message *m);
/* The loop. To be called first after a wake: from here on a put asks for one again. */
void inbox_open(struct inbox *b);
/* The loop. The next message, borrowed until the next call; false: there is none. *dropped: so many before it found no room. */
bool inbox_take(struct inbox *b, struct transport_message *out, size_t *dropped);
void inbox_destroy(struct inbox *b); /* takes NULL */

#endif
