#include "ledger.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_FIRST 64

void ledger_create(struct ledger *l, bool hashed, size_t remember)
{
    size_t size = WINDOW_FIRST;

    memset(l, 0, sizeof *l);
    while (size < (remember ? remember : LEDGER_REMEMBER))
        size *= 2;
    l->hashed = hashed;
    l->window_max = size;
}

void ledger_free(struct ledger *l)
{
    for (size_t i = 0; i < l->waiting_count; i++)
        free(l->waiting[i].text);
    free(l->waiting);
    free(l->spans);
    free(l->window);
    free(l->hashes);
    memset(l, 0, sizeof *l);
}

uint64_t ledger_fingerprint(const char *text, size_t length)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a, 64 bit */

    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    return h;
}

/* ---- the newest records ---- */

static size_t place_of(const struct ledger *l, int64_t seq)
{
    return (size_t)seq & (l->window_size - 1);
}

static bool window_resize(struct ledger *l, size_t size)
{
    struct ledger old = *l;

    l->window = calloc(size, sizeof *l->window);
    l->hashes = l->hashed ? calloc(size, sizeof *l->hashes) : NULL;
    if (!l->window || (l->hashed && !l->hashes)) {
        free(l->window);
        free(l->hashes);
        l->window = old.window;
        l->hashes = old.hashes;
        return false;
    }
    l->window_size = size;
    for (size_t i = 0; i < old.window_size; i++) {
        size_t place = place_of(l, old.window[i].seq);

        if (old.window[i].seq == 0)
            continue;
        l->window[place] = old.window[i];
        if (l->hashed)
            memcpy(l->hashes[place], old.hashes[i], LEDGER_HASH);
    }
    free(old.window);
    free(old.hashes);
    return true;
}

static bool remember(struct ledger *l, int64_t seq, uint64_t print, const char *hash)
{
    struct ledger_print *p;

    if (!l->window && !window_resize(l, WINDOW_FIRST))
        return false;
    while (l->window[place_of(l, seq)].seq != 0 && l->window_size < l->window_max) {
        if (!window_resize(l, 2 * l->window_size))
            return false;
    }
    p = &l->window[place_of(l, seq)];
    if (p->seq > seq) { /* of a stretch long past: what is newer stays */
        if (seq > l->forgotten)
            l->forgotten = seq;
        return true;
    }
    if (p->seq > l->forgotten)
        l->forgotten = p->seq;
    *p = (struct ledger_print){seq, print};
    if (l->hashed && hash)
        memcpy(l->hashes[place_of(l, seq)], hash, LEDGER_HASH);
    else if (l->hashed)
        memset(l->hashes[place_of(l, seq)], 0, LEDGER_HASH);
    return true;
}

static const struct ledger_print *recall(const struct ledger *l, int64_t seq)
{
    const struct ledger_print *p = l->window ? &l->window[place_of(l, seq)] : NULL;

    return p && p->seq == seq ? p : NULL;
}

const char *ledger_hash(const struct ledger *l, int64_t seq)
{
    const char *hash = l->hashed && recall(l, seq) ? l->hashes[place_of(l, seq)] : NULL;

    return hash && hash[0] ? hash : NULL;
}

enum ledger_result ledger_add(struct ledger *l, int64_t seq, const char *text, size_t length,
                              const char *hash, enum ledger_sure sure)
{
    uint64_t print = ledger_fingerprint(text, length);
    const struct ledger_print *known = recall(l, seq);

    if (seq < 1 || seq > LEDGER_NUMBER_MAX)
        return LEDGER_NO_MEMORY;
    if (known) {
        l->records++;
        l->resent++;
        return known->print == print ? LEDGER_RESENT : LEDGER_DIFFERS;
    }
    if (sure == LEDGER_UNSURE && seq <= l->forgotten && ledger_accounts_for(l, seq))
        return LEDGER_OLD;
    if (!remember(l, seq, print, hash))
        return LEDGER_NO_MEMORY;
    l->records++;
    if (seq > l->top)
        l->top = seq;
    return LEDGER_NEW;
}

/* ---- the spans ---- */

/* Index of the first span that ends at or after seq. */
static size_t span_at(const struct ledger *l, int64_t seq)
{
    size_t low = 0, high = l->span_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (l->spans[middle].last < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool span_insert(struct ledger *l, size_t at, struct ledger_span span)
{
    if (l->span_count == LEDGER_SPANS) { /* the two lowest become one */
        l->spans[1].first = l->spans[0].first;
        memmove(l->spans, l->spans + 1, (l->span_count - 1) * sizeof *l->spans);
        l->span_count--;
        l->forgotten_holes++;
        if (at > 0)
            at--;
        if (at == 0) { /* it lay below, or between the two */
            if (span.first < l->spans[0].first)
                l->spans[0].first = span.first;
            return true;
        }
    }
    if (l->span_count == l->span_capacity) {
        size_t capacity = l->span_capacity ? 2 * l->span_capacity : 4;
        struct ledger_span *grown = realloc(l->spans, capacity * sizeof *grown);

        if (!grown)
            return false;
        l->spans = grown;
        l->span_capacity = capacity;
    }
    memmove(l->spans + at + 1, l->spans + at, (l->span_count - at) * sizeof *l->spans);
    l->spans[at] = span;
    l->span_count++;
    return true;
}

bool ledger_account(struct ledger *l, int64_t first, int64_t last)
{
    size_t at, end;

    if (first < 1 || last < first)
        return true;
    at = span_at(l, first - 1); /* one that touches it, too */
    end = at;
    while (end < l->span_count && l->spans[end].first <= last + 1)
        end++;
    if (end == at)
        return span_insert(l, at, (struct ledger_span){first, last});
    if (l->spans[at].first > first)
        l->spans[at].first = first;
    if (l->spans[end - 1].last > last)
        last = l->spans[end - 1].last;
    l->spans[at].last = last;
    memmove(l->spans + at + 1, l->spans + end, (l->span_count - end) * sizeof *l->spans);
    l->span_count -= end - at - 1;
    return true;
}

bool ledger_accounts_for(const struct ledger *l, int64_t seq)
{
    size_t at = span_at(l, seq);

    return at < l->span_count && l->spans[at].first <= seq;
}

int64_t ledger_before(const struct ledger *l, int64_t seq)
{
    size_t at = span_at(l, seq);

    if (at < l->span_count && l->spans[at].first < seq)
        return seq - 1;
    return at > 0 ? l->spans[at - 1].last : 0;
}

int64_t ledger_upto(const struct ledger *l)
{
    return l->span_count > 0 && l->spans[0].first == 1 ? l->spans[0].last : 0;
}

bool ledger_hole(const struct ledger *l, size_t n, struct ledger_span *out)
{
    bool first = l->span_count > 0 && l->spans[0].first > 1;

    if (n >= ledger_hole_count(l))
        return false;
    if (!first)
        n++;
    out->first = n == 0 ? 1 : l->spans[n - 1].last + 1;
    out->last = l->spans[n].first - 1;
    return true;
}

size_t ledger_hole_count(const struct ledger *l)
{
    return l->span_count == 0 ? 0 : l->span_count - (l->spans[0].first == 1);
}

uint64_t ledger_holes(const struct ledger *l)
{
    struct ledger_span hole;
    uint64_t holes = 0;

    for (size_t i = 0; ledger_hole(l, i, &hole); i++)
        holes += (uint64_t)(hole.last - hole.first + 1);
    return holes;
}

/* ---- records that wait for the one before ---- */

bool ledger_wait_add(struct ledger *l, int64_t seq, const char *text, size_t length)
{
    struct ledger_wait *w;

    if (!l->waiting)
        l->waiting = calloc(LEDGER_WAITING, sizeof *l->waiting);
    if (!l->waiting || l->waiting_count == LEDGER_WAITING)
        return false;
    w = &l->waiting[l->waiting_count];
    w->text = malloc(length + 1);
    if (!w->text)
        return false;
    memcpy(w->text, text, length);
    w->text[length] = '\0';
    w->length = length;
    w->seq = seq;
    l->waiting_count++;
    return true;
}

bool ledger_wait_take(struct ledger *l, int64_t seq, struct ledger_wait *out)
{
    for (size_t i = 0; i < l->waiting_count; i++) {
        if (l->waiting[i].seq != seq)
            continue;
        *out = l->waiting[i];
        l->waiting[i] = l->waiting[--l->waiting_count];
        return true;
    }
    return false;
}
