#include "app/request_gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

bool gate_pace_take(struct gate_pace *pace, int64_t now_ms, int burst, int64_t every_ms)
{
    int64_t from = pace->clear_ms > now_ms ? pace->clear_ms : now_ms;

    if (from + every_ms - now_ms > burst * every_ms)
        return false;
    pace->clear_ms = from + every_ms;
    return true;
}

enum rg_err gate_create(struct gate *g)
{
    *g = (struct gate){.minute_ms = INT64_MIN};
    g->outcomes = calloc(REQUEST_IDS, sizeof *g->outcomes);
    return g->outcomes ? RG_OK : RG_ENOMEM;
}

void gate_destroy(struct gate *g)
{
    free(g->outcomes);
    g->outcomes = NULL;
}

static struct gate_outcome *find(const struct gate *g, const char *id)
{
    for (size_t i = 0; i < REQUEST_IDS; i++) {
        if (strcmp(g->outcomes[i].id, id) == 0)
            return &g->outcomes[i];
    }
    return NULL;
}

const struct gate_outcome *gate_find(const struct gate *g, const char *id)
{
    return find(g, id);
}

void gate_enter(struct gate *g, const char *id)
{
    struct gate_outcome *o = &g->outcomes[g->next];

    g->next = (g->next + 1) % REQUEST_IDS;
    *o = (struct gate_outcome){.done = false};
    (void)text_copy(o->id, sizeof o->id, id);
}

void gate_done(struct gate *g, const char *id, bool ok, const char *error, int64_t wall_ms)
{
    struct gate_outcome *o = find(g, id);

    if (!o)
        return;
    o->done = true;
    o->ok = ok;
    o->ts = wall_ms;
    (void)text_copy(o->error, sizeof o->error, error);
}

void gate_restore(struct gate *g, const struct store_command *command)
{
    gate_enter(g, command->id);
    gate_done(g, command->id, command->ok, command->error, command->ts);
}

static void count_from(struct gate *g, int64_t now_ms, int64_t wall_ms)
{
    if (g->unrecorded + g->unheard > 1)
        return;
    g->since_ms = wall_ms;
    g->counting_ms = now_ms;
}

bool gate_tell(struct gate *g, int64_t now_ms, int64_t wall_ms)
{
    g->refused++;
    if (g->minute_ms == INT64_MIN || now_ms - g->minute_ms >= REQUEST_TELLS_MS) {
        g->minute_ms = now_ms;
        g->tells = 0;
    }
    if (g->tells < REQUEST_TELLS) {
        g->tells++;
        return true;
    }
    g->unrecorded++;
    count_from(g, now_ms, wall_ms);
    return false;
}

void gate_unheard(struct gate *g, int64_t now_ms, int64_t wall_ms)
{
    g->too_many++;
    g->unheard++;
    count_from(g, now_ms, wall_ms);
}

bool gate_count(struct gate *g, int64_t now_ms, bool now, struct gate_count *out)
{
    if (g->unrecorded + g->unheard == 0 || (!now && now_ms - g->counting_ms < REQUEST_TELLS_MS))
        return false;
    *out = (struct gate_count){.since_ms = g->since_ms, .unrecorded = g->unrecorded, .unheard = g->unheard};
    g->unrecorded = g->unheard = 0;
    return true;
}
