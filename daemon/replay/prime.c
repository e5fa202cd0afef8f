#include "replay/prime.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "base/text.h"
#include "replay/meaning.h"
#include "replay/scan.h"
#include "replay/steps.h"

struct window {
    uint32_t device; /* of the site */
    int64_t longest_ms;
    int64_t every_ms; /* how often it is recorded just now */
    int64_t last_ms;  /* of its frame before, on the clock of the start */
};

struct priming {
    struct rules *rules;
    const struct site *site;
    struct moment start;
    struct hash_index *points; /* by full name */
    struct window *windows;    /* one for each device that has some */
    const char **devices;      /* their names */
    size_t count;
    struct names names;
    uint32_t *point_of; /* a number of names -> an index of the site; filled up to `known` */
    size_t known, room;
    struct sample *samples;
    struct meaning *meaning;
    struct replay_steps steps;
    struct replay_primed done;
};

static enum rg_err find_windows(struct priming *p)
{
    const struct site *site = p->site;
    int64_t *longest = calloc(site->device_count + 1, sizeof *longest);

    p->windows = calloc(site->device_count + 1, sizeof *p->windows);
    p->devices = calloc(site->device_count + 1, sizeof *p->devices);
    if (longest && p->windows && p->devices) {
        rules_history_ms(site, longest);
        for (uint32_t i = 0; i < site->device_count; i++) {
            if (longest[i] == 0)
                continue;
            p->devices[p->count] = site->devices[i].name;
            longest[i] +=
                site->devices[i].record.every_ms; /* the one that held when a window began may be as old */
            p->windows[p->count++] = (struct window){.device = i, .longest_ms = longest[i]};
            if (longest[i] > p->done.longest_ms)
                p->done.longest_ms = longest[i];
        }
    }
    free(longest);
    return longest && p->windows && p->devices ? RG_OK : RG_ENOMEM;
}

static bool single(void *arg, const char *device, const char *point)
{
    const struct priming *p = arg;
    char name[POINT_NAME_MAX];
    uint32_t index;

    (void)text_format(name, sizeof name, "%s.%s", device, point);
    return hash_index_find(p->points, name, &index) == RG_OK && point_is_single(&p->site->points[index]);
}

static enum rg_err learn_points(struct priming *p)
{
    if (p->names.point_count > p->room) {
        size_t room = 2 * (size_t)p->names.point_count;
        uint32_t *grown = realloc(p->point_of, room * sizeof *grown);

        if (!grown)
            return RG_ENOMEM;
        p->point_of = grown;
        p->room = room;
    }
    for (; p->known < p->names.point_count; p->known++) {
        const struct names_point *point = &p->names.points[p->known];
        char name[POINT_NAME_MAX];

        (void)text_format(name, sizeof name, "%s.%s", p->names.devices[point->device].name, point->name);
        if (hash_index_find(p->points, name, &p->point_of[p->known]) != RG_OK)
            p->point_of[p->known] = SITE_NONE;
    }
    return RG_OK;
}

static enum rg_err take(struct priming *p, const struct history_entry *e, uint32_t *last)
{
    struct window *window = &p->windows[e->device];
    int64_t ts = 0, ago = 0;
    bool placed = replay_steps_place(&p->steps, e, &ts);
    struct frame frame = {.device = window->device, .clock_unsynced = e->unsynced, .samples = p->samples};
    struct scanned scanned;
    enum rg_err err;

    /* The wall clock was set since, and nobody knows by how much. */
    ago = p->start.wall_ms - ts;
    if (!placed || ago > window->longest_ms || ago < 0 || ts < window->last_ms)
        return RG_OK;
    window->last_ms = ts;
    frame.at = (struct moment){p->start.mono_ms - ago, ts};
    err = scan_frame(&p->names, *last, e->body, e->length, p->samples, SCAN_SAMPLES_MAX, &scanned);
    if (err == RG_EINVAL)
        return RG_OK; /* damaged: a hole in the window, which coverage counts */
    if (err == RG_OK)
        err = learn_points(p);
    if (err != RG_OK)
        return err;
    *last = scanned.device;
    frame.heard = scanned.heard;
    for (size_t i = 0; i < scanned.count; i++) {
        uint32_t point = p->point_of[p->samples[i].point];

        if (point == SITE_NONE)
            continue;
        p->samples[frame.count] = p->samples[i];
        p->samples[frame.count++].point = point;
    }
    if (window->every_ms != e->every_ms) {
        window->every_ms = e->every_ms;
        rules_thinned(p->rules, window->device, e->every_ms);
    }
    rules_prime(p->rules, &frame);
    p->done.frames++;
    p->done.readings += frame.count;
    return RG_OK;
}

/* From here on points may mean something else. */
static enum rg_err take_config(struct priming *p, const struct history_entry *e)
{
    struct json *event = NULL;
    enum rg_err err = json_parse(e->body, e->length, e->length, &event);

    if (err == RG_OK && meaning_note_event(p->meaning, event))
        p->done.forgotten += meaning_forget(p->meaning, p->rules, NULL, NULL);
    json_free(event);
    return err == RG_ENOMEM ? err : RG_OK; /* a damaged one cannot be read by anybody */
}

static enum rg_err read_all(struct priming *p, const struct replay_past *past, int64_t before_turn, char *why)
{
    const struct history_wish wish = {.from_ms = p->start.wall_ms - p->done.longest_ms - p->steps.most_ms,
                                      .devices = p->devices,
                                      .device_count = p->count,
                                      .only_devices = true};
    struct replay_source source;
    struct history_entry entry;
    uint32_t last = NAMES_NONE;
    enum rg_err err = past->open(past->arg, &wish, &source, why);

    if (err != RG_OK)
        return err;
    while ((err = source.next(source.arg, &entry)) == RG_OK && entry.turn < before_turn) {
        if (entry.stream == STREAM_TELEMETRY && entry.device < p->count)
            err = take(p, &entry, &last);
        else if (entry.stream == STREAM_EVENT && strcmp(entry.kind, "config") == 0)
            err = take_config(p, &entry);
        if (err != RG_OK)
            break;
    }
    if (err != RG_OK && err != RG_ENOTFOUND)
        (void)text_copy(why, REPLAY_WHY, source.why(source.arg));
    past->close(past->arg, &source);
    return err == RG_ENOTFOUND ? RG_OK : err;
}

static enum rg_err prepare(struct priming *p)
{
    enum rg_err err = hash_index_create(p->site->point_count, &p->points);

    for (uint32_t i = 0; err == RG_OK && i < p->site->point_count; i++)
        err = hash_index_add(p->points, p->site->points[i].full_name, i, NULL);
    p->samples = malloc(SCAN_SAMPLES_MAX * sizeof *p->samples);
    if (err == RG_OK && !p->samples)
        err = RG_ENOMEM;
    return err == RG_OK ? meaning_create(p->site, &p->meaning) : err;
}

enum rg_err replay_prime(struct rules *r, const struct site *site, const struct replay_past *past,
                         struct moment start, int64_t before_turn, struct replay_primed *out, char *why)
{
    struct priming p = {.rules = r, .site = site, .start = start};
    enum rg_err err;

    why[0] = '\0';
    names_init(&p.names, single, &p);
    err = find_windows(&p);
    if (err == RG_OK && p.count > 0)
        err = prepare(&p);
    if (err == RG_OK && p.count > 0)
        err = replay_steps_read(&p.steps, past, start, p.done.longest_ms, before_turn, why);
    if (err == RG_OK && p.count > 0)
        err = read_all(&p, past, before_turn, why);
    if (err != RG_OK && !why[0])
        (void)text_copy(why, REPLAY_WHY, rg_err_text(err));
    if (out)
        *out = p.done;
    names_destroy(&p.names);
    meaning_destroy(p.meaning);
    hash_index_destroy(p.points);
    free(p.windows);
    free(p.devices);
    free(p.point_of);
    free(p.samples);
    return err;
}
