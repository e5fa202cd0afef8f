/* LINK rg_rules m */
/* What members of a vote make of their verdicts, by table and at random; guards; the arithmetic of limits that follow. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "rules/decimal.h"
#include "rules/guard.h"
#include "rules/vote.h"

#define MEMBERS 5

/* says: what the members say in turn, "<member><letter>": n(one) b y o r, lower case sure, upper case "at least"; ! bad. */
struct row {
    const char *name;
    uint32_t need, count;
    enum vote_bad policy;
    enum level restored; /* and the alarm's level throughout */
    const char *says;
    enum level level;
    bool sure;
};

static const struct row rows[] = {
    {"nobody said anything", 2, 3, VOTE_BAD_COUNTS, LEVEL_NONE, "", LEVEL_NONE, false},
    {"one of two needed", 2, 3, VOTE_BAD_COUNTS, LEVEL_NONE, "0r", LEVEL_NONE, true},
    {"two of two", 2, 3, VOTE_BAD_COUNTS, LEVEL_NONE, "0r 1r", LEVEL_RED, true},
    {"the level that two have", 2, 3, VOTE_BAD_COUNTS, LEVEL_NONE, "0r 1b 2y", LEVEL_YELLOW, true},
    {"one falls back", 2, 3, VOTE_BAD_COUNTS, LEVEL_NONE, "0r 1r 0n 2b", LEVEL_BLUE, true},
    {"counts: one bad, one decides", 2, 3, VOTE_BAD_COUNTS, LEVEL_NONE, "0r 1! 2n", LEVEL_RED, true},
    {"counts: two bad, the third alone", 2, 3, VOTE_BAD_COUNTS, LEVEL_NONE, "0! 1! 2o", LEVEL_ORANGE, true},
    {"counts: two bad, the third well", 2, 3, VOTE_BAD_COUNTS, LEVEL_NONE, "0! 1! 2n", LEVEL_NONE, true},
    {"counts: all bad raise nothing", 2, 3, VOTE_BAD_COUNTS, LEVEL_NONE, "0! 1! 2!", LEVEL_NONE, false},
    {"counts: not what a bad one was", 2, 2, VOTE_BAD_COUNTS, LEVEL_NONE, "0r 0! 1!", LEVEL_NONE, false},
    {"counts: never seen is not bad", 2, 3, VOTE_BAD_COUNTS, LEVEL_NONE, "2r", LEVEL_NONE, true},
    {"counts: three of three, one bad", 3, 3, VOTE_BAD_COUNTS, LEVEL_NONE, "0r 1r 2!", LEVEL_RED, true},
    {"counts: as many bad as needed", 2, 4, VOTE_BAD_COUNTS, LEVEL_NONE, "0! 1! 2n 3n", LEVEL_NONE, true},
    {"counts: what stands is not lowered by its voter's end", 1, 2, VOTE_BAD_COUNTS, LEVEL_RED, "0r 1n 0!",
     LEVEL_RED, true},
    {"counts: 2 of 3, the last voter turns bad", 2, 3, VOTE_BAD_COUNTS, LEVEL_RED, "0n 0! 1r 2n 1!",
     LEVEL_RED, true},
    {"counts: back and well, it is lowered", 2, 3, VOTE_BAD_COUNTS, LEVEL_RED, "0n 0! 1r 2n 1! 1n",
     LEVEL_NONE, true},
    {"holds: one bad, one is not enough", 2, 3, VOTE_BAD_HOLDS, LEVEL_NONE, "0r 1! 2n", LEVEL_NONE, true},
    {"holds: it keeps its vote", 2, 3, VOTE_BAD_HOLDS, LEVEL_NONE, "1r 1! 2n 0o", LEVEL_ORANGE, true},
    {"holds: all bad, nothing is raised", 2, 3, VOTE_BAD_HOLDS, LEVEL_NONE, "0r 0! 1! 2!", LEVEL_NONE, false},
    {"holds: all bad, nothing is lowered", 2, 3, VOTE_BAD_HOLDS, LEVEL_RED, "0r 1r 0! 1! 2!", LEVEL_RED,
     false},
    {"holds: good ones lower", 2, 3, VOTE_BAD_HOLDS, LEVEL_RED, "0r 0! 1n 2n", LEVEL_NONE, true},
    {"restored: one well is not the end", 2, 3, VOTE_BAD_COUNTS, LEVEL_RED, "0n", LEVEL_RED, true},
    {"restored: two well of three are", 2, 3, VOTE_BAD_COUNTS, LEVEL_RED, "0n 1n", LEVEL_NONE, true},
    {"restored: bad ones stay where they were", 2, 3, VOTE_BAD_COUNTS, LEVEL_RED, "0! 1! 2!", LEVEL_RED,
     false},
    {"at least: counts for what it is sure of", 2, 3, VOTE_BAD_HOLDS, LEVEL_NONE, "0Y 1r 2n", LEVEL_YELLOW,
     true},
    {"at least: and raises alone where one is needed", 1, 2, VOTE_BAD_HOLDS, LEVEL_NONE, "0O", LEVEL_ORANGE,
     false},
    {"at least: lowers nothing", 1, 2, VOTE_BAD_HOLDS, LEVEL_RED, "0r 0B 1n", LEVEL_RED, true},
    {"held up by bad ones alone: higher is not excluded", 1, 2, VOTE_BAD_HOLDS, LEVEL_NONE, "0r 0! 1b",
     LEVEL_BLUE, false},
};

static struct verdict verdict_of(char letter)
{
    static const char letters[] = "nbyor", unsure[] = "NBYOR";
    const char *at;

    if (letter == '!')
        return VERDICT_UNKNOWN;
    at = strchr(letters, letter);
    if (at)
        return (struct verdict){(enum level)(at - letters), true, (enum level)(at - letters)};
    at = strchr(unsure, letter);
    assert_non_null(at);
    return (struct verdict){(enum level)(at - unsure), false, LEVEL_RED};
}

static void every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct site_rule conf = {.vote_need = row->need, .vote_bad = row->policy};
        struct vote_member members[MEMBERS];
        struct verdict is;
        struct vote v;

        vote_init(&v, &conf, members, row->count);
        if (row->restored != LEVEL_NONE)
            vote_restore(&v, row->restored);
        for (const char *p = row->says; *p; p += p[2] ? 3 : 2)
            vote_take(&v, (uint32_t)(p[0] - '0'), verdict_of(p[1]));
        is = vote_judge(&v, row->restored);
        if (is.level != row->level || is.sure != row->sure)
            fail_msg("%s: %s%s", row->name, level_name(is.level), is.sure ? "" : " at least");
    }
}

/* By the words of vote.h, member by member. */
static enum level plain(const struct vote *v, bool good_only)
{
    for (enum level level = LEVEL_RED; level > LEVEL_NONE; level--) {
        uint32_t at = 0, surely = 0, below = 0;

        for (uint32_t i = 0; i < v->count; i++) {
            const struct vote_member *m = &v->members[i];

            enum level is = good_only ? m->most : m->level;

            at += is >= level;
            surely += m->least >= level;
            below += m->seen && !m->sure && is < level;
        }
        if (v->policy == VOTE_BAD_HOLDS)
            below = 0;
        if (at > 0 && at + below >= v->need && (!good_only || surely > 0))
            return level;
    }
    return LEVEL_NONE;
}

/* Counting step by step is counting anew; a member that turns bad never lowers; all bad never raise. */
static void at_random(void **state)
{
    uint64_t seed = 20261122;
    struct rg_random random;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    random_seed(&random, seed);
    for (int run = 0; run < 400; run++) {
        struct site_rule conf = {.vote_need = 1 + (uint32_t)(random_below(&random, MEMBERS)),
                                 .vote_bad = random_below(&random, 2) ? VOTE_BAD_HOLDS : VOTE_BAD_COUNTS};
        struct vote_member members[MEMBERS];
        enum level alarm = (enum level)(random_below(&random, LEVEL_COUNT));
        struct vote v;

        vote_init(&v, &conf, members, MEMBERS);
        vote_restore(&v, alarm);
        for (int step = 0; step < 100; step++) {
            enum level before = vote_judge(&v, alarm).level, held, proved;
            bool bad = random_below(&random, 3) == 0;
            struct verdict is, says = {(enum level)(random_below(&random, LEVEL_COUNT)),
                                       random_below(&random, 4) != 0, LEVEL_RED};
            enum level most = (enum level)(random_below(&random, LEVEL_COUNT));

            says.most = says.sure || most < says.level ? says.level : most;

            vote_take(&v, (uint32_t)(random_below(&random, MEMBERS)), bad ? VERDICT_UNKNOWN : says);
            is = vote_judge(&v, alarm);
            proved = plain(&v, true);
            held = plain(&v, false);
            held = held < alarm ? held : alarm;
            assert_int_equal(is.level, proved > held ? proved : held);
            if (bad && before <= alarm)
                assert_true(is.level >= before);
            if (is.level > alarm)
                assert_true(vote_first(&v, is.level) < MEMBERS);
            assert_true(is.sure ? is.most == is.level : is.most >= is.level);
            if (v.sure == 0)
                assert_false(is.sure);
        }
    }
}

static void guards(void **state)
{
    static const double values[] = {1, 19.9};
    const struct site_guard is = {.is = values, .is_count = 2};
    const struct site_guard between = {.has_above = true, .above = 5, .has_below = true, .below = 19.9};
    const struct site_guard both = {.is = values, .is_count = 2, .has_above = true, .above = 5};

    (void)state;
    assert_true(guard_holds(&is, 1, false));
    assert_false(guard_holds(&is, 0, false));
    assert_true(guard_holds(&is, 19.9, false));
    assert_false(guard_holds(&is, (double)19.9f, false));
    assert_true(guard_holds(&is, (double)19.9f, true));
    assert_true(guard_holds(&between, 5, false));
    assert_true(guard_holds(&between, 19.9, false));
    assert_false(guard_holds(&between, 4.9, false));
    assert_false(guard_holds(&between, 20, false));
    assert_false(guard_holds(&both, 1, false));
    assert_true(guard_holds(&both, 19.9, false));
}

/* What people work out on paper. */
static void decimals(void **state)
{
    (void)state;
    assert_true(1.1 - 0.2 != 0.9 && decimal_sum(1.1, -0.2) == 0.9);
    assert_true(3 * 1.1 != 3.3 && decimal_follow(3, 1.1, 0) == 3.3);
    assert_true(decimal_follow(0.1, 3, 0) == 0.3);
    assert_true(decimal_follow(0.7, 0.1, 0.2) == 0.27);
    assert_true(decimal_follow(-20.5, 1.2, 0.6) == -24);
    assert_true(decimal_follow(0, 1.2, 0) == 0);
    assert_true(decimal_sum(1e-9, 2e-9) == 3e-9);
    assert_true(decimal_sum(123456789.1, 0.2) == 123456789.3);
    assert_true(isinf(decimal_sum(INFINITY, -1)));
    assert_true(isnan(decimal_follow(NAN, 1, 1)));
    assert_true(decimal_sum(9e15, 1) == 9e15 + 1);
    for (int i = -3000; i < 3000; i++) {
        for (int j = 0; j < 30; j++) {
            char text[32];

            (void)text_format(text, sizeof text, "%s%d.%03d", i * j < 0 ? "-" : "", abs(i * j) / 1000,
                              abs(i * j) % 1000);
            assert_true(decimal_follow(i / 100.0, j / 10.0, 0) == strtod(text, NULL));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row),
        cmocka_unit_test(at_random),
        cmocka_unit_test(guards),
        cmocka_unit_test(decimals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
