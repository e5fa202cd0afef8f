/* The retained `about` document (contract §3): all that a platform needs to show what the streams speak of.
 *
 * {"v":1,"ent":"<code>","gw":"<id>",
 *  "enterprise":{"code":C,"name":N,"industry"?,"region"?,"grid"?,"workers"?,"contact"?:{"name"?,"phone"?}},
 *  "areas":[{"name":A,"label"?,"parent"?:A,"tier"?:"company|workshop|team|post","inherent":LEVEL,
 *            "aggregate"?:"gb39496","responsible"?:{"unit"?,"person"?,"phone"?},"measure"?,"grid"?}],
 *  "devices":[{"name":D,"label"?,"area"?:A,"poll_ms":MS,"offline":{"after_ms":MS,"level":LEVEL},
 *              "points":[{"name":P,"type":"bool|u16|...","label"?,"unit"?,"range"?:[LOW,HIGH],
 *                         "values"?:[{"value":V,"text":T}],
 *                         "doubt"?:{"level":LEVEL,"after_ms":MS,"flat_ms"?:MS,"flat_band"?:X,"rate_per_s"?:X,
 *                                   "twin"?:"D.P","twin_within"?:X}}]}],
 *  "rules":[{"name":R,"message"?,"points":["D.P"],"above"?:{LEVEL:LIMIT},"below"?:{LEVEL:LIMIT},
 *            "is"?:[{"value":V,"level":LEVEL}],"deadband":X,"on_delay_ms":MS,"off_delay_ms":MS}]}
 *
 * "?" marks what is left out when it is not configured. LEVEL is red, orange, yellow, blue or none; limits,
 * dead-bands and ranges are in the point's unit; `values` says what the values of an enumeration are called; `above` holds for value >= limit, `below` for value <=
 * limit. The order of lists is that of the configuration. */
#ifndef RG_UPLINK_ABOUT_H
#define RG_UPLINK_ABOUT_H

#include "base/json_write.h"
#include "model/site.h"

/* Appends the document. Errors stay in w (jsonw_error). */
void about_write(const struct site *site, struct jsonw *w);
/* What tells one such text from another: never 0. */
uint64_t about_stamp(const struct jsonw *w);

#endif
