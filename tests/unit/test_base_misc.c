/* LINK rg_base */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash_index.h"
#include "base/random.h"
#include "base/ring.h"

static void errors_have_names(void **state)
{
    (void)state;
    assert_string_equal(rg_err_name(RG_OK), "OK");
    assert_string_equal(rg_err_text(RG_OK), "no error");
    assert_string_equal(rg_err_name(RG_ENOMEM), "ENOMEM");
    assert_string_equal(rg_err_text(RG_EPERM), "not permitted");
    assert_string_equal(rg_err_name((enum rg_err)(-99)), "?");
    assert_non_null(rg_err_text((enum rg_err)5));
}

/* ---- ring ---- */

static void a_ring_is_first_in_first_out(void **state)
{
    struct ring r;
    uint32_t next_in = 0, next_out = 0, got = 0;
    struct rg_random random;

    (void)state;
    random_seed(&random, 1);
    assert_int_equal(ring_create(&r, sizeof got, 7), RG_OK);
    for (int i = 0; i < 10000; i++) {
        if (random_below(&random, 2)) {
            bool full = r.count == 7;

            assert_int_equal(ring_push(&r, &next_in), !full);
            next_in += !full;
        } else {
            bool empty = r.count == 0;

            assert_int_equal(ring_pop(&r, &got), !empty);
            if (!empty)
                assert_int_equal(got, next_out++);
        }
        assert_int_equal(r.count, next_in - next_out);
        for (size_t k = 0; k < r.count; k++) {
            memcpy(&got, ring_at(&r, k), sizeof got);
            assert_int_equal(got, next_out + k);
        }
        assert_null(ring_at(&r, r.count));
    }
    assert_true(next_out > 1000);
    assert_true(r.refused > 0);
    ring_destroy(&r);
    ring_destroy(&r);
}

static void a_ring_refuses_and_counts(void **state)
{
    struct ring r;
    char c = 'a';

    (void)state;
    assert_int_equal(ring_create(&r, 0, 4), RG_EINVAL);
    assert_int_equal(ring_create(&r, 4, 0), RG_EINVAL);
    assert_int_equal(ring_create(&r, SIZE_MAX / 2, 4), RG_ENOMEM);
    ring_destroy(&r);
    assert_int_equal(ring_create(&r, 1, 1), RG_OK);
    assert_true(ring_push(&r, &c));
    assert_false(ring_push(&r, &c));
    assert_false(ring_push(&r, &c));
    assert_int_equal(r.refused, 2);
    ring_destroy(&r);
}

/* ---- backoff ---- */

static void backoff_doubles_to_its_cap_with_jitter(void **state)
{
    static const int64_t full[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
    struct rg_random random;
    struct backoff b;

    (void)state;
    random_seed(&random, 42);
    for (int round = 0; round < 200; round++) {
        backoff_init(&b, 500, 30000);
        for (size_t i = 0; i < RG_COUNT(full); i++) {
            int64_t delay = backoff_fail(&b, &random);

            assert_in_range(delay, full[i] / 2, full[i]);
        }
        backoff_reset(&b);
        assert_in_range(backoff_fail(&b, &random), 250, 500);
    }
}

static void backoff_uses_its_whole_range(void **state)
{
    struct rg_random random;
    struct backoff b;
    int64_t least = INT64_MAX, most = 0;

    (void)state;
    random_seed(&random, 7);
    for (int i = 0; i < 2000; i++) {
        int64_t delay;

        backoff_init(&b, 100, 100);
        delay = backoff_fail(&b, &random);
        least = delay < least ? delay : least;
        most = delay > most ? delay : most;
    }
    assert_int_equal(least, 50);
    assert_int_equal(most, 100);
}

static void backoff_takes_odd_numbers(void **state)
{
    struct rg_random random;
    struct backoff b;

    (void)state;
    random_seed(&random, 7);
    backoff_init(&b, 0, 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(backoff_fail(&b, &random), 1);
    backoff_init(&b, 1, INT64_MAX);
    for (int i = 0; i < 200; i++)
        assert_true(backoff_fail(&b, &random) >= 1);
    b.failures = UINT32_MAX;
    assert_true(backoff_fail(&b, &random) >= INT64_MAX / 2);
    assert_int_equal(b.failures, UINT32_MAX);
}

/* ---- random ---- */

static void random_is_splitmix64(void **state)
{
    struct rg_random r;

    (void)state;
    random_seed(&r, 1234567);
    assert_true(random_next(&r) == 6457827717110365317u);
    assert_true(random_next(&r) == 3203168211198807973u);
    assert_true(random_next(&r) == 9817491932198370423u);
}

static void random_below_is_even(void **state)
{
    unsigned counts[10] = {0};
    struct rg_random r;

    (void)state;
    random_seed(&r, 3);
    assert_true(random_below(&r, 0) == 0);
    assert_true(random_below(&r, 1) == 0);
    for (int i = 0; i < 100000; i++)
        counts[random_below(&r, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(counts[i], 9500, 10500);
    for (int i = 0; i < 1000; i++) {
        double unit = random_unit(&r);

        assert_true(unit >= 0 && unit < 1);
        assert_true(random_below(&r, UINT64_MAX) < UINT64_MAX);
    }
    assert_true(random_system_seed() != random_system_seed());
}

/* ---- clock ---- */

static void clocks_go_forward(void **state)
{
    int64_t us = clock_mono_us();
    int64_t ms = clock_mono_ms();

    (void)state;
    assert_true(ms >= us / 1000 && ms <= clock_mono_us() / 1000);
    assert_true(clock_wall_ms() > INT64_C(1700000000000));
    (void)clock_synced();
}

static void utc_text(void **state)
{
    char out[32];

    (void)state;
    assert_string_equal(clock_format_utc(0, out), "1970-01-01T00:00:00.000Z");
    assert_string_equal(clock_format_utc(1795326369123, out), "2026-11-22T05:46:09.123Z");
    assert_string_equal(clock_format_utc(951782400000, out), "2000-02-29T00:00:00.000Z");
    assert_string_equal(clock_format_utc(-1, out), "1969-12-31T23:59:59.999Z");
    assert_non_null(clock_format_utc(INT64_MAX, out));
    assert_non_null(clock_format_utc(INT64_MIN, out));
}

/* ---- arena ---- */

static void an_arena_gives_zeroed_aligned_memory(void **state)
{
    struct rg_random r;
    struct arena a;
    struct {
        unsigned char *bytes;
        size_t size;
    } pieces[500];

    (void)state;
    random_seed(&r, 5);
    arena_init(&a, 0);
    for (size_t i = 0; i < RG_COUNT(pieces); i++) {
        size_t size = (size_t)random_below(&r, i % 50 == 0 ? 200000 : 300);

        pieces[i].size = size;
        pieces[i].bytes = arena_alloc(&a, size, 1);
        assert_non_null(pieces[i].bytes);
        assert_int_equal((uintptr_t)pieces[i].bytes % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(pieces[i].bytes[k], 0);
        memset(pieces[i].bytes, (int)(i & 0xff), size);
    }
    /* Nobody wrote into anybody else's. */
    for (size_t i = 0; i < RG_COUNT(pieces); i++) {
        for (size_t k = 0; k < pieces[i].size; k++)
            assert_int_equal(pieces[i].bytes[k], i & 0xff);
    }
    arena_destroy(&a);
    arena_destroy(&a);
    assert_null(a.blocks);
}

/* Texts of any length, one next to the other, and what comes behind them is aligned all the same. */
static void an_arena_packs_texts(void **state)
{
    struct arena a;
    char *texts[3000];

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < RG_COUNT(texts); i++) {
        texts[i] = arena_strndup(&a, "0123456789abcdefghijklmnopqrstuvwxyz", i % 37);
        assert_non_null(texts[i]);
        if (i % 500 == 499)
            assert_int_equal((uintptr_t)arena_alloc(&a, 1, 24) % alignof(max_align_t), 0);
    }
    assert_ptr_equal(texts[1], texts[0] + 1);
    assert_ptr_equal(texts[3], texts[2] + 3);
    for (size_t i = 0; i < RG_COUNT(texts); i++) {
        assert_int_equal(strlen(texts[i]), i % 37);
        assert_memory_equal(texts[i], "0123456789abcdefghijklmnopqrstuvwxyz", i % 37);
    }
    arena_destroy(&a);
}

static void an_arena_keeps_its_limit(void **state)
{
    struct arena a;
    size_t got = 0;

    (void)state;
    arena_init(&a, 1000);
    while (arena_alloc(&a, 1, 64))
        got += 64;
    assert_in_range(got, 900, 1000);
    assert_true(a.used <= 1000);
    arena_destroy(&a);
    arena_init(&a, 0);
    assert_null(arena_alloc(&a, SIZE_MAX / 2, 3));
    assert_null(arena_alloc(&a, SIZE_MAX, 1));
    assert_null(arena_alloc(&a, 1, PTRDIFF_MAX));
    assert_null(arena_strndup(&a, "", SIZE_MAX));
    assert_non_null(arena_alloc(&a, 0, 8));
    assert_non_null(arena_alloc(&a, 8, 0));
    arena_destroy(&a);
}

static void an_arena_copies_text(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_string_equal(arena_strdup(&a, "text"), "text");
    assert_string_equal(arena_strdup(&a, ""), "");
    assert_string_equal(arena_strndup(&a, "text", 2), "te");
    assert_string_equal(arena_strndup(&a, NULL, 0), "");
    assert_null(arena_strdup(&a, NULL));
    arena_destroy(&a);
}

/* ---- hash_index ---- */

static void names_are_found_again(void **state)
{
    static char names[5000][16];
    struct hash_index *h = NULL;
    uint32_t index = 0;

    (void)state;
    for (size_t expected = 0; expected <= 5000; expected += 2500) {
        assert_int_equal(hash_index_create(expected, &h), RG_OK);
        assert_int_equal(hash_index_find(h, "name-0", &index), RG_ENOTFOUND);
        for (uint32_t i = 0; i < 5000; i++) {
            (void)snprintf(names[i], sizeof names[i], "name-%u", i);
            assert_int_equal(hash_index_add(h, names[i], i, NULL), RG_OK);
        }
        for (uint32_t i = 0; i < 5000; i++) {
            char copy[16];

            memcpy(copy, names[i], sizeof copy);
            assert_int_equal(hash_index_find(h, copy, &index), RG_OK);
            assert_int_equal(index, i);
            assert_int_equal(hash_index_add(h, copy, 7, &index), RG_EEXIST);
            assert_int_equal(index, i);
        }
        assert_int_equal(hash_index_find(h, "name-5000", &index), RG_ENOTFOUND);
        assert_int_equal(hash_index_find(h, "", &index), RG_ENOTFOUND);
        hash_index_destroy(h);
    }
    hash_index_destroy(NULL);
    assert_int_equal(hash_index_create(SIZE_MAX, &h), RG_ENOMEM);
    assert_null(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_names),
        cmocka_unit_test(a_ring_is_first_in_first_out),
        cmocka_unit_test(a_ring_refuses_and_counts),
        cmocka_unit_test(backoff_doubles_to_its_cap_with_jitter),
        cmocka_unit_test(backoff_uses_its_whole_range),
        cmocka_unit_test(backoff_takes_odd_numbers),
        cmocka_unit_test(random_is_splitmix64),
        cmocka_unit_test(random_below_is_even),
        cmocka_unit_test(clocks_go_forward),
        cmocka_unit_test(utc_text),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(an_arena_packs_texts),
        cmocka_unit_test(an_arena_keeps_its_limit),
        cmocka_unit_test(an_arena_copies_text),
        cmocka_unit_test(names_are_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
