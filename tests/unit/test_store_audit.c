/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE PkgConfig::CRYPTO */
/* Whatever is done to a store behind the daemon's back, the audit finds it and names the first record that does not hold. */
#include "test_store_chain.h"

#include "store/audit.h"
#include "store/chain.h"

#define RECORDS 9

static void fill(struct rig *r, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        rig_alarm(r, i + 1);
        assert_int_equal(rig_event(r, "device"), RG_OK);
        rig_frame(r, i % 3);
        rig_run(r, 1000);
    }
}

static void audit(const struct rig *r, enum stream stream, struct audit_stream *out)
{
    struct audit *a = NULL;
    char why[512] = "";

    if (audit_open(r->path, &a, why, sizeof(why)) != RG_OK)
        fail_msg("audit_open: %s", why);
    if (audit_check(a, stream, out) != RG_OK)
        fail_msg("audit_check: %s", audit_why(a));
    audit_close(a);
}

static void holds(const struct rig *r, enum stream stream, int64_t first, int64_t last)
{
    struct audit_stream found;

    audit(r, stream, &found);
    if (found.fault != AUDIT_NONE)
        fail_msg("%s %" PRId64 ": %s", stream_name(stream), found.bad_first, found.words);
    assert_int_equal(found.first, first);
    assert_int_equal(found.last, last);
    assert_int_equal(found.count, first == 0 ? 0 : last - first + 1);
    assert_false(found.start_unknown);
}

/* link(previous hash, text): what a forger computes, too. */
static void link_cb(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct chain *chain = sqlite3_user_data(context);
    char hash[CHAIN_HEX + 1];

    assert_int_equal(count, 2);
    assert_int_equal(chain_next(chain, (const char *)sqlite3_value_text(values[0]),
                                (const char *)sqlite3_value_text(values[1]),
                                (size_t)sqlite3_value_bytes(values[1]), hash),
                     RG_OK);
    sqlite3_result_text(context, hash, -1, SQLITE_TRANSIENT);
}

static void tamper(const struct rig *r, const char *sql)
{
    sqlite3 *db = rig_sql(r);
    struct chain *chain = NULL;

    assert_int_equal(chain_create(&chain), RG_OK);
    assert_int_equal(sqlite3_create_function(db, "link", 2, SQLITE_UTF8, chain, link_cb, NULL, NULL),
                     SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    chain_destroy(chain);
}

/* The text of a record without its hash, and all of it again with another one. */
#define OF(seq, what) "(SELECT " what " FROM alarm WHERE seq = " #seq ")"
#define BARE "substr(body, 1, length(body) - 75)"
#define COLUMNS "(seq, ts, peak, unsynced, body, hash, turn, mono)"
#define MOVE_UP(from)                                                                                        \
    "UPDATE alarm SET seq = -seq - 1 WHERE seq >= " #from ";UPDATE alarm SET seq = -seq WHERE seq < 0;"
#define MOVE_DOWN(from)                                                                                      \
    "UPDATE alarm SET seq = -seq + 1 WHERE seq >= " #from ";UPDATE alarm SET seq = -seq WHERE seq < 0;"
/* A record that fits the one before it as if the gateway had made it. */
#define FORGE(seq, text, before)                                                                             \
    "INSERT INTO alarm" COLUMNS " SELECT " #seq                                                              \
    ", ts, peak, 0, t || ',\"hash\":\"' || h || '\"}', h, turn, "                                            \
    "mono FROM (SELECT ts, peak, turn, mono, t, link(" before ", t) h FROM (SELECT *, replace(" text         \
    ", '\"event\":\"raise\"', '\"event\":\"clear\"') t FROM alarm WHERE seq = 1));"

static const struct {
    const char *name, *sql;
    enum audit_fault fault;
    int64_t first, last;
    const char *words;
} tampers[] = {
    {"a digit of a value", "UPDATE alarm SET body = replace(body, '22.1', '12.1') WHERE seq = 5", AUDIT_TEXT,
     5, 5, "text was changed"},
    {"a space more", "UPDATE alarm SET body = replace(body, '\"by\":', '\"by\": ') WHERE seq = 5", AUDIT_TEXT,
     5, 5, "text was changed"},
    {"the first text", "UPDATE alarm SET body = replace(body, '22.1', '12.1') WHERE seq = 1", AUDIT_TEXT, 1,
     1, "text was changed"},
    {"the last text", "UPDATE alarm SET body = replace(body, '22.1', '12.1') WHERE seq = 9", AUDIT_TEXT, 9, 9,
     "text was changed"},
    {"the hash in the column",
     "UPDATE alarm SET hash = replace(hash, substr(hash, 1, 8), '00000000') WHERE seq = 5", AUDIT_HASH, 5, 5,
     "in the column"},
    {"the hash in the text",
     "UPDATE alarm SET body = replace(body, substr(hash, 1, 8), '00000000') WHERE seq = 5", AUDIT_HASH, 5, 5,
     "in the text"},
    {"both hashes",
     "UPDATE alarm SET body = replace(body, substr(hash, 1, 8), '00000000'),"
     " hash = replace(hash, substr(hash, 1, 8), '00000000') WHERE seq = 5",
     AUDIT_HASH, 5, 5, "text is what was recorded"},
    {"both hashes of the last",
     "UPDATE alarm SET body = replace(body, substr(hash, 1, 8), '00000000'),"
     " hash = replace(hash, substr(hash, 1, 8), '00000000') WHERE seq = 9",
     AUDIT_HASH, 9, 9, "text is what was recorded"},
    {"a text with its own fitting hash",
     "CREATE TEMP TABLE was AS SELECT * FROM alarm WHERE seq = 5;"
     "DELETE FROM alarm WHERE seq = 5;" FORGE(
         5, "replace(" OF(4, BARE) ", '\"seq\":4', '\"seq\":5')",
         OF(4, "hash")) "UPDATE alarm SET ts = (SELECT ts FROM alarm WHERE seq = 4) WHERE seq = 5",
     AUDIT_TEXT, 6, 6, "or all of the record before it"},
    {"one deleted", "DELETE FROM alarm WHERE seq = 5", AUDIT_MISSING, 5, 5, "is not there"},
    {"three deleted", "DELETE FROM alarm WHERE seq BETWEEN 4 AND 6", AUDIT_MISSING, 4, 6, "are not there"},
    {"the first deleted", "DELETE FROM alarm WHERE seq = 1", AUDIT_MISSING, 1, 1, "is not there"},
    {"the last deleted", "DELETE FROM alarm WHERE seq = 9", AUDIT_MISSING, 9, 9, "the stream ended there"},
    {"all deleted", "DELETE FROM alarm", AUDIT_MISSING, 1, 9, "the stream ended there"},
    {"one deleted, the others numbered anew", "DELETE FROM alarm WHERE seq = 5;" MOVE_DOWN(6), AUDIT_MISSING,
     5, 5, "numbered anew"},
    {"two exchanged",
     "UPDATE alarm SET seq = -seq WHERE seq IN (5, 6); UPDATE alarm SET seq = 5 WHERE seq = -6;"
     "UPDATE alarm SET seq = 6 WHERE seq = -5",
     AUDIT_ORDER, 5, 5, "exchanged"},
    {"two far apart exchanged",
     "UPDATE alarm SET seq = -seq WHERE seq IN (3, 8); UPDATE alarm SET seq = 3 WHERE seq = -8;"
     "UPDATE alarm SET seq = 8 WHERE seq = -3",
     AUDIT_ORDER, 3, 3, "number 8"},
    {"one slipped in with a hash out of the air",
     MOVE_UP(5) "INSERT INTO alarm" COLUMNS
                " SELECT 5, ts, peak, 0, replace(body, '\"seq\":4', '\"seq\":5'), hash, turn, mono "
                "FROM alarm WHERE seq = 4",
     AUDIT_ADDED, 5, 5, "slipped in"},
    {"one slipped in with a fitting hash",
     MOVE_UP(5)
         FORGE(5, "replace(" OF(4, BARE) ", '\"seq\":4', '\"seq\":5')",
               OF(4, "hash")) "UPDATE alarm SET ts = (SELECT ts FROM alarm WHERE seq = 4) WHERE seq = 5",
     AUDIT_ADDED, 5, 5, "slipped in"},
    {"one put at the end", FORGE(10, "replace(" OF(9, BARE) ", '\"seq\":9', '\"seq\":10')", OF(9, "hash")),
     AUDIT_ADDED, 10, 10, "ended with 9"},
    {"one put before the first",
     "INSERT INTO alarm" COLUMNS " SELECT 0, ts, peak, 0, body, hash, turn, mono FROM alarm WHERE seq = 1",
     AUDIT_ADDED, 0, 0, "begins with 1"},
    {"a number changed", "UPDATE alarm SET seq = 12 WHERE seq = 9", AUDIT_MISSING, 9, 9, "ended there"},
    {"all numbers moved on", MOVE_UP(1) "UPDATE stream SET seq = 10 WHERE id = 0", AUDIT_MISSING, 1, 1,
     "is not there"},
    {"a time in the column", "UPDATE alarm SET ts = ts + 3600000 WHERE seq = 5", AUDIT_TIME, 5, 5,
     "column ts"},
    {"no text", "UPDATE alarm SET body = '' WHERE seq = 5", AUDIT_TEXT, 5, 5, "no record"},
    {"a text of another kind", "UPDATE alarm SET body = x'00ff' WHERE seq = 5", AUDIT_TEXT, 5, 5,
     "no record"},
    {"a text that is cut short", "UPDATE alarm SET body = substr(body, 1, 40) WHERE seq = 5", AUDIT_TEXT, 5,
     5, "no record"},
    {"no hash in the column", "UPDATE alarm SET hash = '' WHERE seq = 5", AUDIT_HASH, 5, 5, "in the column"},
    {"the end's hash", "UPDATE stream SET hash = replace(hash, substr(hash, 1, 8), '00000000') WHERE id = 0",
     AUDIT_HASH, 9, 9, "table `stream`"},
    {"the end's number, higher", "UPDATE stream SET seq = 11 WHERE id = 0", AUDIT_MISSING, 10, 11,
     "ended there"},
    {"the end's number, lower", "UPDATE stream SET seq = 8, hash = " OF(8, "hash") " WHERE id = 0",
     AUDIT_ADDED, 9, 9, "ended with 8"},
    {"a start made up", "INSERT INTO chain_start VALUES (0, 4, 'x')", AUDIT_ADDED, 1, 1, "begins with 5"},
    {"the first ones deleted and a start made up",
     "INSERT INTO chain_start SELECT 0, 3, hash FROM alarm WHERE seq = 4; DELETE FROM alarm WHERE seq <= 3",
     AUDIT_TEXT, 4, 4, "text was changed"},
};

/* The file as it is, since nothing is in its log after a clean end. */
static void copy_file(const char *from, const char *to)
{
    static char bytes[1 << 20];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t length;

    assert_non_null(in);
    assert_non_null(out);
    length = fread(bytes, 1, sizeof(bytes), in);
    assert_true(length > 0 && length < sizeof(bytes));
    assert_int_equal(fwrite(bytes, 1, length, out), length);
    assert_int_equal(fclose(in) + fclose(out), 0);
}

static void test_tampering(void **state)
{
    struct rig r;
    char whole[sizeof(r.path)];

    (void)state;
    rig_init(&r);
    rig_open(&r);
    fill(&r, RECORDS);
    rig_close(&r);
    memcpy(whole, r.path, sizeof(whole));
    (void)snprintf(r.path, sizeof(r.path), "%s/tampered.db", r.folder);
    for (size_t i = 0; i < RG_COUNT(tampers); i++) {
        struct audit_stream found;

        copy_file(whole, r.path);
        holds(&r, STREAM_ALARM, 1, RECORDS);
        tamper(&r, tampers[i].sql);
        audit(&r, STREAM_ALARM, &found);
        if (found.fault != tampers[i].fault || found.bad_first != tampers[i].first ||
            found.bad_last != tampers[i].last || strstr(found.words, tampers[i].words) == NULL)
            fail_msg("%s: found %s, %" PRId64 " to %" PRId64 ": %s", tampers[i].name,
                     audit_fault_name(found.fault), found.bad_first, found.bad_last, found.words);
        /* The other streams are not touched by it. */
        holds(&r, STREAM_EVENT, 1, RECORDS);
        holds(&r, STREAM_TELEMETRY, 1, RECORDS);
        holds(&r, STREAM_REPORT, 0, 0);
    }
    rig_end(&r);
}

/* Any byte of any record: found, at that record or, in its hash, nowhere else. */
static void test_any_byte(void **state)
{
    struct rig r;
    unsigned seed = 20251122, tried = 0;

    (void)state;
    print_message("seed %u\n", seed);
    rig_init(&r);
    rig_open(&r);
    fill(&r, RECORDS);
    for (int i = 0; i < 150; i++) {
        char sql[256];
        struct audit_stream found;
        unsigned seq = 1 + (unsigned)rand_r(&seed) % RECORDS;
        int64_t length, at;

        (void)snprintf(sql, sizeof(sql), "SELECT length(body) FROM event WHERE seq = %u", seq);
        length = rig_number(&r, sql);
        at = 1 + rand_r(&seed) % length;
        (void)snprintf(sql, sizeof(sql), "CREATE TABLE kept AS SELECT body FROM event WHERE seq = %u", seq);
        tamper(&r, sql);
        (void)snprintf(sql, sizeof(sql),
                       "UPDATE event SET body = substr(body, 1, %" PRId64 ") || '%c' || substr(body, %" PRId64
                       ") WHERE seq = %u",
                       at - 1, (char)('!' + rand_r(&seed) % 90), at + 1, seq);
        for (char *c = sql; (c = strstr(c, "'''")) != NULL;)
            c[1] = '~';
        tamper(&r, sql);
        (void)snprintf(sql, sizeof(sql), "SELECT body = (SELECT body FROM kept) FROM event WHERE seq = %u",
                       seq);
        if (rig_number(&r, sql) == 0) {
            tried++;
            audit(&r, STREAM_EVENT, &found);
            if (found.fault == AUDIT_NONE || found.bad_first != (int64_t)seq)
                fail_msg("byte %" PRId64 " of %u: found %s at %" PRId64, at, seq,
                         audit_fault_name(found.fault), found.bad_first);
        }
        (void)snprintf(sql, sizeof(sql),
                       "UPDATE event SET body = (SELECT body FROM kept) WHERE seq = %u; DROP TABLE kept",
                       seq);
        tamper(&r, sql);
    }
    assert_true(tried > 100);
    holds(&r, STREAM_EVENT, 1, RECORDS);
    rig_end(&r);
}

static void test_telemetry(void **state)
{
    struct rig r;
    struct audit_stream found;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    fill(&r, RECORDS);
    tamper(&r, "DELETE FROM telemetry WHERE seq BETWEEN 4 AND 5");
    audit(&r, STREAM_TELEMETRY, &found);
    assert_int_equal(found.fault, AUDIT_MISSING);
    assert_int_equal(found.bad_first, 4);
    assert_int_equal(found.bad_last, 5);
    /* An event that tells of it, but not of all. */
    tamper(&r, "INSERT INTO event(seq, ts, kind, unsynced, body, hash) VALUES (90, 1, 'lost', 0,"
               " '{\"stream\":\"telemetry\",\"first\":4,\"last\":4}', '')");
    audit(&r, STREAM_TELEMETRY, &found);
    assert_int_equal(found.fault, AUDIT_MISSING);
    tamper(&r, "UPDATE event SET body = '{\"stream\":\"telemetry\",\"first\":2,\"last\":5}' WHERE seq = 90");
    audit(&r, STREAM_TELEMETRY, &found);
    assert_int_equal(found.fault, AUDIT_NONE);
    assert_int_equal(found.told_lost, 2);
    tamper(&r, "UPDATE telemetry SET seq = 4 WHERE seq = 6");
    audit(&r, STREAM_TELEMETRY, &found);
    assert_int_equal(found.fault, AUDIT_ORDER);
    assert_int_equal(found.bad_first, 4);
    rig_end(&r);
}

/* The retention takes the first ones, again and again, and at last all: the chain holds from its new start. */
static void test_retention(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r);
    r.conf.keep_telemetry_ms = r.conf.keep_events_ms = r.conf.keep_alarms_ms = 2 * INT64_C(3600000);
    rig_open(&r);
    for (unsigned i = 1; i <= 30; i++) {
        rig_alarm(&r, i);
        assert_int_equal(rig_event(&r, "device"), RG_OK);
        rig_frame(&r, 1);
        rig_run(&r, 1800000);
        int64_t first = rig_number(&r, "SELECT min(seq) FROM alarm");
        holds(&r, STREAM_ALARM, first, i);
        holds(&r, STREAM_EVENT, rig_number(&r, "SELECT min(seq) FROM event"), i);
        holds(&r, STREAM_TELEMETRY, rig_number(&r, "SELECT min(seq) FROM telemetry"), i);
        assert_true(i < 10 || first > 1);
    }
    struct audit_stream found;
    audit(&r, STREAM_ALARM, &found);
    assert_true(found.begins > 20);

    /* What is deleted beside the retention shows, at the new start too. */
    tamper(&r, "DELETE FROM alarm WHERE seq = (SELECT min(seq) FROM alarm)");
    audit(&r, STREAM_ALARM, &found);
    assert_int_equal(found.fault, AUDIT_MISSING);
    assert_int_equal(found.bad_first, found.begins);

    rig_run(&r, 24 * INT64_C(3600000));
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event"), 0);
    holds(&r, STREAM_EVENT, 0, 0);
    rig_close(&r);
    rig_open(&r);
    assert_int_equal(rig_event(&r, "start"), RG_OK);
    rig_run(&r, 1000);
    holds(&r, STREAM_EVENT, 31, 31);
    rig_end(&r);
}

/* A store whose first records an older version took: told, once, and whole from the next turn of the retention on. */
static void test_older_version(void **state)
{
    struct rig r;
    struct audit_stream found;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    fill(&r, RECORDS);
    rig_close(&r);
    tamper(&r, "DELETE FROM alarm WHERE seq < 4; DELETE FROM event; DELETE FROM telemetry WHERE seq < 3;"
               "DROP TABLE chain_start; DROP VIEW v_rollup; DROP TABLE rollup; DROP TABLE rollup_point;"
               "ALTER TABLE occurrence DROP COLUMN highest; ALTER TABLE run DROP COLUMN rolled;"
               "ALTER TABLE run DROP COLUMN rolling; ALTER TABLE run DROP COLUMN rolling_minute;"
               "ALTER TABLE run DROP COLUMN rolling_point;"
               "DROP TABLE permit; DROP TABLE set_aside; DROP INDEX telemetry_held; ALTER TABLE telemetry "
               "DROP COLUMN every;"
               "ALTER TABLE telemetry DROP COLUMN held;"
               "DROP TABLE duty; DROP INDEX alarm_ts; DROP INDEX event_kind;"
               "CREATE VIEW v_rollup AS SELECT 1; PRAGMA user_version = 4");
    for (int version = 4; version <= 5; version++) {
        audit(&r, STREAM_ALARM, &found);
        assert_int_equal(found.fault, AUDIT_NONE);
        assert_true(found.start_unknown);
        assert_int_equal(found.begins, 4);
        assert_int_equal(found.count, 6);
        holds(&r, STREAM_TELEMETRY, 3, RECORDS);
        if (version == 4)
            rig_open(&r);
    }
    holds(&r, STREAM_EVENT, 0, 0);
    r.conf.keep_alarms_ms = 6000;
    rig_run(&r, 1000);
    assert_int_equal(store_configure(r.store, &r.conf, NULL, 0), RG_OK);
    rig_alarm(&r, 10);
    rig_run(&r, 3600000);
    audit(&r, STREAM_ALARM, &found);
    assert_int_equal(found.fault, AUDIT_NONE);
    assert_false(found.start_unknown);
    assert_true(found.begins > 4);
    rig_end(&r);
}

static void test_not_a_store(void **state)
{
    struct rig r;
    struct audit *a = NULL;
    char why[512];

    (void)state;
    rig_init(&r);
    assert_int_equal(audit_open(r.path, &a, why, sizeof(why)), RG_EIO);
    assert_non_null(strstr(why, r.path));
    rig_open(&r);
    rig_close(&r);
    tamper(&r, "PRAGMA user_version = 99");
    assert_int_equal(audit_open(r.path, &a, why, sizeof(why)), RG_EUNSUPPORTED);
    tamper(&r, "PRAGMA application_id = 7");
    assert_int_equal(audit_open(r.path, &a, why, sizeof(why)), RG_EINVAL);
    assert_non_null(strstr(why, "not a store"));
    assert_null(a);
    audit_close(NULL);
    assert_int_equal(loop_destroy(r.loop), RG_OK);
    assert_true(support_tmp_remove(r.folder));
}

/* A copy with its log: looked at without a byte of it being changed. */
static void test_leaves_no_trace(void **state)
{
    struct rig r;
    char command[1024];

    (void)state;
    rig_init(&r);
    rig_open(&r);
    fill(&r, RECORDS);
    (void)snprintf(
        command, sizeof(command),
        "cd '%s' && mkdir copy && cp riskgate.db riskgate.db-wal copy/ && cat copy/* | sha256sum > before",
        r.folder);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a fixed command of the test */
    struct rig copy = r;
    (void)snprintf(copy.path, sizeof(copy.path), "%s/copy/riskgate.db", r.folder);
    holds(&copy, STREAM_ALARM, 1, RECORDS);
    (void)snprintf(command, sizeof(command),
                   "cd '%s' && rm -f copy/*-shm && cat copy/* | sha256sum | cmp - before", r.folder);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tampering),       cmocka_unit_test(test_any_byte),
        cmocka_unit_test(test_telemetry),       cmocka_unit_test(test_retention),
        cmocka_unit_test(test_older_version),   cmocka_unit_test(test_not_a_store),
        cmocka_unit_test(test_leaves_no_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
