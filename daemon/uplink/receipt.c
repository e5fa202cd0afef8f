#include "uplink/receipt.h"

#include <string.h>

#include "base/json_read.h"
#include "uplink/cursor.h"

void receipt_init(struct receipt *r, const struct cursor *kept, int64_t head, int64_t now_ms)
{
    *r = (struct receipt){.held = *kept,
                          .told = {.acked = head},
                          .last = kept->acked,
                          .scanned = kept->acked,
                          .waiting_ms = now_ms,
                          .patience_ms = RECEIPT_PATIENCE_MS};
}

/* Once the last record that is meant for it is held, so is what follows and is not. */
static bool pass_over(struct receipt *r)
{
    if (r->held.acked < r->last || r->held.acked >= r->scanned)
        return false;
    cursor_done(&r->held, r->held.acked + 1, r->scanned);
    return true;
}

/* Of what was asked for again: it is not meant for this uplink, so no receipt will name it. */
static bool not_meant(struct receipt *r, int64_t from, int64_t to)
{
    const int64_t before = cursor_pending(&r->held, r->held.acked);

    cursor_done(&r->held, from, to < r->held.acked ? to : r->held.acked);
    return cursor_pending(&r->held, r->held.acked) != before;
}

void receipt_sent(struct receipt *r, int64_t from, int64_t to, int64_t last)
{
    cursor_done(&r->told, from, to);
    (void)not_meant(r, last + 1, to); /* kept with the receipt for the rest */
    if (last < r->last)
        return;
    r->last = last;
    if (to > r->scanned)
        r->scanned = to;
}

bool receipt_skipped(struct receipt *r, int64_t from, int64_t to)
{
    const bool asked = not_meant(r, from, to);

    cursor_done(&r->told, from, to);
    if (from <= r->scanned + 1 && to > r->scanned)
        r->scanned = to;
    return pass_over(r) || asked;
}

void receipt_forgo(struct receipt *r, int64_t upto)
{
    cursor_done(&r->held, 1, upto);
    cursor_done(&r->told, 1, upto);
    if (r->last < upto && r->scanned < upto)
        r->last = r->scanned = upto;
}

void receipt_owe(struct receipt *r, int64_t first, int64_t last)
{
    cursor_owe(&r->held, first, last);
}

/* What was asked for again and sent again is done with; what is still to be sent is not. */
static bool settle_asked(struct receipt *r, const struct cursor *sending, int64_t upto)
{
    const struct cursor before = r->held;
    struct cursor after = before;

    cursor_done(&after, 1, upto);
    for (size_t i = 0; i < sending->range_count; i++)
        cursor_owe(&after, sending->ranges[i].first,
                   sending->ranges[i].last < upto ? sending->ranges[i].last : upto);
    r->held = after;
    return memcmp(&before, &after, sizeof(before)) != 0;
}

enum receipt_verdict receipt_take(struct receipt *r, struct cursor *sending, int64_t upto, int64_t now_ms)
{
    const int64_t before = r->held.acked;
    struct seq_range unsent = {.first = r->told.acked + 1};
    bool moved = false;

    if (cursor_owed(&r->told, before + 1, &unsent) ? unsent.first <= upto : upto > r->told.acked)
        return RECEIPT_REFUSED;
    if (upto >= r->last && upto < r->scanned)
        upto = r->scanned;
    if (r->held.range_count > 0)
        moved = settle_asked(r, sending, upto < before ? upto : before);
    if (upto > before) {
        cursor_done(&r->held, before + 1, upto);
        cursor_done(sending, before + 1, upto);
        moved = true;
    }
    if (!moved)
        return upto < before ? RECEIPT_OLD : RECEIPT_KNOWN;
    r->waiting_ms = now_ms;
    r->patience_ms = RECEIPT_PATIENCE_MS;
    return RECEIPT_MOVED;
}

bool receipt_waits(const struct receipt *r, const struct cursor *sending)
{
    struct seq_range held, owed;

    if (sending->acked > r->held.acked)
        return true;
    for (int64_t from = 1; cursor_owed(&r->held, from, &held); from = owed.last + 1) {
        if (!cursor_owed(sending, held.first, &owed) || owed.first > held.first)
            return true;
    }
    return false;
}

int64_t receipt_look(struct receipt *r, const struct cursor *sending, bool busy, int64_t now_ms)
{
    const bool waits = receipt_waits(r, sending);

    if (busy || !waits)
        r->waiting_ms = now_ms;
    if (!waits)
        return INT64_MAX;
    return r->waiting_ms + r->patience_ms > now_ms ? r->waiting_ms + r->patience_ms : now_ms;
}

void receipt_again(struct receipt *r, struct cursor *sending, int64_t now_ms)
{
    for (size_t i = 0; i < r->held.range_count; i++)
        cursor_owe(sending, r->held.ranges[i].first, r->held.ranges[i].last);
    cursor_owe(sending, r->held.acked + 1, sending->acked);
    r->waiting_ms = now_ms;
    r->patience_ms *= 2;
    if (r->patience_ms > RECEIPT_PATIENCE_CAP_MS)
        r->patience_ms = RECEIPT_PATIENCE_CAP_MS;
}

static bool stream_of(const char *name, enum stream *out)
{
    for (int i = 0; name && i < STREAM_COUNT; i++) {
        if (strcmp(stream_name((enum stream)i), name) == 0) {
            *out = (enum stream)i;
            return true;
        }
    }
    return false;
}

bool receipt_parse(const char *text, size_t length, enum stream *stream, int64_t *upto)
{
    struct json *root = NULL;
    bool good;

    if (!text || json_parse(text, length, RECEIPT_BYTES, &root) != RG_OK)
        return false;
    *upto = json_int(json_get(root, "upto"), 0);
    good = json_is_object(root) && json_size(root) == 2 &&
           stream_of(json_string(json_get(root, "stream")), stream) && *upto > 0;
    json_free(root);
    return good;
}
