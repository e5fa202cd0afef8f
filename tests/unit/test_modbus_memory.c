/* LINK rg_modbus; LABEL tsan */
/* What is remembered of a device between requests and polls; and, over a real link, that transact uses it. */
#include "modbus_peer.h"

#include "drivers/modbus/memory.h"

#define S INT64_C(1000000)

static const struct gate_case on[] = {{1, QUALITY_INHIBITED}};

/* A heartbeat that must change within 20 s, polled every 5 s. */
static struct driver_memory *heart(struct site_device *device, struct site_gate *gate)
{
    struct driver_memory *m = NULL;

    *gate = (struct site_gate){.kind = GATE_HEARTBEAT, .at = {.space = SPACE_HOLDING}, .within_ms = 20000};
    *device = (struct site_device){.poll_ms = 5000, .gates = gate, .gate_count = 1};
    assert_int_equal(memory_create(device, 0, &m), RG_OK);
    return m;
}

static enum quality after(struct driver_memory *m, uint32_t value, int64_t at_us)
{
    memory_learn(m, 0, value, at_us);
    return memory_gates(m, at_us).quality;
}

static void heartbeat_stands_still(void **state)
{
    struct site_device device;
    struct site_gate gate;
    struct driver_memory *m = heart(&device, &gate);

    (void)state;
    /* The first value starts the clock, whatever it is, and however long the machine has been up. */
    assert_int_equal(after(m, 7, 1000 * S), QUALITY_GOOD);
    assert_int_equal(after(m, 7, 1005 * S), QUALITY_GOOD);
    assert_int_equal(after(m, 7, 1010 * S), QUALITY_GOOD);
    assert_int_equal(after(m, 7, 1015 * S), QUALITY_GOOD);
    assert_int_equal(after(m, 7, 1020 * S), QUALITY_GOOD); /* within 20 s is not longer than 20 s */
    assert_int_equal(after(m, 7, 1020 * S + 1), QUALITY_STALE);
    assert_int_equal(after(m, 7, 1025 * S), QUALITY_STALE);
    assert_int_equal(after(m, 8, 1030 * S), QUALITY_GOOD); /* until it changes, which starts the clock anew */
    assert_int_equal(after(m, 8, 1035 * S), QUALITY_GOOD);
    for (int i = 0; i < 100; i++)
        assert_int_equal(after(m, (uint32_t)(i % 2), 1040 * S + i * 20 * S), QUALITY_GOOD);
    memory_destroy(m);
    memory_destroy(NULL);
}

static void a_gap_proves_nothing(void **state)
{
    struct site_device device;
    struct site_gate gate;
    struct driver_memory *m = heart(&device, &gate);

    (void)state;
    assert_int_equal(after(m, 7, 0), QUALITY_GOOD);
    assert_int_equal(after(m, 7, 5 * S), QUALITY_GOOD);
    /* Silent for an hour, then the same value: a counter may have come round. It counts as one poll. */
    memory_miss(m, 0, QUALITY_COMM, 10 * S);
    assert_int_equal(memory_gates(m, 10 * S).quality, QUALITY_COMM);
    assert_int_equal(after(m, 7, 3600 * S), QUALITY_GOOD);  /* 10 s gathered */
    assert_int_equal(after(m, 7, 7200 * S), QUALITY_GOOD);  /* 15 s */
    assert_int_equal(after(m, 7, 10800 * S), QUALITY_GOOD); /* 20 s */
    /* But it does not wipe out what was gathered: a unit that answers now and then is found out too. */
    assert_int_equal(after(m, 7, 14400 * S), QUALITY_STALE);
    memory_miss(m, 0, QUALITY_COMM, 14405 * S);
    assert_int_equal(after(m, 7, 18000 * S), QUALITY_STALE);
    assert_int_equal(after(m, 9, 21600 * S), QUALITY_GOOD);
    /* A clock that stands still or goes back gathers nothing. */
    for (int i = 0; i < 100; i++)
        assert_int_equal(after(m, 9, (21600 - i) * S), QUALITY_GOOD);
    memory_destroy(m);
}

static void polled_more_rarely_than_it_beats(void **state)
{
    struct site_device device;
    struct site_gate gate;
    struct driver_memory *m = heart(&device, &gate);

    (void)state;
    memory_destroy(m);
    device.poll_ms = 60000;
    assert_int_equal(memory_create(&device, 0, &m), RG_OK);
    assert_int_equal(after(m, 1, 0), QUALITY_GOOD);
    assert_int_equal(after(m, 2, 60 * S), QUALITY_GOOD);
    assert_int_equal(after(m, 2, 120 * S), QUALITY_STALE);
    assert_int_equal(after(m, 3, 180 * S), QUALITY_GOOD);
    memory_destroy(m);
}

static void of_this_poll_or_not_at_all(void **state)
{
    const struct site_gate gates[] = {
        {.kind = GATE_VALUES, .cases = on, .case_count = 1},
        {.kind = GATE_BITS, .cases = on, .case_count = 1},
    };
    const struct site_device device = {.poll_ms = 1000, .gates = gates, .gate_count = 2};
    struct driver_memory *m = NULL;
    struct memory_verdict v;

    (void)state;
    assert_int_equal(memory_create(&device, 1, &m), RG_OK);
    assert_int_equal(memory_gates(m, 0).quality, QUALITY_COMM); /* never read, even at time 0 */
    assert_false(memory_gates(m, 0).told);
    memory_learn(m, 0, 0, 100);
    assert_int_equal(memory_gates(m, 100).quality, QUALITY_COMM); /* the second one */
    memory_learn(m, 1, 1u << 1, 101);
    v = memory_gates(m, 100);
    assert_int_equal(v.quality, QUALITY_INHIBITED);
    assert_true(v.told);
    memory_miss(m, 0, QUALITY_DEVICE, 102); /* the first one goes before it, unread as it is */
    v = memory_gates(m, 100);
    assert_int_equal(v.quality, QUALITY_DEVICE);
    assert_false(v.told);
    memory_learn(m, 0, 0, 103);
    memory_learn(m, 1, 0, 103);
    assert_int_equal(memory_gates(m, 103).quality, QUALITY_GOOD);
    assert_int_equal(memory_gates(m, 104).quality, QUALITY_COMM);

    assert_int_equal(memory_decimals(m, 2, 0).quality, QUALITY_COMM);
    memory_learn(m, 2, 9, 200);
    assert_int_equal(memory_decimals(m, 2, 200).quality, QUALITY_GOOD);
    assert_int_equal(memory_decimals(m, 2, 200).count, 9);
    assert_int_equal(memory_decimals(m, 2, 201).quality, QUALITY_COMM);
    memory_learn(m, 2, 10, 202);
    assert_int_equal(memory_decimals(m, 2, 202).quality, QUALITY_SENSOR);
    memory_miss(m, 2, QUALITY_DEVICE, 203);
    assert_int_equal(memory_decimals(m, 2, 202).quality, QUALITY_DEVICE);
    /* No register of this device. */
    memory_learn(m, 3, 0, 300);
    memory_miss(m, UINT32_MAX, QUALITY_COMM, 300);
    assert_int_equal(memory_decimals(m, 3, 0).quality, QUALITY_COMM);
    memory_destroy(m);
}

/* ---- over a link ---- */

/* Holding registers as the address plus one; input register 0, the state, as it is set. */
static atomic_uint state_now; /* or 0x100: the request is refused */

static void serve_state(struct peer *p, const struct request *r)
{
    const unsigned now = atomic_load(&state_now);
    uint8_t body[256] = {r->unit, r->function, (uint8_t)(2 * r->count)}, out[300];

    if (r->function == 4 && now == 0x100) {
        refuse(p, r, 2);
        return;
    }
    for (unsigned i = 0; i < r->count; i++)
        body[4 + 2 * i] = (uint8_t)(r->function == 4 ? now : r->address + i + 1);
    put(p, out, frame(p, r->transaction, body, 3u + 2u * r->count, out));
}

static void transact_uses_it(void **state)
{
    const struct site_gate gate = {
        .kind = GATE_VALUES, .at = {.space = SPACE_INPUT}, .cases = on, .case_count = 1};
    const struct site_device device = {
        .unit = 1, .poll_ms = 1000, .max_registers = 125, .gates = &gate, .gate_count = 1};
    const struct site_point point = {
        .name = "p", .space = SPACE_HOLDING, .address = 8, .type = TYPE_U16, .bit = -1, .scaling = {1, 0, 1}};
    struct sample sample;
    struct driver_answer got = {.samples = &sample};
    struct driver_ask ask = {.timeout_ms = PATIENT_MS};
    struct driver_plan *plan = NULL;
    struct peer p;
    struct driver_link *l;

    (void)state;
    assert_int_equal(modbus_driver.plan(&device, &point, 1, 0, &plan), RG_OK);
    assert_int_equal(modbus_driver.memory_create(&device, plan, &ask.memory), RG_OK);
    assert_int_equal(modbus_driver.plan_requests(plan), 2);
    atomic_store(&state_now, 0);
    peer_start(&p, BUS_TCP, serve_state);
    l = link_for(&p);
    ask.plan = plan;
    for (unsigned now = 0; now < 2; now++) {
        atomic_store(&state_now, now);
        ask.begun_us = clock_mono_us();
        ask.request = 0;
        modbus_driver.transact(l, &ask, &got);
        assert_int_equal(got.result, DRIVER_OK);
        assert_int_equal(got.count, 0);
        ask.request = 1;
        modbus_driver.transact(l, &ask, &got);
        assert_int_equal(got.result, DRIVER_OK);
        assert_int_equal(got.count, 1);
        assert_int_equal(sample.quality, now ? QUALITY_INHIBITED : QUALITY_GOOD);
        assert_true(sample.value == (now ? 0 : 9));
    }
    /* The next poll asks for the value only. */
    ask.begun_us = clock_mono_us();
    modbus_driver.transact(l, &ask, &got);
    assert_int_equal(got.result, DRIVER_OK);
    assert_int_equal(sample.quality, QUALITY_COMM);
    atomic_store(&state_now, 0x100);
    ask.request = 0;
    modbus_driver.transact(l, &ask, &got);
    assert_int_equal(got.result, DRIVER_EXCEPTION);
    assert_int_equal(got.count, 0);
    ask.request = 1;
    modbus_driver.transact(l, &ask, &got);
    assert_int_equal(got.result, DRIVER_OK);
    assert_int_equal(sample.quality, QUALITY_DEVICE);
    modbus_driver.link_destroy(l);
    peer_stop(&p);
    modbus_driver.memory_destroy(ask.memory);
    modbus_driver.plan_destroy(plan);
}

/* A reload takes the site away while a bus thread still decodes by the plan. */
static void outlives_the_site(void **state)
{
    struct gate_case cases[] = {{1, QUALITY_INHIBITED}, {2, QUALITY_SENSOR}};
    struct site_gate gate = {
        .kind = GATE_VALUES, .at = {.space = SPACE_INPUT}, .cases = cases, .case_count = 2};
    struct point_word words[] = {{9, "on"}, {5, "off"}};
    struct site_device device = {
        .unit = 1, .poll_ms = 1000, .max_registers = 125, .gates = &gate, .gate_count = 1};
    struct site_point point = {.name = "p",
                               .space = SPACE_HOLDING,
                               .address = 8,
                               .type = TYPE_U16,
                               .bit = -1,
                               .scaling = {1, 0, 1},
                               .words = words,
                               .word_count = 2};
    struct sample sample;
    struct driver_answer got = {.samples = &sample};
    struct driver_ask ask = {.timeout_ms = PATIENT_MS};
    struct driver_plan *plan = NULL;
    struct driver_link *l = NULL;
    struct peer p;

    (void)state;
    peer_start(&p, BUS_TCP, serve_state);
    struct site_bus bus = p.bus;
    char host[64];

    (void)snprintf(host, sizeof host, "%s", p.bus.host);
    bus.host = host;
    assert_int_equal(modbus_driver.plan(&device, &point, 1, 0, &plan), RG_OK);
    assert_int_equal(modbus_driver.memory_create(&device, plan, &ask.memory), RG_OK);
    assert_int_equal(modbus_driver.link_create(&bus, &l), RG_OK);
    ask.plan = plan;
    memset(&device, 0xa5, sizeof device);
    memset(&gate, 0xa5, sizeof gate);
    memset(cases, 0xa5, sizeof cases);
    memset(words, 0xa5, sizeof words);
    memset(&point, 0xa5, sizeof point);
    memset(&bus, 0xa5, sizeof bus);
    memset(host, 0xa5, sizeof host - 1);
    for (unsigned now = 0; now < 3; now++) {
        atomic_store(&state_now, now);
        ask.begun_us = clock_mono_us();
        for (ask.request = 0; ask.request < 2; ask.request++) {
            modbus_driver.transact(l, &ask, &got);
            assert_int_equal(got.result, DRIVER_OK);
        }
        assert_int_equal(sample.quality, now == 0   ? QUALITY_GOOD
                                         : now == 1 ? QUALITY_INHIBITED
                                                    : QUALITY_SENSOR);
    }
    modbus_driver.link_destroy(l);
    peer_stop(&p);
    modbus_driver.memory_destroy(ask.memory);
    modbus_driver.plan_destroy(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heartbeat_stands_still),
        cmocka_unit_test(a_gap_proves_nothing),
        cmocka_unit_test(polled_more_rarely_than_it_beats),
        cmocka_unit_test(of_this_poll_or_not_at_all),
        cmocka_unit_test(transact_uses_it),
        cmocka_unit_test(outlives_the_site),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
