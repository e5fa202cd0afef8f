#include "store/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "base/text.h"
#include "store/db.h"
#include "store/schema.h"

/* After so many frames all reads are begun anew, so that the daemon's log can be folded back meanwhile. */
#define HISTORY_FRAMES_IN_A_ROW 100000

enum {
    COLUMN_SEQ,
    COLUMN_TS,
    COLUMN_TURN,
    COLUMN_MONO,
    COLUMN_UNSYNCED,
    COLUMN_BODY,
    COLUMN_NAME,
    COLUMN_EVERY
};

/* Equal turns: in this order. */
static const enum stream streams[] = {STREAM_EVENT, STREAM_ALARM, STREAM_TELEMETRY, STREAM_TELEMETRY};
#define SOURCES RG_COUNT(streams)
#define FRAMES 2 /* of telemetry what was recorded at once: its numbers grow with the turns */
#define HELD 3   /* and what was held back: it is read in the order of its turns */

static const char *const selects[SOURCES] = {
    "SELECT seq, ts, turn, mono, unsynced, body, kind FROM event WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq",
    "SELECT seq, ts, turn, mono, unsynced, body, NULL FROM alarm WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq",
    ("SELECT seq, ts, turn, mono, unsynced, body, device, every FROM telemetry"
     " WHERE seq >= ?1 AND seq <= ?2 AND held = 0 ORDER BY seq"),
    ("SELECT seq, ts, turn, mono, unsynced, body, device, every FROM telemetry"
     " WHERE held <> 0 AND turn >= ?1 AND turn <= ?2 AND seq <= ?3 ORDER BY turn"),
};
static const char select_clock[] =
    "SELECT seq, ts, turn, mono, unsynced, body, kind FROM event WHERE seq >= ?1 AND seq <= ?2"
    " AND kind = 'clock' ORDER BY seq";
static const char *const tables[SOURCES] = {"event", "alarm", "telemetry", "telemetry"};

/* One stream, read in the order of its numbers, which is that of the turns. */
struct source {
    sqlite3_stmt *stmt;
    int64_t next, last; /* sequence numbers still to be read; HELD: turns */
    bool row;           /* stmt stands at a record that has not been given yet */
};

struct name {
    char *text;
    uint32_t wished; /* index into the wish's devices, or UINT32_MAX */
};

struct history {
    sqlite3 *db;
    char *path;
    struct history_wish wish;
    struct source sources[SOURCES];
    struct name *names; /* by the store's device id */
    size_t name_count;
    int64_t newest; /* number of the last frame that is read */
    size_t given;   /* the source whose row was given last, or SOURCES */
    uint64_t total;
    unsigned frames; /* since the reads were begun */
    char why[512];
};

static enum rg_err failed(struct history *h, int rc)
{
    db_words(h->db, rc, h->path, h->why, sizeof h->why);
    return db_error(rc);
}

static enum rg_err check_version(struct history *h)
{
    int64_t id = 0, version = 0;
    int rc = db_number(h->db, "PRAGMA application_id", 0, &id);

    if (rc == SQLITE_OK)
        rc = db_number(h->db, "PRAGMA user_version", 0, &version);
    if (rc != SQLITE_OK)
        return failed(h, rc);
    if (id != SCHEMA_APPLICATION_ID) {
        (void)text_format(h->why, sizeof h->why, "%s: not a store of riskgate", h->path);
        return RG_EINVAL;
    }
    if (version != SCHEMA_VERSION) {
        (void)text_format(h->why, sizeof h->why, "%s: its schema is %lld, this version reads %d%s", h->path,
                          (long long)version, SCHEMA_VERSION,
                          version < SCHEMA_VERSION ? "; the daemon brings it up to date when it starts" : "");
        return RG_EUNSUPPORTED;
    }
    return RG_OK;
}

static enum rg_err take_name(struct history *h, const struct hash_index *wished, int64_t id, const char *text)
{
    if (id < 0 || id > UINT16_MAX)
        return RG_ECORRUPT;
    if ((size_t)id >= h->name_count) {
        size_t count = (size_t)id + 64;
        struct name *grown = realloc(h->names, count * sizeof *grown);

        if (!grown)
            return RG_ENOMEM;
        memset(grown + h->name_count, 0, (count - h->name_count) * sizeof *grown);
        h->names = grown;
        h->name_count = count;
    }
    h->names[id].text = strdup(text);
    if (hash_index_find(wished, text, &h->names[id].wished) != RG_OK)
        h->names[id].wished = UINT32_MAX;
    return h->names[id].text ? RG_OK : RG_ENOMEM;
}

static enum rg_err load_names(struct history *h)
{
    struct hash_index *wished = NULL;
    sqlite3_stmt *stmt = NULL;
    enum rg_err err = hash_index_create(h->wish.device_count, &wished);
    int rc = SQLITE_OK;

    for (uint32_t i = 0; err == RG_OK && i < h->wish.device_count; i++)
        err = hash_index_add(wished, h->wish.devices[i], i, NULL);
    if (err == RG_OK)
        rc = db_prepare(h->db, "SELECT id, name FROM device", &stmt);
    while (err == RG_OK && rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 1);

        err = text ? take_name(h, wished, sqlite3_column_int64(stmt, 0), text) : RG_ECORRUPT;
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(stmt);
    hash_index_destroy(wished);
    if (err != RG_OK)
        (void)text_format(h->why, sizeof h->why, "%s: the names of its devices: %s", h->path,
                          rg_err_text(err));
    else if (rc != SQLITE_DONE)
        err = failed(h, rc);
    return err;
}

/* The first and the last number of a source. What lies before the wish is left out: of telemetry by ts, of the rest by the
 * turn of the first frame that is left. */
static int find_bounds(struct history *h, size_t i, int64_t after_turn)
{
    struct source *s = &h->sources[i];
    char sql[256];
    int rc;

    (void)text_format(sql, sizeof sql, "SELECT max(seq) FROM %s", tables[i]);
    rc = db_number(h->db, sql, 0, &s->last);
    (void)text_format(sql, sizeof sql, "SELECT min(seq) FROM %s", tables[i]);
    if (rc == SQLITE_OK)
        rc = db_number(h->db, sql, 1, &s->next);
    if (rc == SQLITE_OK && streams[i] == STREAM_TELEMETRY && h->wish.from_ms > 0) {
        (void)text_format(sql, sizeof sql, "SELECT min(seq) FROM telemetry WHERE ts >= %lld",
                          (long long)h->wish.from_ms);
        rc = db_number(h->db, sql, s->last + 1, &s->next);
    }
    if (rc == SQLITE_OK && streams[i] == STREAM_TELEMETRY && h->wish.last_until_ms > 0) {
        (void)text_format(sql, sizeof sql,
                          "SELECT seq FROM telemetry WHERE ts <= %lld AND held = 0 ORDER BY seq DESC LIMIT 1",
                          (long long)h->wish.last_until_ms);
        rc = db_number(h->db, sql, 0, &s->last);
        s->next = s->last;
        if (s->last == 0)
            s->next = 1; /* there is none */
    }
    if (rc == SQLITE_OK && after_turn > 0) {
        /* Numbers and turns grow together, so this is found by looking from the newest on backwards only as far as needed. */
        (void)text_format(
            sql, sizeof sql,
            "SELECT coalesce((SELECT seq FROM %s WHERE turn <= %lld%s ORDER BY seq DESC LIMIT 1), 0) + 1",
            tables[i], (long long)after_turn, i == FRAMES ? " AND held = 0" : "");
        int64_t next = 0;

        rc = db_number(h->db, sql, 1, &next);
        if (next > s->next)
            s->next = next;
    }
    return rc;
}

/* Frames that were held back, after that turn. */
static int find_held(struct history *h, int64_t after_turn)
{
    struct source *s = &h->sources[HELD];
    char sql[256], until[64] = "";
    int rc;

    if (h->wish.last_until_ms > 0)
        (void)text_format(until, sizeof until, " AND ts <= %lld", (long long)h->wish.last_until_ms);
    (void)text_format(sql, sizeof sql, "SELECT max(turn) FROM telemetry WHERE held <> 0 AND seq <= %lld%s",
                      (long long)h->newest, until);
    rc = db_number(h->db, sql, 0, &s->last);
    s->next = h->wish.last_until_ms > 0 && s->last > after_turn ? s->last : after_turn + 1;
    return rc;
}

static enum rg_err find_all_bounds(struct history *h)
{
    const struct source *frames = &h->sources[FRAMES];
    int64_t after = h->wish.after_turn, before = 0;
    int rc = db_number(h->db, "SELECT max(seq) FROM telemetry", 0, &h->newest);
    char sql[128];

    if (rc == SQLITE_OK)
        rc = find_bounds(h, FRAMES, after);
    /* The last frame that is left out. */
    (void)text_format(sql, sizeof sql,
                      "SELECT turn FROM telemetry WHERE seq < %lld AND held = 0 ORDER BY seq DESC LIMIT 1",
                      (long long)frames->next);
    if (rc == SQLITE_OK && h->wish.from_ms > 0)
        rc = db_number(h->db, sql, 0, &before);
    if (before > after)
        after = before;
    if (rc == SQLITE_OK)
        rc = find_held(h, after);
    for (size_t i = 0; rc == SQLITE_OK && i < FRAMES; i++) {
        if (h->wish.telemetry_only || (h->wish.only_clock && streams[i] != STREAM_EVENT))
            h->sources[i] = (struct source){.next = 1, .last = 0};
        else
            rc = find_bounds(h, i, after);
    }
    for (size_t i = FRAMES; h->wish.only_clock && i < SOURCES; i++)
        h->sources[i] = (struct source){.next = 1, .last = 0};
    for (size_t i = 0; i <= FRAMES; i++) { /* numbers of frames that were held back lie among the others */
        if (h->sources[i].last >= h->sources[i].next)
            h->total += (uint64_t)(h->sources[i].last - h->sources[i].next) + 1;
    }
    return rc == SQLITE_OK ? RG_OK : failed(h, rc);
}

static enum rg_err prepare_all(struct history *h)
{
    for (size_t i = 0; i < SOURCES; i++) {
        bool clock = h->wish.only_clock && streams[i] == STREAM_EVENT;
        int rc = db_prepare(h->db, clock ? select_clock : selects[i], &h->sources[i].stmt);

        if (rc != SQLITE_OK)
            return failed(h, rc);
    }
    return RG_OK;
}

enum rg_err history_open(const char *path, const struct history_wish *wish, struct history **out, char *why,
                         size_t why_size)
{
    struct history *h = calloc(1, sizeof *h);
    enum rg_err err;
    int rc;

    *out = NULL;
    if (!h || !(h->path = strdup(path))) {
        free(h);
        (void)text_copy(why, why_size, "out of memory");
        return RG_ENOMEM;
    }
    h->wish = *wish;
    h->given = SOURCES;
    rc = db_connect(path, DB_READER, NULL, &h->db);
    err = rc == SQLITE_OK ? check_version(h) : failed(h, rc);
    if (err == RG_OK)
        err = load_names(h);
    if (err == RG_OK)
        err = find_all_bounds(h);
    if (err == RG_OK)
        err = prepare_all(h);
    if (err != RG_OK) {
        (void)text_copy(why, why_size, h->why);
        history_close(h);
        return err;
    }
    *out = h;
    return RG_OK;
}

void history_close(struct history *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < SOURCES; i++)
        (void)sqlite3_finalize(h->sources[i].stmt);
    db_close(h->db);
    for (size_t i = 0; i < h->name_count; i++)
        free(h->names[i].text);
    free(h->names);
    free(h->path);
    free(h);
}

static const struct name *device_of(const struct history *h, sqlite3_stmt *stmt)
{
    int64_t id = sqlite3_column_int64(stmt, COLUMN_NAME);

    return id >= 0 && (size_t)id < h->name_count && h->names[id].text ? &h->names[id] : NULL;
}

/* Whether the record a source stands at is wanted. */
static bool is_wanted(const struct history *h, size_t i)
{
    const struct name *name;

    if (streams[i] != STREAM_TELEMETRY || !h->wish.only_devices)
        return true;
    name = device_of(h, h->sources[i].stmt);
    return name && name->wished != UINT32_MAX;
}

/* Brings a source to its next wanted record, if there is one. */
static int advance(struct history *h, size_t i)
{
    struct source *s = &h->sources[i];
    int rc = SQLITE_ROW;

    while (!s->row && s->next <= s->last && rc == SQLITE_ROW) {
        if (!sqlite3_stmt_busy(s->stmt)) {
            (void)sqlite3_bind_int64(s->stmt, 1, s->next);
            (void)sqlite3_bind_int64(s->stmt, 2, s->last);
            if (i == HELD)
                (void)sqlite3_bind_int64(s->stmt, 3, h->newest);
        }
        rc = sqlite3_step(s->stmt);
        if (rc == SQLITE_ROW) {
            s->next = sqlite3_column_int64(s->stmt, i == HELD ? COLUMN_TURN : COLUMN_SEQ) + 1;
            s->row = is_wanted(h, i);
            h->frames += streams[i] == STREAM_TELEMETRY;
        }
    }
    if (rc == SQLITE_DONE) {
        s->next = s->last + 1;
        (void)sqlite3_reset(s->stmt);
    }
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Ends every read; each source begins again at the record it stood at. */
static void let_go(struct history *h)
{
    for (size_t i = 0; i < SOURCES; i++) {
        struct source *s = &h->sources[i];

        if (s->row)
            s->next--;
        s->row = false;
        (void)sqlite3_reset(s->stmt);
    }
    h->frames = 0;
}

static bool is_before(const struct history *h, size_t a, size_t b)
{
    sqlite3_stmt *x = h->sources[a].stmt, *y = h->sources[b].stmt;
    int64_t turn_x = sqlite3_column_int64(x, COLUMN_TURN), turn_y = sqlite3_column_int64(y, COLUMN_TURN);

    if (turn_x != turn_y)
        return turn_x < turn_y;
    return sqlite3_column_int64(x, COLUMN_TS) < sqlite3_column_int64(y, COLUMN_TS);
}

static void give(struct history *h, size_t i, struct history_entry *entry)
{
    sqlite3_stmt *stmt = h->sources[i].stmt;
    const struct name *name = streams[i] == STREAM_TELEMETRY ? device_of(h, stmt) : NULL;

    *entry = (struct history_entry){
        .stream = streams[i],
        .seq = sqlite3_column_int64(stmt, COLUMN_SEQ),
        .ts = sqlite3_column_int64(stmt, COLUMN_TS),
        .turn = sqlite3_column_int64(stmt, COLUMN_TURN),
        .mono = sqlite3_column_int64(stmt, COLUMN_MONO),
        .unsynced = sqlite3_column_int(stmt, COLUMN_UNSYNCED) != 0,
        .device = name ? name->wished : UINT32_MAX,
        .device_name = name ? name->text : NULL,
    };
    if (entry->turn == 0)
        entry->mono = entry->ts;
    if (streams[i] == STREAM_TELEMETRY) {
        entry->held = i == HELD;
        entry->every_ms = sqlite3_column_int64(stmt, COLUMN_EVERY);
    }
    if (streams[i] == STREAM_EVENT)
        entry->kind = (const char *)sqlite3_column_text(stmt, COLUMN_NAME);
    entry->body = (const char *)sqlite3_column_text(stmt, COLUMN_BODY);
    entry->length = (size_t)sqlite3_column_bytes(stmt, COLUMN_BODY);
    h->given = i;
}

enum rg_err history_next(struct history *h, struct history_entry *entry)
{
    size_t best = SOURCES;

    if (h->given < SOURCES)
        h->sources[h->given].row = false;
    h->given = SOURCES;
    if (h->frames >= HISTORY_FRAMES_IN_A_ROW)
        let_go(h);
    for (size_t i = 0; i < SOURCES; i++) {
        int rc = advance(h, i);

        if (rc != SQLITE_OK)
            return failed(h, rc);
        if (h->sources[i].row && (best == SOURCES || is_before(h, i, best)))
            best = i;
    }
    if (best == SOURCES)
        return RG_ENOTFOUND;
    give(h, best, entry);
    if (!entry->body) {
        (void)text_format(h->why, sizeof h->why, "%s: %s %lld has no text", h->path, tables[best],
                          (long long)entry->seq);
        return RG_ECORRUPT;
    }
    return RG_OK;
}

const char *history_why(const struct history *h)
{
    return h->why;
}

uint64_t history_total(const struct history *h)
{
    return h->total;
}
