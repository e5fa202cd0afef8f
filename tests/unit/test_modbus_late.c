/* LINK rg_modbus; LABEL tsan */
#include <inttypes.h>

#include "drivers/modbus/debt.h"
#include "modbus_peer.h"

#define SECOND_US 1000000

static void debt_probes(void **state)
{
    struct debt d = {0};
    struct ask ask = {.unit = 1, .function = 3, .address = 10, .count = 3, .limit = 125}, probe;
    int64_t until = 0;

    (void)state;
    assert_int_equal(debt_advise(&d, &ask, 0, SECOND_US, &probe, &until), DEBT_ASK);
    debt_note(&d, &ask, 0);
    assert_int_equal(debt_advise(&d, &ask, SECOND_US, SECOND_US, &probe, &until), DEBT_PROBE);
    assert_int_equal(probe.count, 2);
    assert_int_equal(probe.address, 10);
    debt_note(&d, &probe, SECOND_US);
    assert_int_equal(debt_advise(&d, &ask, SECOND_US, SECOND_US, &probe, &until), DEBT_PROBE);
    assert_int_equal(probe.count, 1);
    debt_note(&d, &probe, SECOND_US);
    assert_int_equal(debt_advise(&d, &ask, SECOND_US, SECOND_US, &probe, &until), DEBT_PROBE);
    assert_int_equal(probe.count, 4); /* longer only when nothing shorter is left */
    ask.count = 5;
    assert_int_equal(debt_advise(&d, &ask, SECOND_US, SECOND_US, &probe, &until), DEBT_ASK);
    debt_clear(&d);
    ask.count = 3;
    assert_int_equal(debt_advise(&d, &ask, SECOND_US, SECOND_US, &probe, &until), DEBT_ASK);
}

static void debt_without_probe(void **state)
{
    struct debt d = {0};
    struct ask ask = {.unit = 1, .function = 4, .address = 65535, .count = 1, .limit = 125}, probe;
    int64_t until = 0;

    (void)state;
    debt_note(&d, &ask, 0); /* there is no register after it */
    assert_int_equal(debt_advise(&d, &ask, SECOND_US, 3 * SECOND_US, &probe, &until), DEBT_LISTEN);
    assert_int_equal(until, 6 * SECOND_US);
    assert_int_equal(debt_advise(&d, &ask, 6 * SECOND_US, 3 * SECOND_US, &probe, &until), DEBT_ASK);
    ask = (struct ask){.unit = 1, .function = 4, .address = 0, .count = 1, .limit = 1};
    debt_note(&d, &ask, 0);
    assert_int_equal(debt_advise(&d, &ask, 1, 1, &probe, &until), DEBT_LISTEN);
    assert_int_equal(until, DEBT_GRACE_MIN_US);
    ask.limit = 2;
    assert_int_equal(debt_advise(&d, &ask, 1, 1, &probe, &until), DEBT_PROBE);
    assert_int_equal(probe.count, 2);
    debt_refuse(&d, &ask, &probe);
    assert_int_equal(debt_advise(&d, &ask, 1, 1, &probe, &until), DEBT_LISTEN);
}

/* Probes stay unanswered as well: there is another one for as long as what is owed can be told apart. */
static void debt_never_runs_out_before_it_is_full(void **state)
{
    struct debt d = {0};
    struct ask ask = {.unit = 1, .function = 1, .address = 0, .count = 8, .limit = 125}, probe = {0};
    int64_t until = 0;

    (void)state;
    debt_note(&d, &ask, 0);
    for (unsigned n = 1; n <= DEBT_LONGER; n++) {
        assert_int_equal(debt_advise(&d, &ask, 1, 1, &probe, &until), DEBT_PROBE);
        assert_int_equal(probe.count, 8 + 8 * n);
        debt_note(&d, &probe, 0);
    }
    assert_int_equal(debt_advise(&d, &ask, 1, 1, &probe, &until), DEBT_REST);
    assert_int_equal(until, DEBT_REST_MIN_US);
    assert_int_equal(debt_advise(&d, &ask, 1, 2 * SECOND_US, &probe, &until), DEBT_REST);
    assert_int_equal(until, 20 * SECOND_US);
    assert_int_equal(debt_advise(&d, &ask, DEBT_REST_MIN_US, 1, &probe, &until), DEBT_ASK);
    assert_int_equal(d.count, 0);
}

/* More requests than there is room for: any answer may be owed. */
static void debt_overflows_to_rest(void **state)
{
    struct debt d = {0};
    struct ask ask = {.unit = 1, .function = 3, .address = 0, .count = 20, .limit = 125}, probe = {0};
    int64_t until = 0;

    (void)state;
    for (unsigned n = 0; n <= DEBT_SHAPES; n++) {
        ask.count = (uint16_t)(20 + n);
        debt_note(&d, &ask, 0);
    }
    ask.count = 100;
    assert_int_equal(debt_advise(&d, &ask, 1, 1, &probe, &until), DEBT_REST);
    assert_int_equal(debt_advise(&d, &ask, DEBT_REST_MIN_US, 1, &probe, &until), DEBT_ASK);
}

static void debt_remembers_which_probes_are_refused(void **state)
{
    struct debt d = {0};
    struct ask ask = {.unit = 1, .function = 3, .address = 0, .count = 2, .limit = 125}, probe = {0};
    int64_t until = 0;

    (void)state;
    debt_note(&d, &ask, 0);
    assert_int_equal(debt_advise(&d, &ask, 1, 1, &probe, &until), DEBT_PROBE);
    assert_int_equal(probe.count, 1);
    debt_refuse(&d, &ask, &probe); /* half of a float */
    assert_int_equal(debt_advise(&d, &ask, 1, 1, &probe, &until), DEBT_PROBE);
    assert_int_equal(probe.count, 3);
    debt_refuse(&d, &ask, &probe);
    assert_int_equal(debt_advise(&d, &ask, 1, 1, &probe, &until), DEBT_LISTEN);
    debt_clear(&d);
    debt_note(&d, &ask, 0);
    assert_int_equal(debt_advise(&d, &ask, 1, 1, &probe, &until), DEBT_LISTEN);
}

static void debt_of_bits_and_bounds(void **state)
{
    struct debt d = {0};
    struct ask ask = {.unit = 1, .function = 1, .address = 0, .count = 12, .limit = 125}, probe;
    int64_t until = 0;

    (void)state;
    debt_note(&d, &ask, 0);
    assert_int_equal(debt_advise(&d, &ask, 1, 1, &probe, &until), DEBT_PROBE);
    assert_int_equal(ask_data_bytes(&probe), 1); /* 12 bits and 11 bits have answers of one length */
    ask.count = 2000;
    debt_note(&d, &ask, 0);
    assert_int_equal(debt_advise(&d, &ask, 1, 1, &probe, &until), DEBT_PROBE);
    assert_true(probe.count < 2000);
    debt_clear(&d);
    for (uint16_t n = 1; n <= DEBT_SHAPES + 1; n++) {
        ask.function = 3;
        ask.count = n;
        debt_note(&d, &ask, 0);
        debt_note(&d, &ask, 0); /* noted once */
    }
    assert_true(d.many);
    assert_true(debt_owes(&d, 4, 200)); /* anything may be owed */
    ask.count = 100;
    assert_int_equal(debt_advise(&d, &ask, 1, 1, &probe, &until), DEBT_REST);
    assert_int_equal(debt_advise(&d, &ask, DEBT_REST_MIN_US, 1, &probe, &until), DEBT_ASK);
    /* A probe would still be had, but nothing is that late. */
    ask.count = 4;
    debt_note(&d, &ask, 0);
    assert_int_equal(debt_advise(&d, &ask, DEBT_FORGET_MIN_US - 1, 1, &probe, &until), DEBT_PROBE);
    assert_int_equal(debt_advise(&d, &ask, DEBT_FORGET_MIN_US, 1, &probe, &until), DEBT_ASK);
}

/* The first request's answer comes right before the second's. */
static void serve_late(struct peer *p, const struct request *r)
{
    if (r->nth == 1) {
        p->kept = *r;
        return;
    }
    if (r->nth == 2)
        answer(p, &p->kept);
    answer(p, r);
}

static void late_answer_is_no_value(void **state)
{
    (void)state;
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        struct peer p;
        struct driver_link *l;
        struct link_answer a;

        peer_start(&p, kinds[k], serve_late);
        l = link_for(&p);
        a = ask_for(l, &four, QUICK_MS);
        expect_result(&a, DRIVER_SILENT);
        a = ask_for(l, &four, PATIENT_MS);
        expect_fresh(&a, &p);
        /* RTU kinds: one probe of another length in between. */
        assert_int_equal(atomic_load(&p.requests), kinds[k] == BUS_TCP ? 2 : 3);
        a = ask_for(l, &four, PATIENT_MS);
        expect_fresh(&a, &p);
        assert_int_equal(atomic_load(&p.requests), kinds[k] == BUS_TCP ? 3 : 4);
        link_destroy(l);
        peer_stop(&p);
    }
}

/* A unit that may be asked for one register only: no probe, so the line is listened to. Its first answer comes once it was given up. */
static atomic_bool given_up;

static void serve_late_by_itself(struct peer *p, const struct request *r)
{
    for (int turns = 0; r->nth == 1 && !atomic_load(&given_up) && turns < PATIENT_MS; turns++)
        (void)poll(NULL, 0, 1);
    answer(p, r);
}

static void late_answer_without_probe(void **state)
{
    (void)state;
    for (size_t k = 1; k < RG_COUNT(kinds); k++) {
        struct peer p;
        struct driver_link *l;
        struct link_answer a;

        atomic_store(&given_up, false);
        peer_start(&p, kinds[k], serve_late_by_itself);
        l = link_for(&p);
        a = ask_for(l, &one_only, QUICK_MS);
        atomic_store(&given_up, true);
        expect_result(&a, DRIVER_SILENT);
        a = ask_for(l, &one_only, LOADED_MS);
        expect_fresh(&a, &p);
        assert_int_equal(atomic_load(&p.requests), 2);
        link_destroy(l);
        peer_stop(&p);
    }
}

/* A unit that knows nothing but four registers at once. */
static void serve_four_only(struct peer *p, const struct request *r)
{
    if (r->count != 4)
        refuse(p, r, 2);
    else if (r->nth > 1)
        answer(p, r);
}

static void probe_refused(void **state)
{
    struct peer p;
    struct driver_link *l;
    struct link_answer a;

    (void)state;
    peer_start(&p, BUS_RTU_OVER_TCP, serve_four_only);
    l = link_for(&p);
    a = ask_for(l, &four, QUICK_MS);
    expect_result(&a, DRIVER_SILENT);
    /* An exception that could be the late answer is believed neither way. Neither a shorter nor a longer probe:
     * so wait, and ask. */
    a = ask_for(l, &four, LOADED_MS);
    expect_fresh(&a, &p);
    assert_int_equal(a.exception, 0);
    assert_int_equal(atomic_load(&p.requests), 4);
    assert_int_equal(atomic_load(&p.connections), 1);
    link_destroy(l);
    peer_stop(&p);
}

/* A late answer of one unit while another is asked: passed over, the other does not suffer. */
static void serve_late_other(struct peer *p, const struct request *r)
{
    if (r->unit == MUTE_UNIT) {
        p->kept = *r;
        return;
    }
    answer(p, &p->kept);
    answer(p, r);
}

static void late_answer_of_another_unit(void **state)
{
    struct ask other = four;

    (void)state;
    other.unit = MUTE_UNIT;
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        struct peer p;
        struct driver_link *l;
        struct link_answer a;

        peer_start(&p, kinds[k], serve_late_other);
        l = link_for(&p);
        a = ask_for(l, &other, QUICK_MS);
        expect_result(&a, DRIVER_SILENT);
        a = ask_for(l, &four, PATIENT_MS);
        expect_fresh(&a, &p);
        link_destroy(l);
        peer_stop(&p);
    }
}

/* At random: answers at once, answers when next asked, never answers, or refuses; always in order. */
static void serve_at_random(struct peer *p, const struct request *r)
{
    if (p->has_kept && random_below(&p->random, 4)) {
        if (random_below(&p->random, 6))
            answer(p, &p->kept);
        else
            refuse(p, &p->kept, 4);
    }
    p->has_kept = false;
    switch (random_below(&p->random, 8)) {
    case 0:
        p->kept = *r;
        p->has_kept = true;
        break;
    case 1:
        break;
    case 2:
        refuse(p, r, 6);
        break;
    default:
        answer(p, r);
    }
}

static void random_lateness(void **state)
{
    const char *given = getenv("RG_SEED");
    const uint64_t seed = given ? strtoull(given, NULL, 10) : random_system_seed();
    unsigned ok = 0;

    (void)state;
    print_message("RG_SEED=%" PRIu64 "\n", seed);
    for (size_t k = 0; k < RG_COUNT(kinds); k++) {
        const int64_t until_us = clock_mono_us() + 400000;
        struct peer p;
        struct driver_link *l;
        struct rg_random random;

        random_seed(&random, seed);
        peer_start_seeded(&p, kinds[k], serve_at_random, seed + 1);
        l = link_for(&p);
        /* A busy machine may have been late for every one of them: then until there is one. */
        while (clock_mono_us() < until_us || (ok == 0 && clock_mono_us() < until_us + PATIENT_MS * 1000)) {
            const struct ask ask = {.unit = (uint8_t)(1 + random_below(&random, 2)),
                                    .function = 3,
                                    .address = (uint16_t)random_below(&random, 3),
                                    .count = (uint16_t)(1 + random_below(&random, 12)),
                                    .limit = 125};
            const struct link_answer a = ask_for(l, &ask, 15);

            if (a.result == DRIVER_OK) {
                expect_fresh(&a, &p);
                ok++;
            }
            assert_true(a.result != DRIVER_BROKEN && a.result != DRIVER_UNREACHABLE);
        }
        link_destroy(l);
        peer_stop(&p);
    }
    assert_true(ok > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debt_probes),
        cmocka_unit_test(debt_without_probe),
        cmocka_unit_test(debt_never_runs_out_before_it_is_full),
        cmocka_unit_test(debt_overflows_to_rest),
        cmocka_unit_test(debt_remembers_which_probes_are_refused),
        cmocka_unit_test(debt_of_bits_and_bounds),
        cmocka_unit_test(late_answer_is_no_value),
        cmocka_unit_test(late_answer_without_probe),
        cmocka_unit_test(probe_refused),
        cmocka_unit_test(late_answer_of_another_unit),
        cmocka_unit_test(random_lateness),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
