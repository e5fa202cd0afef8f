#include "poll/requests.h"

#include <stdlib.h>
#include <string.h>

struct request_state {
    uint32_t silent; /* polls in a row in which it was not answered, up to misses */
    bool told;       /* that it is left out */
    bool whole;      /* dividing it was in vain, and is not tried before: */
    int64_t divide_at_ms;
};

enum rg_err requests_init(struct requests *q, size_t count, size_t capacity,
                          const struct health_limits *limits)
{
    *q = (struct requests){.count = count, .capacity = capacity, .misses = limits->misses};
    backoff_init(&q->backoff, limits->probe_first_ms, limits->probe_cap_ms);
    q->states = calloc(capacity + 1, sizeof(*q->states));
    return q->states == NULL ? RG_ENOMEM : RG_OK;
}

void requests_destroy(struct requests *q)
{
    free(q->states);
    *q = (struct requests){.states = NULL};
}

/* ---- left out ---- */

bool requests_is_left_out(const struct requests *q, size_t request)
{
    return q->states[request].silent >= q->misses;
}

bool requests_begin(struct requests *q, int64_t now_ms)
{
    size_t i = q->next;

    if (q->left_out == 0)
        return false;
    while (i < q->count && !requests_is_left_out(q, i))
        i++;
    if (i == q->count)
        q->next = 0;
    return q->left_out == q->count || now_ms >= q->try_at_ms;
}

size_t requests_next(const struct requests *q, size_t from, bool trying)
{
    while (from < q->count && requests_is_left_out(q, from) && !(trying && from >= q->next))
        from++;
    return from;
}

bool requests_step(struct requests *q, size_t request, bool answered, int64_t now_ms,
                   struct rg_random *random)
{
    struct request_state *r = &q->states[request];
    bool was_left_out = requests_is_left_out(q, request);
    bool back = answered && was_left_out && r->told;

    if (answered) {
        r->silent = 0;
        r->told = false;
        if (was_left_out) {
            q->left_out--;
            backoff_reset(&q->backoff);
        }
        return back;
    }
    if (!was_left_out && ++r->silent < q->misses)
        return false;
    if (!was_left_out)
        q->left_out++;
    q->next = request + 1;
    q->try_at_ms = now_ms + backoff_fail(&q->backoff, random);
    return false;
}

bool requests_tell(struct requests *q, size_t request)
{
    struct request_state *r = &q->states[request];

    if (!requests_is_left_out(q, request) || r->told)
        return false;
    r->told = true;
    return true;
}

/* ---- divided ---- */

bool requests_may_divide(const struct requests *q, size_t request, int64_t now_ms)
{
    const struct request_state *r = &q->states[request];

    return !r->whole || now_ms >= r->divide_at_ms;
}

/* The `from` states at this place give way to `to` fresh ones. */
static void replace(struct requests *q, size_t at, size_t from, size_t to)
{
    struct request_state *tail = q->states + at;

    memmove(tail + to, tail + from, (q->count - at - from) * sizeof(*tail));
    memset(tail, 0, to * sizeof(*tail));
    q->count = q->count - from + to;
    q->left_out = 0;
    q->next = 0;
    for (size_t i = 0; i < q->count; i++)
        q->left_out += requests_is_left_out(q, i) ? 1 : 0;
}

void requests_divide(struct requests *q, size_t request, size_t parts)
{
    replace(q, request, 1, parts);
}

void requests_join(struct requests *q, size_t request, size_t parts)
{
    replace(q, request, parts, 1);
}

void requests_keep_whole(struct requests *q, size_t request, int64_t now_ms)
{
    q->states[request].whole = true;
    q->states[request].divide_at_ms = now_ms + POLL_DIVIDE_AGAIN_MS;
}
