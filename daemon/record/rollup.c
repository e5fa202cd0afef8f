#include "record/rollup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    struct sums *points; /* [point_count]; of those not in use all is 0 */
};

struct rollup {
    const struct site *site;
    uint32_t *order; /* [point_count] points by name */
    struct bank banks[BANKS];
    int64_t begun_ms; /* monotonic: of the first frame in them */

    struct bank closed[BANKS]; /* by minute; what is given out */
    int64_t turn;
    size_t given;            /* places in `order` that are done of the first closed bank that is in use */
    struct rollup_row *rows; /* [piece] */
    size_t piece;
};

/* Reserved, for most of it is hardly ever used. */
static size_t bank_bytes(const struct site *site)
{
    return (site->point_count + 1) * sizeof(struct sums);
}

static int by_name(const void *a, const void *b, void *arg)
{
    const struct site_point *points = arg;

    return strcmp(points[*(const uint32_t *)a].full_name, points[*(const uint32_t *)b].full_name);
}

static enum rg_err find_order(struct rollup *r)
{
    const size_t count = r->site->point_count;

    r->order = calloc(count + 1, sizeof *r->order);
    if (!r->order)
        return RG_ENOMEM;
    for (size_t i = 0; i < count; i++)
        r->order[i] = (uint32_t)i;
    qsort_r(r->order, count, sizeof *r->order, by_name, r->site->points);
    return RG_OK;
}

enum rg_err rollup_create(const struct site *site, struct rollup **out)
{
    struct rollup *r = calloc(1, sizeof *r);
    bool whole;

    *out = NULL;
    if (!r)
        return RG_ENOMEM;
    r->site = site;
    r->piece = site->point_count / ROLLUP_PIECES + 1;
    r->piece = r->piece > ROLLUP_PIECE ? r->piece : ROLLUP_PIECE;
    r->rows = calloc(r->piece, sizeof *r->rows);
    whole = r->rows != NULL && find_order(r) == RG_OK;
    for (size_t i = 0; i < BANKS; i++) {
        r->banks[i].points = memory_reserve(bank_bytes(site));
        r->closed[i].points = memory_reserve(bank_bytes(site));
        whole = whole && r->banks[i].points && r->closed[i].points;
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
    for (size_t i = 0; i < BANKS; i++) {
        memory_unreserve(r->banks[i].points, bank_bytes(r->site));
        memory_unreserve(r->closed[i].points, bank_bytes(r->site));
    }
    free(r->rows);
    free(r->order);
    free(r);
}

/* ---- given out ---- */

void rollup_close(struct rollup *r, int64_t turn)
{
    bool swapped = r->banks[0].used && r->banks[1].used && r->banks[1].minute < r->banks[0].minute;

    for (size_t i = 0; i < BANKS; i++) {
        struct bank *bank = &r->banks[swapped ? BANKS - 1 - i : i];
        const struct bank empty = r->closed[i];

        r->closed[i] = *bank;
        *bank = empty;
    }
    r->turn = turn;
    r->given = 0;
}

static struct bank *first_closed(struct rollup *r)
{
    for (size_t i = 0; i < BANKS; i++) {
        if (r->closed[i].used)
            return &r->closed[i];
    }
    return NULL;
}

/* The next rows of the bank, into what is left of the piece. */
static void give_bank(struct rollup *r, struct bank *bank, size_t *count)
{
    for (; r->given < r->site->point_count && *count < r->piece; r->given++) {
        uint32_t point = r->order[r->given];
        struct sums *s = &bank->points[point];

        if (s->n == 0 && s->bad == 0)
            continue;
        r->rows[(*count)++] = (struct rollup_row){.point = r->site->points[point].full_name,
                                                  .minute = bank->minute,
                                                  .n = s->n,
                                                  .bad = s->bad,
                                                  .comm = s->comm,
                                                  .min = s->min,
                                                  .max = s->max,
                                                  .sum = s->sum};
        *s = (struct sums){0};
    }
    if (r->given < r->site->point_count)
        return;
    bank->used = false;
    r->given = 0;
}

bool rollup_give(struct rollup *r, rollup_piece_cb cb, void *arg)
{
    struct rollup_piece piece = {.rows = r->rows, .turn = r->turn};
    struct bank *bank;

    while (piece.count < r->piece && (bank = first_closed(r)) != NULL)
        give_bank(r, bank, &piece.count);
    piece.last = first_closed(r) == NULL;
    if (piece.count > 0)
        cb(arg, &piece);
    return piece.count > 0 && !piece.last;
}

/* ---- gathered ---- */

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

bool rollup_is_due(const struct rollup *r, struct moment now)
{
    int64_t minute = latest(r);

    return minute != INT64_MIN && (now.wall_ms >= minute + ROLLUP_MINUTE_MS + ROLLUP_GRACE_MS ||
                                   now.mono_ms - r->begun_ms >= LONGEST_MS);
}

/* Of that minute, or one that is free. NULL: neither. */
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

static int64_t minute_of(const struct frame *frame)
{
    return frame->at.wall_ms - frame->at.wall_ms % ROLLUP_MINUTE_MS;
}

bool rollup_is_over(struct rollup *r, const struct frame *frame)
{
    int64_t newest = latest(r);

    return newest != INT64_MIN && (minute_of(frame) > newest || !find_bank(r, minute_of(frame)));
}

void rollup_frame(struct rollup *r, const struct frame *frame)
{
    struct bank *bank = find_bank(r, minute_of(frame));

    if (!bank || frame->count == 0)
        return; /* without a bank: it was not closed, though it is over */
    if (latest(r) == INT64_MIN)
        r->begun_ms = frame->at.mono_ms;
    bank->used = true;
    bank->minute = minute_of(frame);
    for (size_t i = 0; i < frame->count; i++)
        add(&bank->points[frame->samples[i].point], &frame->samples[i]);
}
