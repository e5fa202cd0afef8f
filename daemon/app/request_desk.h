/* The desk at which platforms' commands come in: judged, carried out, recorded, answered (request.h says how all this looks).
 *
 * An answer goes once everything that the desk recorded up to then is durable, and it goes to the uplink of that name that is there
 * then: a reload between the two loses none, unless it takes the uplink away. Bounded: REQUEST_OWED answers of an
 * uplink, REQUEST_READS reads under way. All on the loop. */
#ifndef RG_APP_REQUEST_DESK_H
#define RG_APP_REQUEST_DESK_H

#include "base/error.h"
#include "base/json_write.h"
#include "store/store.h"
#include "uplink/uplink.h"

/* Answers that wait for the store or for the uplink; what comes beyond them is not heard, and counted. */
#define REQUEST_OWED 64

struct pipeline;
struct request_desk;

RG_NODISCARD enum rg_err request_desk_create(struct pipeline *p, const struct store_start *start,
                                             struct request_desk **out);
/* After the store: it still calls back while it closes. Takes NULL. */
void request_desk_destroy(struct request_desk *d);
/* The uplinks of the site in force are there. RG_ENOMEM: no command of theirs is heard. */
RG_NODISCARD enum rg_err request_desk_uplinks(struct request_desk *d);
/* uplink_port.request */
void request_desk_take(struct request_desk *d, const char *uplink, const struct uplink_request *request);
/* poll_cbs.polled */
void request_desk_polled(struct request_desk *d, uint32_t device, bool answered);
/* Polling ends, for a reload or for good: reads under way are answered, and what was only counted is recorded. */
void request_desk_halt(struct request_desk *d);
/* After a reload, with the new poll and site: reads wait on for the polls of devices that go on, the others have come to
 * nothing. Takes NULL. */
void request_desk_reloaded(struct request_desk *d);
/* `commands` of an uplink in the status: {heard, refused, too_many, unanswered}; null for one that may ask for nothing. */
void request_desk_figures(const struct request_desk *d, const char *uplink, struct jsonw *w);

#endif
