#include "store/schema.h"

#include "base/text.h"

/* 1: what the daemon itself needs. Ids in `stream` are those of enum stream. Columns that a filter or the
 * retention looks at lie before the body, so that a long body is not read for them. */
static const char tables[] =
    "CREATE TABLE run("
    " id INTEGER PRIMARY KEY CHECK (id = 1), boot INTEGER NOT NULL, clean INTEGER NOT NULL,"
    " next_alarm INTEGER NOT NULL);"
    "INSERT INTO run VALUES (1, 0, 1, 1);"
    "CREATE TABLE stream("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, seq INTEGER NOT NULL, hash TEXT NOT NULL);"
    "INSERT INTO stream VALUES (0, 'alarm', 0, ''), (1, 'telemetry', 0, ''), (2, 'event', 0, ''),"
    " (3, 'report', 0, '');"
    "CREATE TABLE alarm("
    " seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, peak INTEGER NOT NULL, unsynced INTEGER NOT NULL,"
    " body TEXT NOT NULL, hash TEXT NOT NULL);"
    "CREATE INDEX alarm_peak ON alarm(peak);"
    "CREATE TABLE device(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE telemetry("
    " seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, device INTEGER NOT NULL REFERENCES device(id),"
    " unsynced INTEGER NOT NULL, body TEXT NOT NULL);"
    "CREATE INDEX telemetry_ts ON telemetry(ts);"
    "CREATE TABLE telemetry_block(block INTEGER PRIMARY KEY, devices BLOB NOT NULL);"
    "CREATE TABLE event("
    " seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, kind TEXT NOT NULL, unsynced INTEGER NOT NULL,"
    " body TEXT NOT NULL, hash TEXT NOT NULL);"
    "CREATE TABLE report("
    " seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, unsynced INTEGER NOT NULL, body TEXT NOT NULL,"
    " hash TEXT NOT NULL);"
    "CREATE TABLE occurrence("
    " alarm TEXT PRIMARY KEY, rule TEXT NOT NULL, point TEXT NOT NULL, area TEXT NOT NULL,"
    " level INTEGER NOT NULL, acked INTEGER NOT NULL, shelved INTEGER NOT NULL, raised_ts INTEGER NOT NULL,"
    " cleared_ts INTEGER NOT NULL, acked_ts INTEGER NOT NULL, acked_by TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX occurrence_cleared ON occurrence(cleared_ts);"
    "CREATE TABLE cursor("
    " uplink TEXT NOT NULL, stream INTEGER NOT NULL, acked INTEGER NOT NULL, ranges TEXT NOT NULL,"
    " PRIMARY KEY (uplink, stream)) WITHOUT ROWID;"
    /* The last record taken by the retention, for each device of telemetry and each level of alarms: a filtered
     * `prev`. */
    "CREATE TABLE pruned("
    " stream INTEGER NOT NULL, key INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " PRIMARY KEY (stream, key)) WITHOUT ROWID;"
    /* Losses that no event record tells of yet: they survive a crash. */
    "CREATE TABLE loss("
    " stream INTEGER NOT NULL, cause INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " count INTEGER NOT NULL, PRIMARY KEY (stream, cause)) WITHOUT ROWID;";

/* 2: views for people and tools. A frame is one row with all its points; the views take it apart. v_reading.point
 * is the name within the device, v_rollup.point the full one; minute is the ms at which the minute begins. */
static const char views[] =
    "CREATE VIEW v_reading(seq, ts, device, point, value, quality) AS"
    " SELECT t.seq, t.ts, d.name, j.key, j.value, 'good'"
    " FROM telemetry t JOIN device d ON d.id = t.device, json_each(t.body, '$.values') j"
    " UNION ALL"
    " SELECT t.seq, t.ts, d.name, j.key, NULL, j.value"
    " FROM telemetry t JOIN device d ON d.id = t.device, json_each(t.body, '$.bad') j;"
    "CREATE VIEW v_alarm(alarm, rule, point, area, level, state, acked, raised_ts, cleared_ts, acked_ts,"
    " acked_by) AS"
    " SELECT alarm, rule, point, nullif(area, ''),"
    " CASE level WHEN 4 THEN 'red' WHEN 3 THEN 'orange' WHEN 2 THEN 'yellow' WHEN 1 THEN 'blue' ELSE 'none' "
    "END,"
    " CASE WHEN cleared_ts <> 0 THEN 'cleared' WHEN shelved THEN 'shelved' ELSE 'active' END,"
    " acked, raised_ts, nullif(cleared_ts, 0), nullif(acked_ts, 0), nullif(acked_by, '') FROM occurrence;"
    "CREATE VIEW v_alarm_event(seq, ts, alarm, event, level, was, value, limit_value, by, comment) AS"
    " SELECT seq, ts, body ->> '$.alarm', body ->> '$.event', body ->> '$.level', body ->> '$.was',"
    " body ->> '$.value', body ->> '$.limit', body ->> '$.by', body ->> '$.comment' FROM alarm;"
    "CREATE VIEW v_event(seq, ts, kind, body) AS SELECT seq, ts, kind, body FROM event;"
    "CREATE VIEW v_rollup(point, minute, n, min, max, mean, bad) AS"
    " SELECT device || '.' || point, ts - ts % 60000, count(value), min(value), max(value), avg(value),"
    " count(*) FILTER (WHERE quality <> 'good') FROM v_reading GROUP BY 1, 2;"
    "CREATE VIEW v_uplink(uplink, stream, acked, pending) AS"
    " SELECT c.uplink, s.name, min(c.acked, s.seq), max(s.seq - c.acked, 0) +"
    " (SELECT coalesce(sum((r.value ->> '$[1]') - (r.value ->> '$[0]') + 1), 0) FROM json_each(c.ranges) r)"
    " FROM cursor c JOIN stream s ON s.id = c.stream;";

/* 3: the configuration in force, so that the next start can tell what was changed meanwhile. */
static const char applied[] =
    "CREATE TABLE applied(id INTEGER PRIMARY KEY CHECK (id = 1), config TEXT NOT NULL);";

/* 4: what a replay needs beside the records: `turn`, the order in which everything was taken in, over all streams and for
 * ever, and `mono`, the monotonic instant; and the rest of an alarm's state. */
static const char replay[] =
    "ALTER TABLE alarm ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE alarm ADD COLUMN mono INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE telemetry ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE telemetry ADD COLUMN mono INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE event ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE event ADD COLUMN mono INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE occurrence ADD COLUMN suppressed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE occurrence ADD COLUMN first_out INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE occurrence ADD COLUMN shelved_until INTEGER NOT NULL DEFAULT 0;"
    "DROP VIEW v_alarm;"
    "CREATE VIEW v_alarm(alarm, rule, point, area, level, state, acked, raised_ts, cleared_ts, acked_ts,"
    " acked_by) AS"
    " SELECT alarm, rule, nullif(point, ''), nullif(area, ''),"
    " CASE level WHEN 4 THEN 'red' WHEN 3 THEN 'orange' WHEN 2 THEN 'yellow' WHEN 1 THEN 'blue' ELSE 'none' "
    "END,"
    " CASE WHEN cleared_ts <> 0 THEN 'cleared' WHEN suppressed THEN 'suppressed' WHEN shelved THEN 'shelved'"
    " ELSE 'active' END,"
    " acked, raised_ts, nullif(cleared_ts, 0), nullif(acked_ts, 0), nullif(acked_by, '') FROM occurrence;";

/* 5: the record that a chain begins after, when the retention has taken the first ones (no row: from number 1), with its hash
 * ('': the chain begins anew; '?': a version that kept none took it; telemetry has none); minute roll-ups, kept apart from
 * the readings, which may not all be recorded: run.rolled is the turn up to which frames are in them (those from before this
 * version never are), comm how many of the bad samples are those of no answer; of thinned telemetry how often it was recorded at least (every, ms; 0: each poll) and whether a record
 * was held back, so that its turn lies before those of its neighbours; and the highest level that an alarm ever stood at. And what reports
 * are made of: how often each device was asked, from when until when (0: it still is), and indices by time. */
static const char rollups[] =
    "ALTER TABLE occurrence ADD COLUMN highest INTEGER NOT NULL DEFAULT 0;"
    "UPDATE occurrence SET highest = level;"
    "CREATE TABLE chain_start("
    " stream INTEGER PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL);"
    "INSERT INTO chain_start"
    " SELECT 0, min(seq) - 1, '?' FROM alarm HAVING min(seq) > 1 UNION ALL"
    " SELECT 1, min(seq) - 1, '' FROM telemetry HAVING min(seq) > 1 UNION ALL"
    " SELECT 2, min(seq) - 1, '?' FROM event HAVING min(seq) > 1 UNION ALL"
    " SELECT 3, min(seq) - 1, '?' FROM report HAVING min(seq) > 1;"
    "INSERT OR IGNORE INTO chain_start"
    " SELECT id, seq, hash FROM stream WHERE seq > 0 AND CASE id"
    " WHEN 0 THEN NOT EXISTS (SELECT 1 FROM alarm) WHEN 1 THEN NOT EXISTS (SELECT 1 FROM telemetry)"
    " WHEN 2 THEN NOT EXISTS (SELECT 1 FROM event) ELSE NOT EXISTS (SELECT 1 FROM report) END;"
    /* What was left of permits, and which files there were, when a damaged store was set aside. */
    "CREATE TABLE permit("
    " name TEXT PRIMARY KEY, opened_by TEXT NOT NULL, opened_ts INTEGER NOT NULL, until_ts INTEGER NOT NULL);"
    "CREATE TABLE set_aside(ts INTEGER NOT NULL, file TEXT NOT NULL, why TEXT NOT NULL);"
    "CREATE TABLE rollup_point(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE rollup("
    " minute INTEGER NOT NULL, point INTEGER NOT NULL REFERENCES rollup_point(id), n INTEGER NOT NULL,"
    " min REAL, max REAL, sum REAL NOT NULL, bad INTEGER NOT NULL,"
    " comm INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (minute, point)) WITHOUT ROWID;"
    "ALTER TABLE run ADD COLUMN rolled INTEGER NOT NULL DEFAULT 0;"
    "UPDATE run SET rolled = coalesce((SELECT turn FROM telemetry ORDER BY seq DESC LIMIT 1), 0);"
    "ALTER TABLE telemetry ADD COLUMN every INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE telemetry ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX telemetry_held ON telemetry(turn) WHERE held <> 0;"
    "CREATE TABLE duty("
    " device TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, points INTEGER NOT NULL,"
    " poll_ms INTEGER NOT NULL, mark INTEGER NOT NULL, PRIMARY KEY (device, since)) WITHOUT ROWID;"
    "CREATE INDEX alarm_ts ON alarm(ts);"
    "CREATE INDEX event_kind ON event(kind, ts);"
    "DROP VIEW v_rollup;"
    "CREATE VIEW v_rollup(point, minute, n, min, max, mean, bad) AS"
    " SELECT p.name, r.minute, r.n, r.min, r.max, r.sum / nullif(r.n, 0), r.bad"
    " FROM rollup r JOIN rollup_point p ON p.id = r.point;";

/* 6: roll-ups are stored in slices, for thousands of rows in one transaction keep an alarm waiting. Of those that go up to the turn
 * run.rolling the rows up to rolling_minute and rolling_point (a full name) are in, in the order of both; where rolling is not above rolled,
 * none is on its way. */
static const char slices[] = "ALTER TABLE run ADD COLUMN rolling INTEGER NOT NULL DEFAULT 0;"
                             "ALTER TABLE run ADD COLUMN rolling_minute INTEGER NOT NULL DEFAULT 0;"
                             "ALTER TABLE run ADD COLUMN rolling_point TEXT NOT NULL DEFAULT '';";

static const char *const steps[SCHEMA_VERSION] = {tables, views, applied, replay, rollups, slices};

static enum rg_err fail(sqlite3 *db, int rc, const char *what, char *why, size_t why_size)
{
    (void)text_format(why, why_size, "%s: %s", what, sqlite3_errmsg(db));
    return db_error(rc);
}

/* A file is ours, or empty, or not to be touched. */
static enum rg_err recognise(sqlite3 *db, int64_t *version, char *why, size_t why_size)
{
    int64_t id = 0, objects = 0;
    int rc = db_number(db, "PRAGMA application_id", 0, &id);
    if (rc == SQLITE_OK)
        rc = db_number(db, "PRAGMA user_version", 0, version);
    if (rc == SQLITE_OK)
        rc = db_number(db, "SELECT count(*) FROM sqlite_schema", 0, &objects);
    if (rc != SQLITE_OK)
        return fail(db, rc, "cannot be read", why, why_size);

    bool empty = objects == 0 && *version == 0 && id == 0;
    if (!empty && id != SCHEMA_APPLICATION_ID) {
        (void)text_format(why, why_size, "is a database of some other program (application_id %lld)",
                          (long long)id);
        return RG_EINVAL;
    }
    if (*version > SCHEMA_VERSION) {
        (void)text_format(why, why_size, "was made by a newer version: its schema is %lld, known is %d",
                          (long long)*version, SCHEMA_VERSION);
        return RG_EUNSUPPORTED;
    }
    if (*version < 0 || (!empty && *version == 0)) {
        (void)text_format(why, why_size, "has the impossible schema version %lld", (long long)*version);
        return RG_ECORRUPT;
    }
    return RG_OK;
}

static int run_step(sqlite3 *db, int number)
{
    char mark[96];
    (void)text_format(mark, sizeof(mark), "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                      SCHEMA_APPLICATION_ID, number);
    int rc = db_exec(db, "BEGIN IMMEDIATE");
    if (rc == SQLITE_OK)
        rc = db_exec(db, steps[number - 1]);
    if (rc == SQLITE_OK)
        rc = db_exec(db, mark);
    return rc;
}

enum rg_err schema_migrate(sqlite3 *db, int version, char *why, size_t why_size)
{
    int64_t have = 0;
    enum rg_err err = recognise(db, &have, why, why_size);
    if (err != RG_OK)
        return err;

    for (int number = (int)have + 1; number <= version && number <= SCHEMA_VERSION; number++) {
        int rc = run_step(db, number);
        if (rc != SQLITE_OK) {
            char what[48];
            (void)text_format(what, sizeof(what), "migration %d failed", number);
            err = fail(db, rc, what, why, why_size);
            if (!sqlite3_get_autocommit(db))
                (void)db_exec(db, "ROLLBACK"); /* the first error is the one to tell */
            return err;
        }
    }
    return RG_OK;
}
