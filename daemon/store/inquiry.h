/* What is asked of the whole store, now and then: answered off the loop, on a thread and a read-only connection of their own,
 * one at a time in the order asked, in reads so short that they hold neither commits nor the log back. Asked of what is
 * committed: store_flush first.
 *
 * What is expected of a device: in each stretch in which it was configured so (store_duty_put), its points times the length of the
 * stretch within [from, to) divided by its poll period, rounded down over all stretches; whether the gateway ran does not matter, so
 * that what it did not ask is missing. Received is, of its points' minute roll-ups within [from, to), the samples that an
 * answer gave, good or bad (comm, when there was no answer, is none), at most what was expected: a poll more or less at
 * the ends is no surplus. Derived points are not expected. Where the roll-ups of the beginning are gone already (retention), both are
 * counted from the first that is there.
 *
 * Outages are told by the events: of devices and buses from `offline`, `down` to `online`, `up`; of uplinks from `lost` to `back`, and
 * from a start on when the first `back` took SUMMARY_FIRST_MS or more; of the gateway from the event `stop`, or without one the
 * last record, to the next `start`. A start ends all others: what goes on is told anew. */
#ifndef RG_STORE_INQUIRY_H
#define RG_STORE_INQUIRY_H

#include "base/error.h"
#include "model/summary.h"
#include "store/store.h"

#define STORE_INQUIRIES 8 /* that may wait */
#define STORE_INQUIRY_UPLINKS 64
#define SUMMARY_FIRST_MS 60000

enum store_inquiry_kind {
    INQUIRY_SUMMARY, /* of [from, to) */
    INQUIRY_PAST,    /* as of `to` */
    INQUIRY_REPORT,  /* the last report of a kind */
};

struct store_inquiry {
    enum store_inquiry_kind kind;
    int64_t from, to; /* wall ms */
    enum report_kind report;
    const char *const
        *uplinks;        /* INQUIRY_SUMMARY: those in use; copied. The first SUMMARY_UPLINKS are told of */
    size_t uplink_count; /* at most STORE_INQUIRY_UPLINKS are looked at */
};

/* All borrowed for the length of the call; what was not asked for is NULL. */
struct store_finding {
    enum rg_err err; /* RG_EIO, RG_ECORRUPT, RG_ENOMEM; INQUIRY_REPORT: RG_ENOTFOUND */
    const char *why; /* of an error, with the file */
    const struct summary *summary;
    const struct past *past;
    const char *report; /* the record's text, NUL-terminated */
    size_t report_length;
};

/* cb is called on the loop, later. RG_EAGAIN: STORE_INQUIRIES wait; RG_ENOMEM; RG_EINVAL. */
typedef void (*store_found_cb)(void *arg, const struct store_finding *finding);
RG_NODISCARD enum rg_err store_inquire(struct store *s, const struct store_inquiry *inquiry,
                                       store_found_cb cb, void *arg);
/* Forgets all that was asked with this arg: its cb is not called. */
void store_inquire_cancel(struct store *s, void *arg);

/* One device that is asked, for what is expected of it. */
struct store_duty {
    const char *device;
    uint32_t points;
    int64_t poll_ms;
};
/* At the start, after a reload and when the clock was stepped: from now on, wall, these devices are asked so, and no others. Kept
 * with the next commit; a stretch that goes on is not begun anew. Copied. RG_ENOMEM; RG_EINVAL: a name. */
RG_NODISCARD enum rg_err store_duty_put(struct store *s, const struct store_duty *duties, size_t count,
                                        int64_t now_ms);

/* ---- for store_close ---- */
struct inquirer;
void inquirer_destroy(struct inquirer *q); /* what runs is broken off; takes NULL */

#endif
