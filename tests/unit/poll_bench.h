/* What the tests of poll/ on the virtual loop share: a site, a fake driver, and a record of all that was
 * asked and told. */
#ifndef RG_TESTS_POLL_BENCH_H
#define RG_TESTS_POLL_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "loop/loop.h"
#include "poll/bus.h"
#include "poll/poll.h"
#include "support_driver.h"
#include "virtual_loop.h"

#define BENCH_DEVICES 64
#define BENCH_CROSSINGS 4096

struct bench_told {
    size_t good_frames, bad_frames; /* frames heard, not heard */
    size_t samples[QUALITY_COUNT];  /* samples by quality */
    struct moment last_at;
    bool last_heard;
};

struct bench_crossing {
    bool bus; /* else device */
    uint32_t index;
    int state;
    int64_t at_ms;
};

struct bench {
    struct loop *loop;
    struct site *site;
    struct fake *fake;
    struct fake_hooks hooks;
    struct poll *poll;
    struct fake_call *calls;
    size_t call_count, call_capacity;
    struct bench_told told[BENCH_DEVICES];
    struct bench_crossing crossings[BENCH_CROSSINGS];
    size_t crossing_count;
    size_t notes;
    char note[256]; /* the last one */
    size_t polled[BENCH_DEVICES], polled_answered[BENCH_DEVICES];
    int64_t polled_ms; /* when the last one was told */
};

static inline int64_t bench_now_cb(void *arg)
{
    const struct bench *b = arg;

    return loop_mono_ms(b->loop);
}

static inline void bench_spend_cb(void *arg, int64_t ms)
{
    const struct bench *b = arg;

    virtual_loop_spend(b->loop, ms);
}

static inline void bench_called_cb(void *arg, const struct fake_call *call)
{
    struct bench *b = arg;

    if (b->call_count == b->call_capacity) {
        b->call_capacity = b->call_capacity == 0 ? 1024 : b->call_capacity * 2;
        b->calls = realloc(b->calls, b->call_capacity * sizeof(*b->calls));
        assert_non_null(b->calls);
    }
    b->calls[b->call_count++] = *call;
}

static inline void bench_frame_cb(void *arg, const struct frame *frame)
{
    struct bench *b = arg;
    struct bench_told *told = &b->told[frame->device];
    const struct site_device *device = &b->site->devices[frame->device];

    assert_true(frame->count > 0);
    for (size_t i = 0; i < frame->count; i++) {
        const struct sample *sample = &frame->samples[i];

        assert_in_range(sample->point, device->first_point, device->first_point + device->point_count - 1);
        assert_true(sample->quality == QUALITY_GOOD || sample->value == 0);
        assert_true(frame->heard || sample->quality != QUALITY_GOOD);
        told->samples[sample->quality]++;
    }
    if (frame->heard)
        told->good_frames++;
    else
        told->bad_frames++;
    assert_true(frame->at.mono_ms >= told->last_at.mono_ms);
    told->last_at = frame->at;
    told->last_heard = frame->heard;
}

static inline void bench_cross(struct bench *b, bool bus, uint32_t index, int state, const char *detail)
{
    assert_true(b->crossing_count < BENCH_CROSSINGS);
    assert_true(detail != NULL && detail[0] != '\0');
    b->crossings[b->crossing_count++] =
        (struct bench_crossing){.bus = bus, .index = index, .state = state, .at_ms = loop_mono_ms(b->loop)};
}

static inline void bench_device_cb(void *arg, uint32_t device, enum unit_state state, const char *detail)
{
    bench_cross(arg, false, device, (int)state, detail);
}

static inline void bench_bus_cb(void *arg, uint32_t bus, enum bus_state state, const char *detail)
{
    bench_cross(arg, true, bus, (int)state, detail);
}

static inline void bench_note_cb(void *arg, uint32_t device, const char *text)
{
    struct bench *b = arg;

    assert_in_range(device, 0, b->site->device_count - 1);
    assert_true(strlen(text) < sizeof(b->note));
    memcpy(b->note, text, strlen(text) + 1);
    b->notes++;
}

static inline void bench_polled_cb(void *arg, uint32_t device, bool answered)
{
    struct bench *b = arg;

    assert_in_range(device, 0, b->site->device_count - 1);
    b->polled[device]++;
    b->polled_answered[device] += answered ? 1 : 0;
    b->polled_ms = loop_mono_ms(b->loop);
}

/* All but the poll: the test may change site, fake and hooks (through a new fake) first. */
static inline struct bench *bench_create(size_t buses, size_t devices_per_bus, uint32_t points,
                                         int64_t poll_ms)
{
    struct bench *b = calloc(1, sizeof(*b));

    assert_non_null(b);
    assert_true(buses * devices_per_bus <= BENCH_DEVICES);
    assert_int_equal(loop_create(&b->loop), RG_OK);
    b->site = fake_site_create(buses, devices_per_bus, points, poll_ms);
    assert_non_null(b->site);
    b->hooks = (struct fake_hooks){
        .now_ms = bench_now_cb, .spend = bench_spend_cb, .called = bench_called_cb, .arg = b};
    b->fake = fake_create(b->site, &b->hooks);
    assert_non_null(b->fake);
    return b;
}

static inline void bench_start(struct bench *b, uint64_t seed)
{
    static const struct poll_cbs cbs = {.frame = bench_frame_cb,
                                        .device = bench_device_cb,
                                        .bus = bench_bus_cb,
                                        .note = bench_note_cb,
                                        .polled = bench_polled_cb};

    assert_int_equal(poll_create(b->loop, b->site, fake_driver(), &cbs, b, seed, &b->poll), RG_OK);
    poll_start(b->poll);
}

static inline void bench_run(struct bench *b, int64_t ms)
{
    assert_true(virtual_loop_run_for(b->loop, ms));
}

static inline void bench_destroy(struct bench *b)
{
    for (uint32_t i = 0; i < b->site->bus_count; i++)
        assert_int_equal(fake_bus(b->fake, i)->overlaps, 0);
    poll_destroy(b->poll);
    assert_int_equal(fake_alive(b->fake), 0);
    fake_destroy(b->fake);
    fake_site_free(b->site);
    assert_int_equal(loop_destroy(b->loop), RG_OK);
    free(b->calls);
    free(b);
}

/* ---- questions ---- */

static inline struct poll_device_stats bench_device(const struct bench *b, uint32_t device)
{
    struct poll_device_stats stats;

    poll_device_stats(b->poll, device, &stats);
    return stats;
}

static inline struct poll_bus_stats bench_bus(const struct bench *b, uint32_t bus)
{
    struct poll_bus_stats stats;

    poll_bus_stats(b->poll, bus, &stats);
    return stats;
}

/* The n-th crossing that was told is this one. */
static inline void bench_expect(const struct bench *b, size_t n, bool bus, uint32_t index, int state)
{
    assert_true(n < b->crossing_count);
    assert_int_equal(b->crossings[n].bus, bus);
    assert_int_equal(b->crossings[n].index, index);
    assert_int_equal(b->crossings[n].state, state);
}

/* The index of the first call to the device from `from` on; call_count when there is none. */
static inline size_t bench_next_call(const struct bench *b, uint32_t device, size_t from)
{
    while (from < b->call_count && b->calls[from].device != device)
        from++;
    return from;
}

#endif
