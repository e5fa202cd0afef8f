/* LINK rg_test_support rg_poll rg_modbus rg_loop_virtual */
/* What a mute unit costs its line: one time-out for each poll or probe, and no listening for late answers beside it, on lines
 * where answers carry no number. The instants of poll/ against the rules of drivers/modbus/debt.h. */
#include "poll_bench.h"

#include "drivers/modbus/debt.h"

static const int64_t timeouts_ms[] = {10, 100, 500, 1000, 3000, 10000};

/* What the link would do beside asking, for this request at that instant: microseconds of listening, with exchanges before
 * it that nobody answers, which end it. */
static int64_t listens_us(struct debt *d, const struct ask *ask, int64_t now_us, int64_t timeout_us)
{
    struct ask probe;
    int64_t until_us = 0;

    switch (debt_advise(d, ask, now_us, timeout_us, &probe, &until_us)) {
    case DEBT_ASK:
        debt_note(d, ask, now_us);
        return 0;
    case DEBT_PROBE: /* in its place: its silence is that of the request */
        debt_note(d, &probe, now_us);
        return 0;
    case DEBT_REST: /* not asked, and the line is free */
        return 0;
    case DEBT_LISTEN:
        break;
    }
    debt_clear(d);
    debt_note(d, ask, until_us);
    return until_us - now_us;
}

static int64_t listened_us; /* in all, by the unit under test */
static struct debt debt;
static uint16_t limit;

/* Every request to device 0 is silent, and put to the rules of the link. */
static enum fake_behaviour mute_cb(void *arg, uint32_t device, size_t request, int64_t now_ms)
{
    const struct bench *b = arg;
    const struct ask ask = {.unit = 1,
                            .function = 3,
                            .address = (uint16_t)(10 * request),
                            .count = limit == 1 ? 1 : 2,
                            .limit = limit};

    if (device != 0)
        return FAKE_OK;
    listened_us += listens_us(&debt, &ask, now_ms * 1000, b->site->devices[0].timeout_ms * 1000);
    return FAKE_SILENT;
}

static void run(int64_t timeout_ms, uint16_t max_registers, int64_t period_ms)
{
    struct bench *b = bench_create(1, 2, 2, period_ms);

    listened_us = 0;
    limit = max_registers;
    debt = (struct debt){.count = 0};
    fake_destroy(b->fake);
    b->hooks.decide = mute_cb;
    b->fake = fake_create(b->site, &b->hooks);
    b->site->buses[0].kind = BUS_RTU;
    b->site->devices[0].max_registers = max_registers;
    b->site->devices[0].timeout_ms = timeout_ms;
    fake_device(b->fake, 0)->per_request = 1;
    bench_start(b, 3);
    bench_run(b, 200 * 1000);
    assert_int_equal(bench_device(b, 0).state, UNIT_SUSPENDED);
    const uint64_t probes = fake_device(b->fake, 0)->asked - POLL_SUSPEND_AFTER;
    assert_in_range(probes, 3, 12);
    assert_in_range(POLL_SUSPEND_AFTER + probes - bench_bus(b, 0).timeouts, 0, 1); /* one may be under way */
    if (listened_us != 0)
        fail_msg("time-out %lld ms, period %lld ms, at most %u registers: %lld us of listening",
                 (long long)timeout_ms, (long long)period_ms, max_registers, (long long)listened_us);
    bench_destroy(b);
}

static void one_time_out_a_poll_and_a_probe(void **state)
{
    (void)state;
    for (size_t i = 0; i < RG_COUNT(timeouts_ms); i++)
        for (int64_t period_ms = 100; period_ms <= 10000; period_ms *= 10) {
            run(timeouts_ms[i], 125, period_ms);
            run(timeouts_ms[i], 1, period_ms);
        }
}

static void singles_on_a_line_rest_others_do_not(void **state)
{
    const struct site_device singles = {.max_registers = 1, .timeout_ms = 300};
    const struct site_device slow = {.max_registers = 1, .timeout_ms = 3000};
    const struct site_device blocks = {.max_registers = 125, .timeout_ms = 3000};
    const struct site_bus line = {.kind = BUS_RTU}, far = {.kind = BUS_RTU_OVER_TCP}, tcp = {.kind = BUS_TCP};

    (void)state;
    assert_int_equal(health_rest_ms(&singles, &line), 1000);
    assert_int_equal(health_rest_ms(&slow, &far), 6000);
    assert_int_equal(health_rest_ms(&slow, &tcp), 0);
    assert_int_equal(health_rest_ms(&blocks, &line), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_time_out_a_poll_and_a_probe),
        cmocka_unit_test(singles_on_a_line_rest_others_do_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
