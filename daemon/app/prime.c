#include "app/prime.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "app/flow.h"
#include "base/log.h"
#include "replay/prime.h"

/* What is recorded may be so much older than the moment it is there: a disk that was slow to take it. */
#define LATE_MS 600000

struct prime {
    struct rules *rules; /* NULL: given away */
    const struct site *site;
    struct moment begun;
    atomic_bool cancelled;
    struct replay_past store;
    struct replay_source source; /* of the store, while one is open */
    int64_t read_turn;           /* readings up to here are in the windows */
    bool rest;                   /* only what came after that is wanted */
    enum rg_err err;
    char why[REPLAY_WHY];
    struct replay_primed primed;
};

/* ---- the past, in two parts ---- */

static enum rg_err next_cb(void *arg, struct history_entry *entry)
{
    struct prime *prime = arg;
    enum rg_err err;

    if (atomic_load(&prime->cancelled))
        return RG_ESTATE;
    err = prime->source.next(prime->source.arg, entry);
    if (err == RG_OK && entry->stream == STREAM_TELEMETRY && entry->turn > prime->read_turn)
        prime->read_turn = entry->turn;
    return err;
}

static const char *why_cb(void *arg)
{
    struct prime *prime = arg;

    return prime->source.why(prime->source.arg);
}

static enum rg_err open_cb(void *arg, const struct history_wish *wish, struct replay_source *out, char *why)
{
    struct prime *prime = arg;
    struct history_wish rest = *wish;
    enum rg_err err;

    if (prime->rest && !wish->only_clock) {
        rest.after_turn = prime->read_turn;
        if (rest.from_ms < prime->begun.wall_ms - LATE_MS)
            rest.from_ms = prime->begun.wall_ms - LATE_MS;
    }
    err = prime->store.open(prime->store.arg, &rest, &prime->source, why);
    *out = (struct replay_source){
        .arg = prime, .next = next_cb, .why = why_cb, .total = err == RG_OK ? prime->source.total : 0};
    return err;
}

static void close_cb(void *arg, struct replay_source *source)
{
    struct prime *prime = arg;

    prime->store.close(prime->store.arg, &prime->source);
    source->arg = NULL;
}

static void read_past(struct prime *prime, struct rules *rules, struct moment at)
{
    const struct replay_past past = {.arg = prime, .open = open_cb, .close = close_cb};

    prime->err = replay_prime(rules, prime->site, &past, at, INT64_MAX, &prime->primed, prime->why);
}

/* ---- off the loop ---- */

/* Of a zeroed one. */
static void prime_init(struct prime *prime, const struct pipeline *p, const struct site *site)
{
    prime->site = site;
    prime->begun = pipeline_now(p);
    prime->store = replay_past_store(p->site->store.path);
    atomic_init(&prime->cancelled, false);
}

enum rg_err prime_create(struct pipeline *p, const struct site *next, struct prime **out)
{
    struct prime *prime = calloc(1, sizeof *prime);
    enum rg_err err;

    *out = NULL;
    if (!prime)
        return RG_ENOMEM;
    prime_init(prime, p, next);
    err = rules_create(next, 1, flow_change_cb, p, &prime->rules);
    if (err == RG_OK && rules_lacks_history(prime->rules, p->rules)) {
        *out = prime;
        return RG_OK;
    }
    prime_destroy(prime);
    return err;
}

void prime_run(struct prime *prime)
{
    read_past(prime, prime->rules, prime->begun);
}

void prime_cancel(struct prime *prime)
{
    if (prime)
        atomic_store(&prime->cancelled, true);
}

void prime_destroy(struct prime *prime)
{
    if (!prime)
        return;
    rules_destroy(prime->rules);
    free(prime);
}

struct rules *prime_rules(struct prime *prime)
{
    struct rules *rules = prime->rules;

    prime->rules = NULL;
    return rules;
}

/* ---- on the loop ---- */

static void tell(const struct replay_primed *all, uint64_t readings, uint64_t frames, int64_t took_ms)
{
    log_info("windows of the rules filled with %" PRIu64 " readings of %" PRIu64 " records, in %" PRId64
             " ms",
             readings, frames, took_ms);
    if (all->forgotten > 0)
        log_info("windows of the rules begun anew where a configuration gave points another meaning "
                 "meanwhile: %" PRIu64,
                 all->forgotten);
}

/* Time is told on both clocks by the monotonic one, so that a replay, which only has the start's instant, places every reading where
 * it was placed here. */
struct moment prime_fill(struct pipeline *p, struct rules *rules, struct prime *prime, int64_t *took_ms)
{
    struct replay_primed before = {0};
    struct prime own = {.rules = NULL};
    struct moment begun = pipeline_now(p), now = begun;

    if (prime) {
        before = prime->primed;
        prime->rest = prime->err == RG_OK;
    } else {
        prime_init(&own, p, p->site);
        prime = &own;
    }
    if (prime->err == RG_OK)
        read_past(prime, rules, begun);
    if (prime->err != RG_OK)
        log_error("the windows of the rules begin empty, what was recorded cannot be read: %s", prime->why);
    *took_ms = loop_mono_ms(p->loop) - begun.mono_ms;
    if (prime->primed.longest_ms == 0)
        return begun;
    p->primed_ms = begun.wall_ms;
    now.mono_ms += *took_ms;
    now.wall_ms += *took_ms;
    tell(prime->rest ? &before : &prime->primed, before.readings + prime->primed.readings,
         before.frames + prime->primed.frames, *took_ms);
    return now;
}
