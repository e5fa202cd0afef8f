/* What `status` says of the platforms (contract §5). */
#ifndef RG_APP_STATUS_UPLINK_H
#define RG_APP_STATUS_UPLINK_H

#include "app/pipeline.h"
#include "base/json_write.h"

/* An array, one object for each uplink. */
void status_write_uplinks(const struct pipeline *p, struct jsonw *w);

#endif
