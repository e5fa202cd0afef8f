#include "app/raw_request.h"

#include <string.h>

#include "base/text.h"
#include "model/alarm.h"

#define UNIT_SERIAL_LAST 247
#define UNIT_TCP_LAST 255

static enum rg_err refuse(char *error, size_t error_size, const char *text)
{
    (void)text_copy(error, error_size, text);
    return RG_EINVAL;
}

enum rg_err raw_request_bus(const struct site *site, const struct json *request, uint32_t *bus, char *error,
                            size_t error_size)
{
    const char *name = json_string(json_get(request, "bus"));

    if (!name)
        return refuse(error, error_size, "which bus?");
    for (uint32_t i = 0; i < site->bus_count; i++) {
        if (strcmp(site->buses[i].name, name) == 0) {
            *bus = i;
            return RG_OK;
        }
    }
    (void)text_format(error, error_size, "there is no bus %.64s", name);
    return RG_ENOTFOUND;
}

const struct site_device *raw_request_device(const struct site *site, uint32_t bus, uint8_t unit)
{
    for (size_t i = 0; i < site->device_count; i++) {
        if (site->devices[i].bus == bus && site->devices[i].unit == unit)
            return &site->devices[i];
    }
    return NULL;
}

static int64_t timeout_of(const struct site *site, uint32_t bus, uint8_t unit)
{
    int64_t longest_ms = site->buses[bus].timeout_ms;

    for (size_t i = 0; i < site->device_count; i++) {
        const struct site_device *d = &site->devices[i];

        if (d->bus == bus && d->unit == unit && d->timeout_ms > longest_ms)
            longest_ms = d->timeout_ms;
    }
    return longest_ms;
}

/* bus, unit and timeout_ms. */
static enum rg_err read_head(const struct site *site, const struct json *request, int64_t least_unit,
                             struct raw_request *out, char *error, size_t error_size)
{
    const struct json *timeout = json_get(request, "timeout_ms");
    int64_t unit = json_int(json_get(request, "unit"), -1);
    enum rg_err err = raw_request_bus(site, request, &out->bus, error, error_size);
    bool serial;

    if (err != RG_OK)
        return err;
    serial = site->buses[out->bus].kind != BUS_TCP;
    if (unit < (serial ? least_unit : 1) || unit > (serial ? UNIT_SERIAL_LAST : UNIT_TCP_LAST))
        return refuse(error, error_size,
                      serial ? "a unit of a serial line is 1 to 247 (for writes also 0: all)"
                             : "a unit on tcp is 1 to 255");
    out->ask.unit = (uint8_t)unit;
    out->ask.timeout_ms = json_int(timeout, timeout ? 0 : timeout_of(site, out->bus, out->ask.unit));
    if (out->ask.timeout_ms < 1 || (timeout && out->ask.timeout_ms > RAW_TIMEOUT_MOST_MS))
        return refuse(error, error_size, "timeout_ms is 1 to 30000");
    return RG_OK;
}

/* The one member that names a space, of least or higher. */
static bool read_place(const struct json *what, const enum point_space *spaces, size_t count,
                       struct driver_raw *ask)
{
    unsigned named = 0;

    for (size_t i = 0; i < count; i++) {
        const struct json *address = json_get(what, point_space_name(spaces[i]));
        int64_t value = json_int(address, -1);

        if (!address)
            continue;
        if (value < 0 || value > UINT16_MAX)
            return false;
        named++;
        ask->space = spaces[i];
        ask->address = (uint16_t)value;
    }
    return named == 1;
}

enum rg_err raw_request_read(const struct site *site, const struct json *request, struct raw_request *out,
                             char *error, size_t error_size)
{
    static const enum point_space spaces[] = {SPACE_COIL, SPACE_DISCRETE, SPACE_INPUT, SPACE_HOLDING};
    const struct json *what = json_get(request, "read");
    int64_t count = json_int(json_get(what, "count"), 0);
    enum rg_err err;

    memset(out, 0, sizeof *out);
    err = read_head(site, request, 1, out, error, error_size);
    if (err != RG_OK)
        return err;
    if (!read_place(what, spaces, RG_COUNT(spaces), &out->ask))
        return refuse(error, error_size,
                      "read needs one of coil, discrete, input, holding: an address, 0 to 65535");
    if (count < 1 || count > DRIVER_RAW_READ_MAX || out->ask.address + count > UINT16_MAX + 1)
        return refuse(error, error_size, "count is 1 to 125, and ends at address 65535");
    out->ask.count = (uint16_t)count;
    return RG_OK;
}

static bool read_values(const struct json *values, struct driver_raw *ask)
{
    int64_t most = ask->space == SPACE_COIL ? 1 : UINT16_MAX;

    if (!json_is_array(values) || json_size(values) < 1 || json_size(values) > DRIVER_RAW_WRITE_MAX)
        return false;
    for (const struct json *v = json_first(values); v; v = json_next(v)) {
        int64_t value = json_int(v, -1);

        if (value < 0 || value > most)
            return false;
        ask->values[ask->count++] = (uint16_t)value;
    }
    return ask->address + ask->count <= UINT16_MAX + 1;
}

enum rg_err raw_request_write(const struct site *site, const struct json *request, struct raw_request *out,
                              char *error, size_t error_size)
{
    static const enum point_space spaces[] = {SPACE_COIL, SPACE_HOLDING};
    const struct json *what = json_get(request, "write");
    enum rg_err err;

    memset(out, 0, sizeof *out);
    err = read_head(site, request, 0, out, error, error_size);
    if (err != RG_OK)
        return err;
    out->ask.write = true;
    out->by = json_string(json_get(request, "by"));
    if (!out->by || !out->by[0] || strlen(out->by) >= ALARM_WHO_MAX)
        return refuse(error, error_size, "a write needs by: the name of who answers for it, not too long");
    if (!read_place(what, spaces, RG_COUNT(spaces), &out->ask))
        return refuse(error, error_size, "write needs one of coil, holding: an address, 0 to 65535");
    if (!read_values(json_get(what, "values"), &out->ask))
        return refuse(error, error_size,
                      "values are 1 to 123 numbers, 0 to 65535 (coils: 0 or 1), and end at address 65535");
    return RG_OK;
}
