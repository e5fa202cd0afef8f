/* Reads that are under way: what each still waits for, and until when. A point or device that is worked out from others is read
 * by polling those. Bounded; pure but for the polls that it asks for. */
#ifndef RG_APP_REQUEST_READ_H
#define RG_APP_REQUEST_READ_H

#include "app/request.h"
#include "base/json_write.h"
#include "poll/poll.h"

struct pipeline;

#define REQUEST_READS 32        /* under way */
#define REQUEST_READS_UPLINK 8  /* of one uplink */
#define REQUEST_READ_MS 30000   /* for the polls to end: as long as a line takes that is always behind */
#define REQUEST_READ_SOURCES 16 /* devices that one read may poll */

struct request_read {
    void *owner; /* NULL: free */
    struct request request;
    int64_t until_ms; /* monotonic */
    size_t awaits;    /* how many of these are not over */
    uint32_t devices[REQUEST_READ_SOURCES];
};

/* Whether the platform gets the telemetry of what is to be read; else it does not exist for it. */
bool request_read_seen(const struct site *site, const struct site_uplink *uplink,
                       const struct request *request);
/* Asks for the polls. request_read_polled and request_read_late say when it is over. On an error why is in error ("failed: ..."). */
RG_NODISCARD enum rg_err request_read_begin(const struct pipeline *p, const struct request *request,
                                            struct request_read *read, char *error, size_t error_size);
/* A poll that was asked for is over. True: with it the read. */
bool request_read_polled(struct request_read *read, uint32_t device);
/* After a reload. False: a poll that it waits for will not come. */
bool request_read_goes_on(const struct pipeline *p, struct request_read *read);
/* The members of the answer, as of the last readings. */
void request_read_write(const struct pipeline *p, const struct request *request, struct jsonw *w);

#endif
