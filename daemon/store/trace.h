/* All that a store tells of one alarm: its records in order, each with whether its hash holds within the chain, the configuration that was in
 * force, the readings of its points around it where its level changed, and the uplinks that are done with it; and what people asked for. */
#ifndef RG_STORE_TRACE_H
#define RG_STORE_TRACE_H

#include <stddef.h>

#include "base/error.h"
#include "base/json_write.h"

#define TRACE_READINGS 3                /* of a point, before and after a change of the level */
#define TRACE_AROUND_MS INT64_C(900000) /* as far away at most */

/* Writes one object:
 * {"alarm", "chain": {"ok", "bad"?, "what"?}, "records": [{"record": as stored, "hash": "holds" "broken" "unknown", "clock": "synced"
 * "unsynced", "config": {"sha256", "since"} or null, "readings": [{"point", "seq", "ts", "value", "quality"}], "uplinks": [names]}],
 * "commands": [event records]}
 * "unknown": what the hash follows from was taken by a version that did not keep it. Members of a reading of a device as a whole: no value, no
 * quality. A record whose text is no JSON has "text" in place of "record".
 * Blocking, on a read-only connection of its own. RG_ENOTFOUND: the store has no record of it; RG_EINVAL: not an alarm's name, or not a
 * store; RG_EUNSUPPORTED: of another version; RG_EIO, RG_ECORRUPT, RG_ENOMEM. *why names the file. */
RG_NODISCARD enum rg_err trace_alarm(const char *path, const char *alarm, struct jsonw *w, char *why,
                                     size_t why_size);

#endif
