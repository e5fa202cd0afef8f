#include "replay/run.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/text.h"
#include "replay/feed.h"

#define RING 4 /* blocks that are read ahead */

struct slot {
    struct block block;
    size_t users; /* players that are not through with it */
};

struct relay {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    struct slot slots[RING];
    uint64_t filled; /* blocks so far */
    bool ended;
};

struct runner {
    pthread_t thread;
    struct relay *relay;
    struct replay_player *player;
    bool running;
};

/* The turn of the last frame that is not later than the end that is wished: a clock that stepped forward and back again makes
 * frames before it later, and they belong to the past all the same. */
static enum rg_err find_end(const struct replay_past *past, int64_t until_ms, int64_t *turn, char *why)
{
    const struct history_wish wish = {.telemetry_only = true, .last_until_ms = until_ms};
    struct replay_source source;
    struct history_entry entry;
    enum rg_err err;

    *turn = 0;
    if (until_ms == 0)
        return RG_OK;
    err = past->open(past->arg, &wish, &source, why);
    if (err != RG_OK)
        return err;
    /* One, and one of those that were held back. */
    while ((err = source.next(source.arg, &entry)) == RG_OK) {
        if (entry.turn > *turn)
            *turn = entry.turn;
    }
    if (err != RG_ENOTFOUND)
        (void)text_copy(why, REPLAY_WHY, source.why(source.arg));
    past->close(past->arg, &source);
    return err == RG_ENOTFOUND ? RG_OK : err;
}

/* Before the first frame that is left, only the alarms' own records count; a store that still has its first frame has everything. */
static enum rg_err find_beginning(const struct replay_past *past, int64_t *turn, char *why)
{
    const struct history_wish wish = {.telemetry_only = true};
    struct replay_source source;
    struct history_entry entry;
    enum rg_err err = past->open(past->arg, &wish, &source, why);

    *turn = 0;
    if (err != RG_OK)
        return err;
    /* One that was held back may be left of a time of which the retention has taken all others. */
    do {
        err = source.next(source.arg, &entry);
    } while (err == RG_OK && entry.held);
    if (err == RG_OK && entry.seq > 1)
        *turn = entry.turn;
    if (err != RG_OK && err != RG_ENOTFOUND)
        (void)text_copy(why, REPLAY_WHY, source.why(source.arg));
    past->close(past->arg, &source);
    return err == RG_ENOTFOUND ? RG_OK : err;
}

static void *play(void *arg)
{
    struct runner *r = arg;
    struct relay *relay = r->relay;
    uint64_t next = 0;

    (void)pthread_mutex_lock(&relay->lock);
    for (;;) {
        struct slot *slot = &relay->slots[next % RING];

        while (next == relay->filled && !relay->ended)
            (void)pthread_cond_wait(&relay->moved, &relay->lock);
        if (next == relay->filled)
            break;
        (void)pthread_mutex_unlock(&relay->lock);
        replay_player_play(r->player, &slot->block);
        (void)pthread_mutex_lock(&relay->lock);
        next++;
        if (--slot->users == 0)
            (void)pthread_cond_broadcast(&relay->moved);
    }
    (void)pthread_mutex_unlock(&relay->lock);
    replay_player_end(r->player);
    return NULL;
}

static enum rg_err read_all(struct relay *relay, struct feed *feed, size_t players,
                            const struct replay_wish *wish)
{
    enum rg_err err = RG_OK;

    while (err == RG_OK) {
        struct slot *slot = &relay->slots[relay->filled % RING];

        (void)pthread_mutex_lock(&relay->lock);
        while (slot->users > 0)
            (void)pthread_cond_wait(&relay->moved, &relay->lock);
        (void)pthread_mutex_unlock(&relay->lock);
        err = feed_fill(feed, &slot->block);
        if (err != RG_OK)
            break;
        (void)pthread_mutex_lock(&relay->lock);
        slot->users = players;
        relay->filled++;
        (void)pthread_cond_broadcast(&relay->moved);
        (void)pthread_mutex_unlock(&relay->lock);
        if (wish->progress)
            wish->progress(wish->arg, feed->entries, feed->source.total);
    }
    return err == RG_ENOTFOUND ? RG_OK : err;
}

static enum rg_err run_threads(struct relay *relay, struct feed *feed, const struct replay_wish *wish,
                               struct replay_part *parts, size_t count)
{
    struct runner runners[REPLAY_PARTS_MAX] = {0};
    enum rg_err err = RG_OK;
    size_t players = 0;

    for (; players < count && err == RG_OK; players++) {
        runners[players] = (struct runner){.relay = relay, .player = parts[players].player};
        if (pthread_create(&runners[players].thread, NULL, play, &runners[players]) != 0)
            err = RG_ENOMEM;
        else
            runners[players].running = true;
    }
    if (err == RG_OK)
        err = read_all(relay, feed, count, wish);
    (void)pthread_mutex_lock(&relay->lock);
    relay->ended = true;
    (void)pthread_cond_broadcast(&relay->moved);
    (void)pthread_mutex_unlock(&relay->lock);
    for (size_t i = 0; i < players; i++) {
        if (runners[i].running)
            (void)pthread_join(runners[i].thread, NULL);
    }
    return err;
}

struct sites {
    const struct replay_part *parts;
    size_t count;
};

/* Sites that disagree get the double: it is what the text says. */
static bool single_cb(void *arg, const char *device, const char *point)
{
    const struct sites *sites = arg;
    bool any = false;

    for (size_t i = 0; i < sites->count; i++) {
        int single = replay_player_single(sites->parts[i].player, device, point);

        if (single == 0)
            return false;
        any = any || single == 1;
    }
    return any;
}

static enum rg_err run(const struct replay_source *source, const struct replay_wish *wish, int64_t end_turn,
                       struct replay_part *parts, size_t count, char *why)
{
    struct sites sites = {parts, count};
    struct relay relay = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    struct feed feed;
    enum rg_err err = RG_OK;

    feed_init(&feed, source, single_cb, &sites);
    feed_end_at(&feed, wish->until_ms, end_turn);
    for (size_t i = 0; i < RING && err == RG_OK; i++)
        err = block_create(&relay.slots[i].block);
    if (err == RG_OK)
        err = run_threads(&relay, &feed, wish, parts, count);
    if (err != RG_OK)
        (void)text_copy(why, REPLAY_WHY,
                        err == RG_ENOMEM || err == RG_EFULL ? rg_err_text(err) : source->why(source->arg));
    for (size_t i = 0; i < count && err == RG_OK; i++) {
        const struct replay_figures *figures = replay_player_figures(parts[i].player);

        err = figures->error;
        if (err != RG_OK)
            (void)text_copy(why, REPLAY_WHY, figures->why);
    }
    for (size_t i = 0; i < RING; i++)
        block_destroy(&relay.slots[i].block);
    feed_destroy(&feed);
    (void)pthread_mutex_destroy(&relay.lock);
    (void)pthread_cond_destroy(&relay.moved);
    return err;
}

static void drop_players(struct replay_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        replay_player_destroy(parts[i].player);
        parts[i].player = NULL;
    }
}

enum rg_err replay_run(const struct replay_past *past, const struct replay_wish *wish,
                       struct replay_part *parts, size_t count, char *why)
{
    const struct history_wish everything = {0};
    struct replay_source source;
    int64_t begin_turn = 0, end_turn = 0;
    enum rg_err err;

    why[0] = '\0';
    for (size_t i = 0; i < count; i++)
        parts[i].player = NULL;
    if (count == 0 || count > REPLAY_PARTS_MAX)
        return RG_EINVAL;
    err = find_beginning(past, &begin_turn, why);
    if (err == RG_OK)
        err = find_end(past, wish->until_ms, &end_turn, why);
    for (size_t i = 0; i < count && err == RG_OK; i++)
        err = replay_player_create(parts[i].site, past, begin_turn, &parts[i].cbs, parts[i].arg,
                                   &parts[i].player);
    if (err == RG_OK) {
        err = past->open(past->arg, &everything, &source, why);
        if (err == RG_OK) {
            err = run(&source, wish, end_turn, parts, count, why);
            past->close(past->arg, &source);
        }
    }
    if (err != RG_OK && !why[0])
        (void)text_copy(why, REPLAY_WHY, rg_err_text(err));
    if (err != RG_OK)
        drop_players(parts, count);
    return err;
}
