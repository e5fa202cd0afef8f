/* What the store keeps for the next start: active alarms, cursors, devices, losses not told. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/store_impl.h"

typedef enum rg_err (*row_cb)(struct store *s, struct store_start *start, sqlite3_stmt *row);

/* A text column that must fit; "" for NULL. */
static bool take_text(sqlite3_stmt *row, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text_copy(out, size, text == NULL ? "" : text);
}

static enum rg_err take_alarm(struct store *s, struct store_start *start, sqlite3_stmt *row)
{
    (void)s;
    size_t count = start->alarm_count;
    if ((count & (count - 1)) == 0) { /* full at each power of two */
        struct alarm *grown = realloc(start->alarms, (count == 0 ? 1 : 2 * count) * sizeof(*grown));
        if (grown == NULL)
            return RG_ENOMEM;
        start->alarms = grown;
    }
    struct alarm *a = &start->alarms[start->alarm_count++];
    *a = (struct alarm){0};
    bool fits = take_text(row, 0, a->id, sizeof(a->id)) && take_text(row, 1, a->rule, sizeof(a->rule)) &&
                take_text(row, 2, a->point, sizeof(a->point)) &&
                take_text(row, 3, a->area, sizeof(a->area)) &&
                take_text(row, 10, a->acked_by, sizeof(a->acked_by));
    int level = sqlite3_column_int(row, 4);
    a->level = (enum level)level;
    a->acked = sqlite3_column_int(row, 5) != 0;
    a->shelved = sqlite3_column_int(row, 6) != 0;
    a->raised_ms = sqlite3_column_int64(row, 7);
    a->cleared_ms = sqlite3_column_int64(row, 8);
    a->acked_ms = sqlite3_column_int64(row, 9);
    a->suppressed = sqlite3_column_int(row, 11) != 0;
    a->first_out = sqlite3_column_int(row, 12) != 0;
    a->shelved_until_ms = sqlite3_column_int64(row, 13);
    int highest = sqlite3_column_int(row, 14);
    a->highest = highest > level ? (enum level)highest : a->level;
    return fits && level >= 0 && level < LEVEL_COUNT && highest < LEVEL_COUNT ? RG_OK : RG_ECORRUPT;
}

/* The events are the whole truth about permits, but for what another store had: the last one about each is what it was
 * left at. */
static enum rg_err take_permit(struct store *s, struct store_start *start, sqlite3_stmt *row)
{
    (void)s;
    struct store_permit now = {0};
    if (!take_text(row, 0, now.name, sizeof(now.name)) || !take_text(row, 1, now.by, sizeof(now.by)))
        return RG_OK; /* not one of ours */
    now.opened_ms = sqlite3_column_int64(row, 2);
    now.until_ms = sqlite3_column_int64(row, 3); /* 0 for NULL */
    for (size_t i = 0; i < start->permit_count; i++) {
        if (strcmp(start->permits[i].name, now.name) == 0) {
            start->permits[i] = now;
            return RG_OK;
        }
    }
    struct store_permit *grown = realloc(start->permits, (start->permit_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return RG_ENOMEM;
    start->permits = grown;
    grown[start->permit_count++] = now;
    return RG_OK;
}

/* In the order of their records. */
static enum rg_err take_command(struct store *s, struct store_start *start, sqlite3_stmt *row)
{
    (void)s;
    struct store_command c = {0};
    if (!take_text(row, 0, c.uplink, sizeof(c.uplink)) || !take_text(row, 1, c.id, sizeof(c.id)))
        return RG_OK; /* not one of ours */
    c.ok = sqlite3_column_int(row, 2) != 0;
    (void)take_text(row, 3, c.error, sizeof(c.error)); /* for people: cut where it is longer */
    c.ts = sqlite3_column_int64(row, 4);
    size_t count = start->command_count;
    if ((count & (count - 1)) == 0) { /* full at each power of two */
        struct store_command *grown = realloc(start->commands, (count == 0 ? 1 : 2 * count) * sizeof(*grown));
        if (grown == NULL)
            return RG_ENOMEM;
        start->commands = grown;
    }
    start->commands[start->command_count++] = c;
    return RG_OK;
}

static enum rg_err take_cursor(struct store *s, struct store_start *start, sqlite3_stmt *row)
{
    (void)start;
    const char *uplink = (const char *)sqlite3_column_text(row, 0);
    const char *ranges = (const char *)sqlite3_column_text(row, 3);
    int stream = sqlite3_column_int(row, 1);
    if (uplink == NULL || ranges == NULL || stream < 0 || stream >= STREAM_COUNT)
        return RG_ECORRUPT;
    struct cursor_entry *e = cursors_enter(&s->cursors, uplink);
    if (e == NULL)
        return RG_ECORRUPT;
    struct cursor *c = &e->cursor[stream];
    c->acked = sqlite3_column_int64(row, 2);
    enum rg_err err = cursor_parse(ranges, (size_t)sqlite3_column_bytes(row, 3), c);
    return err == RG_OK || err == RG_ENOMEM ? err : RG_ECORRUPT;
}

static enum rg_err take_device(struct store *s, struct store_start *start, sqlite3_stmt *row)
{
    (void)start;
    int64_t id = sqlite3_column_int64(row, 0);
    const char *name = (const char *)sqlite3_column_text(row, 1);
    if (name == NULL || id < 0 || id >= WRITER_DEVICES)
        return RG_ECORRUPT;
    enum rg_err err = devices_load(s->devices, (uint32_t)id, name);
    return err == RG_OK || err == RG_ENOMEM ? err : RG_ECORRUPT;
}

static enum rg_err take_loss(struct store *s, struct store_start *start, sqlite3_stmt *row)
{
    (void)start;
    int stream = sqlite3_column_int(row, 0), cause = sqlite3_column_int(row, 1);
    if (stream < 0 || stream >= STREAM_COUNT || cause < 0 || cause >= LOSS_CAUSES)
        return RG_ECORRUPT;
    s->losses.of[stream][cause] = (struct loss){
        .first = sqlite3_column_int64(row, 2),
        .last = sqlite3_column_int64(row, 3),
        .count = (uint64_t)sqlite3_column_int64(row, 4),
    };
    return RG_OK;
}

static enum rg_err take_aside(struct store *s, struct store_start *start, sqlite3_stmt *row)
{
    (void)start;
    return take_text(row, 0, s->aside, sizeof(s->aside)) ? RG_OK : RG_ECORRUPT;
}

static enum rg_err take_config(struct store *s, struct store_start *start, sqlite3_stmt *row)
{
    (void)s;
    const char *text = (const char *)sqlite3_column_text(row, 0);
    start->config = text == NULL ? NULL : strdup(text);
    if (start->config == NULL)
        return RG_ENOMEM; /* the column is NOT NULL */
    start->config_length = strlen(start->config);
    return RG_OK;
}

static int each_row(struct store *s, struct store_start *start, const char *sql, row_cb take,
                    enum rg_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = db_prepare(s->db, sql, &stmt);
    while (rc == SQLITE_OK && *err == RG_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        *err = take(s, start, stmt);
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(stmt);
    rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
    if (rc != SQLITE_OK)
        *err = db_error(rc);
    return rc;
}

_Static_assert(STORE_COMMANDS == 1024, "as below");

int load_state(struct store *s, struct store_start *start, enum rg_err *err)
{
    static const struct {
        const char *sql;
        row_cb take;
    } parts[] = {
        {"SELECT alarm, rule, point, area, level, acked, shelved, raised_ts, cleared_ts, acked_ts, acked_by,"
         " suppressed, first_out, shelved_until, highest FROM occurrence WHERE cleared_ts = 0 ORDER BY "
         "raised_ts, "
         "alarm",
         take_alarm},
        {"SELECT name, opened_by, opened_ts, until_ts FROM permit", take_permit},
        {"SELECT body ->> '$.permit', body ->> '$.by', ts, body ->> '$.until' FROM event"
         " WHERE kind = 'command' AND CASE WHEN json_valid(body) THEN body ->> '$.command' END = 'permit'"
         " ORDER BY seq",
         take_permit},
        {"SELECT uplink, id, ok, error, ts FROM ("
         "SELECT seq, ts, body ->> '$.uplink' AS uplink, body ->> '$.id' AS id, body ->> '$.ok' AS ok,"
         " body ->> '$.error' AS error,"
         " row_number() OVER (PARTITION BY body ->> '$.uplink' ORDER BY seq DESC) AS age FROM event"
         " WHERE kind = 'command' AND CASE WHEN json_valid(body) THEN body ->> '$.uplink' IS NOT NULL"
         " AND body ->> '$.id' IS NOT NULL AND body ->> '$.refused' IS NULL END)"
         " WHERE age <= 1024 ORDER BY seq",
         take_command},
        {"SELECT uplink, stream, acked, ranges FROM cursor", take_cursor},
        {"SELECT id, name FROM device", take_device},
        {"SELECT stream, cause, first, last, count FROM loss", take_loss},
        {"SELECT config FROM applied", take_config},
        {"SELECT file FROM set_aside ORDER BY ts DESC, rowid DESC LIMIT 1", take_aside},
    };
    int rc = SQLITE_OK;
    *err = RG_OK;
    for (size_t i = 0; i < RG_COUNT(parts) && *err == RG_OK; i++)
        rc = each_row(s, start, parts[i].sql, parts[i].take, err);
    return rc;
}
