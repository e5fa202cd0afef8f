/* What the tests of poll/ over reloads share: sites that are made of one base site, in any order, with some of its buses and devices
 * left out or changed; each is its own memory, names too, and freed as soon as the poll has left it. What was asked and
 * told is noted by the base's indices. */
#ifndef RG_TESTS_POLL_RELOAD_H
#define RG_TESTS_POLL_RELOAD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "loop/loop.h"
#include "poll/poll.h"
#include "support_driver.h"
#include "virtual_loop.h"

#define YARD_BUSES 8
#define YARD_DEVICES 32
#define YARD_POINTS 3
#define YARD_NAME 32
#define YARD_SEEN 65536

/* Which of the base's there are, in which order, and how often each has been changed. */
struct spec {
    size_t bus_count, device_count;
    uint32_t buses[YARD_BUSES], devices[YARD_DEVICES];
    int64_t bus_version[YARD_BUSES]; /* by base index, as all below */
    uint16_t device_version[YARD_DEVICES];
};

struct seen_frame {
    uint32_t device; /* of the base */
    int64_t at_ms;
    bool heard;
    size_t good;
};

struct yard {
    struct loop *loop;
    struct site *base;
    char names[YARD_BUSES + YARD_DEVICES][YARD_NAME];
    struct fake *fake;
    struct fake_hooks hooks;
    struct poll *poll;
    struct spec spec;
    struct site *site; /* in force */
    uint32_t asked;    /* the device of the request that is being carried out */
    uint32_t planned_first[YARD_DEVICES];
    struct seen_frame *frames;
    size_t frame_count;
    struct fake_call *calls;
    size_t call_count;
    size_t crossings, errands, broken, polled;
    uint32_t last_polled;
    enum fake_behaviour (*decide)(const struct yard *y, uint32_t device, size_t request, int64_t now_ms);
    uint64_t seed;
};

/* ---- sites ---- */

struct yard_site {
    struct site site;
    char names[YARD_BUSES + YARD_DEVICES][YARD_NAME];
    char host[YARD_NAME];
};

static inline struct site *yard_site_create(const struct yard *y, const struct spec *spec)
{
    struct yard_site *s = calloc(1, sizeof(*s));
    uint32_t place_of[YARD_BUSES];

    assert_non_null(s);
    s->site.buses = calloc(spec->bus_count + 1, sizeof(*s->site.buses));
    s->site.devices = calloc(spec->device_count + 1, sizeof(*s->site.devices));
    s->site.points = calloc(spec->device_count * YARD_POINTS + 1, sizeof(*s->site.points));
    assert_true(s->site.buses && s->site.devices && s->site.points);
    memcpy(s->names, y->names, sizeof(s->names));
    (void)snprintf(s->host, sizeof(s->host), "127.0.0.1");
    s->site.bus_count = spec->bus_count;
    for (size_t i = 0; i < spec->bus_count; i++) {
        struct site_bus *bus = &s->site.buses[i];

        *bus = y->base->buses[spec->buses[i]];
        bus->name = s->names[spec->buses[i]];
        bus->host = s->host;
        bus->timeout_ms += spec->bus_version[spec->buses[i]];
        place_of[spec->buses[i]] = (uint32_t)i;
    }
    s->site.device_count = spec->device_count;
    s->site.point_count = spec->device_count * YARD_POINTS;
    for (size_t i = 0; i < spec->device_count; i++) {
        struct site_device *d = &s->site.devices[i];
        const uint32_t of = spec->devices[i];

        *d = y->base->devices[of];
        d->name = s->names[YARD_BUSES + of];
        d->bus = place_of[d->bus];
        d->first_point = (uint32_t)(i * YARD_POINTS);
        d->max_gap = (uint16_t)(8 + spec->device_version[of]);
        for (uint32_t k = 0; k < YARD_POINTS; k++) {
            s->site.points[d->first_point + k] = y->base->points[of * YARD_POINTS + k];
            s->site.points[d->first_point + k].device = (uint32_t)i;
        }
    }
    return &s->site;
}

static inline void yard_site_free(struct site *site)
{
    struct yard_site *s = (struct yard_site *)site; /* its first member */

    free(site->buses);
    free(site->devices);
    free(site->points);
    memset(s, 0xa5, sizeof(*s));
    free(s);
}

/* ---- what is asked and told ---- */

static inline int64_t yard_now_cb(void *arg)
{
    return loop_mono_ms(((const struct yard *)arg)->loop);
}

static inline void yard_spend_cb(void *arg, int64_t ms)
{
    virtual_loop_spend(((const struct yard *)arg)->loop, ms);
}

static inline enum fake_behaviour yard_decide_cb(void *arg, uint32_t device, size_t request, int64_t now_ms)
{
    struct yard *y = arg;

    y->asked = device;
    return y->decide ? y->decide(y, device, request, now_ms) : fake_device(y->fake, device)->behaviour;
}

/* Which point of which device it is, and as of which configuration it was asked. */
static inline double yard_value(const struct yard *y, uint32_t device, uint32_t local)
{
    return device * 1000000.0 + local * 100000.0 + y->spec.device_version[device];
}

static inline void yard_read_cb(void *arg, int64_t now_ms, struct sample *sample)
{
    const struct yard *y = arg;

    (void)now_ms;
    sample->quality = QUALITY_GOOD;
    sample->value = yard_value(y, y->asked, sample->point - y->planned_first[y->asked]);
}

static inline void yard_called_cb(void *arg, const struct fake_call *call)
{
    struct yard *y = arg;

    assert_true(y->call_count < YARD_SEEN);
    y->calls[y->call_count++] = *call;
}

/* No old answer under a new plan, and every point under its own index: its value says where it was asked, and when. */
static inline void yard_frame_cb(void *arg, const struct frame *frame)
{
    struct yard *y = arg;
    const struct site_device *d = &y->site->devices[frame->device];
    struct seen_frame *f = &y->frames[y->frame_count++];

    assert_true(y->frame_count < YARD_SEEN);
    assert_true(frame->device < y->site->device_count && frame->count > 0);
    *f = (struct seen_frame){
        .device = y->spec.devices[frame->device], .at_ms = frame->at.mono_ms, .heard = frame->heard};
    for (size_t i = 0; i < frame->count; i++) {
        const struct sample *s = &frame->samples[i];

        assert_in_range(s->point, d->first_point, d->first_point + YARD_POINTS - 1);
        if (s->quality != QUALITY_GOOD)
            continue;
        assert_true(s->value == yard_value(y, f->device, s->point - d->first_point));
        f->good++;
    }
}

static inline void yard_device_cb(void *arg, uint32_t device, enum unit_state state, const char *detail)
{
    struct yard *y = arg;

    (void)state, (void)detail;
    assert_true(device < y->site->device_count);
    y->crossings++;
}

static inline void yard_bus_cb(void *arg, uint32_t bus, enum bus_state state, const char *detail)
{
    struct yard *y = arg;

    (void)state, (void)detail;
    assert_true(bus < y->site->bus_count);
    y->crossings++;
}

static inline void yard_polled_cb(void *arg, uint32_t device, bool answered)
{
    struct yard *y = arg;

    (void)answered;
    y->polled++;
    y->last_polled = y->spec.devices[device];
}

static inline void yard_errand_cb(void *arg, const struct driver_raw_answer *answer)
{
    struct yard *y = arg;

    y->errands++;
    y->broken += answer->result == DRIVER_BROKEN ? 1 : 0;
}

/* ---- the life of it ---- */

/* Everything but the poll; the test may change base and fake first. */
static inline struct yard *yard_create(size_t buses, size_t per_bus)
{
    struct yard *y = calloc(1, sizeof(*y));

    assert_non_null(y);
    assert_true(buses <= YARD_BUSES && buses * per_bus <= YARD_DEVICES);
    assert_int_equal(loop_create(&y->loop), RG_OK);
    y->base = fake_site_create(buses, per_bus, YARD_POINTS, 1000);
    y->frames = calloc(YARD_SEEN, sizeof(*y->frames));
    y->calls = calloc(YARD_SEEN, sizeof(*y->calls));
    assert_true(y->base && y->frames && y->calls);
    for (size_t i = 0; i < buses; i++) {
        (void)snprintf(y->names[i], YARD_NAME, "bus-%zu", i);
        y->base->buses[i].name = y->names[i];
        y->base->buses[i].port = (uint16_t)(1000 + i);
        y->spec.buses[i] = (uint32_t)i;
    }
    for (size_t i = 0; i < buses * per_bus; i++) {
        (void)snprintf(y->names[YARD_BUSES + i], YARD_NAME, "device-%zu", i);
        y->base->devices[i].name = y->names[YARD_BUSES + i];
        y->spec.devices[i] = (uint32_t)i;
    }
    y->spec.bus_count = buses;
    y->spec.device_count = buses * per_bus;
    y->hooks = (struct fake_hooks){.now_ms = yard_now_cb,
                                   .spend = yard_spend_cb,
                                   .decide = yard_decide_cb,
                                   .read = yard_read_cb,
                                   .called = yard_called_cb,
                                   .arg = y};
    y->fake = fake_create(y->base, &y->hooks);
    assert_non_null(y->fake);
    return y;
}

static inline void yard_start(struct yard *y)
{
    static const struct poll_cbs cbs = {
        .frame = yard_frame_cb, .device = yard_device_cb, .bus = yard_bus_cb, .polled = yard_polled_cb};

    y->site = yard_site_create(y, &y->spec);
    for (size_t i = 0; i < y->spec.device_count; i++)
        y->planned_first[y->spec.devices[i]] = y->site->devices[i].first_point;
    assert_int_equal(poll_create(y->loop, y->site, fake_driver(), &cbs, y, y->seed, &y->poll), RG_OK);
    poll_start(y->poll);
}

/* The index of one of the base's in the site in force, or SITE_NONE. */
static inline uint32_t yard_device(const struct yard *y, uint32_t of_base)
{
    for (uint32_t i = 0; i < y->spec.device_count; i++)
        if (y->spec.devices[i] == of_base)
            return i;
    return SITE_NONE;
}

static inline void yard_reload(struct yard *y, const struct spec *spec)
{
    struct site *next = yard_site_create(y, spec);
    const int64_t now_ms = loop_mono_ms(y->loop);
    struct poll *taken = NULL;

    assert_int_equal(poll_create_from(y->poll, next, y->seed, &taken), RG_OK);
    poll_take(taken);
    assert_int_equal(loop_mono_ms(y->loop), now_ms); /* it has waited for nobody */
    for (uint32_t i = 0; i < y->spec.device_count; i++) {
        const uint32_t now = poll_device_now(taken, i);

        assert_true(now == SITE_NONE || spec->devices[now] == y->spec.devices[i]);
    }
    for (uint32_t i = 0; i < spec->device_count; i++) {
        const uint32_t was = yard_device(y, spec->devices[i]);

        if (was == SITE_NONE || poll_device_now(taken, was) != i)
            y->planned_first[spec->devices[i]] = next->devices[i].first_point;
    }
    yard_site_free(y->site);
    y->site = next;
    y->spec = *spec;
    y->poll = taken;
    poll_start(taken);
}

static inline void yard_run(struct yard *y, int64_t ms)
{
    assert_true(virtual_loop_run_for(y->loop, ms));
}

static inline struct poll_device_stats yard_stats(const struct yard *y, uint32_t of_base)
{
    struct poll_device_stats stats;

    poll_device_stats(y->poll, yard_device(y, of_base), &stats);
    return stats;
}

static inline void yard_destroy(struct yard *y)
{
    poll_destroy(y->poll);
    assert_int_equal(fake_alive(y->fake), 0);
    for (uint32_t i = 0; i < y->base->bus_count; i++)
        assert_int_equal(fake_bus(y->fake, i)->overlaps, 0);
    if (y->site)
        yard_site_free(y->site);
    fake_destroy(y->fake);
    fake_site_free(y->base);
    assert_int_equal(virtual_loop_alive(y->loop), 0);
    assert_int_equal(loop_destroy(y->loop), RG_OK);
    free(y->frames);
    free(y->calls);
    free(y);
}

/* ---- specs ---- */

static inline void spec_drop_device(struct spec *s, uint32_t of_base)
{
    size_t n = 0;

    for (size_t i = 0; i < s->device_count; i++)
        if (s->devices[i] != of_base)
            s->devices[n++] = s->devices[i];
    s->device_count = n;
}

/* And its devices, per_bus of them. */
static inline void spec_drop_bus(struct spec *s, uint32_t of_base, uint32_t per_bus)
{
    size_t n = 0;

    for (size_t i = 0; i < s->bus_count; i++)
        if (s->buses[i] != of_base)
            s->buses[n++] = s->buses[i];
    s->bus_count = n;
    for (uint32_t i = 0; i < per_bus; i++)
        spec_drop_device(s, of_base * per_bus + i);
}

static inline void spec_turn(struct spec *s)
{
    for (size_t i = 0; i < s->device_count / 2; i++) {
        const uint32_t kept = s->devices[i];

        s->devices[i] = s->devices[s->device_count - 1 - i];
        s->devices[s->device_count - 1 - i] = kept;
    }
    for (size_t i = 0; i < s->bus_count / 2; i++) {
        const uint32_t kept = s->buses[i];

        s->buses[i] = s->buses[s->bus_count - 1 - i];
        s->buses[s->bus_count - 1 - i] = kept;
    }
}

#endif
