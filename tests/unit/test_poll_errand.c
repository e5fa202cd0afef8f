/* LINK rg_test_support rg_poll rg_loop_virtual */
/* Reads and writes beside the polls: when they go, how they are answered, and that each is, exactly once. */
#include "poll_bench.h"

#define MANY 4096

struct story {
    struct bench *b;
    size_t done, refused;
    enum driver_result results[MANY];
    int64_t at_ms[MANY];
    struct driver_raw_answer last;
    size_t again; /* done_cb asks for that many more */
    uint8_t again_unit;
    bool inside; /* poll_errand is being called */
    uint16_t next;
};

static void done_cb(void *arg, const struct driver_raw_answer *answer);

static struct poll_errand errand(struct story *s, uint32_t bus, uint8_t unit, bool urgent)
{
    return (struct poll_errand){
        .bus = bus,
        .ask = {.write = true, .unit = unit, .space = SPACE_COIL, .address = s->next++, .count = 1},
        .urgent = urgent,
        .done = done_cb,
        .arg = s,
    };
}

static void give(struct story *s, uint32_t bus, uint8_t unit, bool urgent)
{
    const struct poll_errand e = errand(s, bus, unit, urgent);

    s->inside = true;
    enum rg_err err = poll_errand(s->b->poll, &e);
    s->inside = false;
    if (err == RG_EFULL)
        s->refused++;
    else
        assert_int_equal(err, RG_OK);
}

static void done_cb(void *arg, const struct driver_raw_answer *answer)
{
    struct story *s = arg;

    assert_false(s->inside);
    assert_true(s->done < MANY);
    assert_true(answer->result == DRIVER_OK || answer->detail[0] != '\0');
    s->results[s->done] = answer->result;
    s->at_ms[s->done++] = loop_mono_ms(s->b->loop);
    s->last = *answer;
    if (s->again > 0) {
        s->again--;
        give(s, 0, s->again_unit, false);
    }
}

/* The n-th raw call. */
static const struct fake_call *raw_call(const struct bench *b, size_t n)
{
    for (size_t i = 0; i < b->call_count; i++)
        if (b->calls[i].raw && n-- == 0)
            return &b->calls[i];
    fail_msg("no such call");
    return NULL;
}

static void registers_cb(void *arg, uint32_t bus, const struct driver_raw *ask,
                         struct driver_raw_answer *answer)
{
    (void)arg, (void)bus;
    for (uint16_t i = 0; i < ask->count && !ask->write; i++)
        answer->values[i] = (uint16_t)(ask->address + i);
}

static void a_read_and_a_write_between_the_polls(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 1000);
    struct story s = {.b = b};

    (void)state;
    fake_destroy(b->fake);
    b->hooks.raw = registers_cb;
    b->fake = fake_create(b->site, &b->hooks);
    bench_start(b, 1);
    bench_run(b, 500);
    struct poll_errand e = errand(&s, 0, 1, false);
    e.ask.write = false;
    e.ask.space = SPACE_HOLDING;
    e.ask.address = 100;
    e.ask.count = 3;
    assert_int_equal(poll_errand(b->poll, &e), RG_OK);
    memset(&e, 0xff, sizeof(e)); /* it was copied */
    bench_run(b, 50);
    assert_int_equal(s.done, 1);
    assert_int_equal(s.last.result, DRIVER_OK);
    assert_int_equal(s.last.count, 3);
    assert_int_equal(s.last.values[2], 102);
    /* At once: the bus is free. */
    assert_in_range(raw_call(b, 0)->begun_ms, VIRTUAL_MONO_MS + 500, VIRTUAL_MONO_MS + 501);
    fake_device(b->fake, 0)->behaviour = FAKE_EXCEPTION;
    give(&s, 0, 1, true);
    bench_run(b, 50);
    assert_int_equal(s.last.result, DRIVER_EXCEPTION);
    assert_int_equal(s.last.exception, 2);
    /* They count as transactions of the bus, and not against the device. */
    assert_int_equal(bench_bus(b, 0).ok, 2);
    assert_int_equal(bench_bus(b, 0).errors, 1);
    assert_int_equal(bench_device(b, 0).errors, 0);
    assert_int_equal(b->crossing_count, 0);
    bench_destroy(b);
}

static void urgent_ones_go_first_and_each_group_in_order(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 60000);
    struct story s = {.b = b};

    (void)state;
    bench_start(b, 1);
    bench_run(b, 100);
    for (size_t i = 0; i < 10; i++)
        give(&s, 0, 1, i % 2 == 1);
    bench_run(b, 1000);
    assert_int_equal(s.done, 10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(raw_call(b, i)->address, i < 5 ? 2 * i + 1 : 2 * (i - 5));
    bench_destroy(b);
}

static void bounded_and_refused(void **state)
{
    struct bench *b = bench_create(2, 1, 1, 60000);
    struct story s = {.b = b};

    (void)state;
    const struct poll_cbs cbs = {.frame = bench_frame_cb};
    assert_int_equal(poll_create(b->loop, b->site, fake_driver(), &cbs, b, 1, &b->poll), RG_OK);
    struct poll_errand e = errand(&s, 0, 1, true);
    assert_int_equal(poll_errand(b->poll, &e), RG_ESTATE);
    poll_start(b->poll);
    bench_run(b, 100);
    e.bus = 2;
    assert_int_equal(poll_errand(b->poll, &e), RG_ENOTFOUND);
    e.bus = 0;
    e.ask.count = 0;
    assert_int_equal(poll_errand(b->poll, &e), RG_EINVAL);
    e.ask.count = DRIVER_RAW_WRITE_MAX + 1;
    assert_int_equal(poll_errand(b->poll, &e), RG_EINVAL);
    e.ask.count = 2;
    e.ask.address = 65535;
    assert_int_equal(poll_errand(b->poll, &e), RG_EINVAL);
    e.ask.address = 0;
    e.ask.space = SPACE_INPUT;
    assert_int_equal(poll_errand(b->poll, &e), RG_EINVAL);
    b->site->buses[0].kind = BUS_RTU;
    e.ask.write = false;
    e.ask.unit = 0;
    assert_int_equal(poll_errand(b->poll, &e), RG_EINVAL); /* all units would answer at once */
    b->site->buses[0].kind = BUS_TCP;
    assert_int_equal(poll_errand(b->poll, &e), RG_OK);
    bench_run(b, 1000);
    assert_int_equal(s.done, 1);
    for (size_t i = 0; i < POLL_ERRANDS + 3; i++)
        give(&s, 0, 1, i % 2 == 0);
    give(&s, 1, 1, false); /* the other bus has room of its own */
    assert_int_equal(s.refused, 3);
    bench_run(b, 60000);
    assert_int_equal(s.done, 1 + POLL_ERRANDS + 1);
    bench_destroy(b);
}

static void a_driver_that_cannot(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 1000);
    struct story s = {.b = b};
    struct driver driver = *fake_driver();
    const struct poll_cbs cbs = {.frame = NULL};

    (void)state;
    driver.raw = NULL;
    assert_int_equal(poll_create(b->loop, b->site, &driver, &cbs, b, 1, &b->poll), RG_OK);
    poll_start(b->poll);
    const struct poll_errand e = errand(&s, 0, 1, true);
    assert_int_equal(poll_errand(b->poll, &e), RG_EUNSUPPORTED);
    bench_destroy(b);
}

static void a_bus_without_devices_can_be_asked(void **state)
{
    struct bench *b = bench_create(2, 1, 1, 1000);
    struct story s = {.b = b};

    (void)state;
    b->site->devices[1].bus = 0;
    fake_destroy(b->fake);
    b->hooks.raw = registers_cb;
    b->fake = fake_create(b->site, &b->hooks);
    bench_start(b, 1);
    bench_run(b, 100);
    give(&s, 1, 17, false);
    bench_run(b, 1000);
    assert_int_equal(s.done, 1);
    assert_int_equal(s.last.result, DRIVER_OK);
    assert_int_equal(bench_bus(b, 1).state, BUS_UP);
    assert_int_equal(b->crossing_count, 0);
    bench_destroy(b);
}

/* The time-out is the bus's unless given, the silence at least that of the device. */
static struct driver_raw seen;
static void seen_cb(void *arg, uint32_t bus, const struct driver_raw *ask, struct driver_raw_answer *answer)
{
    (void)arg, (void)bus, (void)answer;
    seen = *ask;
}

static void what_is_left_open_is_filled_in(void **state)
{
    struct bench *b = bench_create(1, 2, 1, 1000);
    struct story s = {.b = b};

    (void)state;
    b->site->buses[0].timeout_ms = 700;
    b->site->devices[1].gap_ms = 300;
    fake_destroy(b->fake);
    b->hooks.raw = seen_cb;
    b->fake = fake_create(b->site, &b->hooks);
    bench_start(b, 1);
    give(&s, 0, 2, false);
    bench_run(b, 100);
    assert_int_equal(seen.timeout_ms, 700);
    assert_int_equal(seen.gap_ms, 300);
    struct poll_errand e = errand(&s, 0, 1, false);
    e.ask.timeout_ms = 50;
    e.ask.gap_ms = 20;
    assert_int_equal(poll_errand(b->poll, &e), RG_OK);
    bench_run(b, 100);
    assert_int_equal(seen.timeout_ms, 50);
    assert_int_equal(seen.gap_ms, 20);
    bench_destroy(b);
}

/* ---- sharing the line ---- */

/* A line that polls fill: every answered errand is followed by another one. */
static void run_flood(struct bench *b, struct story *s, bool urgent)
{
    b->site->devices[0].unit = 9;
    fake_device(b->fake, 0)->per_request = 1;
    fake_device(b->fake, 0)->takes_ms = 100;
    bench_start(b, 1);
    bench_run(b, 5);
    for (size_t i = 0; i < POLL_ERRANDS; i++)
        give(s, 0, 9, urgent);
}

static void polls_that_are_always_behind_leave_room_for_errands(void **state)
{
    struct bench *b = bench_create(1, 1, 20, 1000); /* 2 s of requests a second */
    struct story s = {.b = b, .again = 1000, .again_unit = 9};

    (void)state;
    run_flood(b, &s, false);
    bench_run(b, 20000);
    /* Turn by turn: an errand, a request. */
    assert_in_range(s.done, 98, 101);
    for (size_t i = 2; i < b->call_count; i++)
        assert_int_equal(b->calls[i].raw, !b->calls[i - 1].raw);
    assert_int_equal(bench_device(b, 0).state, UNIT_ONLINE);
    assert_in_range(bench_device(b, 0).ok, 95, 105);
    s.again = 0;
    bench_destroy(b);
}

static void a_flood_of_urgent_ones_leaves_room_for_polls(void **state)
{
    struct bench *b = bench_create(1, 1, 20, 1000);
    struct story s = {.b = b};

    (void)state;
    run_flood(b, &s, true);
    bench_run(b, 20000);
    assert_int_equal(s.done, POLL_ERRANDS);
    size_t row = 0;
    for (size_t i = 0; i < b->call_count; i++) {
        row = b->calls[i].raw ? row + 1 : 0;
        assert_true(row <= POLL_ERRANDS_URGENT_ROW);
    }
    bench_destroy(b);
}

/* A relay module that is only written and is mute, on a line with a unit that is polled; errands come in a flood. */
static void run_mute_module(struct bench *b, struct story *s, int64_t takes_ms)
{
    b->site->devices[1].point_count = 0;
    fake_device(b->fake, 1)->behaviour = FAKE_SILENT;
    fake_device(b->fake, 0)->per_request = 1;
    fake_device(b->fake, 0)->takes_ms = takes_ms;
    bench_start(b, 1);
    bench_run(b, 1);
    for (size_t i = 0; i < 20; i++)
        give(s, 0, 2, true);
}

static void a_mute_module_waits_behind_the_polls(void **state)
{
    struct bench *b = bench_create(1, 2, 4, 1000);
    struct story s = {.b = b};

    (void)state;
    run_mute_module(b, &s, 10);
    bench_run(b, 30000);
    assert_int_equal(s.done, 20);
    size_t within = 0;
    for (size_t i = 1; i < b->call_count; i++)
        within += b->calls[i].raw && !b->calls[i - 1].raw && b->calls[i - 1].request != 3 ? 1 : 0;
    /* Between two requests of a poll only the first one, when nothing was known of it. */
    assert_true(within <= 1);
    assert_int_equal(bench_device(b, 0).state, UNIT_ONLINE);
    assert_int_equal(bench_device(b, 0).skipped, 0);
    assert_int_equal(b->crossing_count, 0);
    bench_destroy(b);
}

static void a_mute_module_is_tried_on_a_line_that_is_always_behind(void **state)
{
    struct bench *b = bench_create(1, 2, 4, 1000);
    struct story s = {.b = b};

    (void)state;
    run_mute_module(b, &s, 300);
    bench_run(b, 30000);
    assert_in_range(s.done, 5, 7);
    /* Once it has answered again, nothing holds the others up. */
    fake_device(b->fake, 1)->behaviour = FAKE_OK;
    bench_run(b, ERRANDS_PATIENCE_MS + 1500);
    assert_int_equal(s.done, 20);
    bench_destroy(b);
}

static void others_overtake_a_mute_module(void **state)
{
    struct bench *b = bench_create(1, 3, 4, 1000);
    struct story s = {.b = b};

    (void)state;
    b->site->devices[2].point_count = 0;
    run_mute_module(b, &s, 300);
    bench_run(b, 2000);
    size_t before = s.done;
    for (size_t i = 0; i < 5; i++)
        give(&s, 0, 3, true);
    bench_run(b, 400);
    assert_int_equal(s.done, before + 5);
    assert_int_equal(s.results[s.done - 1], DRIVER_OK);
    bench_destroy(b);
}

static void an_errand_goes_between_two_requests_of_one_poll(void **state)
{
    struct bench *b = bench_create(1, 1, 3, 1000);
    struct story s = {.b = b};

    (void)state;
    fake_device(b->fake, 0)->per_request = 1;
    fake_device(b->fake, 0)->takes_ms = 100;
    bench_start(b, 1);
    bench_run(b, 50);
    give(&s, 0, 1, true);
    bench_run(b, 400);
    assert_int_equal(b->call_count, 4);
    assert_true(b->calls[1].raw);
    assert_int_equal(b->calls[1].begun_ms, b->calls[0].ended_ms);
    assert_int_equal(b->told[0].good_frames, 3);
    assert_int_equal(b->told[0].samples[QUALITY_GOOD], 3);
    bench_destroy(b);
}

/* ---- a link that is not there ---- */

static void tried_on_a_bus_that_is_down(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 1000);
    struct story s = {.b = b};

    (void)state;
    fake_bus(b->fake, 0)->behaviour = FAKE_UNREACHABLE;
    bench_start(b, 1);
    bench_run(b, 300 * 1000); /* its tries are far apart by now */
    assert_int_equal(bench_bus(b, 0).state, BUS_DOWN);
    uint64_t polls = fake_device(b->fake, 0)->asked;
    for (size_t i = 0; i < 5; i++)
        give(&s, 0, 1, true);
    bench_run(b, 20);
    /* Once for all that waited, and not held against the bus. */
    assert_int_equal(s.done, 5);
    assert_int_equal(s.results[4], DRIVER_UNREACHABLE);
    assert_string_equal(s.last.detail, "connection refused");
    assert_non_null(raw_call(b, 0));
    assert_true(b->calls[b->call_count - 1].raw && !b->calls[b->call_count - 2].raw);
    assert_int_equal(fake_device(b->fake, 0)->asked, polls);
    assert_int_equal(b->crossing_count, 1);
    /* It is there again: a write is what finds out first, and the polls follow at once. */
    fake_bus(b->fake, 0)->behaviour = FAKE_OK;
    give(&s, 0, 1, true);
    bench_run(b, 2000);
    assert_int_equal(s.last.result, DRIVER_OK);
    bench_expect(b, 1, true, 0, BUS_UP);
    assert_true(fake_device(b->fake, 0)->asked > polls);
    bench_destroy(b);
}

static void a_link_that_breaks_under_an_errand_is_no_fault_of_the_bus(void **state)
{
    struct bench *b = bench_create(1, 2, 1, 1000);
    struct story s = {.b = b};

    (void)state;
    b->site->devices[1].point_count = 0;
    fake_device(b->fake, 1)->behaviour = FAKE_BROKEN;
    bench_start(b, 1);
    bench_run(b, 100);
    for (size_t i = 0; i < 30; i++) {
        give(&s, 0, 2, true);
        bench_run(b, 1000);
    }
    assert_int_equal(s.done, 30);
    assert_int_equal(s.last.result, DRIVER_BROKEN);
    assert_int_equal(b->crossing_count, 0);
    assert_int_equal(bench_device(b, 0).ok, 31);
    bench_destroy(b);
}

static void a_write_to_all_is_answered_by_nobody(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 60000);
    struct story s = {.b = b};

    (void)state;
    b->site->buses[0].kind = BUS_RTU;
    bench_start(b, 1);
    bench_run(b, 100);
    struct poll_bus_stats before = bench_bus(b, 0);
    give(&s, 0, 0, false);
    bench_run(b, 100);
    assert_int_equal(s.last.result, DRIVER_OK);
    assert_int_equal(bench_bus(b, 0).p99_us, before.p99_us);
    bench_destroy(b);
}

/* ---- the end ---- */

static void each_is_answered_when_polling_ends(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 1000);
    struct story s = {.b = b};

    (void)state;
    bench_start(b, 1);
    bench_run(b, 100);
    for (size_t i = 0; i < 7; i++)
        give(&s, 0, 1, i % 2 == 0);
    bench_run(b, 5); /* the first is under way */
    assert_int_equal(s.done, 0);
    poll_destroy(b->poll);
    b->poll = NULL;
    assert_int_equal(s.done, 7);
    for (size_t i = 1; i < 7; i++)
        assert_int_equal(s.results[i], DRIVER_BROKEN);
    bench_destroy(b);
}

struct last_wish {
    struct story *s;
    enum rg_err err;
};

static void wish_cb(void *arg, const struct driver_raw_answer *answer)
{
    struct last_wish *w = arg;
    const struct poll_errand e = errand(w->s, 0, 1, false);

    (void)answer;
    w->err = poll_errand(w->s->b->poll, &e);
}

static void none_is_taken_while_polling_ends(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 1000);
    struct story s = {.b = b};
    struct last_wish wish = {.s = &s};

    (void)state;
    bench_start(b, 1);
    bench_run(b, 100);
    struct poll_errand e = errand(&s, 0, 1, false);
    e.done = wish_cb;
    e.arg = &wish;
    assert_int_equal(poll_errand(b->poll, &e), RG_OK);
    poll_destroy(b->poll);
    b->poll = NULL;
    assert_int_equal(wish.err, RG_ESTATE);
    assert_int_equal(s.done, 0);
    bench_destroy(b);
}

/* Whatever happens, each is answered once; and polls go on. */
static enum fake_behaviour any_cb(void *arg, uint32_t device, size_t request, int64_t now_ms)
{
    (void)arg, (void)device, (void)request;
    return now_ms / 100 % 7 < 4 ? FAKE_OK : (enum fake_behaviour)(now_ms / 100 % 7);
}

static void random_errands(uint64_t seed)
{
    struct bench *b = bench_create(2, 3, 4, 500);
    struct story s = {.b = b};
    struct rg_random random;
    size_t given = 0;

    random_seed(&random, seed);
    fake_destroy(b->fake);
    b->hooks.decide = any_cb;
    b->fake = fake_create(b->site, &b->hooks);
    for (uint32_t i = 0; i < 6; i++) {
        fake_device(b->fake, i)->per_request = 1 + random_below(&random, 4);
        fake_device(b->fake, i)->behaviour = random_below(&random, 3) == 0 ? FAKE_SILENT : FAKE_OK;
    }
    bench_start(b, seed);
    for (size_t i = 0; i < 200; i++) {
        for (uint64_t n = random_below(&random, 12); n > 0; n--) {
            give(&s, (uint32_t)random_below(&random, 2), (uint8_t)(1 + random_below(&random, 4)),
                 random_below(&random, 2) == 0);
            given++;
        }
        if (random_below(&random, 10) == 0)
            fake_bus(b->fake, (uint32_t)random_below(&random, 2))->behaviour =
                random_below(&random, 2) == 0 ? FAKE_OK : FAKE_UNREACHABLE;
        bench_run(b, (int64_t)random_below(&random, 1000));
    }
    size_t alive = s.done;
    poll_destroy(b->poll);
    b->poll = NULL;
    if (s.done + s.refused != given || alive == 0)
        fail_msg("seed %llu: %zu of %zu answered, %zu refused", (unsigned long long)seed, s.done, given,
                 s.refused);
    bench_destroy(b);
}

static void any_errands_are_answered_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++)
        random_errands(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_and_a_write_between_the_polls),
        cmocka_unit_test(urgent_ones_go_first_and_each_group_in_order),
        cmocka_unit_test(bounded_and_refused),
        cmocka_unit_test(a_driver_that_cannot),
        cmocka_unit_test(a_bus_without_devices_can_be_asked),
        cmocka_unit_test(what_is_left_open_is_filled_in),
        cmocka_unit_test(polls_that_are_always_behind_leave_room_for_errands),
        cmocka_unit_test(a_flood_of_urgent_ones_leaves_room_for_polls),
        cmocka_unit_test(a_mute_module_waits_behind_the_polls),
        cmocka_unit_test(a_mute_module_is_tried_on_a_line_that_is_always_behind),
        cmocka_unit_test(others_overtake_a_mute_module),
        cmocka_unit_test(an_errand_goes_between_two_requests_of_one_poll),
        cmocka_unit_test(tried_on_a_bus_that_is_down),
        cmocka_unit_test(a_link_that_breaks_under_an_errand_is_no_fault_of_the_bus),
        cmocka_unit_test(a_write_to_all_is_answered_by_nobody),
        cmocka_unit_test(each_is_answered_when_polling_ends),
        cmocka_unit_test(none_is_taken_while_polling_ends),
        cmocka_unit_test(any_errands_are_answered_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
