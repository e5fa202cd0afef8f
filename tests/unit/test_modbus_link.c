/* LINK rg_modbus; LABEL tsan */
#include <sched.h>

#include "modbus_peer.h"

static void good_answers(void **state)
{
    (void)state;
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        struct peer p;
        struct driver_link *l;

        peer_start(&p, kinds[k], answer);
        l = link_for(&p);
        for (int i = 0; i < 20; i++) {
            const struct ask big = {.unit = (uint8_t)(1 + i % 3), .function = 4, .address = 0, .count = 125};
            const struct ask bits = {.unit = 7, .function = 2, .address = 3, .count = 2000};
            struct link_answer a = ask_for(l, &four, PATIENT_MS);

            expect_fresh(&a, &p);
            a = ask_for(l, &big, PATIENT_MS);
            expect_fresh(&a, &p);
            a = ask_for(l, &bits, PATIENT_MS);
            expect_result(&a, DRIVER_OK);
            assert_int_equal(a.data[249], 0xA5);
        }
        if (kinds[k] != BUS_RTU)
            assert_int_equal(atomic_load(&p.connections), 1);
        link_destroy(l);
        peer_stop(&p);
    }
}

/* One wrong answer to the first request, right ones after it. */
enum fault {
    FAULT_UNIT,
    FAULT_FUNCTION,
    FAULT_COUNT,
    FAULT_CUT,
    FAULT_TAIL, /* the frame and something after it that contradicts its header */
    FAULT_NOISE,
    FAULT_EXCEPTION,
    FAULT_GATEWAY,
    FAULT_MUTE,
    FAULT_CLOSE,
    FAULT_RESET,
    FAULT_CRC,
    FAULT_TRANSACTION,
    FAULT_PROTOCOL,
    FAULT_FILLED, /* cut short, and a late answer comes right behind: its header fills what is missing */
    FAULTS,
};

static _Atomic enum fault fault;
static _Atomic size_t filled = 4; /* FAULT_FILLED: bytes */

static void serve_fault(struct peer *p, const struct request *r)
{
    static const uint8_t noise[] = {0x00, 0xFF, 0x55, 0x13, 0x00};
    struct request twisted = *r;
    uint8_t body[256], out[300];
    size_t length;

    if (r->nth != 1) {
        answer(p, r);
        return;
    }
    switch (atomic_load(&fault)) {
    case FAULT_UNIT:
        twisted.unit++;
        break;
    case FAULT_FUNCTION:
        twisted.function = 4;
        break;
    case FAULT_COUNT:
        twisted.count--;
        break;
    case FAULT_TRANSACTION:
        twisted.transaction = (uint16_t)(twisted.transaction + 1);
        break;
    case FAULT_EXCEPTION:
        refuse(p, r, 2);
        return;
    case FAULT_GATEWAY:
        refuse(p, r, 0x0B);
        return;
    case FAULT_MUTE:
        return;
    case FAULT_CLOSE:
        peer_drop(p, false);
        return;
    case FAULT_RESET:
        peer_drop(p, true);
        return;
    default:
        break;
    }
    length = frame(p, twisted.transaction, body, body_of(&twisted, body), out);
    switch (atomic_load(&fault)) {
    case FAULT_CUT:
        length -= 3;
        break;
    case FAULT_FILLED:
        twisted.transaction--;
        length -= atomic_load(&filled);
        length += frame(p, twisted.transaction, body, body_of(&twisted, body), out + length);
        break;
    case FAULT_TAIL:
        out[5]++; /* TCP: the header's length; RTU: a value, so that the CRC is wrong */
        break;
    case FAULT_PROTOCOL:
        out[3] = 1;
        break;
    case FAULT_CRC:
        out[length - 1] ^= 1;
        break;
    case FAULT_NOISE:
        put(p, noise, sizeof noise);
        break;
    default:
        break;
    }
    put(p, out, length);
}

/* However many bytes of the header it is that fill it, the answer passes for none. */
static void filled_by_a_late_answer(void **state)
{
    (void)state;
    atomic_store(&fault, FAULT_FILLED);
    for (size_t bytes = 1; bytes <= 6; bytes++) {
        struct peer p;
        struct driver_link *l;
        struct link_answer a;

        atomic_store(&filled, bytes);
        peer_start(&p, BUS_TCP, serve_fault);
        l = link_for(&p);
        a = ask_for(l, &four, PATIENT_MS);
        if (a.result != DRIVER_MALFORMED)
            fail_msg("filled by %zu bytes: %s", bytes, driver_result_name(a.result));
        a = ask_for(l, &four, PATIENT_MS);
        expect_fresh(&a, &p);
        link_destroy(l);
        peer_stop(&p);
    }
}

static void faults_and_recovery(void **state)
{
    static const enum driver_result results[FAULTS] = {
        [FAULT_UNIT] = DRIVER_MALFORMED,        [FAULT_FUNCTION] = DRIVER_MALFORMED,
        [FAULT_COUNT] = DRIVER_MALFORMED,       [FAULT_CUT] = DRIVER_MALFORMED,
        [FAULT_TAIL] = DRIVER_MALFORMED,        [FAULT_NOISE] = DRIVER_MALFORMED,
        [FAULT_CRC] = DRIVER_MALFORMED,         [FAULT_PROTOCOL] = DRIVER_MALFORMED,
        [FAULT_TRANSACTION] = DRIVER_MALFORMED, [FAULT_EXCEPTION] = DRIVER_EXCEPTION,
        [FAULT_GATEWAY] = DRIVER_SILENT,        [FAULT_MUTE] = DRIVER_SILENT,
        [FAULT_CLOSE] = DRIVER_BROKEN,          [FAULT_RESET] = DRIVER_BROKEN,
        [FAULT_FILLED] = DRIVER_MALFORMED,
    };

    (void)state;
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        for (enum fault f = 0; f < FAULTS; f++) {
            struct peer p;
            struct driver_link *l;
            struct link_answer a;

            if (kinds[k] == BUS_TCP ? f == FAULT_CRC
                                    : f == FAULT_TRANSACTION || f == FAULT_PROTOCOL || f == FAULT_FILLED)
                continue;
            if (kinds[k] == BUS_RTU && (f == FAULT_CLOSE || f == FAULT_RESET))
                continue;
            atomic_store(&fault, f);
            peer_start(&p, kinds[k], serve_fault);
            l = link_for(&p);
            a = ask_for(l, &four,
                        f == FAULT_MUTE                          ? QUICK_MS
                        : f == FAULT_CUT || f == FAULT_NOISE     ? LOADED_MS
                        : f == FAULT_UNIT && kinds[k] != BUS_TCP ? LOADED_MS /* it may still come */
                                                                 : PATIENT_MS);
            /* On a line the answer is found behind what does not belong to it. */
            if (a.result != (f == FAULT_NOISE && kinds[k] != BUS_TCP ? DRIVER_OK : results[f]))
                fail_msg("kind %d fault %d: %s (%s)", (int)kinds[k], (int)f, driver_result_name(a.result),
                         a.detail);
            assert_int_equal(a.exception, f == FAULT_EXCEPTION ? 2 : f == FAULT_GATEWAY ? 0x0B : 0);
            if (f == FAULT_EXCEPTION)
                assert_string_equal(a.detail, "illegal data address");
            a = ask_for(l, &four, PATIENT_MS);
            expect_fresh(&a, &p);
            link_destroy(l);
            peer_stop(&p);
        }
    }
}

static void serve_but_one(struct peer *p, const struct request *r)
{
    if (r->unit != MUTE_UNIT)
        answer(p, r);
}

/* A mute unit takes nothing from its neighbours; Modbus TCP starts anew after three silences in a row. */
static void mute_unit(void **state)
{
    struct ask mute = four;

    (void)state;
    mute.unit = MUTE_UNIT;
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        struct peer p;
        struct driver_link *l;
        struct link_answer a;

        peer_start(&p, kinds[k], serve_but_one);
        l = link_for(&p);
        for (int i = 0; i < 2; i++) {
            a = ask_for(l, &mute, 20);
            expect_result(&a, DRIVER_SILENT);
            a = ask_for(l, &four, PATIENT_MS);
            expect_fresh(&a, &p);
        }
        assert_int_equal(atomic_load(&p.connections), kinds[k] == BUS_RTU ? 0 : 1);
        for (int i = 0; i < LINK_SILENCES; i++) {
            a = ask_for(l, &mute, 20);
            expect_result(&a, DRIVER_SILENT);
        }
        a = ask_for(l, &four, PATIENT_MS);
        expect_fresh(&a, &p);
        assert_int_equal(atomic_load(&p.connections), kinds[k] == BUS_TCP ? 2 : kinds[k] == BUS_RTU ? 0 : 1);
        link_destroy(l);
        peer_stop(&p);
    }
}

struct full {
    int listen_fd;
    int fillers[8];
    struct site_bus bus;
};

/* A listener that never accepts and whose backlog is full: the kernel drops further connection requests. */
static void full_start(struct full *f)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    f->bus = (struct site_bus){.name = "bus", .kind = BUS_TCP, .host = "127.0.0.1"};
    f->listen_fd = listen_local(&f->bus.port, 0);
    to.sin_port = htons(f->bus.port);
    for (size_t i = 0; i < RG_COUNT(f->fillers); i++) {
        f->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(f->fillers[i] >= 0);
        (void)connect(f->fillers[i], (struct sockaddr *)&to, sizeof to);
    }
}

static void full_stop(struct full *f)
{
    for (size_t i = 0; i < RG_COUNT(f->fillers); i++)
        (void)close(f->fillers[i]);
    (void)close(f->listen_fd);
}

static void connecting_hangs(void **state)
{
    struct full f;
    struct driver_link *l = NULL;
    struct link_answer a;
    int64_t begin;

    (void)state;
    full_start(&f);
    assert_int_equal(link_create(&f.bus, &l), RG_OK);
    begin = clock_mono_us();
    a = ask_for(l, &four, QUICK_MS);
    begin = clock_mono_us() - begin;
    expect_result(&a, DRIVER_UNREACHABLE);
    assert_non_null(strstr(a.detail, "timed out"));
    assert_true(begin >= QUICK_MS * 1000 && begin < 20000000);
    link_destroy(l);
    full_stop(&f);
}

struct call {
    struct driver_link *link;
    struct link_answer answer;
    atomic_bool begun;
};

static void *call_run(void *arg)
{
    struct call *c = arg;

    atomic_store(&c->begun, true);
    link_ask(c->link, &four, 60000, &c->answer);
    return NULL;
}

static void cancel_call(struct driver_link *l, struct peer *p)
{
    struct call c = {.link = l};
    pthread_t thread;
    const int64_t begin = clock_mono_us();

    atomic_init(&c.begun, false);
    assert_int_equal(pthread_create(&thread, NULL, call_run, &c), 0);
    while (p ? atomic_load(&p->requests) == 0 : !atomic_load(&c.begun))
        (void)sched_yield();
    modbus_driver.link_cancel(l);
    assert_int_equal(pthread_join(thread, NULL), 0);
    expect_result(&c.answer, DRIVER_BROKEN);
    assert_true(clock_mono_us() - begin < 20000000);
    link_ask(l, &four, PATIENT_MS, &c.answer); /* destroy is all that is left */
    expect_result(&c.answer, DRIVER_BROKEN);
    link_destroy(l);
}

static void cancelled(void **state)
{
    struct full f;
    struct driver_link *l = NULL;
    struct peer p;

    (void)state;
    atomic_store(&fault, FAULT_MUTE);
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        peer_start(&p, kinds[k], serve_fault);
        cancel_call(link_for(&p), &p);
        peer_stop(&p);
    }
    atomic_store(&fault, FAULT_CUT); /* in the middle of a frame */
    for (size_t k = 0; k < RG_COUNT(kinds); k += 2) {
        peer_start(&p, kinds[k], serve_fault);
        cancel_call(link_for(&p), &p);
        peer_stop(&p);
    }
    full_start(&f);
    assert_int_equal(link_create(&f.bus, &l), RG_OK);
    cancel_call(l, NULL);
    full_stop(&f);
}

/* The answer, and in the same breath bytes that belong to nothing. */
static void serve_noisy(struct peer *p, const struct request *r)
{
    static const uint8_t foreign[] = {1, 3, 8, 0xDE, 0xAD, 0xDE};
    uint8_t body[256], out[300];
    const size_t length = frame(p, r->transaction, body, body_of(r, body), out);

    memcpy(out + length, foreign, sizeof foreign);
    put(p, out, length + sizeof foreign);
}

/* Stray bytes on the line while nobody is asked are no part of the next answer. */
static void noise_while_idle(void **state)
{
    (void)state;
    for (size_t k = 1; k < RG_COUNT(kinds); k++) {
        struct peer p;
        struct driver_link *l;

        peer_start(&p, kinds[k], serve_noisy);
        l = link_for(&p);
        for (int i = 0; i < 3; i++) {
            const struct link_answer a = ask_for(l, &four, PATIENT_MS);

            expect_fresh(&a, &p);
        }
        link_destroy(l);
        peer_stop(&p);
    }
}

static void silences_kept(void **state)
{
    (void)state;
    static const struct {
        uint32_t baud;
        int64_t silence_us;
    } rows[] = {{9600, 4011}, /* 3.5 * 11 / 9600 s, rounded up */
                {19200, 2006},
                {19201, 1750},
                {115200, 1750},
                {0, 0}};

    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        const struct site_bus bus = {.kind = BUS_RTU, .baud = rows[i].baud};

        assert_int_equal(site_bus_silence_us(&bus), rows[i].silence_us);
    }
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        const int64_t frame_us = kinds[k] == BUS_TCP ? 0 : 1750;
        struct peer p;
        struct driver_link *l;

        peer_start(&p, kinds[k], answer);
        p.bus.gap_ms = 10;
        l = link_for(&p);
        for (int i = 0; i < 5; i++) {
            const int64_t before = atomic_load(&p.answered_us);
            const struct link_answer a = ask_for(l, &four, PATIENT_MS);

            expect_fresh(&a, &p);
            assert_true(atomic_load(&p.asked_us) - before >= 10000 + frame_us);
        }
        for (int i = 0; i < 3; i++) { /* a device that wants more than its bus, or less */
            const int64_t before = atomic_load(&p.answered_us);
            const struct ask slow = {
                .unit = 1, .function = 3, .count = 4, .limit = 125, .gap_us = i == 1 ? 50000 : 1000};
            const struct link_answer a = ask_for(l, &slow, PATIENT_MS);

            expect_fresh(&a, &p);
            assert_true(atomic_load(&p.asked_us) - before >= (i == 1 ? 50000 : 10000) + frame_us);
        }
        link_destroy(l);
        peer_stop(&p);
    }
}

/* Through the vtable: values when answered; otherwise a sample for every point, without a value. */
static void samples_by_result(void **state)
{
    static const struct {
        enum fault fault;
        enum quality quality;
    } rows[] = {{FAULT_EXCEPTION, QUALITY_DEVICE}, {FAULT_GATEWAY, QUALITY_COMM}, {FAULT_UNIT, QUALITY_COMM}};
    const struct site_device device = {.unit = 1, .max_registers = 125, .max_gap = 8};
    const struct site_point points[] = {
        {.name = "a",
         .space = SPACE_HOLDING,
         .address = 0,
         .type = TYPE_U16,
         .bit = -1,
         .scaling = {1, 0, 10}},
        {.name = "b",
         .space = SPACE_HOLDING,
         .address = 2,
         .type = TYPE_U16,
         .bit = -1,
         .scaling = {1, 0, 1}},
    };
    struct driver_plan *plan = NULL;

    (void)state;
    assert_int_equal(modbus_driver.plan(&device, points, 2, 40, &plan), RG_OK);
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct sample samples[2];
        struct driver_answer got = {.samples = samples};
        struct peer p;
        struct driver_link *l;

        atomic_store(&fault, rows[i].fault);
        peer_start(&p, BUS_TCP, serve_fault);
        l = link_for(&p);
        modbus_driver.transact(l, &(struct driver_ask){.plan = plan, .timeout_ms = PATIENT_MS}, &got);
        assert_int_equal(got.count, 2);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(samples[k].point, 40 + k);
            assert_int_equal(samples[k].quality, rows[i].quality);
            assert_true(samples[k].value == 0);
        }
        assert_true(got.detail[0] != '\0');
        modbus_driver.transact(l, &(struct driver_ask){.plan = plan, .timeout_ms = PATIENT_MS}, &got);
        assert_int_equal(got.result, DRIVER_OK);
        assert_int_equal(got.count, 2);
        assert_int_equal(samples[0].quality, QUALITY_GOOD);
        assert_true(samples[0].value == 20.0 && samples[1].value == 202.0);
        modbus_driver.link_destroy(l);
        peer_stop(&p);
    }
    modbus_driver.plan_destroy(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_answers),
        cmocka_unit_test(faults_and_recovery),
        cmocka_unit_test(filled_by_a_late_answer),
        cmocka_unit_test(mute_unit),
        cmocka_unit_test(connecting_hangs),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(noise_while_idle),
        cmocka_unit_test(silences_kept),
        cmocka_unit_test(samples_by_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
