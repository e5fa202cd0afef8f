#include "rules/signal.h"

#include <float.h>
#include <math.h>

#include "rules/decimal.h"

#define DIGITS 12       /* of a sum of doubles */
#define DIGITS_SINGLE 7 /* of floats */
#define SPARE_CELLS                                                                                          \
    3 /* the one that the window's begin cuts, the newest one, and the rounding of the grain */

int64_t signal_hold_ms(int64_t poll_ms)
{
    return poll_ms < INT32_MAX / SIGNAL_HOLD_POLLS ? poll_ms * SIGNAL_HOLD_POLLS : INT32_MAX;
}

/* Never longer than the window: the newest cell always lies in it. */
static int64_t grain(const struct site_signal *conf, int64_t poll_ms)
{
    int64_t least = conf->window_ms / (SIGNAL_CELLS_MAX - SPARE_CELLS) + 1;
    int64_t ms = poll_ms - poll_ms / 4;

    ms = ms < conf->window_ms ? ms : conf->window_ms;
    return ms > least ? ms : least;
}

uint32_t signal_cells(const struct site_signal *conf, int64_t poll_ms)
{
    if (conf->kind == SIGNAL_VALUE || conf->window_ms <= 0)
        return 0;
    return (uint32_t)(conf->window_ms / grain(conf, poll_ms)) + SPARE_CELLS;
}

void signal_init(struct signal *s, const struct site_signal *conf, int64_t poll_ms, bool single,
                 struct cell *cells)
{
    double coverage = conf->coverage > 0 ? conf->coverage : SIGNAL_COVERAGE_STANDARD;

    *s = (struct signal){
        .conf = conf, .hold_ms = signal_hold_ms(poll_ms), .grain_ms = grain(conf, poll_ms), .single = single};
    s->need_ms = llround(coverage * (double)conf->window_ms);
    s->need_ms = s->need_ms > 0 ? s->need_ms : 1;
    s->window.cells = cells;
    s->window.capacity = signal_cells(conf, poll_ms);
    signal_reset(s);
}

void signal_reset(struct signal *s)
{
    enum signal_kind kind = s->conf->kind;
    bool extremes = kind == SIGNAL_MAX || kind == SIGNAL_MIN || kind == SIGNAL_FLAT;

    s->begun = s->holding = false;
    s->newest_thinned_ms = 0;
    s->last_ms = s->negative_ms = INT64_MIN;
    cells_init(&s->window, extremes ? CELLS_EXTREMES : CELLS_SUM, s->window.cells, s->window.capacity);
}

/* ---- taking samples ---- */

static int64_t end_of(const struct cell *cell)
{
    return cell->begin_ms + cell->length_ms;
}

/* Of a counter's step over more time than a length can tell (49 days) the later part is kept. */
static void extend(struct cell *cell, int64_t end_ms)
{
    int64_t length = end_ms - cell->begin_ms;

    if (length > UINT32_MAX) {
        cell->a *= (double)UINT32_MAX / (double)length;
        cell->begin_ms = end_ms - UINT32_MAX;
        cell->covered_ms = 0;
        length = UINT32_MAX;
    }
    if (length > cell->length_ms)
        cell->length_ms = (uint32_t)length;
}

static void cover(struct cell *cell, int64_t ms)
{
    int64_t covered = cell->covered_ms + ms;

    cell->covered_ms = (uint32_t)(covered < INT32_MAX ? covered : INT32_MAX) & INT32_MAX;
}

/* The newest good sample has held until now, or for as long as it can. */
static void hold_until(struct signal *s, int64_t now_ms)
{
    int64_t most = s->hold_ms + s->newest_thinned_ms;
    int64_t held;

    if (!s->holding)
        return;
    held = now_ms - s->last_ms < most ? now_ms - s->last_ms : most;
    cover(&s->open, held);
    extend(&s->open, s->last_ms + held);
    if (s->conf->kind == SIGNAL_MEAN || s->conf->kind == SIGNAL_TWA)
        s->open.a += s->value * (double)held;
}

/* What a counter has grown by between two good samples. */
static double growth(double before, double now, double wrap)
{
    if (now >= before)
        return now - before;
    if (wrap > 0 && before > wrap * 3 / 4 && now < wrap / 4)
        return now - before + wrap;
    return now > 0 ? now : 0;
}

/* The newest cell goes into the window, if that still sees it. */
static void seal(struct signal *s, int64_t edge_ms)
{
    if (s->begun && end_of(&s->open) > edge_ms)
        cells_push(&s->window, &s->open);
}

static void add_sample(struct signal *s, double value, int64_t now_ms)
{
    bool anew = !s->begun || now_ms - s->open.begin_ms >= s->grain_ms;

    if (s->begun && s->conf->kind == SIGNAL_DELTA) {
        s->open.a += growth(s->value, value, s->conf->wrap);
        extend(&s->open, now_ms);
    }
    if (anew) {
        seal(s, now_ms - s->conf->window_ms);
        s->open = (struct cell){.begin_ms = now_ms};
    } else {
        s->open.gathered = 1;
    }
    switch (s->conf->kind) {
    case SIGNAL_SUM:
        s->open.a += value;
        break;
    case SIGNAL_RATE:
        s->open.a = anew ? value : s->open.a;
        break;
    case SIGNAL_MAX:
    case SIGNAL_MIN:
    case SIGNAL_FLAT:
        s->open.a = anew || value > s->open.a ? value : s->open.a;
        s->open.b = anew || value < s->open.b ? value : s->open.b;
        break;
    case SIGNAL_VALUE:
    case SIGNAL_MEAN:
    case SIGNAL_DELTA:
    case SIGNAL_TWA:
        break;
    }
    s->begun = true;
    s->value = value;
    if (value < 0)
        s->negative_ms = now_ms;
}

/* ---- what the window says ---- */

static struct reading known(const struct signal *s, enum reading_trust how, double value)
{
    return (struct reading){decimal_digits(value, s->single ? DIGITS_SINGLE : DIGITS), how};
}

/* The cell that the window's begin cuts, or NULL. It can only be the oldest. */
static const struct cell *cut_cell(const struct signal *s, int64_t edge_ms)
{
    const struct cell *oldest = cells_at(&s->window, 0);

    return oldest && oldest->begin_ms <= edge_ms ? oldest : NULL;
}

static double share_of(const struct cell *cut, int64_t edge_ms)
{
    return (double)(end_of(cut) - edge_ms) / cut->length_ms;
}

static int64_t covered(const struct signal *s, const struct cell *cut, int64_t edge_ms)
{
    int64_t ms = s->window.covered_ms + s->open.covered_ms, inside;

    if (!cut)
        return ms;
    if (cut->gathered)
        inside = (int64_t)(share_of(cut, edge_ms) * cut->covered_ms);
    else
        inside = cut->begin_ms + cut->covered_ms - edge_ms;
    return ms - cut->covered_ms + (inside > 0 ? inside : 0);
}

/* What is added up in the window. *sure: of it what is no estimate. */
static double added_up(struct signal *s, const struct cell *cut, int64_t edge_ms, double *sure)
{
    bool integral = s->conf->kind == SIGNAL_MEAN || s->conf->kind == SIGNAL_TWA;
    double sum, unused, part = 0;

    cells_fold(&s->window, cut != NULL, &sum, &unused);
    sum += s->open.a;
    /* A single sample was taken at the cell's begin: before the window. */
    if (cut && (cut->gathered || s->conf->kind != SIGNAL_SUM))
        part = cut->a * share_of(cut, edge_ms);
    *sure = integral && cut && !cut->gathered ? sum + part : sum;
    return sum + part;
}

static struct reading sum_value(struct signal *s, const struct cell *cut, int64_t covered_ms, int64_t edge_ms)
{
    enum signal_kind kind = s->conf->kind;
    double sure, sum = added_up(s, cut, edge_ms, &sure);
    double by = kind == SIGNAL_TWA ? (double)s->conf->window_ms : 1;

    if (kind == SIGNAL_MEAN) {
        if (covered_ms >= s->need_ms)
            return known(s, READING_GOOD, sum / (double)covered_ms);
        return (struct reading){0};
    }
    if (covered_ms >= s->need_ms)
        return known(s, READING_GOOD, sum / by);
    if (kind != SIGNAL_DELTA && s->negative_ms > edge_ms - s->hold_ms)
        return (struct reading){0};
    return known(s, READING_AT_LEAST, sure / by);
}

/* By more than the band, which is a decimal: 20.1 - 20.0 is not more than 0.1. */
static bool differ(const struct signal *s, double low, double high)
{
    double upper = low + s->conf->band;

    if (high <= upper)
        return false;
    if (s->single && fabs(upper) <= (double)FLT_MAX)
        return high > (double)(float)upper;
    return high > decimal_digits(upper, DIGITS);
}

static struct reading extreme_value(struct signal *s, int64_t covered_ms)
{
    bool enough = covered_ms >= s->need_ms;
    double high, low;

    cells_fold(&s->window, false, &high, &low);
    high = s->open.a > high ? s->open.a : high;
    low = s->open.b < low ? s->open.b : low;
    if (s->conf->kind == SIGNAL_MAX)
        return (struct reading){high, enough ? READING_GOOD : READING_AT_LEAST};
    if (s->conf->kind == SIGNAL_MIN)
        return (struct reading){low, enough ? READING_GOOD : READING_AT_MOST};
    if (differ(s, low, high))
        return (struct reading){0, READING_GOOD};
    return (struct reading){1, enough ? READING_GOOD : READING_BAD};
}

static struct reading rate_value(const struct signal *s, int64_t covered_ms)
{
    const struct cell *oldest = cells_at(&s->window, 0);
    const struct cell *first = oldest ? oldest : &s->open;
    int64_t between = s->last_ms - first->begin_ms;

    /* What is covered lies between the two samples, so they are as far apart as asked for. */
    if (covered_ms < s->need_ms)
        return (struct reading){0};
    return known(s, READING_GOOD, (s->value - first->a) / (double)between * (double)s->conf->window_ms);
}

struct reading signal_sample(struct signal *s, const struct sample *sample, int64_t mono_ms)
{
    bool good = sample->quality == QUALITY_GOOD && isfinite(sample->value);
    int64_t now = mono_ms > s->last_ms ? mono_ms : s->last_ms;
    int64_t edge = now - s->conf->window_ms, covered_ms;
    const struct cell *cut;

    hold_until(s, now);
    s->last_ms = now;
    s->holding = good;
    s->newest_thinned_ms = s->thinned_ms;
    if (!good)
        return (struct reading){0};
    cells_expire(&s->window, edge);
    add_sample(s, sample->value, now);
    cut = cut_cell(s, edge);
    s->covered_ms = covered_ms = covered(s, cut, edge);
    switch (s->conf->kind) {
    case SIGNAL_MAX:
    case SIGNAL_MIN:
    case SIGNAL_FLAT:
        return extreme_value(s, covered_ms);
    case SIGNAL_RATE:
        return rate_value(s, covered_ms);
    case SIGNAL_VALUE:
    case SIGNAL_MEAN:
    case SIGNAL_SUM:
    case SIGNAL_DELTA:
    case SIGNAL_TWA:
        break;
    }
    return sum_value(s, cut, covered_ms, edge);
}

/* ---- over a reload ---- */

bool signal_same(const struct signal *a, const struct signal *b)
{
    return a->conf->kind == b->conf->kind && a->conf->window_ms == b->conf->window_ms &&
           a->single == b->single && (a->conf->kind != SIGNAL_DELTA || a->conf->wrap == b->conf->wrap);
}

/* The next cell of another window, into one whose cells may have to gather more. */
static void take_cell(struct signal *s, const struct cell *cell, int64_t edge_ms)
{
    if (!s->begun || cell->begin_ms - s->open.begin_ms >= s->grain_ms) {
        seal(s, edge_ms);
        s->open = *cell;
        s->begun = true;
        return;
    }
    s->open.gathered = 1;
    cover(&s->open, cell->covered_ms);
    extend(&s->open, end_of(cell));
    if (s->window.sort == CELLS_EXTREMES) {
        s->open.a = cell->a > s->open.a ? cell->a : s->open.a;
        s->open.b = cell->b < s->open.b ? cell->b : s->open.b;
    } else if (s->conf->kind != SIGNAL_RATE) {
        s->open.a += cell->a;
    }
}

bool signal_inherit(struct signal *s, const struct signal *from)
{
    int64_t edge = from->begun ? from->last_ms - from->conf->window_ms : 0;
    const struct cell *cell;

    if (!signal_same(s, from))
        return false;
    signal_reset(s);
    for (uint32_t i = 0; (cell = cells_at(&from->window, i)) != NULL; i++)
        take_cell(s, cell, edge);
    if (from->begun)
        take_cell(s, &from->open, edge);
    s->holding = from->holding;
    s->last_ms = from->last_ms;
    s->covered_ms = from->covered_ms;
    s->value = from->value;
    s->negative_ms = from->negative_ms;
    s->newest_thinned_ms = from->newest_thinned_ms;
    return true;
}
