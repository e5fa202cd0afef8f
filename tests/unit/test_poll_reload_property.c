/* LINK rg_test_support rg_poll rg_loop_virtual */
/* Reloads at random instants, of random changes, under random faults and errands. Judged against a twin that is never reloaded:
 *
 * - A bus that nobody touches does the same to the millisecond: the same requests, frames and answers to errands.
 * - A device that nobody touches, on a bus where others come and go, is polled once at each of its instants, and none is skipped.
 * - A value that is told was asked as what it is told for (yard_frame_cb).
 * - One line or connection has never two transactions at once, whoever holds it.
 * - Each errand is answered once. What was removed is gone: links, plans, memory. */
#include "base/random.h"
#include "poll_reload.h"

#define BUSES 4
#define PER_BUS 4
#define END_MS (VIRTUAL_MONO_MS + 90 * 1000)
#define SEEDS 40
#define UNTOUCHED 2 /* of the devices of bus 1; all of bus 0 are */

struct play {
    struct yard *y;
    uint64_t seed;
    bool faults;
    struct rg_random random;
    size_t errands;
    struct poll_device_stats figures[PER_BUS]; /* in the end, of bus 0 */
};

static uint64_t draw(uint64_t seed, uint64_t what, int64_t when, uint64_t below)
{
    struct rg_random r;

    random_seed(&r, seed * 1000003 + what * 7919 + (uint64_t)when);
    (void)random_next(&r);
    return random_below(&r, below);
}

static enum fake_behaviour decide_cb(const struct yard *y, uint32_t device, size_t request, int64_t now_ms)
{
    static const enum fake_behaviour faults[] = {FAKE_SILENT, FAKE_SILENT, FAKE_EXCEPTION,   FAKE_MALFORMED,
                                                 FAKE_LATE,   FAKE_BROKEN, FAKE_UNREACHABLE, FAKE_OK};

    if (draw(y->seed, device, now_ms / 7000, 3) != 0)
        return FAKE_OK;
    return faults[draw(y->seed, 100 + device + request, now_ms / 500, RG_COUNT(faults))];
}

/* A number below n from the dice of the play. */
static uint64_t roll(struct play *p, uint64_t n)
{
    return random_below(&p->random, n);
}

static bool has(const uint32_t *all, size_t count, uint32_t one)
{
    for (size_t i = 0; i < count; i++)
        if (all[i] == one)
            return true;
    return false;
}

/* What is on bus 0 keeps its order: among devices that are due together it decides. */
static void shuffle(struct play *p, uint32_t *all, size_t count, uint32_t keep_below)
{
    for (size_t i = count; i > 1; i--) {
        const size_t k = (size_t)roll(p, i);
        const uint32_t a = all[i - 1], b = all[k];

        all[i - 1] = b;
        all[k] = a;
    }
    uint32_t next = 0;
    for (size_t i = 0; i < count; i++)
        if (all[i] < keep_below)
            all[i] = next++;
}

static struct spec change(struct play *p)
{
    struct spec s = p->y->spec;
    const struct spec *was = &p->y->spec;

    s.bus_count = s.device_count = 0;
    for (uint32_t i = 0; i < BUSES; i++) {
        const bool there = has(was->buses, was->bus_count, i);

        if (i < 2 || (there ? roll(p, 6) != 0 : roll(p, 2) == 0))
            s.buses[s.bus_count++] = i;
        if (i >= 2 && roll(p, 6) == 0)
            s.bus_version[i]++;
    }
    for (uint32_t i = 0; i < BUSES * PER_BUS; i++) {
        const bool there = has(was->devices, was->device_count, i);
        const bool untouched = i < PER_BUS + UNTOUCHED;

        if (!has(s.buses, s.bus_count, i / PER_BUS))
            continue;
        if (untouched || (there ? roll(p, 5) != 0 : roll(p, 2) == 0))
            s.devices[s.device_count++] = i;
        if (!untouched && roll(p, 5) == 0)
            s.device_version[i]++;
    }
    shuffle(p, s.buses, s.bus_count, 0);
    shuffle(p, s.devices, s.device_count, PER_BUS);
    return s;
}

static void add_errand(struct play *p, uint32_t of_base)
{
    struct yard *y = p->y;
    struct poll_errand e = {.ask = {.write = true, .unit = 1, .space = SPACE_HOLDING, .count = 1},
                            .done = yard_errand_cb,
                            .arg = y};

    for (uint32_t i = 0; i < y->spec.bus_count; i++) {
        if (y->spec.buses[i] != of_base)
            continue;
        e.bus = i;
        e.urgent = draw(p->seed, 400, loop_mono_ms(y->loop), 2) == 0;
        if (poll_errand(y->poll, &e) == RG_OK)
            p->errands++;
    }
}

static struct play play_begin(uint64_t seed)
{
    struct play p = {.y = yard_create(BUSES, PER_BUS), .seed = seed, .faults = seed % 2 == 0};
    struct yard *y = p.y;

    random_seed(&p.random, seed);
    y->seed = seed;
    y->decide = p.faults ? decide_cb : NULL;
    for (uint32_t i = 0; i < BUSES * PER_BUS; i++) {
        fake_device(y->fake, i)->takes_ms = 1 + (int64_t)draw(seed, 500 + i, 0, 20);
        fake_device(y->fake, i)->per_request = 1 + draw(seed, 600 + i, 0, YARD_POINTS);
        y->base->devices[i].retries = (uint32_t)draw(seed, 700 + i, 0, 2);
        if (p.faults)
            y->base->devices[i].timeout_ms = 50 + (int64_t)draw(seed, 800 + i, 0, 800);
    }
    yard_start(y);
    return p;
}

/* Both plays are asked for the same on bus 0 at the same instants; the reloads come in between. */
static void play(struct play *p, bool reloads)
{
    struct yard *y = p->y;
    int64_t reload_ms = reloads ? VIRTUAL_MONO_MS + 1 : END_MS;
    int64_t ask_ms = VIRTUAL_MONO_MS + 100;

    while (reload_ms < END_MS || ask_ms < END_MS) {
        assert_true(virtual_loop_run_until(y->loop, reload_ms < ask_ms ? reload_ms : ask_ms));
        if (loop_mono_ms(y->loop) >= ask_ms && ask_ms < END_MS) {
            add_errand(p, 0);
            if (reloads)
                add_errand(p, 1 + (uint32_t)roll(p, BUSES - 1));
            (void)!poll_now(y->poll, yard_device(y, (uint32_t)draw(p->seed, 900, ask_ms, PER_BUS)));
            ask_ms += 37 + (int64_t)draw(p->seed, 901, ask_ms, 900);
        }
        if (loop_mono_ms(y->loop) >= reload_ms && reload_ms < END_MS) {
            const struct spec next = change(p);

            yard_reload(y, &next);
            reload_ms += 1 + (int64_t)roll(p, 1500);
        }
    }
    assert_true(virtual_loop_run_until(y->loop, END_MS + 20000));
    assert_int_equal(y->errands, p->errands);
    for (uint32_t i = 0; i < PER_BUS; i++)
        p->figures[i] = yard_stats(y, i);
}

static void fail_at(const struct play *p, const char *what, size_t at)
{
    fail_msg("seed %llu: %s (%zu)", (unsigned long long)p->seed, what, at);
}

static const struct fake_call *next_call(const struct yard *y, uint32_t bus, size_t *at)
{
    while (*at < y->call_count && y->calls[*at].bus != bus)
        ++*at;
    return *at < y->call_count ? &y->calls[(*at)++] : NULL;
}

static const struct seen_frame *next_frame(const struct yard *y, uint32_t bus, size_t *at)
{
    while (*at < y->frame_count && y->frames[*at].device / PER_BUS != bus)
        ++*at;
    return *at < y->frame_count ? &y->frames[(*at)++] : NULL;
}

static void compare_bus(const struct play *p, const struct play *twin)
{
    const struct fake_call *a, *b;
    const struct seen_frame *f, *g;
    size_t i = 0, k = 0;

    do {
        a = next_call(p->y, 0, &i);
        b = next_call(twin->y, 0, &k);
        if (!a != !b ||
            (a && (a->begun_ms != b->begun_ms || a->ended_ms != b->ended_ms || a->raw != b->raw ||
                   a->device != b->device || a->request != b->request || a->behaviour != b->behaviour)))
            fail_at(p, "another request", i);
    } while (a);
    i = k = 0;
    do {
        f = next_frame(p->y, 0, &i);
        g = next_frame(twin->y, 0, &k);
        if (!f != !g || (f && (f->device != g->device || f->at_ms != g->at_ms || f->heard != g->heard ||
                               f->good != g->good)))
            fail_at(p, "another frame", i);
    } while (f);
}

static void compare_figures(const struct play *p, const struct play *twin)
{
    for (uint32_t i = 0; i < PER_BUS; i++) {
        const struct poll_device_stats *a = &p->figures[i], *b = &twin->figures[i];

        if (a->state != b->state || a->ok != b->ok || a->errors != b->errors || a->skipped != b->skipped ||
            a->retries != b->retries || a->soft != b->soft || a->left_out != b->left_out ||
            a->late_ms != b->late_ms)
            fail_at(p, "other figures", i);
    }
}

static void check_lines(const struct play *p)
{
    int64_t busy_until[BUSES] = {0};

    for (size_t i = 0; i < p->y->call_count; i++) {
        const struct fake_call *c = &p->y->calls[i];

        if (c->begun_ms < busy_until[c->bus])
            fail_at(p, "two at once on one line", i);
        busy_until[c->bus] = c->ended_ms;
    }
}

/* Without faults: bus 1 has room for all that may come. */
static void check_instants(const struct play *p)
{
    for (uint32_t d = PER_BUS; d < PER_BUS + UNTOUCHED; d++) {
        int64_t instant = VIRTUAL_MONO_MS / 1000 - 1;

        for (size_t i = 0; i < p->y->call_count; i++) {
            const struct fake_call *c = &p->y->calls[i];

            if (c->raw || c->device != d || c->request != 0)
                continue;
            if (c->begun_ms / 1000 != instant + 1)
                fail_at(p, "an instant was not served, or served twice", i);
            instant++;
        }
        if (yard_stats(p->y, d).skipped != 0)
            fail_at(p, "skipped", d);
    }
}

static void one_seed(uint64_t seed)
{
    struct play twin = play_begin(seed);

    play(&twin, false);
    poll_destroy(twin.y->poll); /* there is one fake at a time */
    twin.y->poll = NULL;
    struct play p = play_begin(seed);

    play(&p, true);
    compare_bus(&p, &twin);
    compare_figures(&p, &twin);
    check_lines(&p);
    if (!p.faults)
        check_instants(&p);
    yard_destroy(p.y);
    yard_destroy(twin.y);
}

static void reloads_change_nothing_else(void **state)
{
    const char *only = getenv("POLL_SEED"); /* to look at one that failed */

    (void)state;
    if (only != NULL) {
        one_seed(strtoull(only, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        one_seed(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reloads_change_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
