/* LINK rg_modbus; LABEL tsan */
/* Reads and writes beside the plan, through the driver's table: what goes over the wire, what counts as done, and
 * that nothing is ever sent twice. */
#include "drivers/modbus/raw.h"
#include "modbus_peer.h"

static struct driver_raw_answer carry_out(struct driver_link *l, const struct driver_raw *raw)
{
    struct driver_raw_answer a;

    modbus_driver.raw(l, raw, &a);
    assert_true(a.result == DRIVER_OK ? a.detail[0] == '\0' : a.detail[0] != '\0');
    assert_int_equal(a.count, a.result == DRIVER_OK && !raw->write ? raw->count : 0);
    return a;
}

static void expect_raw(const struct driver_raw_answer *a, enum driver_result result)
{
    if (a->result != result)
        fail_msg("%s (%s) instead of %s", driver_result_name(a->result), a->detail,
                 driver_result_name(result));
}

static void check_bytes(const struct driver_raw *raw, const char *expected)
{
    uint8_t out[ASK_TCP_MAX];
    char text[2 * ASK_TCP_MAX + 1] = "";
    struct ask ask;
    size_t length;

    assert_null(raw_ask(raw, &ask));
    length = ask_encode_rtu(&ask, out);
    for (size_t i = 0; i < length; i++)
        (void)snprintf(text + 2 * i, 3, "%02X", out[i]);
    assert_string_equal(text, expected);
    assert_int_equal(ask_encode_tcp(&ask, 0x1234, out), length + 6);
    assert_memory_equal(out, ((uint8_t[]){0x12, 0x34, 0, 0, 0, (uint8_t)length}), 6);
}

/* The examples of MODBUS Application Protocol V1.1b3 §6.5, §6.6, §6.11, §6.12, and a relay module's manual. */
static void requests_as_specified(void **state)
{
    struct driver_raw raw = {
        .write = true, .unit = 1, .space = SPACE_COIL, .address = 0xAC, .count = 1, .values = {1}};

    (void)state;
    check_bytes(&raw, "010500ACFF00");
    raw.values[0] = 0;
    raw.address = 0;
    check_bytes(&raw, "010500000000");
    raw = (struct driver_raw){
        .write = true, .unit = 1, .space = SPACE_HOLDING, .address = 1, .count = 1, .values = {3}};
    check_bytes(&raw, "010600010003");
    raw = (struct driver_raw){.write = true,
                              .unit = 1,
                              .space = SPACE_COIL,
                              .address = 0x13,
                              .count = 10,
                              .values = {1, 0, 1, 1, 0, 0, 1, 1, 1, 0}};
    check_bytes(&raw, "010F0013000A02CD01");
    raw = (struct driver_raw){.write = true,
                              .unit = 1,
                              .space = SPACE_HOLDING,
                              .address = 1,
                              .count = 2,
                              .values = {0x000A, 0x0102}};
    check_bytes(&raw, "01100001000204000A0102");
    raw = (struct driver_raw){.unit = 9, .space = SPACE_DISCRETE, .address = 0xC4, .count = 22};
    check_bytes(&raw, "090200C40016");
}

static void what_cannot_be_asked(void **state)
{
    static const struct driver_raw rows[] = {
        {.unit = 1, .space = SPACE_HOLDING, .count = 0},
        {.unit = 1, .space = SPACE_HOLDING, .count = DRIVER_RAW_READ_MAX + 1},
        {.unit = 1, .space = SPACE_DERIVED, .count = 1},
        {.unit = 1, .space = SPACE_INPUT, .address = 65535, .count = 2},
        {.write = true, .unit = 1, .space = SPACE_INPUT, .count = 1},
        {.write = true, .unit = 1, .space = SPACE_DISCRETE, .count = 1},
        {.write = true, .unit = 1, .space = SPACE_COIL, .count = 1, .values = {2}},
        {.write = true, .unit = 1, .space = SPACE_HOLDING, .count = DRIVER_RAW_WRITE_MAX + 1},
        {.unit = 0, .space = SPACE_HOLDING, .count = 1, .timeout_ms = QUICK_MS},
        {.write = true, .unit = 248, .space = SPACE_HOLDING, .count = 1, .timeout_ms = QUICK_MS},
    };
    struct peer p;
    struct driver_link *l;

    (void)state;
    peer_start(&p, BUS_RTU_OVER_TCP, answer);
    l = link_for(&p);
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        const struct driver_raw_answer a = carry_out(l, &rows[i]);

        expect_raw(&a, DRIVER_MALFORMED);
        assert_false(a.sent);
        assert_non_null(strstr(a.detail, "not sent"));
    }
    expect_requests(&p, 0);
    link_destroy(l);
    peer_stop(&p);
}

static void read_in_every_space(void **state)
{
    static const enum point_space spaces[] = {SPACE_COIL, SPACE_DISCRETE, SPACE_INPUT, SPACE_HOLDING};

    (void)state;
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        struct peer p;
        struct driver_link *l;

        peer_start(&p, kinds[k], answer);
        l = link_for(&p);
        for (unsigned i = 0; i < RG_COUNT(spaces); i++) {
            const struct driver_raw raw = {.unit = 1,
                                           .space = spaces[i],
                                           .address = 5,
                                           .count = DRIVER_RAW_READ_MAX,
                                           .timeout_ms = PATIENT_MS};
            const struct driver_raw_answer a = carry_out(l, &raw);

            expect_raw(&a, DRIVER_OK);
            for (unsigned v = 0; v < a.count; v++) {
                const unsigned expected =
                    spaces[i] <= SPACE_DISCRETE ? 0xA5u >> v % 8 & 1 : (i + 1) * 100 + v;

                assert_int_equal(a.values[v], expected);
            }
        }
        link_destroy(l);
        peer_stop(&p);
    }
}

/* One write, and what the unit makes of it. */
enum reply {
    REPLY_RIGHT,
    REPLY_EXCEPTION,
    REPLY_NONE,
    REPLY_GONE, /* the peer hangs up */
    REPLY_CUT,
    REPLY_ADDRESS,
    REPLY_VALUE,
    REPLY_UNIT,
    REPLY_FUNCTION,
    REPLY_LONG,
    REPLIES,
};

static _Atomic enum reply reply;
static struct request seen; /* the last; read when the peer has been halted */

static void serve_write(struct peer *p, const struct request *r)
{
    uint8_t body[256], out[300];
    size_t length = body_of(r, body);
    const enum reply how = atomic_load(&reply);

    if (r->function <= 4) {
        answer(p, r);
        return;
    }
    seen = *r;
    if (how == REPLY_NONE)
        return;
    if (how == REPLY_EXCEPTION) {
        refuse(p, r, 2);
        return;
    }
    if (how == REPLY_GONE) {
        peer_drop(p, false);
        return;
    }
    if (how == REPLY_UNIT)
        body[0]++;
    if (how == REPLY_FUNCTION)
        body[1] = body[1] == 6 ? 5 : 6;
    if (how == REPLY_ADDRESS)
        body[3]++;
    if (how == REPLY_VALUE)
        body[5] ^= 1;
    if (how ==
        REPLY_LONG) /* over TCP; RTU: it is noise after the frame, for the next request to get rid of */
        body[length++] = 0;
    length = frame(p, r->transaction, body, length, out);
    if (how == REPLY_LONG && p->kind != BUS_TCP)
        length = frame(p, r->transaction, body, body_of(r, body), out);
    put(p, out, how == REPLY_CUT ? length - 2 : length);
}

static const struct driver_raw raws[] = {
    {.write = true, .unit = 3, .space = SPACE_COIL, .address = 7, .count = 1, .values = {1}},
    {.write = true, .unit = 3, .space = SPACE_HOLDING, .address = 0x118, .count = 1, .values = {0xBEEF}},
    {.write = true, .unit = 3, .space = SPACE_COIL, .address = 7, .count = 9, .values = {1, 0, 1}},
    {.write = true,
     .unit = 3,
     .space = SPACE_HOLDING,
     .address = 0,
     .count = DRIVER_RAW_WRITE_MAX,
     .values = {7}},
};

static void expect_seen(const struct driver_raw *raw)
{
    const bool one = raw->count == 1;

    assert_int_equal(seen.unit, raw->unit);
    assert_int_equal(seen.address, raw->address);
    assert_int_equal(seen.function, raw->space == SPACE_COIL ? (one ? 5 : 15) : (one ? 6 : 16));
    if (one) {
        assert_int_equal(seen.count, raw->space == SPACE_COIL ? 0xFF00 : raw->values[0]);
        return;
    }
    assert_int_equal(seen.count, raw->count);
    for (unsigned i = 0; i < raw->count; i++) {
        if (raw->space == SPACE_COIL)
            assert_int_equal(seen.written[i / 8] >> i % 8 & 1, raw->values[i]);
        else
            assert_int_equal(seen.written[2 * i] << 8 | seen.written[2 * i + 1], raw->values[i]);
    }
}

static void write_once(enum bus_kind kind, size_t which, enum reply how)
{
    static const enum driver_result results[REPLIES] = {
        [REPLY_RIGHT] = DRIVER_OK,           [REPLY_EXCEPTION] = DRIVER_EXCEPTION,
        [REPLY_NONE] = DRIVER_SILENT,        [REPLY_GONE] = DRIVER_BROKEN,
        [REPLY_CUT] = DRIVER_MALFORMED,      [REPLY_ADDRESS] = DRIVER_MALFORMED,
        [REPLY_VALUE] = DRIVER_MALFORMED,    [REPLY_UNIT] = DRIVER_MALFORMED,
        [REPLY_FUNCTION] = DRIVER_MALFORMED, [REPLY_LONG] = DRIVER_MALFORMED,
    };
    const enum driver_result expected = how == REPLY_LONG && kind != BUS_TCP ? DRIVER_OK : results[how];
    struct driver_raw raw = raws[which];
    struct driver_raw_answer a;
    struct ask read = four;
    struct link_answer after;
    struct driver_link *l;
    struct peer p;

    atomic_store(&reply, how);
    peer_start(&p, kind, serve_write);
    l = link_for(&p);
    after = ask_for(l, &four, PATIENT_MS);
    expect_fresh(&after, &p);
    raw.timeout_ms = how == REPLY_NONE                       ? QUICK_MS
                     : how == REPLY_CUT || how == REPLY_UNIT ? LOADED_MS
                                                             : PATIENT_MS;
    a = carry_out(l, &raw);
    if (a.result != expected)
        fail_msg("kind %d write %zu reply %d: %s (%s)", (int)kind, which, (int)how,
                 driver_result_name(a.result), a.detail);
    assert_true(a.sent);
    assert_int_equal(a.exception, how == REPLY_EXCEPTION ? 2 : 0);
    expect_requests(&p, 2); /* sent once, whatever came of it */
    read.unit = 3;
    after = ask_for(l, &read, PATIENT_MS);
    expect_fresh(&after, &p);
    expect_requests(&p, 3);
    link_destroy(l);
    peer_halt(&p);
    expect_seen(&raw);
    peer_close(&p);
}

static void write_every_way(void **state)
{
    (void)state;
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        for (size_t w = 0; w < RG_COUNT(raws); w++) {
            for (int how = 0; how < REPLIES; how++) {
                /* Waiting for what is not there takes its time: once each is enough. */
                if ((how == REPLY_NONE || how == REPLY_CUT || how == REPLY_UNIT) && w != k)
                    continue;
                if (how == REPLY_GONE && kinds[k] == BUS_RTU)
                    continue;
                write_once(kinds[k], w, (enum reply)how);
            }
        }
    }
}

/* On, off, on: a unit that has fallen behind confirms the first when the third has been sent. Its relay is off then. */
static void serve_behind(struct peer *p, const struct request *r)
{
    if (r->nth == 1) { /* the poll: the line is known */
        answer(p, r);
        return;
    }
    if (r->nth == 2) {
        p->kept = *r;
        return;
    }
    if (r->nth == 3)
        return;
    if (r->nth == 4)
        answer(p, &p->kept);
    if (r->function <= 4)
        answer(p, r);
    /* No write after the first is ever carried out. */
}

static void late_confirmation_is_none(void **state)
{
    struct driver_raw rows[3] = {raws[0], raws[0], raws[0]};

    (void)state;
    rows[1].values[0] = 0;
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        struct driver_link *l;
        struct link_answer known;
        struct peer p;

        peer_start(&p, kinds[k], serve_behind);
        l = link_for(&p);
        known = ask_for(l, &four, PATIENT_MS);
        expect_fresh(&known, &p);
        for (size_t i = 0; i < RG_COUNT(rows); i++) {
            struct driver_raw_answer a;

            rows[i].timeout_ms = i < 2 ? QUICK_MS : 2 * LOADED_MS;
            a = carry_out(l, &rows[i]);
            expect_raw(&a, DRIVER_SILENT);
            assert_true(a.sent);
        }
        /* RTU kinds: a read of the coil stood between. */
        expect_requests(&p, kinds[k] == BUS_TCP ? 4 : 5);
        link_destroy(l);
        peer_stop(&p);
    }
}

/* The read that would be proof is not answered either: then the write stays here. */
static void serve_deaf(struct peer *p, const struct request *r)
{
    if (r->nth == 1)
        answer(p, r);
}

static void write_without_proof_is_not_sent(void **state)
{
    (void)state;
    for (size_t k = 1; k < RG_COUNT(kinds); k++) {
        struct driver_raw raw = raws[1];
        struct driver_raw_answer a;
        struct link_answer known;
        struct driver_link *l;
        struct peer p;

        raw.timeout_ms = QUICK_MS;
        peer_start(&p, kinds[k], serve_deaf);
        l = link_for(&p);
        known = ask_for(l, &four, PATIENT_MS);
        expect_fresh(&known, &p);
        a = carry_out(l, &raw);
        expect_raw(&a, DRIVER_SILENT);
        assert_true(a.sent);
        a = carry_out(l, &raw);
        expect_raw(&a, DRIVER_SILENT);
        assert_false(a.sent);
        expect_requests(&p, 3);
        link_destroy(l);
        peer_stop(&p);
    }
}

/* A relay module that knows no function 1 at all: its exception is proof, too. */
static void serve_writes_only(struct peer *p, const struct request *r)
{
    if (r->function <= 4)
        refuse(p, r, 1);
    else if (r->nth > 2)
        answer(p, r);
}

static void exception_is_proof(void **state)
{
    (void)state;
    for (size_t k = 1; k < RG_COUNT(kinds); k++) {
        struct driver_raw raw = raws[0];
        struct driver_raw_answer a;
        struct link_answer known;
        struct driver_link *l;
        struct peer p;

        peer_start(&p, kinds[k], serve_writes_only);
        l = link_for(&p);
        known = ask_for(l, &four, PATIENT_MS);
        expect_result(&known, DRIVER_EXCEPTION);
        raw.timeout_ms = QUICK_MS;
        a = carry_out(l, &raw);
        expect_raw(&a, DRIVER_SILENT);
        raw.timeout_ms = PATIENT_MS;
        a = carry_out(l, &raw);
        expect_raw(&a, DRIVER_OK);
        assert_int_equal(a.exception, 0);
        expect_requests(&p, 4);
        link_destroy(l);
        peer_stop(&p);
    }
}

/* Written to all: nobody answers, and the line is left alone while they carry it out. Over Modbus TCP unit 0 is the
 * device at that address, and answers. */
static void serve_but_all(struct peer *p, const struct request *r)
{
    if (r->unit != 0 || p->kind == BUS_TCP)
        answer(p, r);
}

static void written_to_all(void **state)
{
    (void)state;
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        struct driver_raw raw = raws[1];
        struct driver_raw_answer a;
        struct link_answer after;
        struct driver_link *l;
        struct peer p;
        int64_t before_us;

        raw.unit = 0;
        raw.timeout_ms = PATIENT_MS;
        peer_start(&p, kinds[k], serve_but_all);
        l = link_for(&p);
        for (unsigned i = 0; i < 2; i++) {
            before_us = clock_mono_us();
            a = carry_out(l, &raw);
            expect_raw(&a, DRIVER_OK);
            assert_true(a.sent);
            after = ask_for(l, &four, PATIENT_MS);
            expect_fresh(&after, &p);
            expect_requests(&p, 2 * i + 2);
            if (kinds[k] != BUS_TCP)
                assert_true(atomic_load(&p.asked_us) - before_us >= LINK_TURNAROUND_US);
        }
        link_destroy(l);
        peer_stop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_as_specified),     cmocka_unit_test(what_cannot_be_asked),
        cmocka_unit_test(read_in_every_space),       cmocka_unit_test(write_every_way),
        cmocka_unit_test(late_confirmation_is_none), cmocka_unit_test(write_without_proof_is_not_sent),
        cmocka_unit_test(exception_is_proof),        cmocka_unit_test(written_to_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
