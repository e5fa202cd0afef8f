/* LINK rg_platform_check PkgConfig::CRYPTO */
/* What the platform keeps of a stream over time: completeness, the chain, what came again, what came unstored, how alarms live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/gateway.h"
#include "platform_feed.h"

#define EVENTS 64
#define STOP "\"ts\":5,\"kind\":\"stop\",\"reason\":\"r\""

/* A gateway's event stream, and the platform that hears it. */
struct world {
    struct gateway *g;
    struct violations v;
    char records[EVENTS + 1][FEED_TEXT], hashes[EVENTS + 1][LEDGER_HASH + 1];
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    if (!w)
        return -1;
    w->g = gateway_create("E", "G", 0);
    *state = w;
    for (int i = 1; i <= EVENTS; i++)
        feed_record(w->records[i], i, STOP, w->hashes[i - 1], w->hashes[i]);
    return w->g ? 0 : -1;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    gateway_free(w->g);
    free(w);
    return 0;
}

/* Breaches in a message of the events first..last. */
static uint64_t hear(struct world *w, int prev, int first, int last)
{
    static char text[EVENTS * FEED_TEXT], records[EVENTS * FEED_TEXT];
    size_t n = 0;

    for (int i = first; i <= last; i++)
        n += (size_t)snprintf(records + n, sizeof records - n, "%s%s", i > first ? "," : "", w->records[i]);
    feed_message(text, sizeof text, "event", prev, first, last, "", records);
    return feed_take(w->g, &w->v, &gateway_no_sink, "event", text);
}

static uint64_t finish(struct world *w, bool complete)
{
    uint64_t before = w->v.count;

    w->g->state_seen = w->g->about_seen = w->g->risk_seen = true;
    gateway_finish(w->g, complete, &w->v);
    return w->v.count - before;
}

static void in_order(void **state)
{
    struct world *w = *state;
    const struct ledger *l = &w->g->ledgers[KIND_EVENT];

    for (int i = 1; i <= EVENTS; i += 4)
        assert_int_equal(hear(w, i - 1, i, i + 3), 0);
    assert_int_equal(ledger_upto(l), EVENTS);
    assert_int_equal(l->verified, EVENTS);
    assert_int_equal(ledger_hole_count(l), 0);
    assert_int_equal(finish(w, true), 0);
}

/* The present first, the missed stretch later: from whichever end it comes, each hash is verified once both neighbours are here. */
static void out_of_order(void **state)
{
    struct world *w = *state;
    const struct ledger *l = &w->g->ledgers[KIND_EVENT];
    struct ledger_span hole;

    assert_int_equal(hear(w, 0, 1, 4), 0);
    assert_int_equal(hear(w, 39, 40, 44), 0);
    assert_int_equal(hear(w, 19, 20, 20), 0);
    assert_int_equal(ledger_hole_count(l), 2);
    assert_int_equal(ledger_holes(l), 15 + 19);
    assert_true(ledger_hole(l, 0, &hole) && hole.first == 5 && hole.last == 19);
    assert_true(ledger_hole(l, 1, &hole) && hole.first == 21 && hole.last == 39);
    assert_false(ledger_hole(l, 2, &hole));
    assert_int_equal(ledger_upto(l), 4);
    assert_int_equal(l->verified, 4 + 4);
    for (int i = 39; i > 20; i--)
        assert_int_equal(hear(w, i - 1, i, i), 0);
    assert_int_equal(hear(w, 4, 5, 19), 0);
    assert_int_equal(ledger_upto(l), 44);
    assert_int_equal(l->verified, 44);
    assert_int_equal(l->waiting_count, 0);
    assert_int_equal(finish(w, true), 0);
}

static void what_is_missing_is_a_breach_only_where_it_is_demanded(void **state)
{
    struct world *w = *state;

    assert_int_equal(hear(w, 4, 5, 6), 0);
    assert_int_equal(hear(w, 9, 10, 12), 0);
    assert_int_equal(finish(w, false), 0);
    assert_int_equal(finish(w, true), 2); /* 1 to 4, 7 to 9 */
    assert_non_null(strstr(w->v.text[1], "7 to 9"));
}

/* With a filter: what prev passes over is not meant for this platform. */
static void a_filter_leaves_no_holes(void **state)
{
    struct world *w = *state;
    const struct ledger *l = &w->g->ledgers[KIND_EVENT];

    assert_int_equal(hear(w, 0, 7, 7), 0);
    assert_int_equal(hear(w, 7, 30, 30), 0);
    assert_int_equal(hear(w, 44, 50, 50), 0);
    assert_int_equal(ledger_hole_count(l), 1); /* 31 to 44 */
    assert_int_equal(hear(w, 30, 44, 44), 0);
    assert_int_equal(ledger_upto(l), 50);
    assert_int_equal(l->verified + l->unverified, 4);
    assert_int_equal(finish(w, true), 0);
}

static void what_comes_again_is_the_same(void **state)
{
    struct world *w = *state;
    struct ledger *l = &w->g->ledgers[KIND_EVENT];

    assert_int_equal(hear(w, 0, 1, 10), 0);
    assert_int_equal(hear(w, 2, 3, 12), 0);
    assert_int_equal(l->resent, 8);
    assert_int_equal(l->records - l->resent, 12);
    assert_int_equal(l->verified, 12);
    memcpy(strstr(w->records[4], "\"ts\":5"), "\"ts\":6", 6);
    assert_int_equal(hear(w, 3, 4, 4), 1);
    assert_non_null(strstr(w->v.text[0], "4: came again with another text"));
}

static void each_break_of_the_chain_is_found(void **state)
{
    struct world *w = *state;

    /* Altered, with a hash of its own that fits its text but not the one before. */
    feed_record(w->records[3], 3, STOP, w->hashes[1], w->hashes[3]);
    assert_int_equal(hear(w, 0, 1, 2), 0);
    assert_int_equal(hear(w, 2, 3, 3), 1);
    assert_non_null(strstr(w->v.text[0], "3: its hash does not follow"));
    assert_int_equal(hear(w, 3, 4, 4), 1); /* it followed from the true one */
    /* Found as well when the one before comes later. */
    assert_int_equal(hear(w, 20, 21, 21), 0);
    feed_record(w->records[20], 20, "\"ts\":7,\"kind\":\"stop\",\"reason\":\"r\"", w->hashes[19],
                w->hashes[20]);
    assert_int_equal(hear(w, 19, 20, 20), 1);
}

static void say_lost(struct world *w, int seq, const char *what)
{
    char body[256];

    (void)snprintf(body, sizeof body, "\"ts\":5,\"kind\":\"lost\",%s", what);
    feed_record(w->records[seq], seq, body, w->hashes[seq - 1], w->hashes[seq]);
    assert_int_equal(hear(w, seq - 1, seq, seq), 0);
}

/* A set-aside store: numbers jump, and the chain begins anew. */
static void a_loss_explains_a_hole_and_a_new_chain(void **state)
{
    struct world *w = *state;

    assert_int_equal(hear(w, 0, 1, 10), 0);
    feed_record(w->records[31], 31, STOP, "", w->hashes[31]);
    assert_int_equal(hear(w, 30, 31, 31), 0);
    assert_int_equal(finish(w, true), 2); /* the hole, and a chain that begins without a cause */
    w->v = (struct violations){0};
    say_lost(w, 32, "\"stream\":\"event\",\"first\":11,\"last\":30,\"count\":20,\"cause\":\"corrupt\"");
    assert_int_equal(ledger_upto(&w->g->ledgers[KIND_EVENT]), 32);
    assert_int_equal(w->g->ledgers[KIND_EVENT].lost, 20);
    assert_int_equal(finish(w, true), 0);
}

static void a_loss_of_another_kind_explains_no_new_chain(void **state)
{
    struct world *w = *state;

    assert_int_equal(hear(w, 0, 1, 10), 0);
    feed_record(w->records[31], 31, STOP, "", w->hashes[31]);
    assert_int_equal(hear(w, 30, 31, 31), 0);
    say_lost(w, 32, "\"stream\":\"event\",\"first\":11,\"last\":30,\"count\":20,\"cause\":\"size\"");
    assert_int_equal(finish(w, true), 1);
    assert_non_null(strstr(w->v.text[0], "begins anew"));
}

static void a_loss_must_make_sense(void **state)
{
    static const char *const rows[] = {
        "\"stream\":\"weather\",\"first\":1,\"last\":2,\"count\":2,\"cause\":\"age\"",
        "\"stream\":\"alarm\",\"first\":null,\"last\":2,\"count\":2,\"cause\":\"age\"",
        "\"stream\":\"alarm\",\"first\":3,\"last\":2,\"count\":2,\"cause\":\"age\"",
        "\"stream\":\"alarm\",\"first\":1,\"last\":2,\"count\":2",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = *state;
        char body[256], text[FEED_TEXT];

        w->v = (struct violations){0};
        (void)snprintf(body, sizeof body, "\"ts\":5,\"kind\":\"lost\",%s", rows[i]);
        feed_record(w->records[1], (int)i + 1, body, w->hashes[0], w->hashes[1]);
        memcpy(w->hashes[0], w->hashes[1], sizeof w->hashes[0]);
        feed_message(text, sizeof text, "event", (int)i, (int)i + 1, (int)i + 1, "", w->records[1]);
        if (feed_take(w->g, &w->v, &gateway_no_sink, "event", text) != 1)
            fail_msg("row %zu: %s", i, w->v.count ? w->v.text[0] : "passed");
    }
}

/* ---- memory has bounds ---- */

static void the_window_is_bounded(void **state)
{
    struct ledger l;
    const int64_t many = 5000;

    (void)state;
    ledger_create(&l, false, 256);
    for (int64_t i = 1; i <= many; i++) {
        assert_int_equal(ledger_add(&l, i, "x", 1, NULL, LEDGER_UNSURE), LEDGER_NEW);
        assert_true(ledger_account(&l, i, i));
    }
    assert_int_equal(l.window_size, 256);
    assert_int_equal(l.span_count, 1);
    assert_int_equal(ledger_add(&l, many, "x", 1, NULL, LEDGER_UNSURE), LEDGER_RESENT);
    assert_int_equal(ledger_add(&l, many, "y", 1, NULL, LEDGER_UNSURE), LEDGER_DIFFERS);
    assert_int_equal(ledger_add(&l, 1, "x", 1, NULL, LEDGER_UNSURE), LEDGER_OLD);
    assert_int_equal(ledger_add(&l, INT64_MAX, "x", 1, NULL, LEDGER_UNSURE), LEDGER_NO_MEMORY);
    assert_int_equal(ledger_add(&l, 0, "x", 1, NULL, LEDGER_UNSURE), LEDGER_NO_MEMORY);
    ledger_free(&l);
}

static void the_spans_are_bounded(void **state)
{
    struct ledger l;

    (void)state;
    ledger_create(&l, false, 0);
    for (int64_t i = 0; i < LEDGER_SPANS + 10; i++)
        assert_true(ledger_account(&l, 10 * i + 5, 10 * i + 6));
    assert_int_equal(l.span_count, LEDGER_SPANS);
    assert_int_equal(l.forgotten_holes, 10);
    assert_true(ledger_account(&l, 1, 2)); /* below all, while it is full */
    assert_true(l.span_count <= LEDGER_SPANS && l.spans[0].first == 1);
    for (size_t i = 1; i < l.span_count; i++)
        assert_true(l.spans[i].first > l.spans[i - 1].last + 1);
    ledger_free(&l);
}

/* Against a plain array: random spans in any order. */
static void spans_are_what_they_were_given(void **state)
{
    unsigned seed = 20261;

    (void)state;
    print_message("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 200; round++) {
        bool had[130] = {false};
        struct ledger l;

        ledger_create(&l, false, 0);
        for (int i = 0; i < 20; i++) {
            int first = 1 + rand() % 120, last = first + rand() % 8;

            for (int n = first; n <= last; n++)
                had[n] = true;
            assert_true(ledger_account(&l, first, last));
        }
        for (int n = 1; n < 130; n++) {
            int64_t before = n - 1;

            assert_int_equal(ledger_accounts_for(&l, n), had[n]);
            while (before > 0 && !had[before])
                before--;
            assert_int_equal(ledger_before(&l, n), before);
        }
        ledger_free(&l);
    }
}

/* What is no longer remembered is asked of those who keep all. */
static char *recall_cb(void *arg, const struct gateway *g, enum stream_kind kind, int64_t seq, size_t *length)
{
    struct world *w = arg;

    (void)g;
    assert_int_equal(kind, KIND_EVENT);
    if (seq > EVENTS || w->records[seq][0] == '-')
        return NULL;
    *length = strlen(w->records[seq]);
    return strdup(w->records[seq]);
}

static void after_a_restart_the_archive_knows(void **state)
{
    struct world *w = *state;
    const struct gateway_sink sink = {.arg = w, .recall = recall_cb};
    struct ledger *l = &w->g->ledgers[KIND_EVENT];
    char text[FEED_TEXT];

    assert_true(ledger_account(l, 1, 10));
    l->top = l->forgotten = 10;
    feed_message(text, sizeof text, "event", 10, 11, 11, "", w->records[11]);
    assert_int_equal(feed_take(w->g, &w->v, &sink, "event", text), 0);
    assert_int_equal(l->verified, 1);
    feed_message(text, sizeof text, "event", 4, 5, 5, "", w->records[5]);
    assert_int_equal(feed_take(w->g, &w->v, &sink, "event", text), 0);
    assert_int_equal(l->resent, 1);
    memcpy(strstr(text, "\"ts\":5"), "\"ts\":6", 6);
    assert_int_equal(feed_take(w->g, &w->v, &sink, "event", text), 1);
    /* One that had been filtered out, and comes now. */
    feed_message(text, sizeof text, "event", 6, 7, 7, "", w->records[7]);
    w->records[7][0] = '-';
    assert_int_equal(feed_take(w->g, &w->v, &sink, "event", text), 0);
    assert_int_equal(l->records - l->resent, 2);
}

/* ---- alarms ---- */

#define ALARM(ts, id, event, level, was, acked, more)                                                        \
    "\"ts\":" ts ",\"alarm\":\"" id "\",\"event\":\"" event "\",\"level\":\"" level "\",\"was\":\"" was      \
    "\",\"acked\":" acked                                                                                    \
    ",\"shelved\":false,\"rule\":\"r\",\"point\":\"d.p\",\"area\":null,\"value\":1,\"limit\":1,"             \
    "\"unit\":null,\"label\":null,\"message\":null," more "\"by\":\"Li\",\"comment\":null"

/* Breaches of a run of alarm records, one message each. */
static uint64_t live(struct world *w, const char *const *bodies, size_t count)
{
    char record[FEED_TEXT], text[FEED_TEXT], hash[2][LEDGER_HASH + 1] = {"", ""};
    uint64_t breaches = 0;

    for (size_t i = 0; i < count; i++) {
        feed_record(record, (int64_t)i + 1, bodies[i], hash[i % 2], hash[(i + 1) % 2]);
        feed_message(text, sizeof text, "alarm", (int64_t)i, (int64_t)i + 1, (int64_t)i + 1,
                     strstr(bodies[i], "unsynced") ? "\"clock\":\"unsynced\"," : "", record);
        breaches += feed_take(w->g, &w->v, &gateway_no_sink, "alarm", text);
    }
    return breaches;
}

#define RAISE ALARM("1", "a", "raise", "yellow", "none", "false", "")
#define CLEAR ALARM("9", "a", "clear", "none", "yellow", "false", "")

static void an_alarm_lives_as_it_may(void **state)
{
    static const struct {
        const char *bodies[5];
        uint64_t breaches;
    } rows[] = {
        {{RAISE, CLEAR}, 0},
        {{RAISE, ALARM("2", "a", "ack", "yellow", "yellow", "true", ""),
          ALARM("3", "a", "escalate", "red", "yellow", "false", ""),
          ALARM("4", "a", "deescalate", "blue", "red", "false", ""),
          ALARM("5", "a", "clear", "none", "blue", "false", "")},
         0},
        {{RAISE, RAISE}, 1},
        {{RAISE, CLEAR, RAISE}, 2}, /* twice, and after its end */
        {{RAISE, CLEAR, ALARM("10", "a", "escalate", "red", "yellow", "false", "")}, 2},
        {{RAISE, ALARM("2", "a", "escalate", "red", "blue", "false", "")}, 1},
        {{RAISE, ALARM("2", "a", "clear", "none", "yellow", "true", "")}, 1}, /* acked by whom? */
        {{RAISE, ALARM("2", "a", "ack", "yellow", "yellow", "true", ""),
          ALARM("3", "a", "ack", "yellow", "yellow", "true", "")},
         1},
        {{RAISE, ALARM("2", "a", "ack", "yellow", "yellow", "true", ""),
          ALARM("3", "a", "suppress", "yellow", "yellow", "false", "")},
         1},
        {{ALARM("1", "a", "raise", "none", "none", "false", "")}, 1},
        {{ALARM("1", "a", "raise", "purple", "none", "false", "")}, 1},
        {{ALARM("1", "a", "raise", "red", "none", "false", "\"clock\":\"unsynced\",")}, 0},
        {{ALARM("1", "a", "raise", "red", "none", "false", "\"clock\":\"late\",")}, 2},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = *state;
        size_t count = 0;
        uint64_t breaches;

        gateway_free(w->g);
        w->g = gateway_create("E", "G", 0);
        w->v = (struct violations){0};
        assert_non_null(w->g);
        while (count < 5 && rows[i].bodies[count])
            count++;
        breaches = live(w, rows[i].bodies, count);
        if (breaches != rows[i].breaches)
            fail_msg("row %zu: %llu: %s", i, (unsigned long long)breaches, w->v.text[0]);
    }
}

static void many_alarms_need_little(void **state)
{
    struct world *w = *state;
    struct alarm_book *b = &w->g->alarms;
    char id[32];

    for (int i = 0; i < 2000; i++) {
        struct alarm_view *a;

        (void)snprintf(id, sizeof id, "a-%d", i);
        a = alarm_get(b, id);
        assert_non_null(a);
        a->seq = i + 1;
        a->active = i % 10 == 0;
        alarm_settle(b, a, false);
    }
    assert_int_equal(b->active, 200);
    assert_int_equal(b->ended, ALARM_ENDED_KEPT);
    assert_int_equal(b->count, b->active + b->ended);
    assert_non_null(alarm_find(b, "a-0"));
    assert_null(alarm_find(b, "a-1"));
    assert_non_null(alarm_find(b, "a-1999"));
}

static void a_self_test_is_no_alarm_of_the_plant(void **state)
{
    static const char *const bodies[] = {ALARM("1", "t", "raise", "blue", "none", "false", "\"test\":true,")};
    struct world *w = *state;

    assert_int_equal(live(w, bodies, 1), 0);
    assert_true(alarm_find(&w->g->alarms, "t")->test);
    assert_int_equal(w->g->self_tests, 1);
}

#define UNSTORED_HEAD "\"stored\":false,"

static void unstored_alarms_find_their_records(void **state)
{
    static const char *const bodies[] = {RAISE};
    struct world *w = *state;
    char text[FEED_TEXT];

    feed_message(text, sizeof text, "alarm", 0, 0, 0, UNSTORED_HEAD, "{" RAISE "}");
    assert_int_equal(feed_take(w->g, &w->v, &gateway_no_sink, "alarm", text), 0);
    assert_int_equal(w->g->alarms.active, 1); /* people see it at once */
    assert_int_equal(w->g->unstored_alarms.open_count, 1);
    assert_int_equal(finish(w, true), 1);
    assert_int_equal(live(w, bodies, 1), 0);
    assert_int_equal(w->g->unstored_alarms.open_count, 0);
    assert_int_equal(w->g->unstored_alarms.settled, 1);
    assert_int_equal(finish(w, true), 0);
}

static void unstored_messages_have_no_numbers(void **state)
{
    static const struct {
        int64_t prev, first, last;
        const char *stream, *extra, *record;
    } rows[] = {
        {0, 1, 1, "alarm", UNSTORED_HEAD, "{" RAISE "}"},
        {1, 0, 0, "alarm", UNSTORED_HEAD, "{" RAISE "}"},
        {0, 0, 0, "alarm", UNSTORED_HEAD, "{\"seq\":1," RAISE "}"},
        {0, 0, 0, "alarm", UNSTORED_HEAD, "{" RAISE ",\"hash\":\"0\"}"},
        {0, 0, 0, "alarm", "\"stored\":true,", "{" RAISE "}"},
        {0, 0, 0, "alarm", "", "{" RAISE "}"},
        {0, 0, 0, "event", UNSTORED_HEAD, "{" STOP "}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = *state;
        char text[FEED_TEXT];

        feed_message(text, sizeof text, rows[i].stream, rows[i].prev, rows[i].first, rows[i].last,
                     rows[i].extra, rows[i].record);
        if (feed_take(w->g, &w->v, &gateway_no_sink, rows[i].stream, text) == 0)
            fail_msg("row %zu passed", i);
    }
}

/* ---- documents and what goes the other way ---- */

#define HEAD "{\"v\":1,\"ent\":\"E\",\"gw\":\"G\","

static void the_rest_is_checked(void **state)
{
    static const struct {
        const char *topic, *payload;
        uint64_t breaches;
    } rows[] = {
        {"reply", HEAD "\"id\":\"1\",\"ok\":true}", 0},
        {"reply/me", HEAD "\"id\":\"1\",\"ok\":false,\"error\":\"no\"}", 0},
        {"reply", HEAD "\"id\":null,\"ok\":false,\"error\":\"no\"}", 0},
        {"reply", HEAD "\"id\":\"1\"}", 1},
        {"reply", HEAD "\"ok\":true}", 1},
        {"reply", HEAD "\"id\":\"1\",\"ok\":false}", 1},
        {"reply", HEAD "\"id\":\"1\",\"ok\":true,\"error\":\"no\"}", 1},
        {"replying", HEAD "\"id\":\"1\",\"ok\":true}", 1},
        {"state", HEAD "\"online\":true,\"ts\":1,\"boot\":1,\"version\":\"x\",\"config\":\"y\"}", 0},
        {"state", HEAD "\"online\":true,\"ts\":1,\"boot\":-1,\"version\":\"x\",\"config\":\"y\"}", 1},
        {"state", HEAD "\"online\":true,\"ts\":1,\"boot\":1,\"version\":\"x\"}", 1},
        {"state", HEAD "\"online\":true,\"ts\":1,\"boot\":1,\"version\":\"x\",\"config\":\"y\"} x", 1},
        {"state",
         HEAD "\"clock\":\"late\",\"online\":true,\"ts\":1,\"boot\":1,\"version\":\"x\",\"config\":\"y\"}",
         1},
        {"state",
         "{\"v\":1,\"ent\":\"X\",\"gw\":\"Y\",\"online\":true,\"ts\":1,\"boot\":1,\"version\":\"x\","
         "\"config\":\"y\"}",
         2},
        {"state", "[1]", 1},
        {"about", HEAD "\"enterprise\":{\"code\":\"E\"},\"areas\":[],\"devices\":[],\"rules\":[]}", 0},
        {"about", HEAD "\"enterprise\":{\"code\":\"F\"},\"areas\":[],\"devices\":[],\"rules\":[]}", 1},
        {"about",
         HEAD "\"enterprise\":{\"code\":\"E\"},\"areas\":[{\"name\":\"a\"}],\"devices\":[{}],\"rules\":[{}]}",
         3},
        {"risk", HEAD "\"ts\":1,\"level\":\"red\",\"areas\":{\"a\":{\"level\":\"red\",\"alarms\":1}}}", 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = *state;
        uint64_t breaches = feed_take(w->g, &w->v, &gateway_no_sink, rows[i].topic, rows[i].payload);

        if (breaches != rows[i].breaches)
            fail_msg("row %zu: %llu breaches", i, (unsigned long long)breaches);
    }
}

/* They are not the gateway's: counted, and no breach. */
static void what_platforms_say_is_counted(void **state)
{
    static const struct {
        const char *topic, *payload;
        bool wrong;
    } rows[] = {
        {"receipt", "{\"stream\":\"alarm\",\"upto\":3}", false},
        {"receipt", "{\"stream\":\"alarms\",\"upto\":3}", true},
        {"receipt", "{\"stream\":\"alarm\",\"upto\":0}", true},
        {"command", "{\"id\":\"1\",\"command\":\"ack\"}", false},
        {"command", "{\"command\":\"ack\"}", true},
        {"command", "{", true},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t before = w->g->heard_wrong;

        assert_int_equal(feed_take(w->g, &w->v, &gateway_no_sink, rows[i].topic, rows[i].payload), 0);
        if ((w->g->heard_wrong > before) != rows[i].wrong)
            fail_msg("row %zu", i);
    }
    assert_int_equal(w->g->heard, sizeof rows / sizeof rows[0]);
}

static void a_message_that_expires_is_a_breach(void **state)
{
    static const char payload[] = HEAD "\"id\":\"1\",\"ok\":true}";
    struct world *w = *state;
    const struct platform_message m = {"reply", payload, sizeof payload - 1, 1, false, true};

    gateway_take(w->g, &m, &w->v, &gateway_no_sink);
    assert_int_equal(w->v.count, 1);
}

/* Bytes changed, left out and doubled at random: whatever comes of it, it is judged and nothing breaks. */
static void any_bytes_are_taken(void **state)
{
    struct world *w = *state;
    char good[3][FEED_TEXT], record[FEED_TEXT], hash[LEDGER_HASH + 1];
    unsigned seed = 20262;

    print_message("seed %u\n", seed);
    srand(seed);
    feed_record(record, 1, RAISE, "", hash);
    feed_message(good[0], FEED_TEXT, "alarm", 0, 1, 1, "", record);
    feed_message(good[1], FEED_TEXT, "event", 0, 1, 1, "", w->records[1]);
    feed_message(good[2], FEED_TEXT, "telemetry", 0, 1, 2, "",
                 "{\"seq\":1,\"ts\":1,\"device\":\"d\",\"values\":{\"p\":1}},{\"seq\":2,\"ts\":1,\"device\":"
                 "\"d\",\"values\":{},\"bad\":{\"p\":\"comm\"}}");
    for (int i = 0; i < 30000; i++) {
        const char *topic = stream_kinds[i % 3];
        struct platform_message m = {topic, NULL, strlen(good[i % 3]), 1, false, false};
        char *bytes =
            malloc(2 * m.length); /* of just that size, so that the sanitizer sees each step beyond it */

        assert_non_null(bytes);
        memcpy(bytes, good[i % 3], m.length);
        for (int k = 1 + rand() % 3; k > 0; k--) {
            size_t at = (size_t)rand() % m.length, n = (size_t)rand() % (m.length - at);

            if (rand() % 2)
                bytes[at] = (char)rand();
            else
                memmove(bytes + at, bytes + at + n, m.length - at - n), m.length -= n;
            m.length += m.length == 0;
        }
        m.payload = realloc(bytes, m.length);
        assert_non_null(m.payload);
        w->v.kept = 0;
        gateway_take(w->g, &m, &w->v, &gateway_no_sink);
        free((char *)(uintptr_t)m.payload);
    }
    assert_true(w->v.count > 10000);
    (void)finish(w, true);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(in_order),
        TEST(out_of_order),
        TEST(what_is_missing_is_a_breach_only_where_it_is_demanded),
        TEST(a_filter_leaves_no_holes),
        TEST(what_comes_again_is_the_same),
        TEST(each_break_of_the_chain_is_found),
        TEST(a_loss_explains_a_hole_and_a_new_chain),
        TEST(a_loss_of_another_kind_explains_no_new_chain),
        TEST(a_loss_must_make_sense),
        cmocka_unit_test(the_window_is_bounded),
        cmocka_unit_test(the_spans_are_bounded),
        cmocka_unit_test(spans_are_what_they_were_given),
        TEST(after_a_restart_the_archive_knows),
        TEST(an_alarm_lives_as_it_may),
        TEST(many_alarms_need_little),
        TEST(a_self_test_is_no_alarm_of_the_plant),
        TEST(unstored_alarms_find_their_records),
        TEST(unstored_messages_have_no_numbers),
        TEST(the_rest_is_checked),
        TEST(what_platforms_say_is_counted),
        TEST(a_message_that_expires_is_a_breach),
        TEST(any_bytes_are_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
