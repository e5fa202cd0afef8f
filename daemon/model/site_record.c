#include "model/site_record.h"

#include "model/site_order.h"

#define POLLS_BEFORE 2 /* the one that is under way when the time begins, and the one that brings the alarm */

bool site_point_is_state(const struct site_point *point)
{
    return point->space == SPACE_COIL || point->space == SPACE_DISCRETE || point->bit >= 0 ||
           point->word_count > 0;
}

int64_t site_record_slack_ms(const struct site_device *device)
{
    int64_t slack = device->derived ? device->record.every_ms / 10 : device->poll_ms / 2;
    int64_t most = device->record.every_ms / 2;

    return slack < most ? slack : most;
}

/* No deeper than SITE_DEPTH_MAX: there is no cycle in a site. */
void site_record_sources(const struct site *site, uint32_t point, bool *devices)
{
    const struct site_point *p = &site->points[point];
    size_t count = site_operand_count(p);

    devices[p->device] = true;
    for (size_t i = 0; i < count; i++) {
        const struct site_operand *o = site_operand(p, i);

        if (o->point != SITE_NONE)
            site_record_sources(site, o->point, devices);
    }
}

static uint64_t polls_in(const struct site_device *device, int64_t ms)
{
    return (uint64_t)(ms / (device->poll_ms > 0 ? device->poll_ms : 1)) + POLLS_BEFORE;
}

/* Frames of the device itself. */
static uint64_t frames_in(const struct site_device *device, int64_t ms)
{
    uint64_t planned = device->requests > 0 ? device->requests : device->point_count;
    uint64_t most = 2 * planned;

    most = most < device->point_count ? most : device->point_count;
    return polls_in(device, ms) * (most > planned ? most : planned);
}

/* Whether something of the derived device is worked out from the other, directly or not. */
static bool is_source(const struct site *site, uint32_t derived, uint32_t point, uint32_t device)
{
    const struct site_point *p = &site->points[point];
    size_t count = site_operand_count(p);

    if (p->device == device && p->device != derived)
        return true;
    for (size_t i = 0; i < count; i++) {
        const struct site_operand *o = site_operand(p, i);

        if (o->point != SITE_NONE && is_source(site, derived, o->point, device))
            return true;
    }
    return false;
}

static struct site_record_room derived_room(const struct site *site, uint32_t derived)
{
    const struct site_device *d = &site->devices[derived];
    struct site_record_room room = {0, 0};

    for (uint32_t i = 0; i < site->device_count; i++) {
        bool source = false;

        for (uint32_t p = 0; p < d->point_count && !source && !site->devices[i].derived; p++)
            source = is_source(site, derived, d->first_point + p, i);
        if (source)
            room.frames += frames_in(&site->devices[i], d->record.around_ms);
    }
    room.samples = room.frames * d->point_count;
    return room;
}

struct site_record_room site_record_room(const struct site *site, uint32_t device)
{
    const struct site_device *d = &site->devices[device];

    if (d->record.every_ms == 0 || d->record.around_ms == 0)
        return (struct site_record_room){0, 0};
    if (d->derived)
        return derived_room(site, device);
    return (struct site_record_room){frames_in(d, d->record.around_ms),
                                     polls_in(d, d->record.around_ms) * d->point_count};
}

uint64_t site_record_bytes(const struct site *site, uint32_t device)
{
    struct site_record_room room = site_record_room(site, device);

    return room.frames * SITE_RECORD_FRAME_BYTES + room.samples * SITE_RECORD_SAMPLE_BYTES;
}
