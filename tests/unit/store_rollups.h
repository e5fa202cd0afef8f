/* Roll-ups for the tests of the store's: a few, and very many. Shared by test_store_rollups*.c. */
#ifndef RG_TESTS_STORE_ROLLUPS_H
#define RG_TESTS_STORE_ROLLUPS_H

#include "store/store_impl.h"
#include "test_store_help.h"

#define MINUTE INT64_C(60000)
#define WALL (VIRTUAL_WALL_MS - VIRTUAL_WALL_MS % MINUTE)
#define ALL                                                                                                  \
    "SELECT point, (minute - 1763779980000) / 60000, n, min, max, mean, bad FROM v_rollup ORDER BY minute, " \
    "point"

static inline void put_part(struct rig *r, const struct rollup_row *rows, size_t count)
{
    const struct rollup_piece piece = {
        .rows = rows, .count = count, .turn = store_turn(r->store), .last = true};

    assert_int_equal(store_rollup(r->store, &piece), RG_OK);
}

static inline void put(struct rig *r, const char *point, int64_t minute, uint32_t n, uint32_t bad, double min,
                       double max, double sum)
{
    struct rollup_row row = {.point = point,
                             .minute = WALL + minute * MINUTE,
                             .n = n,
                             .bad = bad,
                             .min = min,
                             .max = max,
                             .sum = sum};

    put_part(r, &row, 1);
}

static inline void frame(struct rig *r, int64_t ms, const char *values)
{
    assert_int_equal(rig_telemetry(r, 1, WALL + ms, values), RG_OK);
}

#define MANY 2000

static struct rollup_row many[2 * MANY];

/* One part, of `minutes` minutes. */
static inline size_t fill_many(int64_t minute, int64_t minutes)
{
    static char names[MANY][16];
    size_t count = 0;

    for (int64_t m = minute; m < minute + minutes; m++) {
        for (int i = 0; i < MANY; i++) {
            (void)snprintf(names[i], sizeof names[i], "gas-1.p%04d", i);
            many[count++] = (struct rollup_row){
                .point = names[i], .minute = WALL + m * MINUTE, .n = 1, .min = 1, .max = 1, .sum = 1};
        }
    }
    return count;
}

static inline void put_many(struct rig *r, int64_t minute, int64_t minutes)
{
    put_part(r, many, fill_many(minute, minutes));
}

static inline int64_t stored(const struct rig *r)
{
    return rig_number(r, "SELECT count(*) FROM rollup");
}

static inline void flushed_cb(void *arg, bool ok)
{
    assert_true(ok);
    *(bool *)arg = true;
}

#endif
