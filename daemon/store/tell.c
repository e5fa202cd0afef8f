/* What the rest of the program is told. Callbacks may append and fetch. */
#include <string.h>

#include "base/text.h"
#include "store/store_impl.h"

void tell_reason(struct store *s, const char *words)
{
    (void)text_format(s->stats.detail, sizeof(s->stats.detail), "%s",
                      words); /* for people: cut where it is longer */
}

void tell_failing(struct store *s, const char *words)
{
    if (s->failing)
        return;
    s->failing = true;
    s->stats.ok = false;
    tell_reason(s, words);
    if (s->cbs.health == NULL)
        return;
    char detail[WRITER_WORDS + 64];
    if (strncmp(words, s->path, strlen(s->path)) == 0)
        (void)text_format(detail, sizeof(detail), "%s", words);
    else
        (void)text_format(detail, sizeof(detail), "%s: %s", s->path, words);
    s->cbs.health(s->arg, false, detail);
}

/* The word of a loss is a record itself: it waits until there is room for it. */
static bool room_to_tell(struct store *s)
{
    const struct region *r = lane_gather(&s->lanes[LANE_ALARMS]);
    return r->capacity - r->used >= STORE_BATCH_ALARM_OWN + STORE_TELL_ROOM;
}

static void tell_dropped(struct store *s)
{
    if (!room_to_tell(s))
        return; /* what fills it is about to be committed, and then this is asked again */
    for (int i = 0; i < STREAM_COUNT; i++) {
        uint64_t count = s->dropped[i];
        s->dropped[i] = 0;
        if (count > 0 && s->cbs.lost != NULL)
            s->cbs.lost(s->arg, (enum stream)i, 0, 0, count, "memory");
    }
}

void tell_recovered(struct store *s)
{
    if (s->damaged)
        return;
    if (s->failing) {
        s->failing = false;
        s->make_room = false;
        s->stats.ok = true;
        s->stats.detail[0] = '\0';
        backoff_reset(&s->backoff);
        if (s->cbs.health != NULL)
            s->cbs.health(s->arg, true, s->path);
    }
    tell_dropped(s);
}

void tell_losses(struct store *s)
{
    int64_t now = loop_mono_ms(s->loop);
    if (s->failing || now < s->loss_at_ms || loss_book_empty(&s->losses) || !loss_book_empty(&s->told) ||
        !room_to_tell(s))
        return;
    s->loss_at_ms = now + STORE_LOSS_EVERY_MS;
    s->told = s->losses;
    s->losses = (struct loss_book){0};
    for (int i = 0; i < STREAM_COUNT; i++) {
        for (int c = 0; c < LOSS_CAUSES; c++) {
            const struct loss loss = s->told.of[i][c];
            s->stats.lost += loss.count;
            if (loss.count > 0 && s->cbs.lost != NULL)
                s->cbs.lost(s->arg, (enum stream)i, loss.first, loss.last, loss.count,
                            loss_cause_name((enum loss_cause)c));
        }
    }
}

void tell_flushes(struct store *s, bool failed)
{
    size_t kept = 0, due = 0;
    struct flush now[STORE_FLUSHES];
    for (size_t i = 0; i < s->flush_count; i++) {
        const struct flush *f = &s->flushes[i];
        bool durable = f->upto[LANE_ALARMS] <= s->lanes[LANE_ALARMS].durable &&
                       f->upto[LANE_TELEMETRY] <= s->lanes[LANE_TELEMETRY].durable &&
                       f->rollups <= s->rollups.stored;
        if (durable || failed)
            now[due++] = *f;
        else
            s->flushes[kept++] = *f;
    }
    s->flush_count = kept;
    for (size_t i = 0; i < due; i++)
        now[i].cb(now[i].arg, !failed);
}

static void tell_region(struct store *s, struct region *r)
{
    while (r->told < r->used) {
        const struct entry *e = region_at(r, r->told);
        r->told += e->size;
        if (e->stream != STREAM_ALARM || e->length == 0 || s->cbs.alarm_not_stored == NULL)
            continue;
        struct store_failed_record record = {
            .stream = STREAM_ALARM,
            .body = entry_body(e),
            .length = e->length,
            .level = (enum level)e->level,
            .was = (enum level)e->was,
            .unsynced = e->unsynced,
            .test = e->test,
        };
        s->cbs.alarm_not_stored(s->arg, &record);
    }
}

void tell_unstored(struct store *s)
{
    tell_region(s, lane_fly(&s->lanes[LANE_ALARMS]));
    tell_region(s, lane_gather(&s->lanes[LANE_ALARMS]));
}

void store_unstored_again(struct store *s)
{
    for (int i = 0; i < 2 && s->failing; i++) {
        struct region *r = &s->lanes[LANE_ALARMS].regions[i];
        r->told = r->done; /* what is before is durable */
    }
    pump_step(s);
}

bool tell_unstored_due(const struct store *s)
{
    const struct region *r = s->lanes[LANE_ALARMS].regions;
    return s->failing && (r[0].told < r[0].used || r[1].told < r[1].used);
}

/* Not a failure: the store takes records, but somebody should look. Told once when it begins, later when it began
 * while the store was failing. */
static void warn(struct store *s, bool now, bool *told, const char *detail)
{
    if (!now)
        *told = false;
    if (!now || *told || s->failing)
        return;
    *told = true;
    if (s->cbs.health != NULL)
        s->cbs.health(s->arg, true, detail);
}

void tell_warnings(struct store *s)
{
    char detail[WRITER_WORDS + 256];
    (void)text_format(detail, sizeof(detail),
                      "%s-wal: has grown to %lld MiB, and with it the store beyond max_size, because another "
                      "program keeps an old state of the database open",
                      s->path, (long long)(s->job.size.log >> 20));
    warn(s, s->job.size.log > retention_headroom(s->limits.max_size), &s->log_told, detail);

    (void)text_format(detail, sizeof(detail), "retention: %s", s->job.round.words);
    warn(s, s->job.round.rc != SQLITE_OK, &s->round_told, detail);
}
