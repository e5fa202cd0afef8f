/* More is meant for an uplink than before: alarms of a lower level, telemetry of more devices. What its cursors passed over is owed now,
 * or no `prev` of the next message would ever be found there (contract §3). */
#ifndef RG_APP_WIDEN_H
#define RG_APP_WIDEN_H

#include "config/diff.h"
#include "model/site.h"
#include "store/store.h"

/* Which streams of an uplink of the site in force have grown by the change. */
void widen_streams(const struct site *site, const struct site_uplink *uplink, const struct config_diff *diff,
                   bool grown[STREAM_COUNT]);
/* Takes their cursors back to those of a new uplink: the whole stream comes again, as back-fill, what was sent before too. To be called
 * while no uplink is at work. */
RG_NODISCARD enum rg_err widen_cursors(struct store *store, const struct site *site,
                                       const struct config_diff *diff);

#endif
