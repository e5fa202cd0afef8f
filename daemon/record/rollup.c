#include "record/rollup.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

#define BANKS 2 /* minutes at work: this one, and the last one for what comes late */
/* Monotonic: a clock that was put back stays in an old minute for long. */
#define LONGEST_MS (ROLLUP_MINUTE_MS + 2 * ROLLUP_GRACE_MS)

struct sums {
    uint32_t n, bad, comm;
    double min, max, sum;
};

struct bank {
    int64_t minute;
    bool used;
    struct sums *points; /* [point_count] */
};

struct rollup {
    const struct site *site;
    struct bank banks[BANKS];
    struct rollup_row *
        rows; /* [BANKS * point_count]; they and the banks are reserved, for most of it is hardly ever used */
    int64_t begun_ms; /* monotonic: of the first frame in the banks */
};

static size_t rows_bytes(const struct site *site)
{
    return (BANKS * site->point_count + 1) * sizeof(struct rollup_row);
}

static size_t bank_bytes(const struct site *site)
{
    return (site->point_count + 1) * sizeof(struct sums);
}

enum rg_err rollup_create(const struct site *site, struct rollup **out)
{
    struct rollup *r = calloc(1, sizeof *r);
    bool whole = r != NULL;

    *out = NULL;
    if (!r)
        return RG_ENOMEM;
    r->site = site;
    r->rows = memory_reserve(rows_bytes(site));
    whole = r->rows != NULL;
    for (size_t i = 0; i < BANKS; i++) {
        r->banks[i].points = memory_reserve(bank_bytes(site));
        whole = whole && r->banks[i].points;
    }
    if (!whole) {
        rollup_destroy(r);
        return RG_ENOMEM;
    }
    *out = r;
    return RG_OK;
}

void rollup_destroy(struct rollup *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < BANKS; i++)
        memory_unreserve(r->banks[i].points, bank_bytes(r->site));
    memory_unreserve(r->rows, rows_bytes(r->site));
    free(r);
}

static void give_bank(struct rollup *r, struct bank *bank, size_t *count)
{
    for (uint32_t i = 0; bank->used && i < r->site->point_count; i++) {
        struct sums *s = &bank->points[i];

        if (s->n == 0 && s->bad == 0)
            continue;
        r->rows[(*count)++] = (struct rollup_row){.point = r->site->points[i].full_name,
                                                  .minute = bank->minute,
                                                  .n = s->n,
                                                  .bad = s->bad,
                                                  .comm = s->comm,
                                                  .min = s->min,
                                                  .max = s->max,
                                                  .sum = s->sum};
        *s = (struct sums){0};
    }
    bank->used = false;
}

void rollup_flush(struct rollup *r, rollup_batch_cb cb, void *arg)
{
    bool swapped = r->banks[0].used && r->banks[1].used && r->banks[1].minute < r->banks[0].minute;
    size_t count = 0;

    give_bank(r, &r->banks[swapped ? 1 : 0], &count);
    give_bank(r, &r->banks[swapped ? 0 : 1], &count);
    if (count > 0)
        cb(arg, r->rows, count);
    memory_release(r->rows, count * sizeof *r->rows); /* for a moment each minute they were needed */
}

/* The latest minute that is gathered, or INT64_MIN. */
static int64_t latest(const struct rollup *r)
{
    int64_t minute = INT64_MIN;

    for (size_t i = 0; i < BANKS; i++) {
        if (r->banks[i].used && r->banks[i].minute > minute)
            minute = r->banks[i].minute;
    }
    return minute;
}

void rollup_tick(struct rollup *r, struct moment now, rollup_batch_cb cb, void *arg)
{
    int64_t minute = latest(r);

    if (minute != INT64_MIN && (now.wall_ms >= minute + ROLLUP_MINUTE_MS + ROLLUP_GRACE_MS ||
                                now.mono_ms - r->begun_ms >= LONGEST_MS))
        rollup_flush(r, cb, arg);
}

static struct bank *find_bank(struct rollup *r, int64_t minute)
{
    struct bank *empty = NULL;

    for (size_t i = 0; i < BANKS; i++) {
        if (r->banks[i].used && r->banks[i].minute == minute)
            return &r->banks[i];
        if (!r->banks[i].used && !empty)
            empty = &r->banks[i];
    }
    return empty;
}

static void add(struct sums *s, const struct sample *sample)
{
    if (sample->quality != QUALITY_GOOD || !isfinite(sample->value)) {
        s->bad++;
        s->comm += sample->quality == QUALITY_COMM;
        return;
    }
    s->min = s->n == 0 || sample->value < s->min ? sample->value : s->min;
    s->max = s->n == 0 || sample->value > s->max ? sample->value : s->max;
    s->sum += sample->value;
    s->n++;
}

void rollup_frame(struct rollup *r, const struct frame *frame, rollup_batch_cb cb, void *arg)
{
    int64_t minute = frame->at.wall_ms - frame->at.wall_ms % ROLLUP_MINUTE_MS;
    int64_t newest = latest(r);
    struct bank *bank = find_bank(r, minute);

    if (!bank || (newest != INT64_MIN && minute > newest)) {
        rollup_flush(r, cb, arg);
        bank = find_bank(r, minute);
    }
    if (latest(r) == INT64_MIN)
        r->begun_ms = frame->at.mono_ms;
    bank->used = true;
    bank->minute = minute;
    for (size_t i = 0; i < frame->count; i++)
        add(&bank->points[frame->samples[i].point], &frame->samples[i]);
}
