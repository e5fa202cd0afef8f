/* LINK rg_sim rg_daemon rg_loop_virtual */
/* Two platforms ask for all there is, and ask again until they are told what came of it, while links are cut, the gateway is
 * restarted, loses its power, gets other configurations: whatever is told is so for ever, is done once and is recorded, and what
 * is not theirs is never done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"
#include "world.h"

#define DEVICES 4
#define ASKS 400 /* of each platform */
#define DURATION_MS (4 * WORLD_HOUR)
#define ASK_EVERY_MS (80 * WORLD_SECOND) /* at most; further tries come in between */

static const struct world_plan plan = {
    .devices = DEVICES,
    .points = 4,
    .buses = 2,
    .uplinks = 2,
    .poll_ms = 20 * WORLD_SECOND,
    .commit_ms = 10 * WORLD_SECOND,
    .offline_ms = 70 * WORLD_SECOND,
    .backfill_rate = 500,
    .red = 40,
    .commands = true,
    .duration_ms = DURATION_MS + WORLD_HOUR,
};

enum kind { ASK_ACK, ASK_SHELVE, ASK_UNSHELVE, ASK_READ, ASK_BACKFILL, ASK_NONSENSE };

struct ask {
    char id[24], text[256], alarm[ALARM_ID_MAX];
    enum kind kind;
    unsigned sent;
    bool foreign;  /* this platform may not */
    bool told, ok; /* what came of it */
};

struct city {
    struct world *w;
    unsigned index;
    struct ask asks[ASKS];
    size_t count;
    unsigned answers, replays, refused;
} cities[WORLD_UPLINKS];

static const char *const names[WORLD_UPLINKS] = {"county", "city"};

/* ---- what is told ---- */

static struct ask *find(struct city *c, const char *id)
{
    for (size_t i = 0; id && i < c->count; i++) {
        if (strcmp(c->asks[i].id, id) == 0)
            return &c->asks[i];
    }
    return NULL;
}

static void note(const struct city *c, struct ask *a, bool ok, const char *error)
{
    WORLD_CHECK(c->w, !a->told || a->ok == ok, "%s: %s was %s, and is now %s (%s)", names[c->index], a->id,
                a->ok ? "carried out" : "failed", ok ? "carried out" : "failed", error ? error : "");
    WORLD_CHECK(c->w, !ok || !a->foreign, "%s: %s was carried out: %s", names[c->index], a->id, a->text);
    a->told = true;
    a->ok = ok;
}

static void take_answer(struct city *c, const struct json *answer, const char *text)
{
    const char *error = json_string(json_get(answer, "error"));
    const struct json *first = json_get(answer, "first");
    struct ask *a = find(c, json_string(json_get(answer, "id")));

    c->answers++;
    WORLD_CHECK(c->w, a || json_is_null(json_get(answer, "id")), "an answer to nobody's question: %s", text);
    if (!a)
        return;
    if (json_bool(json_get(answer, "ok"), false)) {
        note(c, a, true, NULL);
    } else if (strncmp(error, "failed: ", 8) == 0) {
        note(c, a, false, error);
    } else if (first) {
        c->replays++;
        note(c, a, json_bool(json_get(first, "ok"), false), json_string(json_get(first, "error")));
    } else {
        c->refused++;
        WORLD_CHECK(c->w, strncmp(error, "not allowed: ", 13) != 0 || a->foreign, "%s: %s: %s",
                    names[c->index], a->text, error);
    }
}

static void look_cb(struct world_platform *p, const char *topic, const struct support_message *m)
{
    struct city *c = &cities[p - p->world->platforms];
    struct json *answer = NULL;

    if (strcmp(topic, "reply") != 0)
        return;
    WORLD_CHECK(c->w, json_parse(m->payload, m->length, m->length, &answer) == RG_OK, "no JSON: %s",
                m->payload);
    take_answer(c, answer, m->payload);
    json_free(answer);
}

/* ---- what is asked ---- */

struct pick {
    struct world *w;
    char alarm[ALARM_ID_MAX];
};

static void pick_cb(void *arg, const struct alarm *alarm)
{
    struct pick *pick = arg;

    if (!pick->alarm[0] || random_below(&pick->w->random, 2) == 0)
        (void)text_copy(pick->alarm, sizeof pick->alarm, alarm->id);
}

static void write_ask(struct city *c, struct ask *a)
{
    struct rg_random *random = &c->w->random;
    struct pick pick = {.w = c->w};
    const unsigned device = (unsigned)random_below(random, DEVICES);

    if (c->w->app)
        rules_each(app_pipeline(c->w->app)->rules, pick_cb, &pick);
    if (!pick.alarm[0])
        (void)text_format(pick.alarm, sizeof pick.alarm, WORLD_GATEWAY "-%u",
                          (unsigned)random_below(random, 50) + 1);
    (void)text_copy(a->alarm, sizeof a->alarm, pick.alarm);
    switch (a->kind) {
    case ASK_ACK:
    case ASK_UNSHELVE:
        (void)text_format(a->text, sizeof a->text,
                          "{\"id\":\"%s\",\"command\":\"%s\",\"alarm\":\"%s\",\"by\":\"%s\"}", a->id,
                          a->kind == ASK_ACK ? "ack" : "unshelve", pick.alarm, a->id);
        break;
    case ASK_SHELVE:
        (void)text_format(
            a->text, sizeof a->text,
            "{\"id\":\"%s\",\"command\":\"shelve\",\"alarm\":\"%s\",\"for\":\"%um\",\"by\":\"%s\"}", a->id,
            pick.alarm, (unsigned)random_below(random, 60) + 1, a->id);
        break;
    case ASK_READ:
        (void)text_format(a->text, sizeof a->text,
                          "{\"id\":\"%s\",\"command\":\"read\",\"device\":\"d%u\",\"by\":\"%s\"}", a->id,
                          device, a->id);
        break;
    case ASK_BACKFILL:
        (void)text_format(
            a->text, sizeof a->text,
            "{\"id\":\"%s\",\"command\":\"backfill\",\"stream\":\"telemetry\",\"from\":%u,\"to\":%u}", a->id,
            1 + device * 10, 400 + device);
        break;
    case ASK_NONSENSE:
        (void)text_format(a->text, sizeof a->text, "{\"id\":\"%s\",\"command\":\"reboot\"}", a->id);
        break;
    }
    /* The second platform gets d0 and d1 only, and may neither shelve nor have anything sent again. */
    a->foreign = a->kind == ASK_NONSENSE || (c->index == 1 && a->kind != ASK_ACK && a->kind != ASK_READ) ||
                 (c->index == 1 && a->kind == ASK_READ && device > 1);
}

static void send(struct city *c, struct ask *a)
{
    const struct support_incoming in = {
        .id = TRANSPORT_COMMAND, .payload = a->text, .length = strlen(a->text)};

    if (support_broker_send(c->w->platforms[c->index].broker, &in))
        a->sent++;
}

static void ask(struct city *c)
{
    struct rg_random *random = &c->w->random;
    struct ask *a;

    if (c->count == ASKS)
        return;
    a = &c->asks[c->count];
    *a = (struct ask){.kind = (enum kind)random_below(random, ASK_NONSENSE + 1)};
    (void)text_format(a->id, sizeof a->id, "%s-%zu", names[c->index], c->count);
    c->count++;
    write_ask(c, a);
    send(c, a);
    if (random_below(random, 4) == 0)
        send(c, a); /* as a broker does that lost the first one's acknowledgement */
}

/* One of those of which it was not told, or, now and then, of those of which it was. */
static void ask_again(struct city *c)
{
    struct ask *a;

    if (c->count == 0)
        return;
    a = &c->asks[random_below(&c->w->random, c->count)];
    if (!a->told || random_below(&c->w->random, 4) == 0)
        send(c, a);
}

/* ---- what happens ---- */

static void plan_excursions(struct world *w)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        for (int64_t at = world_between(w, WORLD_MINUTE, 10 * WORLD_MINUTE); at < DURATION_MS;
             at += world_between(w, 12 * WORLD_MINUTE, 30 * WORLD_MINUTE)) {
            static const double values[] = {15, 25, 31, 60};

            world_window_add(
                w, &w->devices[i].excursions[0],
                (struct world_window){.from_ms = VIRTUAL_MONO_MS + at,
                                      .to_ms = VIRTUAL_MONO_MS + at +
                                               world_between(w, 3 * WORLD_MINUTE, 9 * WORLD_MINUTE),
                                      .value = values[random_below(&w->random, RG_COUNT(values))]});
        }
        if (i != 2)
            continue;
        /* A mute one to be read. */
        world_window_add(w, &w->devices[i].faults,
                         (struct world_window){.from_ms = VIRTUAL_MONO_MS + WORLD_HOUR,
                                               .to_ms = VIRTUAL_MONO_MS + WORLD_HOUR + 30 * WORLD_MINUTE,
                                               .fault = WORLD_SILENT});
    }
}

static void trouble(struct world *w, unsigned *counts)
{
    uint64_t what = random_below(&w->random, 5);

    counts[what]++;
    if (what == 0) {
        world_crash(w);
    } else if (what == 1) {
        world_stop(w);
    } else if (what == 2) {
        w->plan.uplinks = 1 + (unsigned)random_below(&w->random, 2);
        w->plan.commands = random_below(&w->random, 4) > 0;
        world_reload(w);
        world_run_for(w, world_between(w, 0, 2000));
    } else {
        struct support_broker *b = w->platforms[what - 3].broker;

        b->connect = (enum support_connect)random_below(&w->random, 2);
        support_broker_cut(b);
    }
    if (!w->app)
        world_start(w);
}

static void mend(struct world *w)
{
    for (unsigned i = 0; i < WORLD_UPLINKS; i++)
        w->platforms[i].broker->connect = SUPPORT_ACCEPT;
}

/* All is well again: what is still open is asked, slowly, until it is told. */
static void come_to_an_end(struct world *w)
{
    w->plan = plan;
    world_reload(w);
    mend(w);
    world_run_for(w, 5 * WORLD_MINUTE);
    for (unsigned i = 0; i < WORLD_UPLINKS; i++) {
        for (size_t k = 0; k < cities[i].count; k++) {
            struct ask *a = &cities[i].asks[k];

            for (int tries = 0; !a->told && a->kind != ASK_NONSENSE && !(a->foreign && a->kind != ASK_READ);
                 tries++) {
                WORLD_CHECK(w, tries < 5, "%s is never told what came of %s", names[i], a->text);
                send(&cities[i], a);
                world_run_for(w, 3 * WORLD_SECOND + (tries > 0 ? 40 * WORLD_SECOND : 0));
            }
        }
    }
}

/* How many records of a stream hold both texts. */
static unsigned count(const struct world *w, enum stream_kind kind, const char *one, const char *other)
{
    const struct world_archive *all = &w->platforms[0].archives[kind];
    unsigned found = 0;

    for (size_t i = 0; i < all->capacity; i++) {
        const char *text = all->entries[i].text;

        found += text && strstr(text, one) && strstr(text, other) ? 1 : 0;
    }
    return found;
}

/* What was told is what the records say; whatever was never told was done once at most. */
static void check_books(const struct world *w, const struct city *c)
{
    char by[64], id[96], alarm[ALARM_ID_MAX + 16];

    for (size_t i = 0; i < c->count; i++) {
        const struct ask *a = &c->asks[i];
        const bool deed = a->kind == ASK_ACK || a->kind == ASK_SHELVE || a->kind == ASK_UNSHELVE;

        (void)text_format(by, sizeof by, "\"by\":\"%s@%s\"", a->id, names[c->index]);
        (void)text_format(id, sizeof id, "\"uplink\":\"%s\",\"id\":\"%s\",\"ok\":true", names[c->index],
                          a->id);
        (void)text_format(alarm, sizeof alarm, "\"alarm\":\"%s\"", a->alarm);
        WORLD_CHECK(w, count(w, KIND_EVENT, id, "\"kind\":\"command\"") == (a->told && a->ok ? 1 : 0),
                    "%s has not its one record", a->text);
        WORLD_CHECK(w, count(w, KIND_ALARM, by, alarm) <= (deed ? 1 : 0), "%s was done more than once",
                    a->text);
        WORLD_CHECK(w, !(deed && a->told && a->ok) || count(w, KIND_ALARM, by, alarm) == 1,
                    "%s was told and not done", a->text);
        WORLD_CHECK(w, !a->foreign || count(w, KIND_ALARM, by, "\"event\"") == 0, "%s was done", a->text);
    }
}

static void run(uint64_t seed)
{
    unsigned troubles[5] = {0};
    struct world w;

    world_create(&w, seed, &plan);
    plan_excursions(&w);
    for (unsigned i = 0; i < WORLD_UPLINKS; i++) {
        cities[i] = (struct city){.w = &w, .index = i};
        w.platforms[i].look = look_cb;
    }
    world_start(&w);
    while (world_now(&w) < VIRTUAL_MONO_MS + DURATION_MS) {
        struct city *c = &cities[random_below(&w.random, WORLD_UPLINKS)];

        world_run_for(&w, world_between(&w, 1, random_below(&w.random, 3) ? ASK_EVERY_MS : 20));
        if (random_below(&w.random, 2))
            ask(c);
        else
            ask_again(c);
        if (random_below(&w.random, 8) == 0)
            mend(&w);
        if (random_below(&w.random, 12) == 0) {
            world_run_for(&w, world_between(&w, 0, 30)); /* in the middle of what was just asked */
            trouble(&w, troubles);
        }
    }
    come_to_an_end(&w);
    world_settle(&w, WORLD_HOUR);
    for (unsigned i = 0; i < WORLD_UPLINKS; i++) {
        check_books(&w, &cities[i]);
        (void)printf("  %s asked %zu, %u answers, %u of them to what was done before, %u refused\n", names[i],
                     cities[i].count, cities[i].answers, cities[i].replays, cities[i].refused);
    }
    (void)printf("  %u crashes, %u stops, %u reloads, %u cuts\n", troubles[0], troubles[1], troubles[2],
                 troubles[3] + troubles[4]);
    world_check_platforms(&w);
    world_check_alarms(&w);
    world_stop(&w);
    world_destroy(&w);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
