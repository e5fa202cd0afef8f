/* LINK rg_output rg_test_support */
/* Random levels, commands and failures, against relays that are simply what they are:
 *
 * - Nothing is written without a cause: the start, a change of what is wanted, a failure of its module, a read-back that
 *   says otherwise. - A module is asked one thing at a time, and after its silence not again within half of
 *   DRIVE_RETRY_MS but for a change. - Faults and confirmations alternate. - When the failures are over, every relay is as
 *   wanted within its longest gap and some, and then stays so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "output/output.h"
#include "support_site.h"

#define MODULES 3
#define OUTPUTS 7
#define ASSERT_MS 10000
#define CHAOS_MS 300000
/* The longest gap; then one transaction after the other for each output of a module. */
#define SETTLE_MS (ASSERT_MS + 8 * 1100)
#define SEEDS 300

enum behaviour { WELL, MUTE, REFUSES, WELDED /* takes writes and does not switch */, BEHAVIOURS };

struct output_seen {
    bool relay;   /* the coil as it is */
    bool cause;   /* to write */
    bool changed; /* wanted, since it was last written */
    bool wanted;  /* as last looked at */
    bool faulty;  /* as told */
    uint64_t writes;
};

struct job {
    bool waiting;
    int64_t done_ms;
    struct output_ask ask;
    uint32_t output;
};

struct world {
    struct support_site s;
    struct outputs *o;
    struct rg_random random;
    struct moment now;
    enum behaviour behaviour[MODULES];
    struct job jobs[MODULES];
    int64_t silent_ms[MODULES]; /* when its last silence ended; 0: it answered */
    struct output_seen seen[OUTPUTS];
    uint64_t announced;
};

static const char plant[] = "area hall\n"
                            "device m0\ndevice m1\ndevice m2 \n"
                            "output a device=m0 coil=0 area=hall from=orange silence=1\n"
                            "output b device=m0 coil=1 area=hall from=yellow silence=1\n"
                            "output c device=m0 coil=2 area=hall from=red\n"
                            "output d device=m0 coil=3 area=hall from=blue\n"
                            "output e device=m1 coil=0 area=hall from=orange silence=1\n"
                            "output f device=m1 coil=1 area=hall from=red silence=1\n"
                            "output g device=m2 coil=0 area=hall from=yellow\n";

static void look(struct world *w)
{
    for (uint32_t i = 0; i < OUTPUTS; i++) {
        struct output_status status;

        outputs_status(w->o, i, &status);
        if (status.wanted != w->seen[i].wanted)
            w->seen[i].cause = w->seen[i].changed = true;
        w->seen[i].wanted = status.wanted;
        assert_int_equal(status.faulty, w->seen[i].faulty);
    }
}

static enum rg_err ask_cb(void *arg, const struct output_ask *ask)
{
    struct world *w = arg;
    struct job *job = &w->jobs[ask->device];
    uint32_t output = 0;

    while (w->s.site.outputs[output].device != ask->device ||
           w->s.site.outputs[output].address != ask->address)
        output++;
    look(w);
    assert_false(job->waiting);
    if (ask->write)
        assert_true(w->seen[output].cause);
    if (w->silent_ms[ask->device] > 0 && !(ask->write && w->seen[output].changed))
        assert_true(w->now.mono_ms >= w->silent_ms[ask->device] + DRIVE_RETRY_MS / 2);
    if (ask->write) {
        w->seen[output].changed = false;
        w->seen[output].writes++;
    }
    if (random_below(&w->random, 50) == 0 && w->behaviour[ask->device] != WELL) {
        for (uint32_t i = 0; i < OUTPUTS; i++)
            w->seen[i].cause = w->seen[i].cause || w->s.site.outputs[i].device == ask->device;
        w->silent_ms[ask->device] = w->now.mono_ms;
        return RG_EFULL;
    }
    *job = (struct job){.waiting = true, .ask = *ask, .output = output};
    job->done_ms = w->now.mono_ms +
                   (w->behaviour[ask->device] == MUTE ? 1000 : 1 + (int64_t)random_below(&w->random, 100));
    return RG_OK;
}

static void news_cb(void *arg, uint32_t output, enum drive_news news, const char *detail)
{
    struct world *w = arg;

    (void)detail;
    if (news == DRIVE_FAULT) {
        assert_false(w->seen[output].faulty);
        w->seen[output].faulty = true;
    } else if (news == DRIVE_CONFIRMED) {
        w->seen[output].faulty = false;
    } else {
        assert_false(w->seen[output].faulty && news == DRIVE_SWITCHED);
    }
}

static void doubt_module(struct world *w, uint32_t module)
{
    for (uint32_t i = 0; i < OUTPUTS; i++) {
        if (w->s.site.outputs[i].device == module)
            w->seen[i].cause = true;
    }
}

static void carry_out(struct world *w, uint32_t module)
{
    struct job job = w->jobs[module];
    struct output_seen *seen = &w->seen[job.output];
    enum behaviour behaviour = w->behaviour[module];

    w->jobs[module].waiting = false;
    if (behaviour == MUTE || behaviour == REFUSES) {
        if (behaviour == MUTE)
            doubt_module(w, module);
        else
            seen->cause = true;
        w->silent_ms[module] = behaviour == MUTE ? w->now.mono_ms : 0;
        outputs_answer(job.ask.slot, behaviour == MUTE ? OUTPUT_SILENT : OUTPUT_REFUSED, 0, "x", w->now);
        return;
    }
    w->silent_ms[module] = 0;
    if (job.ask.write && behaviour == WELL)
        seen->relay = job.ask.value != 0;
    if (!job.ask.write && seen->relay != seen->wanted)
        seen->cause = true;
    else if (!job.ask.write && !seen->changed)
        seen->cause = false;
    outputs_answer(job.ask.slot, OUTPUT_GOOD, seen->relay, NULL, w->now);
}

/* Everything that happens up to an instant, in order. */
static void run_until(struct world *w, int64_t end_ms)
{
    while (true) {
        int64_t at = outputs_next_ms(w->o);
        uint32_t module = MODULES;

        for (uint32_t i = 0; i < MODULES; i++) {
            if (w->jobs[i].waiting && w->jobs[i].done_ms <= at) {
                at = w->jobs[i].done_ms;
                module = i;
            }
        }
        if (at > end_ms)
            break;
        if (at > w->now.mono_ms)
            w->now = (struct moment){at, at};
        if (module < MODULES)
            carry_out(w, module);
        else
            outputs_tick(w->o, w->now);
        look(w);
    }
    w->now = (struct moment){end_ms, end_ms};
}

static void act(struct world *w, bool failures)
{
    uint32_t output = (uint32_t)random_below(&w->random, OUTPUTS);

    switch (random_below(&w->random, failures ? 8 : 4)) {
    case 0:
    case 1:
        w->announced += random_below(&w->random, 2);
        outputs_follow(w->o, output, (enum level)random_below(&w->random, LEVEL_COUNT), w->announced, w->now);
        break;
    case 2:
        assert_int_not_equal(outputs_silence(w->o, output, w->now), RG_EINVAL);
        break;
    case 3:
        assert_int_equal(outputs_test(w->o, output, 1 + (int64_t)random_below(&w->random, 20000), w->now),
                         RG_OK);
        break;
    case 4:
        w->seen[output].relay = !w->seen[output].relay; /* behind its back */
        break;
    default:
        w->behaviour[random_below(&w->random, MODULES)] =
            (enum behaviour)random_below(&w->random, BEHAVIOURS);
        break;
    }
    look(w);
    outputs_tick(w->o, w->now);
}

static void judge(const struct world *w)
{
    for (uint32_t i = 0; i < OUTPUTS; i++) {
        struct output_status status;

        outputs_status(w->o, i, &status);
        assert_false(status.faulty);
        assert_true(status.known);
        assert_int_equal(status.on, status.wanted);
        assert_int_equal(w->seen[i].relay, status.wanted);
    }
}

static void one_world(uint64_t seed)
{
    struct world w = {.now = {1000, 1000}};
    const struct output_port port = {.arg = &w, .ask = ask_cb, .news = news_cb};
    uint64_t writes[OUTPUTS];

    support_site_build(&w.s, plant);
    random_seed(&w.random, seed);
    assert_int_equal(outputs_create(&w.s.site, &port, 1000, seed, &w.o), RG_OK);
    for (uint32_t i = 0; i < OUTPUTS; i++)
        w.seen[i] = (struct output_seen){.relay = random_below(&w.random, 2) != 0, .cause = true};
    outputs_tick(w.o, w.now);
    while (w.now.mono_ms < CHAOS_MS) {
        run_until(&w, w.now.mono_ms + 1 + (int64_t)random_below(&w.random, 8000));
        act(&w, true);
    }
    memset(w.behaviour, 0, sizeof w.behaviour); /* all are well; the last tests end */
    run_until(&w, w.now.mono_ms + 20000 + SETTLE_MS);
    judge(&w);
    for (uint32_t i = 0; i < OUTPUTS; i++)
        writes[i] = w.seen[i].writes;
    run_until(&w, w.now.mono_ms + 10 * ASSERT_MS);
    judge(&w);
    for (uint32_t i = 0; i < OUTPUTS; i++)
        assert_int_equal(w.seen[i].writes, writes[i]);
    outputs_destroy(w.o);
    support_site_free(&w.s);
}

static uint64_t seed_at_work;

static int tell_seed(void **state)
{
    (void)state;
    if (seed_at_work != 0)
        print_error("the seed at work last: %llu\n", (unsigned long long)seed_at_work);
    return 0;
}

static void random_worlds(void **state)
{
    (void)state;
    for (seed_at_work = 1; seed_at_work <= SEEDS; seed_at_work++)
        one_world(seed_at_work);
    seed_at_work = 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(random_worlds, tell_seed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
