/* What an operator may ask of a line, taken from a request that anybody may have written. Pure.
 *
 * {"command":"raw","bus":B,"unit":7,"timeout_ms":500,"read":{"holding":0,"count":21}}
 * {"command":"write","bus":B,"unit":7,"by":NAME,"write":{"coil":3,"values":[1]}}
 * A unit is 1 to 247, on tcp to 255; writes on a serial line also 0, all of them. timeout_ms may be left out: the longest
 * of the devices that the unit is, or the bus's. */
#ifndef RG_APP_RAW_REQUEST_H
#define RG_APP_RAW_REQUEST_H

#include "base/json_read.h"
#include "drivers/driver.h"
#include "model/site.h"

#define RAW_TIMEOUT_MOST_MS 30000

struct raw_request {
    uint32_t bus; /* into site.buses */
    struct driver_raw ask;
    const char *by; /* writes; belongs to the request */
};

/* RG_EINVAL with a text for people, RG_ENOTFOUND: no such bus. */
RG_NODISCARD enum rg_err raw_request_read(const struct site *site, const struct json *request,
                                          struct raw_request *out, char *error, size_t error_size);
RG_NODISCARD enum rg_err raw_request_write(const struct site *site, const struct json *request,
                                           struct raw_request *out, char *error, size_t error_size);
/* The bus that a request names. RG_EINVAL, RG_ENOTFOUND. */
RG_NODISCARD enum rg_err raw_request_bus(const struct site *site, const struct json *request, uint32_t *bus,
                                         char *error, size_t error_size);
/* The bus's first device with that unit, or NULL. */
const struct site_device *raw_request_device(const struct site *site, uint32_t bus, uint8_t unit);

#endif
