/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE */
/* What the store says of a stretch of time: each figure against records that were put there for it. */
#include "test_store_help.h"

#include "store/inquiry.h"

#define DAY INT64_C(86400000)
#define MINUTE INT64_C(60000)
#define T0 INT64_C(1800000000000) /* the stretch asked for begins here, on a minute */

struct asked {
    unsigned calls;
    enum rg_err err;
    struct summary summary;
    struct past past;
    char report[4096];
};

static void found_cb(void *arg, const struct store_finding *f)
{
    struct asked *a = arg;

    a->calls++;
    a->err = f->err;
    if (f->summary)
        a->summary = *f->summary;
    if (f->past)
        a->past = *f->past;
    if (f->report)
        (void)snprintf(a->report, sizeof a->report, "%s", f->report);
}

static const char *const uplinks[] = {"county", "city"};

static struct asked ask(struct rig *r, const struct store_inquiry *inquiry)
{
    static struct asked a;

    a = (struct asked){0};
    assert_int_equal(store_inquire(r->store, inquiry, found_cb, &a), RG_OK);
    rig_run(r, 1);
    assert_int_equal(a.calls, 1);
    return a;
}

static struct summary summary_of(struct rig *r, int64_t from, int64_t to)
{
    const struct store_inquiry inquiry = {
        .kind = INQUIRY_SUMMARY, .from = from, .to = to, .uplinks = uplinks, .uplink_count = 2};
    const struct asked a = ask(r, &inquiry);

    assert_int_equal(a.err, RG_OK);
    return a.summary;
}

/* ---- records ---- */

static void event_at(struct rig *r, int64_t ts, const char *kind, const char *rest, bool unsynced)
{
    char body[512];
    int n = snprintf(body, sizeof body, "\"ts\":%" PRId64 ",\"kind\":\"%s\"%s%s", ts, kind,
                     rest[0] ? "," : "", rest);
    const struct store_record record = {.stream = STREAM_EVENT,
                                        .ts = ts,
                                        .body = body,
                                        .length = (size_t)n,
                                        .device = SITE_NONE,
                                        .unsynced = unsynced,
                                        .kind = kind};

    assert_int_equal(store_append(r->store, &record), RG_OK);
}

struct life {
    int64_t raised, acked, cleared; /* 0: not */
    enum level first, highest;
    int64_t escalated; /* to highest, when that is not first */
};

static void alarm_at(struct rig *r, struct alarm *a, int64_t ts, enum alarm_event event, enum level level)
{
    char body[512];
    enum level was = a->level;
    int n;

    a->level = level;
    if (event == ALARM_CLEAR)
        a->cleared_ms = ts;
    if (event == ALARM_ESCALATE)
        a->acked_ms = 0;
    if (event == ALARM_ACK)
        a->acked_ms = ts;
    n = snprintf(body, sizeof body,
                 "\"ts\":%" PRId64 ",\"alarm\":\"%s\",\"event\":\"%s\",\"level\":\"%s\",\"was\":\"%s\"", ts,
                 a->id, alarm_event_name(event), level_name(level), level_name(was));
    const struct store_record record = {.stream = STREAM_ALARM,
                                        .ts = ts,
                                        .body = body,
                                        .length = (size_t)n,
                                        .device = SITE_NONE,
                                        .level = level,
                                        .was = was,
                                        .alarm = a};
    assert_int_equal(store_append(r->store, &record), RG_OK);
}

static void live(struct rig *r, unsigned number, const struct life *l)
{
    struct alarm a = {.raised_ms = l->raised};

    (void)snprintf(a.id, sizeof a.id, "gw-%u", number);
    (void)snprintf(a.rule, sizeof a.rule, "r");
    alarm_at(r, &a, l->raised, ALARM_RAISE, l->first);
    if (l->escalated)
        alarm_at(r, &a, l->escalated, ALARM_ESCALATE, l->highest);
    if (l->acked)
        alarm_at(r, &a, l->acked, ALARM_ACK, a.level);
    if (l->cleared)
        alarm_at(r, &a, l->cleared, ALARM_CLEAR, LEVEL_NONE);
    rig_run(r, 1);
}

static void test_alarms(void **state)
{
    static const struct life lives[] = {
        /* before, over, and after the stretch: none of it is in it */
        {T0 - 9000, T0 - 8000, T0 - 5000, LEVEL_RED, 0, 0},
        {T0 + DAY, 0, T0 + DAY + 5, LEVEL_RED, 0, 0},
        /* open before it, cleared in it, at its first instant, at its end, never */
        {T0 - 9000, T0 + 1000, T0 + 2000, LEVEL_YELLOW, 0, 0},
        {T0 - 9000, 0, T0, LEVEL_YELLOW, 0, 0},
        {T0 - 9000, 0, T0 + DAY, LEVEL_ORANGE, 0, 0},
        {T0 - 9000, T0 - 1, 0, LEVEL_BLUE, 0, 0},
        /* raised in it: at its first instant; escalated in it; escalated and cleared after it */
        {T0, T0 + 3000, T0 + 4000, LEVEL_BLUE, 0, 0},
        {T0 + 10, 0, T0 + 5010, LEVEL_BLUE, LEVEL_RED, T0 + 20},
        {T0 + 10, T0 + DAY + 30, T0 + DAY + 99, LEVEL_YELLOW, LEVEL_RED, T0 + DAY + 20},
        {T0 + DAY - 1, 0, 0, LEVEL_RED, 0, 0},
    };
    struct rig r;
    struct summary s;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    for (unsigned i = 0; i < RG_COUNT(lives); i++)
        live(&r, i, &lives[i]);
    /* A test alarm counts nowhere, and passes every filter; a damaged record stops nothing. */
    struct store_record test = {
        .stream = STREAM_ALARM,
        .ts = T0 + 50,
        .body = "\"ts\":1,\"alarm\":\"gw-test-1-1\",\"event\":\"raise\",\"level\":\"blue\","
                "\"was\":\"none\",\"test\":true",
        .device = SITE_NONE,
        .level = LEVEL_BLUE,
        .test = true};
    test.length = strlen(test.body);
    assert_int_equal(store_append(r.store, &test), RG_OK);
    test.body = "\"ts\":1,\"alarm\":broken";
    test.length = strlen(test.body);
    assert_int_equal(store_append(r.store, &test), RG_OK);
    rig_run(&r, 10);
    assert_int_equal(rig_number(&r, "SELECT min(peak) FROM alarm WHERE body LIKE '%test%'"), LEVEL_RED);

    s = summary_of(&r, T0, T0 + DAY);
    assert_int_equal(s.raised[LEVEL_RED], 2); /* one of them by its escalation */
    assert_int_equal(s.raised[LEVEL_ORANGE], 0);
    assert_int_equal(s.raised[LEVEL_YELLOW], 1);
    assert_int_equal(s.raised[LEVEL_BLUE], 1);
    assert_int_equal(s.open[LEVEL_RED], 1);
    assert_int_equal(s.open[LEVEL_ORANGE], 1); /* cleared at the very end: it was open up to there */
    assert_int_equal(s.open[LEVEL_YELLOW], 1); /* as it stood then, not as it did later */
    assert_int_equal(s.open[LEVEL_BLUE], 1);
    assert_int_equal(s.open_before, 4);
    assert_int_equal(s.acked, 3);
    assert_int_equal(s.unacked, 5);
    assert_int_equal(s.to_ack.count, 2);
    assert_int_equal(s.to_ack.p50_ms, 3000);
    assert_int_equal(s.to_ack.max_ms, 10000);
    assert_int_equal(s.to_clear.count, 4);
    assert_int_equal(s.to_clear.p50_ms, 5000);
    assert_int_equal(s.to_clear.max_ms, 11000);
    assert_int_equal(s.uplink_count, 2);

    s = summary_of(&r, T0 + 2 * DAY, T0 + 3 * DAY); /* nothing happens, two stand */
    assert_int_equal(s.raised[LEVEL_RED] + s.raised[LEVEL_YELLOW] + s.raised[LEVEL_BLUE], 0);
    assert_int_equal(s.open_before, 2);
    assert_int_equal(s.open[LEVEL_RED] + s.open[LEVEL_BLUE], 2);
    rig_end(&r);
}

static void test_events(void **state)
{
    struct rig r;
    struct summary s;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    event_at(&r, T0 - 5, "lost", "\"count\":100", false);
    event_at(&r, T0, "lost", "\"count\":3", false);
    event_at(&r, T0 + 9, "lost", "\"count\":4", false);
    event_at(&r, T0 + 1, "config", "\"applied\":true,\"sha256\":\"aa\",\"changes\":[1,2,3]", false);
    event_at(&r, T0 + 1, "config", "\"applied\":true,\"sha256\":\"aa\",\"changes\":[4],\"more\":7", false);
    event_at(&r, T0 + 2, "config", "\"applied\":false,\"sha256\":\"bb\",\"errors\":1", false);
    for (int i = 0; i < SUMMARY_CONFIGS + 5; i++)
        event_at(&r, T0 + 10 + i, "config", "\"applied\":true,\"sha256\":\"cc\",\"changes\":[]", false);
    event_at(&r, T0 + 3, "self_test", "\"uplink\":\"county\",\"ok\":true,\"round_trip_ms\":120", false);
    event_at(&r, T0 + 4, "self_test", "\"uplink\":\"county\",\"ok\":true,\"round_trip_ms\":90", false);
    event_at(&r, T0 + 5, "self_test", "\"uplink\":\"county\",\"ok\":false,\"round_trip_ms\":null", false);
    event_at(&r, T0 + 6, "self_test", "\"uplink\":\"gone\",\"ok\":true,\"round_trip_ms\":1", false);
    rig_run(&r, 10);
    s = summary_of(&r, T0, T0 + DAY);
    assert_int_equal(s.lost, 7);
    assert_int_equal(s.config_changes, SUMMARY_CONFIGS + 6);
    assert_int_equal(s.config_count, SUMMARY_CONFIGS);
    assert_string_equal(s.configs[0].sha256, "aa");
    assert_int_equal(s.configs[0].changes, 11);
    assert_int_equal(s.uplinks[0].tests, 3);
    assert_int_equal(s.uplinks[0].failed, 1);
    assert_int_equal(s.uplinks[0].round_trip_ms, 120);
    assert_int_equal(s.uplinks[1].tests, 0);
    assert_int_equal(s.uplinks[1].round_trip_ms, -1);
    rig_end(&r);
}

/* ---- samples ---- */

static void duty(struct rig *r, int64_t now, const struct store_duty *duties, size_t count)
{
    assert_int_equal(store_duty_put(r->store, duties, count, now), RG_OK);
    rig_run(r, 10);
}

static void sql(const struct rig *r, const char *text)
{
    sqlite3 *db = rig_sql(r);

    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_duty(void **state)
{
    static const struct store_duty both[] = {{"a", 2, 1000}, {"b", 1, 5000}};
    static const struct store_duty slower[] = {{"a", 2, 2000}, {"b", 1, 5000}};
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    duty(&r, 100, both, 2);
    duty(&r, 200, both, 2); /* goes on */
    rig_close(&r);
    rig_open(&r);
    duty(&r, 300, both, 2); /* over a restart too */
    duty(&r, 400, slower, 2);
    duty(&r, 500, slower, 1);
    duty(&r, 600, slower, 2);
    assert_string_equal(
        rig_query(&r, "SELECT device, since, until, points, poll_ms FROM duty ORDER BY device, since"),
        "a|100|400|2|1000;a|400|0|2|2000;b|100|500|1|5000;b|600|0|1|5000");
    /* The clock was ahead: what began then begins now at the latest, what ended then ends now. */
    duty(&r, 450, slower, 2);
    assert_string_equal(rig_query(&r, "SELECT device, since, until FROM duty ORDER BY device, since"),
                        "a|100|400;a|400|0;b|100|450;b|450|0");
    assert_int_equal(store_duty_put(r.store, &(struct store_duty){"no dots?", 1, 1}, 1, 1), RG_EINVAL);
    assert_int_equal(store_duty_put(r.store, &(struct store_duty){"a", 1, 0}, 1, 1), RG_EINVAL);
    rig_end(&r);
}

static void test_samples(void **state)
{
    static const struct store_duty duties[] = {
        {"a", 2, 1000}, {"b", 1, 30000}, {"late", 1, 60000}, {"never", 3, 7000}};
    struct rig r;
    struct summary s;
    char text[1024];

    (void)state;
    rig_init(&r);
    rig_open(&r);
    duty(&r, T0 - DAY, duties, 2);
    duty(&r, T0 + 30 * MINUTE, duties, 4);
    sql(&r,
        "INSERT INTO rollup_point VALUES (1, 'a.x'), (2, 'a.y'), (3, 'b.z'), (4, 'late.q'), (9, 'calc.w')");
    (void)snprintf(text, sizeof text,
                   "INSERT INTO rollup(minute, point, n, min, max, sum, bad, comm)"
                   " WITH RECURSIVE m(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM m WHERE i < 59)"
                   " SELECT %" PRId64 " + 60000 * i, 1, 60, 0, 0, 0, 0, 0 FROM m"
                   " UNION ALL SELECT %" PRId64 " + 60000 * i, 2, 20, 0, 0, 0, 40, 30 FROM m"
                   " UNION ALL SELECT %" PRId64 " + 60000 * i, 3, 3, 0, 0, 0, 0, 0 FROM m"
                   " UNION ALL SELECT %" PRId64 " + 60000 * i, 9, 60, 0, 0, 0, 0, 0 FROM m",
                   T0, T0, T0, T0);
    sql(&r, text);
    (void)snprintf(text, sizeof text,
                   "INSERT INTO rollup(minute, point, n, sum, bad) VALUES (%" PRId64
                   ", 1, 60, 0, 0), (%" PRId64 ", 1, 60, 0, 0), (%" PRId64 ", 4, 1, 0, 0)",
                   T0 - MINUTE, T0 + 60 * MINUTE, T0 + 40 * MINUTE);
    sql(&r, text);
    s = summary_of(&r, T0, T0 + 60 * MINUTE);
    /* a: 2 * 3600, of which 30 a minute of y had no answer; b: 120, and no surplus; late: 30; never: 3 * 1800 / 7 */
    assert_int_equal(s.devices_expected, 4);
    assert_int_equal(s.expected, 7200 + 120 + 30 + 771);
    assert_int_equal(s.received, 5400 + 120 + 1 + 0);
    assert_int_equal(s.devices_lacking, 3);
    assert_int_equal(s.device_count, 3);
    assert_string_equal(s.devices[0].name, "never");
    assert_int_equal(s.devices[0].expected, 771);
    assert_int_equal(s.devices[0].received, 0);
    assert_string_equal(s.devices[1].name, "late");
    assert_string_equal(s.devices[2].name, "a");
    assert_int_equal(s.devices[2].received, 5400);
    rig_end(&r);
}

/* The worst ten of many. */
static void test_worst(void **state)
{
    struct store_duty duties[40];
    char names[40][16];
    struct rig r;
    struct summary s;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    for (size_t i = 0; i < 40; i++) {
        char text[800];

        (void)snprintf(names[i], sizeof names[i], "d%02zu", i);
        duties[i] = (struct store_duty){names[i], 1, 1000};
        (void)snprintf(
            text, sizeof text,
            "INSERT INTO rollup_point VALUES (%zu, '%s.p'); INSERT INTO rollup(minute, point, n, sum, bad)"
            " VALUES (%" PRId64 ", %zu, %zu, 0, 0)",
            i, names[i], T0, i, 20 + i * 7 % 40);
        sql(&r, text);
    }
    duty(&r, T0 - DAY, duties, 40);
    s = summary_of(&r, T0, T0 + MINUTE);
    assert_int_equal(s.devices_lacking, 40);
    assert_int_equal(s.device_count, SUMMARY_DEVICES);
    for (size_t i = 0; i < SUMMARY_DEVICES; i++)
        assert_int_equal(s.devices[i].received, 20 + i);
    rig_end(&r);
}

/* ---- outages ---- */

static void test_outages(void **state)
{
    struct rig r;
    struct summary s;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    event_at(&r, T0 - 9000, "start", "\"boot\":1", false);
    event_at(&r, T0 - 8000, "uplink", "\"uplink\":\"county\",\"state\":\"back\"", false);
    event_at(&r, T0 - 7000, "device", "\"device\":\"a\",\"bus\":\"b1\",\"state\":\"offline\"", false);
    event_at(&r, T0 + 1000, "device", "\"device\":\"a\",\"bus\":\"b1\",\"state\":\"online\"", false);
    event_at(&r, T0 + 2000, "device", "\"device\":null,\"bus\":\"b1\",\"state\":\"down\"", false);
    event_at(&r, T0 + 2500, "device", "\"device\":null,\"bus\":\"b1\",\"state\":\"down\"", false);
    event_at(&r, T0 + 5000, "device", "\"device\":null,\"bus\":\"b1\",\"state\":\"up\"", false);
    event_at(&r, T0 + 6000, "uplink", "\"uplink\":\"county\",\"state\":\"lost\"", false);
    event_at(&r, T0 + 7000, "device", "\"device\":\"c\",\"bus\":\"b1\",\"state\":\"offline\"", false);
    event_at(&r, T0 + 100000, "stop", "", false);
    event_at(&r, T0 + 150000, "start", "\"boot\":2", false);
    event_at(&r, T0 + 151000, "uplink", "\"uplink\":\"county\",\"state\":\"back\"", false);
    event_at(&r, T0 + 400000, "device", "\"device\":\"a\",\"bus\":\"b1\",\"state\":\"offline\"", false);
    /* A power cut: the last sign of life is a reading. */
    rig_run(&r, 10);
    assert_int_equal(rig_telemetry(&r, 1, T0 + 500000, "\"values\":{}"), RG_OK);
    rig_run(&r, 2000);
    event_at(&r, T0 + 900000, "start", "\"boot\":3,\"clean\":false", false);
    event_at(&r, T0 + 970000, "uplink", "\"uplink\":\"county\",\"state\":\"back\"", false);
    event_at(&r, T0 + 980000, "device", "\"device\":\"z\",\"bus\":\"b1\",\"state\":\"offline\"", false);
    rig_run(&r, 10);

    s = summary_of(&r, T0, T0 + 1000000);
    assert_int_equal(s.outages_of[OUTAGE_GATEWAY], 2);
    assert_int_equal(s.off_ms, 50000 + 400000);
    assert_int_equal(s.outages_of[OUTAGE_BUS], 1);
    assert_int_equal(s.outages_of[OUTAGE_DEVICE], 4);
    assert_int_equal(s.outages_of[OUTAGE_UPLINK], 5); /* city was never there: in each of the three runs */
    assert_int_equal(s.outage_count, SUMMARY_OUTAGES);
    for (size_t i = 1; i < s.outage_count; i++)
        assert_true(s.outages[i - 1].within_ms >= s.outages[i].within_ms);
    assert_int_equal(s.outages[0].kind, OUTAGE_GATEWAY);
    assert_int_equal(s.outages[0].from, T0 + 500000);
    assert_int_equal(s.outages[0].to, T0 + 900000);
    assert_string_equal(s.outages[1].name, "city"); /* of the second run */
    assert_int_equal(s.outages[1].within_ms, 350000);
    /* 94 s from the loss to the stop, and 70 s at the last start, which took its time; one of 1 s is none. */
    assert_int_equal(s.uplinks[0].outages, 2);
    assert_int_equal(s.uplinks[0].down_ms, 94000 + 70000);
    assert_int_equal(s.uplinks[1].outages, 3);
    assert_int_equal(s.uplinks[1].down_ms, 100000 + 350000 + 100000);

    /* Off over the end of the stretch, after a stop and after a power cut. */
    s = summary_of(&r, T0 + 90000, T0 + 120000);
    assert_int_equal(s.off_ms, 20000);
    assert_int_equal(s.outages[0].kind, OUTAGE_GATEWAY);
    s = summary_of(&r, T0 + 450000, T0 + 600000);
    assert_int_equal(s.off_ms, 100000);
    assert_int_equal(s.outages[0].to, T0 + 900000);
    /* Off all the time; on all the time. */
    s = summary_of(&r, T0 + 510000, T0 + 600000);
    assert_int_equal(s.off_ms, 90000);
    assert_int_equal(s.outage_count, 1);
    s = summary_of(&r, T0 + 410000, T0 + 420000);
    assert_int_equal(s.off_ms, 0);
    assert_int_equal(s.outages_of[OUTAGE_DEVICE], 1);
    assert_int_equal(s.outages[0].within_ms, 10000);
    /* Before there was anything. */
    s = summary_of(&r, T0 - DAY, T0 - DAY / 2);
    assert_int_equal(s.outage_count, 0);
    assert_int_equal(s.off_ms, 0);
    rig_end(&r);
}

/* Many subjects: the table grows, each is found again. */
static void test_many_outages(void **state)
{
    struct rig r;
    struct summary s;
    char rest[96];

    (void)state;
    rig_init(&r);
    rig_open(&r);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 500; i++) {
            (void)snprintf(rest, sizeof rest, "\"device\":\"d%d\",\"bus\":\"b\",\"state\":\"%s\"", i,
                           round ? "online" : "offline");
            event_at(&r, T0 + round * 100000 + i, "device", rest, false);
        }
        rig_run(&r, 10);
    }
    s = summary_of(&r, T0, T0 + DAY);
    assert_int_equal(s.outages_of[OUTAGE_DEVICE], 500);
    assert_int_equal(s.outages[9].within_ms, 100000);
    rig_end(&r);
}

/* ---- the past ---- */

static void report(struct rig *r, int64_t ts, const char *kind, int64_t from, int64_t to, bool unsynced)
{
    char body[256];
    int n =
        snprintf(body, sizeof body, "\"ts\":%" PRId64 ",\"kind\":\"%s\",\"from\":%" PRId64 ",\"to\":%" PRId64,
                 ts, kind, from, to);
    const struct store_record record = {.stream = STREAM_REPORT,
                                        .ts = ts,
                                        .body = body,
                                        .length = (size_t)n,
                                        .device = SITE_NONE,
                                        .unsynced = unsynced};

    assert_int_equal(store_append(r->store, &record), RG_OK);
}

static void test_past(void **state)
{
    const struct store_inquiry past = {.kind = INQUIRY_PAST, .to = T0 + DAY};
    struct store_inquiry last = {.kind = INQUIRY_REPORT, .report = REPORT_MONTHLY};
    struct rig r;
    struct asked a;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    a = ask(&r, &past);
    assert_int_equal(a.past.reports[0].count + a.past.reports[1].count + a.past.test_count, 0);
    assert_int_equal(a.past.reports[0].began_ms, 0);
    assert_int_equal(ask(&r, &last).err, RG_ENOTFOUND);

    event_at(&r, 5000, "start", "\"boot\":1", true);
    event_at(&r, T0, "clock", "\"step\":1", false);
    event_at(&r, T0 + 2 * DAY, "start", "\"boot\":2", false); /* not yet, as of then */
    report(&r, 6000, "daily", 5000, 6000, true);
    for (int i = 0; i < PAST_REPORTS + 6; i++)
        report(&r, T0 + i, "daily", T0 + i, T0 + i + 1, false);
    report(&r, T0 + 7, "monthly", T0, T0 + 7, false);
    event_at(&r, T0 + 1, "self_test", "\"uplink\":\"county\",\"ok\":false,\"round_trip_ms\":null", false);
    event_at(&r, T0 + 2, "self_test", "\"uplink\":\"county\",\"ok\":true,\"round_trip_ms\":77", false);
    event_at(&r, T0 + 2, "self_test", "\"uplink\":\"city\",\"ok\":false,\"round_trip_ms\":null", false);
    rig_run(&r, 10);
    a = ask(&r, &past);
    assert_int_equal(a.past.reports[REPORT_DAILY].count, PAST_REPORTS);
    assert_int_equal(a.past.reports[REPORT_DAILY].told[0].from, T0 + 6);
    assert_int_equal(a.past.reports[REPORT_DAILY].told[PAST_REPORTS - 1].to, T0 + PAST_REPORTS + 6);
    assert_int_equal(a.past.reports[REPORT_DAILY].began_ms, 5000);
    assert_int_equal(a.past.reports[REPORT_DAILY].synced_ms, T0);
    assert_int_equal(a.past.reports[REPORT_MONTHLY].count, 1);
    assert_int_equal(a.past.test_count, 2);
    assert_string_equal(a.past.tests[0].uplink, "city");
    assert_false(a.past.tests[0].ok);
    assert_int_equal(a.past.tests[0].round_trip_ms, -1);
    assert_true(a.past.tests[1].ok);
    assert_int_equal(a.past.tests[1].round_trip_ms, 77);
    a = ask(&r, &last);
    assert_non_null(strstr(a.report, "\"kind\":\"monthly\""));
    assert_non_null(strstr(a.report, "\"hash\":\""));
    rig_end(&r);
}

/* Questions wait in their order, are forgotten, and are refused when too many wait; the store closes over them. */
static void test_queue(void **state)
{
    const struct store_inquiry inquiry = {.kind = INQUIRY_SUMMARY, .from = 1, .to = 2};
    const struct store_inquiry backwards = {.kind = INQUIRY_SUMMARY, .from = 2, .to = 1};
    struct asked a[STORE_INQUIRIES] = {{0}};
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    assert_int_equal(store_inquire(r.store, &backwards, found_cb, &a[0]), RG_EINVAL);
    for (size_t i = 0; i < STORE_INQUIRIES; i++)
        assert_int_equal(store_inquire(r.store, &inquiry, found_cb, &a[i]), RG_OK);
    assert_int_equal(store_inquire(r.store, &inquiry, found_cb, &a[0]), RG_EAGAIN);
    store_inquire_cancel(r.store, &a[3]);
    rig_run(&r, 10);
    for (size_t i = 0; i < STORE_INQUIRIES; i++)
        assert_int_equal(a[i].calls, i == 3 ? 0 : 1);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(store_inquire(r.store, &inquiry, found_cb, &a[i]), RG_OK);
    rig_end(&r);
    assert_int_equal(a[0].calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alarms),  cmocka_unit_test(test_events),       cmocka_unit_test(test_duty),
        cmocka_unit_test(test_samples), cmocka_unit_test(test_worst),        cmocka_unit_test(test_outages),
        cmocka_unit_test(test_past),    cmocka_unit_test(test_many_outages), cmocka_unit_test(test_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
