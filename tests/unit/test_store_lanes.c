/* LINK rg_store */
/* The two regions of a lane: what gathers never gets in the way of what flies, and memory that was touched is used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/batch.h"

static int64_t next_turn, next_taken;

static void add(struct lane *l)
{
    char body[32];
    struct store_record record = {.stream = STREAM_TELEMETRY, .body = body};

    record.length = (size_t)snprintf(body, sizeof body, "\"n\":%d", (int)next_turn);
    record.ts = next_turn;
    assert_int_equal(region_add(lane_gather(l), &record, next_turn, 0, NULL), RG_OK);
    l->appended++;
    next_turn++;
}

/* Lets what has gathered take off, and so many slices of it land. */
static void fly(struct lane *l, size_t slices)
{
    lane_swap(l);
    for (size_t i = 0; i < slices; i++) {
        const struct region *flying = lane_fly(l);
        size_t count, at = flying->done, end = lane_slice(l, 1, &count);

        assert_int_equal(count, 1); /* so small a slice is one entry */
        assert_int_equal(region_at(flying, at)->ts, next_taken);
        next_taken++;
        lane_done(l, end, count);
    }
}

static void memory_that_was_touched_serves_again(void **state)
{
    struct lane l;
    const struct region *first;

    (void)state;
    next_turn = next_taken = 0;
    assert_int_equal(lane_create(&l, 4096), RG_OK);
    first = lane_gather(&l);
    for (int i = 0; i < 10; i++) {
        assert_ptr_equal(lane_gather(&l), first);
        add(&l);
        add(&l);
        fly(&l, 2);
        assert_true(lane_empty(&l));
        fly(&l, 0); /* nothing has gathered */
    }
    lane_destroy(&l);
}

static void what_gathers_meanwhile_comes_next(void **state)
{
    struct lane l;
    const struct region *first;

    (void)state;
    next_turn = next_taken = 0;
    assert_int_equal(lane_create(&l, 4096), RG_OK);
    first = lane_gather(&l);
    add(&l);
    add(&l);
    add(&l);
    fly(&l, 1);
    assert_ptr_equal(lane_fly(&l), first);
    add(&l); /* beside it */
    fly(&l, 2);
    assert_ptr_not_equal(lane_gather(&l), first);
    assert_int_equal(lane_gather(&l)->count, 1);
    add(&l);
    fly(&l, 2);
    assert_true(lane_empty(&l));
    assert_int_equal(l.appended, 5);
    assert_int_equal(l.durable, 5);
    assert_int_equal(next_taken, 5);
    lane_destroy(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_was_touched_serves_again),
        cmocka_unit_test(what_gathers_meanwhile_comes_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
