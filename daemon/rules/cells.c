#include "rules/cells.h"

#include <math.h>

static struct cell *cell_at(const struct cells *w, uint32_t index)
{
    uint32_t place = w->head + index; /* both below the capacity, and that is far below 2^31 */

    return &w->cells[place < w->capacity ? place : place - w->capacity];
}

static double higher(double a, double b)
{
    return a > b ? a : b;
}

static double lower(double a, double b)
{
    return a < b ? a : b;
}

static void clear_back(struct cells *w)
{
    w->back_a = w->sort == CELLS_SUM ? 0 : -INFINITY;
    w->back_b = w->sort == CELLS_SUM ? 0 : INFINITY;
}

void cells_init(struct cells *w, enum cells_sort sort, struct cell *cells, uint32_t capacity)
{
    *w = (struct cells){.cells = cells, .capacity = capacity, .sort = sort};
    clear_back(w);
}

/* The back becomes the front; there is none yet. */
static void turn(struct cells *w)
{
    double sum = 0, high = -INFINITY, low = INFINITY;

    for (uint32_t i = w->count; i-- > 0;) {
        struct cell *cell = cell_at(w, i);

        if (w->sort == CELLS_SUM) {
            sum += cell->a;
            cell->b = sum;
        } else {
            cell->a = high = higher(high, cell->a);
            cell->b = low = lower(low, cell->b);
        }
    }
    w->front = w->count;
    clear_back(w);
}

static void drop_oldest(struct cells *w)
{
    if (w->front == 0)
        turn(w);
    w->covered_ms -= w->cells[w->head].covered_ms;
    w->head = w->head + 1 < w->capacity ? w->head + 1 : 0;
    w->front--;
    w->count--;
}

void cells_push(struct cells *w, const struct cell *cell)
{
    if (w->count == w->capacity)
        drop_oldest(w);
    *cell_at(w, w->count++) = *cell;
    w->covered_ms += cell->covered_ms;
    if (w->sort == CELLS_SUM) {
        w->back_a += cell->a;
    } else {
        w->back_a = higher(w->back_a, cell->a);
        w->back_b = lower(w->back_b, cell->b);
    }
}

void cells_expire(struct cells *w, int64_t edge_ms)
{
    while (w->count > 0 && w->cells[w->head].begin_ms + w->cells[w->head].length_ms <= edge_ms)
        drop_oldest(w);
}

const struct cell *cells_at(const struct cells *w, uint32_t index)
{
    return index < w->count ? cell_at(w, index) : NULL;
}

void cells_fold(struct cells *w, bool but_oldest, double *a, double *b)
{
    uint32_t skip = but_oldest && w->count > 0 ? 1 : 0;

    if (skip && w->front == 0)
        turn(w);
    *a = w->back_a;
    *b = w->back_b;
    if (w->front <= skip)
        return;
    if (w->sort == CELLS_SUM) {
        *a += cell_at(w, skip)->b;
    } else {
        *a = higher(*a, cell_at(w, skip)->a);
        *b = lower(*b, cell_at(w, skip)->b);
    }
}
