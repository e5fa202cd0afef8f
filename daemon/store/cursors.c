#include "store/cursors.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"

struct cursor_entry *cursors_find(struct cursor_set *set, const char *uplink)
{
    for (size_t i = 0; i < set->used; i++) {
        struct cursor_entry *e = &set->entries[i];
        if (!e->gone && strcmp(e->uplink, uplink) == 0)
            return e;
    }
    return NULL;
}

struct cursor_entry *cursors_enter(struct cursor_set *set, const char *uplink)
{
    struct cursor_entry *e = cursors_find(set, uplink);
    if (e != NULL)
        return e;
    if (!text_is_id(uplink))
        return NULL;
    for (size_t i = 0; i < set->used && e == NULL; i++) {
        /* One that is named again before its removal was written takes its old place. */
        if (set->entries[i].uplink[0] == '\0' || strcmp(set->entries[i].uplink, uplink) == 0)
            e = &set->entries[i];
    }
    if (e == NULL && set->used < CURSORS_UPLINKS)
        e = &set->entries[set->used++];
    if (e != NULL) {
        *e = (struct cursor_entry){0};
        (void)text_copy(e->uplink, sizeof(e->uplink), uplink); /* an identifier fits */
    }
    return e;
}

static bool entry_dirty(const struct cursor_entry *e)
{
    bool dirty = e->gone;
    for (int s = 0; s < STREAM_COUNT; s++)
        dirty = dirty || e->dirty[s];
    return dirty;
}

bool cursors_dirty(const struct cursor_set *set)
{
    for (size_t i = 0; i < set->used; i++) {
        if (entry_dirty(&set->entries[i]))
            return true;
    }
    return false;
}

void cursors_hand_over(struct cursor_set *set, struct cursor_set *out)
{
    out->used = 0;
    for (size_t i = 0; i < set->used; i++) {
        struct cursor_entry *e = &set->entries[i];
        if (!entry_dirty(e))
            continue;
        out->entries[out->used++] = *e;
        if (e->gone)
            *e = (struct cursor_entry){0};
        else
            memset(e->dirty, 0, sizeof(e->dirty));
    }
}

void cursors_take_back(struct cursor_set *set, const struct cursor_set *out)
{
    for (size_t i = 0; i < out->used; i++) {
        const struct cursor_entry *lost = &out->entries[i];
        struct cursor_entry *e = cursors_find(set, lost->uplink);
        if (lost->gone) {
            /* Named again meanwhile: its new cursors will overwrite the old ones. No place left: the next start
             * removes it. */
            e = e == NULL ? cursors_enter(set, lost->uplink) : NULL;
            if (e != NULL)
                e->gone = true;
            continue;
        }
        for (int s = 0; s < STREAM_COUNT && e != NULL; s++)
            e->dirty[s] = e->dirty[s] || lost->dirty[s];
    }
}

bool cursor_valid(const struct cursor *c)
{
    if (c->acked < 0 || c->range_count > CURSOR_RANGES)
        return false;
    int64_t before = 0;
    for (size_t i = 0; i < c->range_count; i++) {
        const struct seq_range *r = &c->ranges[i];
        if (r->first <= before || r->last < r->first || r->last > c->acked)
            return false;
        before = r->last;
    }
    return true;
}

void cursor_default(enum stream stream, int64_t head, int64_t gone, struct cursor *out)
{
    *out = (struct cursor){.acked = gone};
    if (stream != STREAM_TELEMETRY || gone >= head)
        return;
    out->acked = head;
    out->range_count = 1;
    out->ranges[0] = (struct seq_range){.first = gone + 1, .last = head};
}

void cursor_format(const struct cursor *c, char out[CURSOR_TEXT])
{
    size_t length = 0;
    out[length++] = '[';
    for (size_t i = 0; i < c->range_count; i++) {
        char one[64];
        (void)text_format(one, sizeof(one), "%s[%lld,%lld]", i == 0 ? "" : ",", (long long)c->ranges[i].first,
                          (long long)c->ranges[i].last); /* two numbers always fit */
        size_t n = strlen(one);
        memcpy(out + length, one, n);
        length += n;
    }
    out[length++] = ']';
    out[length] = '\0';
}

enum rg_err cursor_parse(const char *text, size_t length, struct cursor *c)
{
    struct json *root = NULL;
    enum rg_err err = json_parse(text, length, CURSOR_TEXT, &root);
    if (err != RG_OK)
        return err;
    c->range_count = 0;
    if (!json_is_array(root) || json_size(root) > CURSOR_RANGES)
        err = RG_EINVAL;
    for (const struct json *pair = json_first(root); pair != NULL && err == RG_OK; pair = json_next(pair)) {
        const struct json *first = json_first(pair);
        const struct json *last = first == NULL ? NULL : json_next(first);
        c->ranges[c->range_count++] =
            (struct seq_range){.first = json_int(first, -1), .last = json_int(last, -1)};
    }
    json_free(root);
    return err == RG_OK && !cursor_valid(c) ? RG_EINVAL : err;
}

static int by_first(const void *left, const void *right)
{
    const struct seq_range *a = left, *b = right;
    return a->first < b->first ? -1 : a->first > b->first;
}

/* What one uplink owes within `gone`, appended to out. */
static size_t owed_by(const struct cursor *c, struct seq_range gone, struct seq_range *out)
{
    size_t n = 0;
    for (size_t i = 0; i <= c->range_count; i++) {
        struct seq_range r = {.first = c->acked < INT64_MAX ? c->acked + 1 : INT64_MAX, .last = INT64_MAX};
        if (i < c->range_count)
            r = c->ranges[i];
        if (r.first < gone.first)
            r.first = gone.first;
        if (r.last > gone.last)
            r.last = gone.last;
        if (r.first <= r.last)
            out[n++] = r;
    }
    return n;
}

uint64_t cursors_owed(const struct cursor_set *set, enum stream stream, struct seq_range gone,
                      struct seq_range *owed)
{
    /* Merged into a running union uplink by uplink, so that the working memory stays that of two cursors: a union
     * that falls apart into more pieces than fit is closed up, which counts too much, never too little. */
    struct seq_range merged[2 * (CURSOR_RANGES + 1)];
    size_t count = 0;
    for (size_t i = 0; i < set->used; i++) {
        const struct cursor_entry *e = &set->entries[i];
        if (e->uplink[0] == '\0' || e->gone)
            continue;
        count += owed_by(&e->cursor[stream], gone, merged + count);
        qsort(merged, count, sizeof(merged[0]), by_first);
        size_t kept = 0;
        for (size_t k = 0; k < count; k++) {
            if (kept > 0 && (merged[k].first <= merged[kept - 1].last || kept > CURSOR_RANGES)) {
                if (merged[k].last > merged[kept - 1].last)
                    merged[kept - 1].last = merged[k].last;
            } else {
                merged[kept++] = merged[k];
            }
        }
        count = kept;
    }
    uint64_t total = 0;
    for (size_t k = 0; k < count; k++)
        total += (uint64_t)(merged[k].last - merged[k].first) + 1;
    *owed = (struct seq_range){.first = count == 0 ? 0 : merged[0].first,
                               .last = count == 0 ? -1 : merged[count - 1].last};
    return total;
}
