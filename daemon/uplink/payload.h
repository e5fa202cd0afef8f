/* The shape of a stream message (contract §3): a header and stored records in a row. Pure.
 *
 * {"v":1,"ent":E,"gw":G,"stream":S,"backfill":B,"prev":P,"first":F,"last":L
 *  [,"stored":false][,"clock":"unsynced"],"records":[...]} */
#ifndef RG_UPLINK_PAYLOAD_H
#define RG_UPLINK_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json_write.h"
#include "model/stream.h"

#define PAYLOAD_VERSION 1

struct payload_head {
    const char *ent, *gw;
    enum stream stream;
    bool backfill;
    int64_t prev, first, last; /* prev: null when 0 */
    bool unsynced;             /* a record in it was taken while the clock was not synchronised */
};

/* Writes a message over what w held. records: complete records joined by ',', byte for byte as stored. The
 * result is w's error: RG_OK, RG_ENOMEM or RG_EFULL. */
RG_NODISCARD enum rg_err payload_stored(struct jsonw *w, const struct payload_head *head, const char *records,
                                        size_t length);
/* One record that the store could not take: no numbers, "stored": false. record: a complete JSON object. */
RG_NODISCARD enum rg_err payload_unstored(struct jsonw *w, const struct payload_head *head,
                                          const char *record, size_t length);

#endif
