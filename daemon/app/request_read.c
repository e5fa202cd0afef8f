#include "app/request_read.h"

#include <string.h>

#include "app/pipeline.h"
#include "base/text.h"
#include "record/record.h"

#define POINTS_SEEN_MAX 256 /* on the way to the devices that one read polls */

/* ---- what is meant ---- */

static uint32_t find_device(const struct site *site, const char *name)
{
    for (uint32_t i = 0; i < site->device_count; i++) {
        if (strcmp(site->devices[i].name, name) == 0)
            return i;
    }
    return SITE_NONE;
}

static uint32_t find_point(const struct site *site, const char *name)
{
    for (uint32_t i = 0; i < site->point_count; i++) {
        if (strcmp(site->points[i].full_name, name) == 0)
            return i;
    }
    return SITE_NONE;
}

static uint32_t device_of(const struct site *site, const struct request *request)
{
    uint32_t point;

    if (request->device[0])
        return find_device(site, request->device);
    point = find_point(site, request->point);
    return point == SITE_NONE ? SITE_NONE : site->points[point].device;
}

bool request_read_seen(const struct site *site, const struct site_uplink *uplink,
                       const struct request *request)
{
    const uint32_t device = device_of(site, request);

    return device != SITE_NONE && uplink->telemetry_send && uplink->telemetry_devices[device];
}

/* ---- which devices are to be polled ---- */

struct sources {
    const struct site *site;
    uint32_t devices[REQUEST_READ_SOURCES];
    size_t device_count;
    uint32_t points[POINTS_SEEN_MAX]; /* each is followed once */
    size_t point_count;
};

static bool add(uint32_t *all, size_t *count, size_t max, uint32_t one, bool *known)
{
    *known = false;
    for (size_t i = 0; i < *count; i++)
        *known = *known || all[i] == one;
    if (*known)
        return true;
    if (*count == max)
        return false;
    all[(*count)++] = one;
    return true;
}

/* What a point is worked out from stands below it, SITE_DEPTH_MAX deep at most. */
static bool add_point(struct sources *s, uint32_t point) /* NOLINT(misc-no-recursion) */
{
    const struct site_point *p = &s->site->points[point];
    bool known;

    if (!s->site->devices[p->device].derived)
        return add(s->devices, &s->device_count, REQUEST_READ_SOURCES, p->device, &known);
    if (!add(s->points, &s->point_count, POINTS_SEEN_MAX, point, &known))
        return false;
    for (size_t i = 0; !known && p->derived && i < p->derived->operand_count; i++) {
        const uint32_t operand = p->derived->operands[i].point;

        if (operand != SITE_NONE && !add_point(s, operand))
            return false;
    }
    return true;
}

static bool add_all(struct sources *s, const struct request *request)
{
    const uint32_t device = device_of(s->site, request);
    const struct site_device *d = &s->site->devices[device];
    bool known;

    if (!d->derived)
        return add(s->devices, &s->device_count, REQUEST_READ_SOURCES, device, &known);
    if (!request->device[0])
        return add_point(s, find_point(s->site, request->point));
    for (uint32_t i = 0; i < d->point_count; i++) {
        if (!add_point(s, d->first_point + i))
            return false;
    }
    return true;
}

static void say_why_not(const struct pipeline *p, uint32_t device, enum rg_err err, char *error,
                        size_t error_size)
{
    const struct site_device *d = &p->site->devices[device];
    struct poll_device_stats unit;

    poll_device_stats(p->poll, device, &unit);
    if (err == RG_ESTATE)
        (void)text_format(error, error_size, "failed: the line to %s is down", d->name);
    else if (err == RG_EAGAIN && unit.state == UNIT_SUSPENDED)
        (void)text_format(error, error_size, "failed: %s does not answer, it was asked less than %d s ago",
                          d->name, POLL_NOW_PROBE_MS / 1000);
    else if (err == RG_EAGAIN)
        (void)text_format(error, error_size, "failed: %s is starting up", d->name);
    else
        (void)text_format(error, error_size, "failed: nothing is read from %s", d->name);
}

enum rg_err request_read_begin(const struct pipeline *p, const struct request *request,
                               struct request_read *read, char *error, size_t error_size)
{
    struct sources s = {.site = p->site};
    enum rg_err err = RG_EUNSUPPORTED;

    (void)text_copy(error, error_size, "failed: it is worked out from nothing that is read");
    if (!add_all(&s, request)) {
        (void)text_copy(error, error_size, "failed: it is worked out from too many devices: read those");
        return RG_ERANGE;
    }
    read->awaits = 0;
    for (size_t i = 0; i < s.device_count; i++) {
        enum rg_err asked = poll_now(p->poll, s.devices[i]);

        if (asked == RG_OK)
            read->devices[read->awaits++] = s.devices[i];
        else if (read->awaits == 0)
            say_why_not(p, s.devices[i], asked, error, error_size);
        err = asked == RG_OK || read->awaits > 0 ? RG_OK : asked;
    }
    return err;
}

bool request_read_polled(struct request_read *read, uint32_t device)
{
    for (size_t i = 0; i < read->awaits; i++) {
        if (read->devices[i] != device)
            continue;
        read->devices[i] = read->devices[--read->awaits];
        return read->awaits == 0;
    }
    return false;
}

bool request_read_goes_on(const struct pipeline *p, struct request_read *read)
{
    bool all = true;

    for (size_t i = 0; i < read->awaits; i++) {
        read->devices[i] = poll_device_now(p->poll, read->devices[i]);
        all = all && read->devices[i] != SITE_NONE;
    }
    return all;
}

/* ---- what is answered ---- */

static void write_value(const struct pipeline *p, uint32_t point, struct jsonw *w)
{
    const struct evidence_sample live = evidence_last(&p->evidence, point);

    if (live.quality == QUALITY_GOOD)
        record_value(w, &p->site->points[point], live.value);
    else
        jsonw_null(w);
}

static void write_point(const struct pipeline *p, uint32_t point, struct jsonw *w)
{
    const struct evidence_sample live = evidence_last(&p->evidence, point);

    jsonw_key_string(w, "point", p->site->points[point].full_name);
    jsonw_key(w, "value");
    write_value(p, point, w);
    jsonw_key_string(w, "quality", quality_name(live.quality));
    jsonw_key_positive(w, "ts", live.wall_ms);
    jsonw_key_string(w, "unit", p->site->points[point].unit);
}

static void write_points(const struct pipeline *p, const struct site_device *d, bool good, struct jsonw *w)
{
    jsonw_object_begin(w);
    for (uint32_t i = d->first_point; i < d->first_point + d->point_count; i++) {
        const struct evidence_sample live = evidence_last(&p->evidence, i);

        if ((live.quality == QUALITY_GOOD) != good)
            continue;
        jsonw_key(w, p->site->points[i].name);
        if (good)
            write_value(p, i, w);
        else
            jsonw_string(w, quality_name(live.quality));
    }
    jsonw_object_end(w);
}

/* The time is that of the newest reading: a poll of several requests takes its points one after another. */
static void write_device(const struct pipeline *p, const struct site_device *d, struct jsonw *w)
{
    int64_t ts = 0;

    for (uint32_t i = d->first_point; i < d->first_point + d->point_count; i++) {
        const struct evidence_sample live = evidence_last(&p->evidence, i);

        ts = live.wall_ms > ts ? live.wall_ms : ts;
    }
    jsonw_key_string(w, "device", d->name);
    jsonw_key_positive(w, "ts", ts);
    jsonw_key(w, "values");
    write_points(p, d, true, w);
    jsonw_key(w, "bad");
    write_points(p, d, false, w);
}

void request_read_write(const struct pipeline *p, const struct request *request, struct jsonw *w)
{
    if (request->device[0])
        write_device(p, &p->site->devices[find_device(p->site, request->device)], w);
    else
        write_point(p, find_point(p->site, request->point), w);
}
