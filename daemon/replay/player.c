#include "replay/player.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "base/text.h"
#include "replay/allowed.h"
#include "replay/feed.h"
#include "replay/meaning.h"
#include "replay/prime.h"
#include "replay/standing.h"
#include "store/store.h"

struct map {
    uint32_t *to; /* a number of names -> an index of the site, or SITE_NONE */
    size_t room;
};

struct replay_player {
    const struct site *site;
    const struct replay_past *past;
    int64_t begin_turn;
    struct replay_cbs cbs;
    void *arg;
    struct meaning *meaning;
    struct hash_index *devices, *points, *outputs; /* by name; points by their full one */
    struct map device_of, point_of;
    const char **device_names; /* by number of names; as long as device_of */
    bool *has_point;           /* by point of the site */
    struct sample *samples;    /* of the frame in hand */
    int64_t *every_ms;         /* [device_count]: how often it is recorded just now */
    struct gaps gaps;
    struct rules *rules;
    bool running;
    struct standing standing; /* before the beginning, and from one run to the next */
    struct allowed allowed;
    uint64_t next_alarm;
    int64_t run_ms;     /* wall: when the run began */
    struct moment last; /* step of the run */
    bool unsynced;      /* of the step in hand */
    struct replay_figures figures;
};

static void fail(struct replay_player *p, enum rg_err err, const char *why)
{
    if (p->figures.error != RG_OK)
        return;
    p->figures.error = err;
    (void)text_copy(p->figures.why, sizeof p->figures.why, why);
}

/* ---- names ---- */

static bool map_put(struct map *m, uint32_t number, uint32_t index)
{
    if (number >= m->room) {
        size_t room = m->room ? 2 * m->room : 64;
        uint32_t *grown;

        while (room <= number)
            room *= 2;
        grown = realloc(m->to, room * sizeof *grown);
        if (!grown)
            return false;
        for (size_t i = m->room; i < room; i++)
            grown[i] = SITE_NONE;
        m->to = grown;
        m->room = room;
    }
    m->to[number] = index;
    return true;
}

static void take_device(struct replay_player *p, const struct step *s)
{
    size_t room = p->device_of.room;
    uint32_t index = SITE_NONE;

    if (hash_index_find(p->devices, s->name, &index) != RG_OK && p->cbs.unknown)
        p->cbs.unknown(p->arg, s->name, NULL);
    if (!map_put(&p->device_of, s->device, index)) {
        fail(p, RG_ENOMEM, rg_err_text(RG_ENOMEM));
        return;
    }
    if (p->device_of.room != room) {
        const char **grown = realloc(p->device_names, p->device_of.room * sizeof *grown);

        if (!grown) {
            fail(p, RG_ENOMEM, rg_err_text(RG_ENOMEM));
            return;
        }
        p->device_names = grown;
    }
    p->device_names[s->device] = s->name;
}

static void take_point(struct replay_player *p, const struct step *s)
{
    char name[POINT_NAME_MAX];
    uint32_t index = SITE_NONE;

    if (p->device_of.to[s->device] != SITE_NONE) {
        (void)text_format(name, sizeof name, "%s.%s", p->device_names[s->device], s->name);
        if (hash_index_find(p->points, name, &index) != RG_OK && p->cbs.unknown)
            p->cbs.unknown(p->arg, p->device_names[s->device], s->name);
        if (index != SITE_NONE)
            p->has_point[index] = true;
    }
    if (!map_put(&p->point_of, s->first, index))
        fail(p, RG_ENOMEM, rg_err_text(RG_ENOMEM));
}

/* ---- runs ---- */

static void change_cb(void *arg, const struct alarm_change *change)
{
    struct replay_player *p = arg;

    if (p->cbs.change)
        p->cbs.change(p->arg, change, p->unsynced);
}

static void end_run(struct replay_player *p, bool stopped)
{
    if (!p->running)
        return;
    p->running = false;
    gaps_end(&p->gaps, p->last);
    if (p->cbs.run)
        p->cbs.run(p->arg, p->run_ms, p->last.wall_ms, stopped);
}

/* What stood at the end of the run before, or before the beginning, as the store kept it for the daemon. */
static enum rg_err restore(struct replay_player *p, struct rules *r)
{
    enum rg_err err = p->rules ? standing_take(&p->standing, p->rules) : RG_OK;

    standing_sort(&p->standing);
    for (size_t i = 0; i < p->standing.count && err == RG_OK; i++) {
        err = rules_restore(r, &p->standing.alarms[i]);
        if (err == RG_EFULL)
            err = RG_OK; /* as the daemon: it is not carried on */
    }
    return err;
}

/* primed: as of when windows are filled; NULL: they are not. */
static void begin_run(struct replay_player *p, struct moment at, int64_t turn, const struct moment *primed)
{
    struct rules *r = NULL;
    enum rg_err err = rules_create(p->site, p->next_alarm, change_cb, p, &r);
    char why[REPLAY_WHY] = "";

    if (err == RG_OK)
        err = restore(p, r);
    if (err == RG_OK && primed && p->past)
        err = replay_prime(r, p->site, p->past, *primed, turn, NULL, why);
    rules_destroy(p->rules);
    p->rules = r;
    if (err != RG_OK) {
        fail(p, err, why[0] ? why : rg_err_text(err));
        return;
    }
    p->running = true;
    p->run_ms = at.wall_ms;
    p->last = at;
    gaps_begin(&p->gaps, at);
    memset(p->every_ms, 0, p->site->device_count * sizeof *p->every_ms);
    allowed_restore(&p->allowed, p->site, r, at);
    rules_start(r, at);
}

static void take_start(struct replay_player *p, const struct step *s)
{
    struct moment primed = {.wall_ms = json_int(json_get(s->note, "primed"), s->at.wall_ms)};

    primed.mono_ms = s->at.mono_ms - (s->at.wall_ms - primed.wall_ms);
    if (p->rules)
        p->next_alarm = rules_next_alarm(p->rules);
    end_run(p, false);
    if (!json_bool(json_get(s->note, "clean"), true))
        p->next_alarm += STORE_ALARM_MARGIN;
    begin_run(p, s->at, s->turn, &primed);
}

/* ---- what was recorded ---- */

static void take_frame(struct replay_player *p, const struct step *s, const struct sample *from)
{
    uint32_t device = p->device_of.to[s->device];
    struct frame frame = {.device = device,
                          .at = s->at,
                          .clock_unsynced = s->unsynced,
                          .heard = s->heard,
                          .samples = p->samples};

    if (device == SITE_NONE)
        return;
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t point = p->point_of.to[from[i].point];

        if (point == SITE_NONE)
            continue;
        p->samples[frame.count] = from[i];
        p->samples[frame.count++].point = point;
    }
    frame.heard = frame.heard || p->site->devices[device].derived;
    p->figures.frames++;
    p->figures.readings += frame.count;
    gaps_frame(&p->gaps, &frame, s->every_ms);
    if (p->every_ms[device] != s->every_ms) {
        p->every_ms[device] = s->every_ms;
        rules_thinned(p->rules, device, s->every_ms);
    }
    rules_frame(p->rules, &frame);
}

struct search {
    const char *rule, *point;
    char found[ALARM_ID_MAX];
};

static void search_cb(void *arg, const struct alarm *alarm)
{
    struct search *s = arg;

    if (strcmp(alarm->rule, s->rule) == 0 && strcmp(alarm->point, s->point) == 0)
        (void)text_copy(s->found, sizeof s->found, alarm->id);
}

static const char *text_of(const struct json *note, const char *key)
{
    const char *text = json_string(json_get(note, key));

    return text ? text : "";
}

/* What somebody did to an alarm. Its number may be another one here: rule and point tell which it was. False: it was no act of
 * anybody's. */
static bool act(struct replay_player *p, const struct step *s)
{
    const char *event = text_of(s->note, "event"), *by = text_of(s->note, "by");
    const char *comment = json_string(json_get(s->note, "comment"));
    struct search search = {.rule = text_of(s->note, "rule"), .point = text_of(s->note, "point")};
    int64_t until_ms = json_int(json_get(s->note, "shelved_until"), s->at.wall_ms);
    enum rg_err err;

    if (!by[0])
        return false;
    rules_each(p->rules, search_cb, &search);
    if (strcmp(event, alarm_event_name(ALARM_ACK)) == 0)
        err = rules_ack(p->rules, search.found, by, comment, s->at);
    else if (strcmp(event, alarm_event_name(ALARM_SHELVE)) == 0)
        err = rules_shelve(p->rules, search.found, until_ms - s->at.wall_ms, by, comment, s->at);
    else if (strcmp(event, alarm_event_name(ALARM_UNSHELVE)) == 0)
        err = rules_unshelve(p->rules, search.found, by, comment, s->at);
    else
        return false;
    if (err != RG_OK)
        p->figures.acts++;
    return true;
}

static void take_alarm(struct replay_player *p, const struct step *s)
{
    uint32_t output;

    if (json_bool(json_get(s->note, "test"), false))
        return; /* of a self test: no alarm */
    p->figures.recorded++;
    rules_tick(p->rules, s->at);
    if (!act(p, s) && strcmp(text_of(s->note, "rule"), RULE_OUTPUT) == 0 &&
        hash_index_find(p->outputs, text_of(s->note, "point"), &output) == RG_OK)
        rules_output(p->rules, output, strcmp(text_of(s->note, "level"), level_name(LEVEL_NONE)) != 0, s->at);
}

static void take_config(struct replay_player *p, const struct step *s)
{
    p->figures.configs +=
        json_bool(json_get(s->note, "applied"), false) && json_size(json_get(s->note, "changes")) > 0;
    if (!meaning_note_event(p->meaning, s->note))
        return;
    p->figures.meanings++;
    (void)meaning_forget(p->meaning, p->rules, NULL, NULL);
}

/* A self test came through an uplink, or did not. */
static void take_self_test(struct replay_player *p, const struct step *s)
{
    const char *uplink = text_of(s->note, "uplink");

    for (uint32_t i = 0; i < p->site->uplink_count; i++) {
        if (strcmp(p->site->uplinks[i].name, uplink) == 0)
            rules_self_test(p->rules, i, !json_bool(json_get(s->note, "ok"), true), s->at);
    }
}

static void take_event(struct replay_player *p, const struct step *s)
{
    const char *kind = text_of(s->note, "kind");

    if (strcmp(kind, "start") == 0) {
        take_start(p, s);
    } else if (!p->running) {
        return;
    } else if (strcmp(kind, "command") == 0) {
        if (!allowed_note(&p->allowed, s->note, s->at, p->site, p->rules))
            fail(p, RG_ENOMEM, rg_err_text(RG_ENOMEM));
    } else if (strcmp(kind, "self_test") == 0) {
        take_self_test(p, s);
    } else if (strcmp(kind, "stop") == 0) {
        rules_tick(p->rules, s->at);
        p->last = s->at;
        end_run(p, true);
    } else if (strcmp(kind, "config") == 0) {
        take_config(p, s);
    } else if (strcmp(kind, "lost") == 0 && p->cbs.lost) {
        p->cbs.lost(p->arg, s->at.wall_ms, text_of(s->note, "stream"),
                    json_int(json_get(s->note, "count"), 0), text_of(s->note, "cause"));
    }
}

/* ---- steps ---- */

/* Before the beginning only the alarms' own records count, and what was done to permits. */
static void look_back(struct replay_player *p, const struct step *s)
{
    if (s->kind == STEP_EVENT && strcmp(text_of(s->note, "kind"), "command") == 0 &&
        !allowed_note(&p->allowed, s->note, s->at, p->site, NULL))
        fail(p, RG_ENOMEM, rg_err_text(RG_ENOMEM));
    if (s->kind != STEP_ALARM)
        return;
    if (!standing_note(&p->standing, s->note, s->at.wall_ms))
        fail(p, RG_ENOMEM, rg_err_text(RG_ENOMEM));
    if (p->standing.next_alarm > p->next_alarm)
        p->next_alarm = p->standing.next_alarm;
}

static void tell_recorded(const struct replay_player *p, const struct step *s)
{
    struct alarm_change change;
    struct alarm alarm;

    if (s->kind == STEP_ALARM && p->cbs.recorded && standing_change(s->note, s->at, &alarm, &change))
        p->cbs.recorded(p->arg, &change);
}

static void play_step(struct replay_player *p, const struct block *block, const struct step *s)
{
    bool begins = s->kind == STEP_EVENT && strcmp(text_of(s->note, "kind"), "start") == 0;

    if (s->kind == STEP_DEVICE || s->kind == STEP_POINT) {
        (s->kind == STEP_DEVICE ? take_device : take_point)(p, s);
        return;
    }
    tell_recorded(p, s);
    if (s->turn < p->begin_turn) {
        look_back(p, s);
        return;
    }
    p->unsynced = s->unsynced;
    if (!p->running && !begins && s->kind == STEP_FRAME) {
        p->figures.midway = true;
        begin_run(p, s->at, s->turn, NULL);
    }
    if (p->figures.first_ms == 0)
        p->figures.first_ms = s->at.wall_ms;
    p->figures.last_ms = s->at.wall_ms;
    if (s->kind == STEP_EVENT)
        take_event(p, s);
    else if (s->kind == STEP_DAMAGED)
        p->figures.damaged++;
    if (!p->running || p->figures.error != RG_OK)
        return;
    if (s->kind == STEP_FRAME)
        take_frame(p, s, block->samples + s->first);
    else if (s->kind == STEP_ALARM)
        take_alarm(p, s);
    else if (s->kind == STEP_CUT)
        rules_tick(p->rules, s->at);
    p->last = s->at;
}

void replay_player_play(struct replay_player *p, const struct block *block)
{
    for (size_t i = 0; i < block->count && p->figures.error == RG_OK; i++)
        play_step(p, block, &block->steps[i]);
}

void replay_player_end(struct replay_player *p)
{
    end_run(p, false);
}

/* ---- life ---- */

static enum rg_err index_names(struct replay_player *p)
{
    const struct site *site = p->site;
    enum rg_err err = hash_index_create(site->device_count, &p->devices);

    if (err == RG_OK)
        err = hash_index_create(site->point_count, &p->points);
    if (err == RG_OK)
        err = hash_index_create(site->output_count, &p->outputs);
    if (err == RG_OK)
        err = meaning_create(site, &p->meaning);
    for (uint32_t i = 0; err == RG_OK && i < site->device_count; i++)
        err = hash_index_add(p->devices, site->devices[i].name, i, NULL);
    for (uint32_t i = 0; err == RG_OK && i < site->point_count; i++)
        err = hash_index_add(p->points, site->points[i].full_name, i, NULL);
    for (uint32_t i = 0; err == RG_OK && i < site->output_count; i++)
        err = hash_index_add(p->outputs, site->outputs[i].name, i, NULL);
    return err;
}

enum rg_err replay_player_create(const struct site *site, const struct replay_past *past, int64_t begin_turn,
                                 const struct replay_cbs *cbs, void *arg, struct replay_player **out)
{
    struct replay_player *p = calloc(1, sizeof *p);
    enum rg_err err = RG_ENOMEM;

    *out = NULL;
    if (!p)
        return RG_ENOMEM;
    p->site = site;
    p->past = past;
    p->begin_turn = begin_turn;
    p->cbs = *cbs;
    p->arg = arg;
    p->next_alarm = 1;
    p->has_point = calloc(site->point_count + 1, sizeof *p->has_point);
    p->every_ms = calloc(site->device_count + 1, sizeof *p->every_ms);
    p->samples = malloc(SCAN_SAMPLES_MAX * sizeof *p->samples);
    if (p->has_point && p->every_ms && p->samples)
        err = index_names(p);
    if (err == RG_OK)
        err = gaps_create(site, cbs->gap, arg, &p->gaps);
    if (err != RG_OK) {
        replay_player_destroy(p);
        return err;
    }
    *out = p;
    return RG_OK;
}

void replay_player_destroy(struct replay_player *p)
{
    if (!p)
        return;
    rules_destroy(p->rules);
    gaps_destroy(&p->gaps);
    standing_free(&p->standing);
    allowed_free(&p->allowed);
    meaning_destroy(p->meaning);
    hash_index_destroy(p->devices);
    hash_index_destroy(p->points);
    hash_index_destroy(p->outputs);
    free(p->device_of.to);
    free(p->point_of.to);
    free(p->device_names);
    free(p->has_point);
    free(p->every_ms);
    free(p->samples);
    free(p);
}

const struct replay_figures *replay_player_figures(const struct replay_player *p)
{
    return &p->figures;
}

bool replay_player_has_point(const struct replay_player *p, uint32_t point)
{
    return p->has_point[point];
}

int replay_player_single(const struct replay_player *p, const char *device, const char *point)
{
    char name[POINT_NAME_MAX];
    uint32_t index;

    (void)text_format(name, sizeof name, "%s.%s", device, point);
    if (hash_index_find(p->points, name, &index) != RG_OK)
        return -1;
    return point_is_single(&p->site->points[index]) ? 1 : 0;
}

const struct rules *replay_player_rules(const struct replay_player *p)
{
    return p->rules;
}
