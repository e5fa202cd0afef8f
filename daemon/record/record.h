/* Encodes what happened into the bodies of stream records (contract §3), once: the store keeps these bytes and every uplink sends
 * them. Pure. A body is a JSON object without its braces and without seq and hash, which the store adds at commit. */
#ifndef RG_RECORD_RECORD_H
#define RG_RECORD_RECORD_H

#include <stddef.h>

#include "base/json_write.h"
#include "model/alarm.h"
#include "model/sample.h"
#include "model/site.h"

/* A record is written between record_begin and record_end. The body belongs to w and lives until w is used again.
 * record_end gives RG_ENOMEM or RG_EFULL when it could not be written whole. */
void record_begin(struct jsonw *w, int64_t wall_ms);
RG_NODISCARD enum rg_err record_end(struct jsonw *w, bool unsynced, const char **body, size_t *length);

/* A good reading's value, as it stands in records. */
void record_value(struct jsonw *w, const struct site_point *point, double value);

/* One answer of one device, good readings first. Bad readings stand in "bad" with their reason and have no value. Whether the device
 * was heard follows from them: it was unless all are comm or device; "heard":true says so where it was in spite of that. */
RG_NODISCARD enum rg_err record_frame(struct jsonw *w, const struct site *site, const struct frame *frame,
                                      const char **body, size_t *length);
RG_NODISCARD enum rg_err record_alarm(struct jsonw *w, const struct alarm_change *change, bool unsynced,
                                      const char **body, size_t *length);

#endif
