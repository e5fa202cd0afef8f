/* LINK rg_modbus; LABEL tsan */
/* Lines as they are: echoing ones, declared or not; others that talk on them; noise; transceivers whose direction the
 * kernel switches. */
#include <dlfcn.h>
#include <inttypes.h>
#include <linux/serial.h>
#include <sys/ioctl.h>

#include "drivers/modbus/raw.h"
#include "drivers/modbus/rtu.h"
#include "modbus_peer.h"

/* ---- a serial port with direction control, where there is only a pty ---- */

static enum { PORT_PLAIN, PORT_ABLE, PORT_OTHERWISE } port;
static struct serial_rs485 port_rs485;

int ioctl(int fd, unsigned long request, ...)
{
    int (*const real)(int, unsigned long, void *) =
        (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
    va_list args;
    void *at;

    va_start(args, request);
    at = va_arg(args, void *);
    va_end(args);
    if (request != TIOCSRS485 || port == PORT_PLAIN)
        return real(fd, request, at);
    port_rs485 = *(const struct serial_rs485 *)at;
    if (port == PORT_OTHERWISE) /* what a driver without delays makes of it */
        ((struct serial_rs485 *)at)->delay_rts_before_send = 0;
    return 0;
}

static void direction_is_set_or_the_line_stays_shut(void **state)
{
    struct peer p;
    struct driver_link *l;
    struct link_answer a;

    (void)state;
    peer_start(&p, BUS_RTU, answer);
    p.bus.rs485 = (struct site_rs485){.enabled = true, .before_ms = 3};
    l = link_for(&p);
    a = ask_for(l, &four, PATIENT_MS); /* a pty has none */
    expect_result(&a, DRIVER_UNREACHABLE);
    assert_non_null(strstr(a.detail, p.path));
    assert_non_null(strstr(a.detail, "no direction control"));
    port = PORT_OTHERWISE;
    a = ask_for(l, &four, PATIENT_MS);
    expect_result(&a, DRIVER_UNREACHABLE);
    assert_non_null(strstr(a.detail, "cannot control the direction like that"));
    assert_int_equal(atomic_load(&p.requests), 0);
    port = PORT_ABLE;
    a = ask_for(l, &four, PATIENT_MS);
    expect_fresh(&a, &p);
    assert_int_equal(port_rs485.flags, SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND);
    assert_int_equal(port_rs485.delay_rts_before_send, 3);
    assert_int_equal(port_rs485.delay_rts_after_send, 0);
    link_destroy(l);
    p.bus.rs485 = (struct site_rs485){.enabled = true, .send_low = true, .after_ms = 2};
    p.bus.echo = true;
    atomic_store(&p.echo, ECHO_TRUE);
    l = link_for(&p);
    a = ask_for(l, &four, PATIENT_MS);
    expect_fresh(&a, &p);
    assert_int_equal(port_rs485.flags, SER_RS485_ENABLED | SER_RS485_RTS_AFTER_SEND | SER_RS485_RX_DURING_TX);
    assert_int_equal(port_rs485.delay_rts_before_send, 0);
    assert_int_equal(port_rs485.delay_rts_after_send, 2);
    port = PORT_PLAIN;
    link_destroy(l);
    peer_stop(&p);
}

/* ---- echo ---- */

static const struct driver_raw one_register = {
    .write = true, .unit = 3, .space = SPACE_HOLDING, .address = 0x118, .count = 1, .values = {1}};
static const struct driver_raw one_coil = {
    .write = true, .unit = 3, .space = SPACE_COIL, .address = 7, .count = 1, .values = {1}};
static const struct driver_raw registers = {
    .write = true, .unit = 3, .space = SPACE_HOLDING, .address = 0, .count = 5, .values = {7}};

static struct driver_raw_answer carry_out(struct driver_link *l, struct driver_raw raw, int64_t timeout_ms)
{
    struct driver_raw_answer a;

    raw.timeout_ms = timeout_ms;
    modbus_driver.raw(l, &raw, &a);
    return a;
}

static void expect_raw(const struct driver_raw_answer *a, enum driver_result result)
{
    if (a->result != result)
        fail_msg("%s (%s) instead of %s", driver_result_name(a->result), a->detail,
                 driver_result_name(result));
}

static _Atomic bool dead;       /* the unit is, the line is not */
static _Atomic bool write_only; /* the unit does not answer reads */
static atomic_uint writes;

static void serve_unit(struct peer *p, const struct request *r)
{
    if (r->function > 4)
        (void)atomic_fetch_add(&writes, 1);
    if (!atomic_load(&dead) && !(atomic_load(&write_only) && r->function <= 4) && r->unit != 0)
        answer(p, r);
}

static struct driver_link *start(struct peer *p, enum bus_kind kind, enum peer_echo echo, bool declared,
                                 serve_cb *serve)
{
    atomic_store(&dead, false);
    atomic_store(&write_only, false);
    atomic_store(&writes, 0);
    peer_start(p, kind, serve);
    atomic_store(&p->echo, echo);
    p->bus.echo = declared;
    return link_for(p);
}

static void echo_declared(void **state)
{
    (void)state;
    for (size_t k = 1; k < RG_COUNT(kinds); k++) {
        struct peer p;
        struct driver_link *l = start(&p, kinds[k], ECHO_TRUE, true, serve_unit);
        struct driver_raw all = one_register;
        struct driver_raw_answer w;
        struct link_answer a;

        for (int i = 0; i < 3; i++) {
            a = ask_for(l, &four, PATIENT_MS);
            expect_fresh(&a, &p);
            w = carry_out(l, one_register, PATIENT_MS);
            expect_raw(&w, DRIVER_OK);
            w = carry_out(l, registers, PATIENT_MS);
            expect_raw(&w, DRIVER_OK);
        }
        expect_requests(&p, 9);
        all.unit = 0;
        w = carry_out(l, all, PATIENT_MS);
        expect_raw(&w, DRIVER_OK);
        atomic_store(&dead, true); /* its own echo confirms nothing */
        w = carry_out(l, one_register, QUICK_MS);
        expect_raw(&w, DRIVER_SILENT);
        assert_true(w.sent);
        link_destroy(l);
        peer_stop(&p);
    }
}

static void echo_declared_but_wrong(void **state)
{
    static const struct {
        enum peer_echo echo;
        bool dead;
        enum driver_result result;
        const char *detail;
    } rows[] = {
        {ECHO_SPOILT, false, DRIVER_MALFORMED, "not what was sent"},
        {ECHO_NONE, false, DRIVER_MALFORMED, "does not echo"},
        {ECHO_NONE, true, DRIVER_SILENT, "neither an answer nor the echo"},
    };

    (void)state;
    for (size_t k = 1; k < RG_COUNT(kinds); k++) {
        for (size_t i = 0; i < RG_COUNT(rows); i++) {
            struct peer p;
            struct driver_link *l = start(&p, kinds[k], rows[i].echo, true, serve_unit);
            struct driver_raw all = one_register;
            struct driver_raw_answer w;
            struct link_answer a;

            atomic_store(&dead, rows[i].dead);
            a = ask_for(l, &four, rows[i].dead ? QUICK_MS : PATIENT_MS);
            expect_result(&a, rows[i].result);
            assert_non_null(strstr(a.detail, rows[i].detail));
            all.unit = 0;
            w = carry_out(l, all, QUICK_MS);
            assert_true(w.result != DRIVER_OK && w.sent);
            /* Without an echo the unit's own confirmation is taken for it: not as done, then. */
            w = carry_out(l, one_register, QUICK_MS);
            assert_true(w.result != DRIVER_OK);
            link_destroy(l);
            peer_stop(&p);
        }
    }
}

/* An echo that nobody declared never is an answer, not even where it looks like one byte for byte. */
static void echo_undeclared(void **state)
{
    const struct ask own = {.unit = 1, .function = 1, .address = 0x310, .count = 20, .limit = 125};

    (void)state;
    for (size_t k = 1; k < RG_COUNT(kinds); k++) {
        for (int is_dead = 0; is_dead < 2; is_dead++) {
            struct peer p;
            struct driver_link *l = start(&p, kinds[k], ECHO_TRUE, false, serve_unit);
            struct driver_raw_answer w;
            struct link_answer a;

            atomic_store(&dead, is_dead);
            w = carry_out(l, one_register, PATIENT_MS);
            expect_raw(&w, DRIVER_MALFORMED);
            assert_non_null(strstr(w.detail, "set echo: true"));
            assert_false(w.sent);
            a = ask_for(l, &own, PATIENT_MS);
            expect_result(&a, DRIVER_MALFORMED);
            a = ask_for(l, &four, PATIENT_MS);
            expect_result(&a, DRIVER_MALFORMED);
            assert_non_null(strstr(a.detail, "set echo: true"));
            w = carry_out(l, one_coil, PATIENT_MS);
            expect_raw(&w, DRIVER_MALFORMED);
            assert_int_equal(atomic_load(&writes), 0);
            w = carry_out(l, registers, is_dead ? QUICK_MS : PATIENT_MS);
            assert_true((w.result == DRIVER_OK) == !is_dead);
            link_destroy(l);
            peer_stop(&p);
        }
    }
}

/* A read that nothing at all followed shows it, too; but not when its echo was only late. */
static void echo_shown_by_silence(void **state)
{
    (void)state;
    for (size_t k = 1; k < RG_COUNT(kinds); k++) {
        struct peer p;
        struct driver_link *l = start(&p, kinds[k], ECHO_NONE, false, serve_unit);
        struct driver_raw_answer w;

        atomic_store(&write_only, true);
        w = carry_out(l, one_coil, 2 * LOADED_MS);
        expect_raw(&w, DRIVER_OK);
        expect_requests(&p, 2);
        link_destroy(l);
        peer_stop(&p);

        l = start(&p, kinds[k], ECHO_LATE, false, serve_unit);
        atomic_store(&dead, true);
        w = carry_out(l, one_coil, QUICK_MS);
        assert_true(w.result != DRIVER_OK);
        link_destroy(l);
        peer_stop(&p);
    }
}

/* ---- others on the line ---- */

static size_t closed(uint8_t *bytes, size_t length)
{
    const uint16_t crc = crc16(bytes, length);

    bytes[length] = (uint8_t)crc;
    bytes[length + 1] = (uint8_t)(crc >> 8);
    return length + 2;
}

/* What another master, another unit or nobody says. */
static size_t foreign(struct rg_random *random, uint8_t out[300])
{
    const uint8_t unit = (uint8_t)(20 + random_below(random, 5));
    const uint8_t address = (uint8_t)random_below(random, 256);
    size_t n;

    switch (random_below(random, 6)) {
    case 0: /* a request */
        memcpy(out, ((uint8_t[]){unit, 3, (uint8_t)random_below(random, 3), address, 0, 4}), 6);
        return closed(out, 6);
    case 1: /* an answer */
        n = 1 + (size_t)random_below(random, 40);
        memcpy(out, ((uint8_t[]){unit, 3, (uint8_t)(2 * n)}), 3);
        for (size_t i = 0; i < 2 * n; i++)
            out[3 + i] = (uint8_t)random_below(random, 256);
        return closed(out, 3 + 2 * n);
    case 2: /* to all, one register; emqx/neuron#2148 */
        memcpy(out, ((uint8_t[]){0, 6, 0, address, 0, 1}), 6);
        return closed(out, 6);
    case 3: /* to all, two */
        memcpy(out, ((uint8_t[]){0, 16, 0, address, 0, 2, 4, 0, 1, 0, 2}), 11);
        return closed(out, 11);
    case 4: /* a transceiver that changes direction */
        out[0] = random_below(random, 2) ? 0x00 : 0xFF;
        return 1;
    default: /* noise */
        n = 1 + (size_t)random_below(random, 30);
        for (size_t i = 0; i < n; i++)
            out[i] = (uint8_t)random_below(random, 256);
        return n;
    }
}

static _Atomic bool mute;

static void serve_among_others(struct peer *p, const struct request *r)
{
    uint8_t out[700], body[256];
    size_t length = 0;

    for (uint64_t n = random_below(&p->random, 3); n > 0; n--)
        length += foreign(&p->random, out + length);
    if (length > 0 && random_below(&p->random, 8) == 0) { /* a silence before the answer */
        put(p, out, length);
        (void)poll(NULL, 0, 60);
        length = 0;
    }
    if (!atomic_load(&mute))
        length += frame(p, r->transaction, body, body_of(r, body), out + length);
    if (random_below(&p->random, 2)) /* and after it */
        length += foreign(&p->random, out + length);
    put(p, out, length);
}

static void others_talk(void **state)
{
    const char *given = getenv("RG_SEED");
    const uint64_t seed = given ? strtoull(given, NULL, 10) : random_system_seed();

    (void)state;
    print_message("RG_SEED=%" PRIu64 "\n", seed);
    for (size_t k = 1; k < RG_COUNT(kinds); k++) {
        struct peer p;
        struct driver_link *l;

        atomic_store(&mute, false);
        peer_start_seeded(&p, kinds[k], serve_among_others, seed);
        l = link_for(&p);
        for (int i = 0; i < 30; i++) {
            struct link_answer a = ask_for(l, &four, PATIENT_MS);

            expect_fresh(&a, &p);
            if (i % 10 == 5) {
                const struct driver_raw_answer w = carry_out(l, registers, PATIENT_MS);

                expect_raw(&w, DRIVER_OK);
            }
        }
        atomic_store(&mute, true);
        for (int i = 0; i < 5; i++) {
            const struct link_answer a = ask_for(l, &four, QUICK_MS);

            assert_true(a.result == DRIVER_MALFORMED || a.result == DRIVER_SILENT);
        }
        if (kinds[k] != BUS_RTU)
            assert_int_equal(atomic_load(&p.connections), 1);
        link_destroy(l);
        peer_stop(&p);
    }
}

/* ---- frames among bytes ---- */

#define LOOK(quiet, ...)                                                                                     \
    rtu_look(&two, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), quiet, &at,       \
             &length)

static void answers_found_among_bytes(void **state)
{
    const struct ask two = {.unit = 2, .function = 3, .address = 0x102, .count = 2, .limit = 125};
    const struct ask bits = {.unit = 1, .function = 1, .address = 0x310, .count = 20, .limit = 125};
    uint8_t request[RTU_REQUEST_MAX], inner[24];
    size_t at = 99, length = 0;

    (void)state;
    assert_int_equal(rtu_request(&two, request), 8);
    assert_memory_equal(request, ((uint8_t[]){2, 3, 1, 2, 0, 2, 0x64, 0x04}), 8); /* Geokon's manual */
    assert_int_equal(LOOK(false, 2, 3, 4, 0xC8, 0x7C, 0x46, 0x28, 0x04, 0xF5), RTU_WHOLE);
    assert_int_equal(at, 0);
    assert_int_equal(length, 9);
    assert_int_equal(LOOK(false, 0, 2, 3, 4, 0xC8, 0x7C, 0x46, 0x28, 0x04, 0xF5, 7), RTU_WHOLE);
    assert_int_equal(at, 1);
    assert_int_equal(LOOK(true, 2, 3, 4, 0xC8, 0x7C, 0x46, 0x28, 0x04, 0xF4), RTU_DAMAGED);
    assert_int_equal(LOOK(true, 2, 3, 4, 0xC8, 0x7C, 0x46, 0x28, 0x04), RTU_PART);
    assert_int_equal(LOOK(true, 1, 3, 4, 0xC8, 0x7C, 0x46, 0x28, 0x04, 0xF5), RTU_NOTHING);
    assert_int_equal(LOOK(true, 2, 4, 4, 0xC8, 0x7C, 0x46, 0x28, 0x04, 0xF5), RTU_NOTHING);
    assert_int_equal(LOOK(true, 2, 3, 2, 0xC8, 0x7C, 0x46, 0x28, 0x04, 0xF5), RTU_NOTHING);
    /* What seems to be the beginning of one hides the one behind it only until nothing follows. */
    assert_int_equal(LOOK(false, 2, 3, 4, 1, 2, 2, 0x83, 2, 0x30, 0xF1), RTU_WHOLE);
    assert_int_equal(LOOK(false, 2, 3, 4, 2, 0x83, 2, 0x30, 0xF1), RTU_PART);
    assert_int_equal(LOOK(true, 2, 3, 4, 2, 0x83, 2, 0x30, 0xF1), RTU_WHOLE);
    assert_int_equal(at, 3);
    assert_int_equal(LOOK(false, 0x02, 0x83, 0x02, 0x30, 0xF1), RTU_WHOLE);
    assert_int_equal(length, 5);
    assert_int_equal(LOOK(true, 0x02, 0x83, 0x02, 0x30, 0xF0), RTU_NOTHING);
    /* Within another's frame that is whole, even one with a right CRC is none. */
    inner[0] = 9;
    inner[1] = 3;
    inner[2] = 10;
    memcpy(inner + 3, (uint8_t[]){2, 3, 4, 0xC8, 0x7C, 0x46, 0x28, 0x04, 0xF5, 0}, 10);
    assert_int_equal(rtu_look(&two, inner, 13, true, &at, &length), RTU_WHOLE);
    assert_int_equal(closed(inner, 13), 15);
    assert_int_equal(rtu_look(&two, inner, 15, true, &at, &length), RTU_NOTHING);
    memcpy(inner + 15, inner + 3, 9);
    assert_int_equal(rtu_look(&two, inner, 24, false, &at, &length), RTU_WHOLE);
    assert_int_equal(at, 15);
    /* The request that is a valid answer to itself. */
    assert_int_equal(rtu_request(&bits, request), 8);
    assert_int_equal(rtu_look(&bits, request, 8, false, &at, &length), RTU_WHOLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(direction_is_set_or_the_line_stays_shut),
        cmocka_unit_test(echo_declared),
        cmocka_unit_test(echo_declared_but_wrong),
        cmocka_unit_test(echo_undeclared),
        cmocka_unit_test(echo_shown_by_silence),
        cmocka_unit_test(others_talk),
        cmocka_unit_test(answers_found_among_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
