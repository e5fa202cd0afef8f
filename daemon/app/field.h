/* The field as `riskgatectl status` shows it: buses and devices. */
#ifndef RG_APP_FIELD_H
#define RG_APP_FIELD_H

#include "app/pipeline.h"
#include "base/json_write.h"

/* Arrays. */
void field_write_buses(struct jsonw *w, const struct pipeline *p);
void field_write_devices(struct jsonw *w, const struct pipeline *p);

#endif
