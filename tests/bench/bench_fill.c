/* LINK rg_store rg_loop_virtual */
/* Writes a store that owes a platform much: bench_fill FILE RECORDS; frames of ten points each, of devices d-0 to d-15. For uplink_bench.py. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/store.h"
#include "virtual_loop.h"

#define DEVICES 16

static void need(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "bench_fill: %s\n", what);
        exit(1);
    }
}

static void append(struct store *s, struct loop *loop, int64_t i)
{
    char body[512], name[16];
    unsigned device = (unsigned)(i % DEVICES);
    struct store_record r = {
        .stream = STREAM_TELEMETRY, .ts = loop_wall_ms(loop), .mono = loop_mono_ms(loop), .body = body};
    enum rg_err err;

    (void)text_format(name, sizeof name, "d-%u", device);
    r.device = device;
    r.device_name = name;
    (void)text_format(
        body, sizeof body,
        "\"ts\":%" PRId64
        ",\"device\":\"%s\",\"values\":{\"p0\":%d.5,\"p1\":12.25,\"p2\":0,\"p3\":4.125,\"p4\":100,"
        "\"p5\":0.5,\"p6\":77.5,\"p7\":%d,\"p8\":31.5,\"p9\":1}",
        r.ts, name, (int)(i % 97), (int)(i % 1013));
    r.length = strlen(body);
    while ((err = store_append(s, &r)) == RG_EFULL)
        (void)virtual_loop_run_for(loop, 10);
    need(err == RG_OK, "a record is not taken");
}

/* Else the daemon would work them out at its start. */
static void roll_up(struct store *s, struct loop *loop)
{
    const struct rollup_row row = {.point = "d-0.p0", .minute = loop_wall_ms(loop) / 60000 * 60000, .n = 1};

    need(store_rollup(s, &(struct rollup_piece){&row, 1, store_turn(s), true}) == RG_OK,
         "a roll-up is not taken");
}

int main(int argc, char **argv)
{
    static const struct store_cbs cbs = {0};
    int64_t count = argc == 3 ? strtoll(argv[2], NULL, 10) : 0;
    struct site_store conf = {.path = argc == 3 ? argv[1] : "",
                              .commit_ms = 100,
                              .max_size = INT64_C(8) << 30,
                              .keep_telemetry_ms = INT64_MAX / 4,
                              .keep_alarms_ms = INT64_MAX / 4,
                              .keep_events_ms = INT64_MAX / 4};
    struct store_start start = {0};
    struct store *s = NULL;
    struct loop *loop = NULL;
    char why[512] = "";

    need(count > 0, "usage: bench_fill FILE RECORDS");
    need(loop_create(&loop) == RG_OK, "no memory");
    virtual_loop_set_wall(loop, clock_wall_ms() - 2 * count);
    if (store_open(loop, &conf, &cbs, NULL, &s, &start, why, sizeof why) != RG_OK)
        need(false, why);
    store_start_free(&start);
    for (int64_t i = 0; i < count; i++) {
        append(s, loop, i);
        if (i % 1000 == 999)
            roll_up(s, loop);
        if (i % 50 == 0)
            (void)virtual_loop_run_for(loop, 100);
    }
    roll_up(s, loop);
    (void)virtual_loop_run_for(loop, 1000);
    need(store_close(s) == RG_OK, "the last records could not be written");
    (void)loop_destroy(loop);
    return 0;
}
