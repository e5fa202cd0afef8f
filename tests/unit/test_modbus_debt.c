/* LINK rg_modbus */
/* Whatever a unit on a serial line is asked and however late it answers: what it says is never taken for the answer to
 * another request than the one it answers. The line and the unit are played here, in their own time; frames are
 * judged by the driver's own code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/random.h"
#include "drivers/modbus/link_judge.h"

#define SEEDS 3000
#define STEPS 400
#define OWED_MAX 4096
#define TIMEOUT_US 60000
#define LATEST_US 9500000 /* below DEBT_REST_MIN_US */
#define UNIT 3

struct reply {
    int64_t at_us;
    struct ask ask;
    unsigned number; /* of the request */
    uint8_t exception;
};

struct world {
    struct rg_random random;
    int64_t now_us;
    struct debt debts[256];
    struct reply queue[OWED_MAX]; /* first in, first out, as serial units are */
    unsigned head, tail, asked;
    unsigned late_left; /* requests that will be answered late */
    int64_t late_us;
    unsigned good, rests;
};

static unsigned frame_of(const struct reply *reply, uint8_t *frame)
{
    const uint32_t shape = ask_shape(&reply->ask);

    memset(frame, 0, 260);
    frame[0] = UNIT;
    frame[1] = reply->ask.function;
    if (reply->exception) {
        frame[1] |= 0x80;
        frame[2] = reply->exception;
        return 5;
    }
    if (ask_is_write(&reply->ask)) {
        for (unsigned i = 0; i < 4; i++)
            frame[2 + i] = (uint8_t)(shape >> (24 - 8 * i));
    } else {
        frame[2] = (uint8_t)shape;
    }
    return ask_answer_bytes(&reply->ask) + 2;
}

static void put(struct world *w, const struct ask *ask)
{
    struct reply *reply = &w->queue[w->tail % OWED_MAX];
    int64_t at_us = w->now_us + 1000 + (int64_t)random_below(&w->random, 3000);

    w->asked++;
    if (w->late_left > 0) {
        w->late_left--;
        if (random_below(&w->random, 6) == 0)
            return; /* never */
        at_us = w->now_us + w->late_us + (int64_t)random_below(&w->random, 20000);
    }
    if (w->tail > w->head && at_us <= w->queue[(w->tail - 1) % OWED_MAX].at_us)
        at_us = w->queue[(w->tail - 1) % OWED_MAX].at_us + 1;
    *reply = (struct reply){.at_us = at_us, .ask = *ask, .number = w->asked};
    if (random_below(&w->random, 10) == 0)
        reply->exception = 6;
    assert_true(w->tail - w->head < OWED_MAX);
    w->tail++;
}

/* As link.c does it: what came before is thrown away, then frames are judged until one ends the request. */
static void exchange(struct world *w, const struct ask *ask, struct link_answer *answer)
{
    struct debt *debt = &w->debts[UNIT];
    unsigned mine;

    while (w->head < w->tail && w->queue[w->head % OWED_MAX].at_us <= w->now_us)
        w->head++;
    put(w, ask);
    mine = w->asked;
    for (const int64_t until_us = w->now_us + TIMEOUT_US;;) {
        const struct reply *reply = &w->queue[w->head % OWED_MAX];
        uint8_t frame[260];

        if (w->head == w->tail || reply->at_us >= until_us) {
            w->now_us = until_us;
            link_end(answer, DRIVER_SILENT, "silent");
            break;
        }
        w->now_us = reply->at_us;
        w->head++;
        if (!judge_rtu(ask, w->debts, frame, frame_of(reply, frame), answer))
            continue;
        if (answer->result == DRIVER_OK || answer->result == DRIVER_EXCEPTION)
            assert_int_equal(reply->number, mine); /* the promise */
        break;
    }
    if (answer->result == DRIVER_OK || answer->result == DRIVER_EXCEPTION)
        debt_clear(debt);
    else
        debt_note(debt, ask, w->now_us);
}

static void ask_it(struct world *w, const struct ask *ask)
{
    struct debt *debt = &w->debts[UNIT];
    struct link_answer answer = {0};
    struct ask probe;
    int64_t until_us = 0;

    switch (debt_advise(debt, ask, w->now_us, TIMEOUT_US, &probe, &until_us)) {
    case DEBT_ASK:
        break;
    case DEBT_LISTEN:
        fail_msg("a probe can always be had here");
        return;
    case DEBT_REST:
        w->rests++;
        assert_true(until_us > w->now_us && until_us <= w->now_us + DEBT_REST_MIN_US);
        w->now_us += (until_us - w->now_us) / 2 + 1;
        return;
    case DEBT_PROBE:
        assert_false(ask_is_write(&probe)); /* a write that nobody asked for would be an act */
        exchange(w, &probe, &answer);
        if (answer.result != DRIVER_OK && answer.result != DRIVER_EXCEPTION)
            return;
        break;
    }
    exchange(w, ask, &answer);
    w->good += answer.result == DRIVER_OK;
}

#define ASK(f, a, n, ...)                                                                                    \
    {                                                                                                        \
        .unit = UNIT, .function = f, .address = a, .count = n, .limit = 125, .values = __VA_ARGS__           \
    }

/* Some are alike in all that their answers say: late ones of these are the danger. */
static const uint16_t on[] = {1, 1, 1, 0, 0, 1, 0, 1}, off[8] = {0};
static const struct ask reads[] = {ASK(1, 0, 8, NULL),   ASK(1, 100, 8, NULL), ASK(2, 0, 8, NULL),
                                   ASK(2, 100, 8, NULL), ASK(3, 0, 2, NULL),   ASK(3, 20, 2, NULL),
                                   ASK(4, 0, 14, NULL),  ASK(4, 40, 14, NULL)};
static const struct ask writes[] = {ASK(5, 0, 1, on),  ASK(5, 0, 1, off), ASK(6, 7, 1, on),
                                    ASK(6, 7, 1, off), ASK(15, 0, 8, on), ASK(15, 0, 8, off),
                                    ASK(16, 0, 3, on), ASK(16, 0, 3, off)};

static const struct ask *any_ask(struct world *w, bool with_writes)
{
    if (with_writes && random_below(&w->random, 2))
        return &writes[random_below(&w->random, 2) ? random_below(&w->random, 2)
                                                   : random_below(&w->random, RG_COUNT(writes))];
    return &reads[random_below(&w->random, 2) ? random_below(&w->random, 2)
                                              : random_below(&w->random, RG_COUNT(reads))];
}

static void run(bool with_writes, unsigned seeds)
{
    static struct world w;
    unsigned good = 0, rests = 0;

    for (unsigned seed = 1; seed <= seeds; seed++) {
        memset(&w, 0, sizeof w);
        random_seed(&w.random, seed);
        w.now_us = 1000000;
        for (unsigned step = 0; step < STEPS; step++) {
            if (random_below(&w.random, 40) == 0) {
                w.late_left = 1 + (unsigned)random_below(&w.random, 30);
                w.late_us = (int64_t)random_below(&w.random, random_below(&w.random, 2) ? 400000 : LATEST_US);
            }
            if (random_below(&w.random, 3) > 0)
                w.now_us += (int64_t)random_below(&w.random, 100000);
            ask_it(&w, any_ask(&w, with_writes));
        }
        good += w.good;
        rests += w.rests;
    }
    print_message("%u answers, %u times at rest\n", good, rests);
    assert_true(good > seeds * 20);
    assert_true(rests > 0);
}

static void late_answers_are_never_taken_for_others(void **state)
{
    (void)state;
    run(false, SEEDS);
}

/* No write is reported as done on the word of an older one. */
static void late_confirmations_are_never_taken_for_others(void **state)
{
    (void)state;
    run(true, SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_answers_are_never_taken_for_others),
        cmocka_unit_test(late_confirmations_are_never_taken_for_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
