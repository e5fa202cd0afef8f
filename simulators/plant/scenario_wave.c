#include <math.h>

#include "plant/scenario_parts.h"

#define NOISE_USUAL_US 100000
#define PARTS_MAX 10000

static bool optional_number(struct reader *reader, struct fy_node *map, const char *key, double *out)
{
    struct fy_node *node = reader_child(map, key);
    return node == NULL || reader_number(reader, node, out);
}

static bool needed_number(struct reader *reader, struct fy_node *map, const char *key, double *out)
{
    struct fy_node *node = reader_child(map, key);
    if (node == NULL)
        reader_error(reader, map, "'%s' is missing", key);
    return node != NULL && reader_number(reader, node, out);
}

/* A duration over 0. */
static bool period(struct reader *reader, struct fy_node *map, const char *key, int64_t *out_us)
{
    struct fy_node *node = reader_child(map, key);
    if (node == NULL) {
        reader_error(reader, map, "'%s' is missing", key);
        return false;
    }
    if (!reader_duration(reader, node, out_us))
        return false;
    if (*out_us == 0)
        reader_error(reader, node, "must be longer than 0");
    return *out_us > 0;
}

static bool read_ramp(struct reader *reader, struct fy_node *map, struct fy_node *ramp,
                      struct wave_segment *segment)
{
    size_t count = 0;
    if (!reader_sequence(reader, ramp, &count))
        return false;
    if (count != 2) {
        reader_error(reader, ramp, "a ramp is [from, to]");
        return false;
    }
    return reader_number(reader, reader_item(ramp, 0), &segment->from) &&
           reader_number(reader, reader_item(ramp, 1), &segment->to) &&
           period(reader, map, "over", &segment->over_us);
}

static bool read_segment(struct reader *reader, struct fy_node *map, struct wave_segment *segment)
{
    static const char *const keys[] = {"at", "ramp", "over", "step", NULL};
    if (!reader_mapping(reader, map, keys))
        return false;
    struct fy_node *at = reader_child(map, "at");
    struct fy_node *ramp = reader_child(map, "ramp");
    struct fy_node *step = reader_child(map, "step");
    if (at == NULL || (ramp == NULL) == (step == NULL)) {
        reader_error(reader, map, "a segment has 'at' and either 'step' or 'ramp' and 'over'");
        return false;
    }
    if (!reader_duration(reader, at, &segment->at_us))
        return false;
    if (ramp != NULL)
        return read_ramp(reader, map, ramp, segment);
    if (!reader_number(reader, step, &segment->to))
        return false;
    segment->from = segment->to;
    return true;
}

static bool read_timeline(struct reader *reader, struct fy_node *list, struct wave *wave)
{
    size_t count = 0;
    if (!reader_sequence(reader, list, &count))
        return false;
    if (count == 0 || count > PARTS_MAX) {
        reader_error(reader, list, "a timeline has 1 to %d segments", PARTS_MAX);
        return false;
    }
    struct wave_segment *segments = pool_alloc(reader->pool, count, sizeof(*segments));
    if (segments == NULL) {
        reader_no_memory(reader, list);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct fy_node *item = reader_item(list, i);
        if (!read_segment(reader, item, &segments[i]))
            return false;
        if (i > 0 && segments[i].at_us <= segments[i - 1].at_us) {
            reader_error(reader, item, "segments must follow each other in time");
            return false;
        }
    }
    wave->kind = WAVE_TIMELINE;
    wave->segments = segments;
    wave->segment_count = count;
    return true;
}

static bool read_sine(struct reader *reader, struct fy_node *map, struct wave *wave)
{
    static const char *const keys[] = {"mean", "amplitude", "period", "phase", NULL};
    wave->kind = WAVE_SINE;
    return reader_mapping(reader, map, keys) && needed_number(reader, map, "mean", &wave->start) &&
           needed_number(reader, map, "amplitude", &wave->step) &&
           period(reader, map, "period", &wave->every_us) &&
           optional_number(reader, map, "phase", &wave->phase);
}

static bool read_walk(struct reader *reader, struct fy_node *map, struct wave *wave)
{
    static const char *const keys[] = {"start", "step", "every", "min", "max", NULL};
    wave->kind = WAVE_WALK;
    if (!reader_mapping(reader, map, keys) || !needed_number(reader, map, "start", &wave->start) ||
        !needed_number(reader, map, "step", &wave->step) || !period(reader, map, "every", &wave->every_us) ||
        !needed_number(reader, map, "min", &wave->least) || !needed_number(reader, map, "max", &wave->most))
        return false;
    if (!(wave->least <= wave->start && wave->start <= wave->most)) {
        reader_error(reader, map, "'start' must lie from 'min' to 'max'");
        return false;
    }
    return true;
}

static bool read_counter(struct reader *reader, struct fy_node *map, struct wave *wave)
{
    static const char *const keys[] = {"start", "step", "every", "wrap", NULL};
    wave->kind = WAVE_COUNTER;
    wave->step = 1;
    return reader_mapping(reader, map, keys) && optional_number(reader, map, "start", &wave->start) &&
           optional_number(reader, map, "step", &wave->step) &&
           period(reader, map, "every", &wave->every_us) && optional_number(reader, map, "wrap", &wave->wrap);
}

static bool read_noise(struct reader *reader, struct fy_node *node, struct wave *wave)
{
    static const char *const keys[] = {"amplitude", "every", NULL};
    wave->noise_us = NOISE_USUAL_US;
    if (!fy_node_is_mapping(node))
        return reader_number(reader, node, &wave->noise);
    return reader_mapping(reader, node, keys) && needed_number(reader, node, "amplitude", &wave->noise) &&
           (reader_child(node, "every") == NULL || period(reader, node, "every", &wave->noise_us));
}

static bool read_stuck_one(struct reader *reader, struct fy_node *map, struct wave_stuck *stuck)
{
    static const char *const keys[] = {"from", "to", NULL};
    if (!reader_mapping(reader, map, keys))
        return false;
    struct fy_node *from = reader_child(map, "from");
    struct fy_node *to = reader_child(map, "to");
    stuck->to_us = INT64_MAX;
    return (from == NULL || reader_duration(reader, from, &stuck->from_us)) &&
           (to == NULL || reader_duration(reader, to, &stuck->to_us));
}

static bool read_stuck(struct reader *reader, struct fy_node *node, struct wave *wave)
{
    size_t count = 1;
    bool list = fy_node_is_sequence(node);
    if (list && !reader_sequence(reader, node, &count))
        return false;
    struct wave_stuck *stuck = pool_alloc(reader->pool, count, sizeof(*stuck));
    if (stuck == NULL) {
        reader_no_memory(reader, node);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_stuck_one(reader, list ? reader_item(node, i) : node, &stuck[i]))
            return false;
    }
    wave->stuck = stuck;
    wave->stuck_count = count;
    return true;
}

static bool read_base(struct reader *reader, struct fy_node *map, struct wave *wave)
{
    static const char *const names[] = {"value", "raw", "timeline", "sine", "walk", "counter", NULL};
    const char *found = NULL;
    for (size_t i = 0; names[i] != NULL; i++) {
        if (reader_child(map, names[i]) == NULL)
            continue;
        if (found != NULL) {
            reader_error(reader, reader_child(map, names[i]), "'%s' and '%s' exclude each other", found,
                         names[i]);
            return false;
        }
        found = names[i];
    }
    struct fy_node *node = found != NULL ? reader_child(map, found) : NULL;
    if (node == NULL)
        return true; /* a constant 0 */
    switch (found[0]) {
    case 'v':
        return reader_number(reader, node, &wave->start);
    case 'r':
        wave->kind = WAVE_RAW;
        return reader_u64(reader, node, &wave->raw);
    case 't':
        return read_timeline(reader, node, wave);
    case 's':
        return read_sine(reader, node, wave);
    case 'w':
        return read_walk(reader, node, wave);
    default:
        return read_counter(reader, node, wave);
    }
}

const struct wave *scenario_read_wave(struct reader *reader, struct fy_node *map,
                                      const struct scenario_defaults *defaults)
{
    struct wave *wave = pool_alloc(reader->pool, 1, sizeof(*wave));
    if (wave == NULL) {
        reader_no_memory(reader, map);
        return NULL;
    }
    wave->loop_us = defaults->loop_us;
    wave->noise_us = NOISE_USUAL_US;
    struct fy_node *loop = reader_child(map, "loop");
    struct fy_node *noise = reader_child(map, "noise");
    struct fy_node *stuck = reader_child(map, "stuck");
    wave->restart = loop != NULL;
    if (!read_base(reader, map, wave) || (loop != NULL && !reader_duration(reader, loop, &wave->loop_us)) ||
        (noise != NULL && !read_noise(reader, noise, wave)) ||
        (stuck != NULL && !read_stuck(reader, stuck, wave)))
        return NULL;
    if (wave->kind == WAVE_RAW && noise != NULL) {
        reader_error(reader, noise, "'raw' takes no noise");
        return NULL;
    }
    return wave;
}
