/* Answers that are owed to platforms: each goes once what was recorded before it is durable, in order for each uplink, and is kept
 * until its uplink has taken it. */
#ifndef RG_APP_REQUEST_OWED_H
#define RG_APP_REQUEST_OWED_H

#include "base/error.h"
#include "base/json_write.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pipeline;
struct owed;

#define OWED_FLUSHES 8 /* under way; what comes meanwhile waits for the next one */

struct owed_list {
    struct pipeline *p;
    struct owed *first, *last;
    uint64_t serial;                /* of the last text */
    uint64_t durable;               /* all texts up to here may go */
    uint64_t flushes[OWED_FLUSHES]; /* what each makes durable, oldest first */
    size_t flush_count;
    bool asking;   /* inside store_flush */
    uint64_t lost; /* answers whose uplink went away, or that there was no memory for */
};

void owed_init(struct owed_list *l, struct pipeline *p);
void owed_free(struct owed_list *l);
size_t owed_count(const struct owed_list *l, const char *uplink);
/* An answer will be owed. response_topic, correlation: as for uplink_reply; copied. NULL: out of memory. */
struct owed *owed_add(struct owed_list *l, const char *uplink, const char *response_topic,
                      const void *correlation, size_t correlation_length);
/* This is it; it is sent now or later, and the answer is not the caller's any more. recorded: not before everything that was handed
 * to the store is durable. */
void owed_text(struct owed_list *l, struct owed *o, const struct jsonw *w, bool recorded);
/* Tries again. True: some have a text and are still here. */
bool owed_send(struct owed_list *l);

#endif
