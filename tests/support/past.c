#include "past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/record.h"

static void need(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "past: %s\n", what);
        exit(1);
    }
}

void past_init(struct past *p)
{
    *p = (struct past){0};
    jsonw_init(&p->w, 0);
}

void past_free(struct past *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->records[i].body);
    free(p->records);
    jsonw_free(&p->w);
}

int64_t past_turn(struct past *p)
{
    return ++p->turn;
}

static struct past_record *add(struct past *p, enum stream stream, struct moment at, int64_t turn,
                               const char *body, size_t length)
{
    struct past_record *r;
    size_t room = length + 64;

    if (p->count == p->room) {
        p->room = p->room ? 2 * p->room : 256;
        p->records = realloc(p->records, p->room * sizeof *p->records);
        need(p->records != NULL, "out of memory");
    }
    r = &p->records[p->count++];
    *r = (struct past_record){.stream = stream, .ts = at.wall_ms, .mono = at.mono_ms};
    r->seq = ++p->seqs[stream];
    r->turn = turn ? turn : ++p->turn;
    r->body = malloc(room);
    need(r->body != NULL, "out of memory");
    r->length = (size_t)snprintf(r->body, room, "{\"seq\":%lld,%.*s}", (long long)r->seq, (int)length, body);
    /* One that took its place earlier: the order is that of the turns. */
    for (; r > p->records && r[-1].turn > r->turn; r--) {
        struct past_record later = r[-1];

        r[-1] = r[0];
        r[0] = later;
    }
    return r;
}

void past_frame(struct past *p, const struct site *site, const struct frame *frame)
{
    const char *body;
    size_t length;
    struct past_record *r;

    need(record_frame(&p->w, site, frame, &body, &length) == RG_OK, "a frame cannot be written");
    r = add(p, STREAM_TELEMETRY, frame->at, 0, body, length);
    r->every_ms = p->every_ms;
    (void)text_copy(r->device, sizeof r->device, site->devices[frame->device].name);
}

void past_alarm(struct past *p, const struct alarm_change *change)
{
    const char *body;
    size_t length;

    need(record_alarm(&p->w, change, false, &body, &length) == RG_OK, "an alarm cannot be written");
    (void)add(p, STREAM_ALARM, change->at, 0, body, length);
}

void past_event(struct past *p, const char *kind, const char *more, struct moment at, int64_t turn)
{
    char body[512];
    int length =
        snprintf(body, sizeof body, "\"ts\":%lld,\"kind\":\"%s\"%s", (long long)at.wall_ms, kind, more);
    struct past_record *r = add(p, STREAM_EVENT, at, turn, body, (size_t)length);

    (void)text_copy(r->kind, sizeof r->kind, kind);
}

void past_prune(struct past *p, int64_t turn)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->count; i++) {
        if (p->records[i].stream == STREAM_TELEMETRY && p->records[i].turn < turn)
            free(p->records[i].body);
        else
            p->records[kept++] = p->records[i];
    }
    p->count = kept;
}

struct reader {
    const struct past *past;
    struct history_wish wish;
    size_t next;
};

static uint32_t wished(const struct reader *r, const char *device)
{
    for (uint32_t i = 0; i < r->wish.device_count; i++) {
        if (strcmp(r->wish.devices[i], device) == 0)
            return i;
    }
    return UINT32_MAX;
}

/* Of the telemetry that is not newer than wished. */
static bool is_last(const struct reader *r, const struct past_record *s)
{
    if (s->stream != STREAM_TELEMETRY || s->ts > r->wish.last_until_ms)
        return false;
    for (size_t i = r->next; i < r->past->count; i++) {
        const struct past_record *later = &r->past->records[i];

        if (later->stream == STREAM_TELEMETRY && later->ts <= r->wish.last_until_ms)
            return false;
    }
    return true;
}

static enum rg_err next_cb(void *arg, struct history_entry *entry)
{
    struct reader *r = arg;

    while (r->next < r->past->count) {
        const struct past_record *s = &r->past->records[r->next++];
        bool telemetry = s->stream == STREAM_TELEMETRY;
        uint32_t device = telemetry ? wished(r, s->device) : UINT32_MAX;

        if ((!telemetry && r->wish.telemetry_only) ||
            (telemetry && r->wish.only_devices && device == UINT32_MAX) || s->ts < r->wish.from_ms ||
            (r->wish.last_until_ms > 0 && !is_last(r, s)))
            continue;
        *entry = (struct history_entry){.stream = s->stream,
                                        .seq = s->seq,
                                        .ts = s->ts,
                                        .turn = s->turn,
                                        .mono = s->mono,
                                        .every_ms = s->every_ms,
                                        .kind = s->stream == STREAM_EVENT ? s->kind : NULL,
                                        .device_name = telemetry ? s->device : NULL,
                                        .device = device,
                                        .body = s->body,
                                        .length = s->length};
        return RG_OK;
    }
    return RG_ENOTFOUND;
}

static const char *why_cb(void *arg)
{
    (void)arg;
    return "";
}

static enum rg_err open_cb(void *arg, const struct history_wish *wish, struct replay_source *out, char *why)
{
    struct reader *r = malloc(sizeof *r);

    (void)why;
    need(r != NULL, "out of memory");
    *r = (struct reader){.past = arg, .wish = *wish};
    *out = (struct replay_source){.arg = r, .next = next_cb, .why = why_cb};
    return RG_OK;
}

static void close_cb(void *arg, struct replay_source *source)
{
    (void)arg;
    free(source->arg);
}

struct replay_past past_open(struct past *p)
{
    return (struct replay_past){.arg = p, .open = open_cb, .close = close_cb};
}
