/* LINK rg_test_support rg_daemon rg_loop_virtual */
/* Platforms' commands when things go wrong: a disk that refuses, reloads, lost connections, floods, the end. */
#include "request_rig.h"

#include "app/request.h"

#define ACK(id) "{\"id\":\"" id "\",\"command\":\"ack\",\"alarm\":\"gw-01-1\",\"by\":\"Li\"}"
#define READ(id) "{\"id\":\"" id "\",\"command\":\"read\",\"point\":\"d.a\"}"

/* Nothing is said before it is durable; once it is known that nothing can be made durable nothing is done. */
static void a_disk_that_refuses(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, MAY_ALL);
    r.a = 30;
    pass(&r, 2000);
    disk_refuses(true);
    say(&r, ACK("1"));
    pass(&r, 3000);
    assert_int_equal(answers(&r), 0);
    /* By now it is known. */
    asks(&r, READ("2"), "\"id\":\"2\",\"ok\":false,\"error\":\"busy: the store takes no records");
    say(&r, ACK("1"));
    pass(&r, 1000);
    assert_int_equal(answers(&r), 1);
    disk_refuses(false);
    pass(&r, 70000); /* it is tried again at growing gaps */
    assert_int_equal(answers(&r), 3);
    assert_non_null(strstr(answer(&r, 1)->payload, "\"id\":\"1\",\"ok\":true,\"alarm\":\"gw-01-1\"}"));
    assert_non_null(strstr(answer(&r, 2)->payload,
                           "\"id\":\"1\",\"ok\":false,\"error\":\"replayed: it was carried "
                           "out before\",\"first\":{\"ok\":true"));
    assert_int_equal(
        seen(&r, "root/event", "\"command\":\"ack\",\"uplink\":\"county\",\"id\":\"1\",\"ok\":true", NULL),
        1);
    /* What was refused for want of a store may be asked again. */
    asks(&r, READ("2"), "\"id\":\"2\",\"ok\":true");
    rig_end(&r);
}

/* The connection is lost between the deed and the answer. */
static void a_connection_that_is_lost(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, MAY_ALL);
    fake_device(r.fake, 0)->takes_ms = 700;
    pass(&r, 2000);
    say(&r, READ("1"));
    pass(&r, 100);
    r.broker->connect = SUPPORT_REFUSE;
    support_broker_cut(r.broker);
    pass(&r, 20000);
    assert_int_equal(answers(&r), 0);
    r.broker->connect = SUPPORT_ACCEPT;
    pass(&r, 60000);
    assert_int_equal(answers(&r), 1);
    assert_non_null(strstr(answer(&r, 0)->payload, "\"id\":\"1\",\"ok\":true,\"point\":\"d.a\""));
    rig_end(&r);
}

/* The site, with its device polled in another way. */
static struct site with_changed_device(const struct rig *r, struct site_device *device)
{
    struct site next = r->site.site;

    *device = next.devices[0];
    device->retries = 1;
    next.devices = device;
    return next;
}

/* The device is not concerned: the poll that was asked for comes, and with it the answer. */
static void a_read_goes_on_over_a_reload(void **state)
{
    struct site next;
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, MAY_ALL);
    fake_device(r.fake, 0)->takes_ms = 700;
    pass(&r, 2000);
    say(&r, READ("1"));
    pass(&r, 100);
    next = r.site.site;
    assert_int_equal(pipeline_take(&r.pipeline, &next, "4567", NULL), RG_OK);
    pass(&r, 3000);
    assert_int_equal(answers(&r), 1);
    assert_non_null(strstr(answer(&r, 0)->payload, "\"id\":\"1\",\"ok\":true,\"point\":\"d.a\",\"value\":5"));
    rig_end(&r);
}

/* Nor does it see more than it may see now. */
static void a_read_of_what_is_hidden_meanwhile(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, MAY_ALL);
    fake_device(r.fake, 0)->takes_ms = 700;
    pass(&r, 2000);
    say(&r, READ("1"));
    pass(&r, 100);
    r.all_devices[0] = false;
    assert_int_equal(pipeline_take(&r.pipeline, &r.site.site, "4567", NULL), RG_OK);
    pass(&r, 3000);
    assert_int_equal(answers(&r), 1);
    assert_non_null(strstr(answer(&r, 0)->payload, "\"error\":\"failed: polling was ended by a reload"));
    rig_end(&r);
}

static void reloads(void **state)
{
    struct site_device device;
    struct site next;
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, MAY_ALL);
    fake_device(r.fake, 0)->takes_ms = 700;
    pass(&r, 2000);
    /* A read that is under way. */
    say(&r, READ("1"));
    pass(&r, 100);
    next = with_changed_device(&r, &device);
    assert_int_equal(pipeline_take(&r.pipeline, &next, "4567", NULL), RG_OK);
    pass(&r, 1000);
    assert_int_equal(answers(&r), 1);
    assert_non_null(strstr(answer(&r, 0)->payload, "\"error\":\"failed: polling was ended by a reload"));
    /* An uplink that goes on hears and answers all the while. */
    asks(&r, READ("4"), "\"id\":\"4\",\"ok\":true");
    pipeline_uplinks_free(&r.pipeline);
    assert_int_equal(pipeline_uplinks_start(&r.pipeline), RG_OK);
    pass(&r, 2000);
    asks(&r, READ("2"), "\"id\":\"2\",\"ok\":true");
    asks(&r, READ("1"), "\"error\":\"replayed: it was tried before, and failed\"");
    /* An answer that is owed over the exchange. */
    r.a = 30;
    pass(&r, 2000);
    disk_refuses(true);
    say(&r, ACK("3"));
    pass(&r, 1000);
    pipeline_uplinks_free(&r.pipeline);
    pass(&r, 1000);
    assert_int_equal(pipeline_uplinks_start(&r.pipeline), RG_OK);
    disk_refuses(false);
    pass(&r, 70000);
    assert_int_equal(seen(&r, "root/reply", "\"id\":\"3\",\"ok\":true,\"alarm\":\"gw-01-1\"", NULL), 1);
    rig_end(&r);
}

static void left_cb(void *arg)
{
    *(bool *)arg = true;
}

/* The old uplink says goodbye while the answer is not durable yet: the new one gives it. */
static void an_answer_while_uplinks_leave(void **state)
{
    bool left = false;
    struct site_device device;
    struct site next;
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, MAY_ALL);
    fake_device(r.fake, 0)->takes_ms = 700;
    pass(&r, 2000);
    say(&r, READ("1"));
    pass(&r, 100);
    next = with_changed_device(&r, &device);
    assert_int_equal(pipeline_take(&r.pipeline, &next, "4567", NULL), RG_OK);
    uplink_stop(r.pipeline.uplinks[0], "{}", 2, 2000, left_cb, &left);
    pass(&r, 3000);
    assert_true(left);
    pipeline_uplinks_free(&r.pipeline);
    assert_int_equal(pipeline_uplinks_start(&r.pipeline), RG_OK);
    pass(&r, 3000);
    assert_int_equal(seen(&r, "root/reply", "\"id\":\"1\",\"ok\":false", NULL), 1);
    rig_end(&r);
}

/* A reload takes the uplink away, with what is owed to its platform; what was done stays recorded. */
static void an_uplink_that_goes(void **state)
{
    const struct support_message *m;
    struct site next;
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, MAY_ALL);
    r.a = 30;
    pass(&r, 2000);
    fake_device(r.fake, 0)->takes_ms = 700;
    pass(&r, 2000);
    say(&r, READ("2"));
    pass(&r, 100);
    disk_refuses(true);
    say(&r, ACK("1"));
    pass(&r, 100);
    next = r.site.site;
    next.uplink_count = 0;
    assert_int_equal(pipeline_take(&r.pipeline, &next, "4567", NULL), RG_OK);
    pipeline_uplinks_free(&r.pipeline);
    assert_int_equal(pipeline_uplinks_start(&r.pipeline), RG_OK);
    disk_refuses(false);
    pass(&r, 70000);
    assert_int_equal(answers(&r), 0);
    /* It comes back: its ids are still used up. */
    assert_int_equal(pipeline_take(&r.pipeline, &r.site.site, "4567", NULL), RG_OK);
    pipeline_uplinks_free(&r.pipeline);
    assert_int_equal(pipeline_uplinks_start(&r.pipeline), RG_OK);
    pass(&r, 2000);
    asks(&r, ACK("1"), "\"first\":{\"ok\":true,");
    m = answer(&r, 0);
    assert_non_null(m);
    rig_end(&r);
}

/* The right to ask is taken away: what comes until the uplinks are exchanged is not heard. */
static void a_right_that_goes(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, MAY_ALL);
    asks(&r, READ("1"), "\"ok\":true");
    r.uplink.may = 0;
    say(&r, READ("2"));
    pass(&r, 2000);
    assert_int_equal(answers(&r), 1);
    rig_end(&r);
}

static void the_end(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, MAY_ALL);
    fake_device(r.fake, 0)->takes_ms = 700;
    pass(&r, 2000);
    say(&r, READ("1"));
    pass(&r, 100);
    pipeline_halt(&r.pipeline);
    say(&r, ACK("2"));
    pass(&r, 1000);
    assert_int_equal(answers(&r), 2);
    assert_int_equal(
        seen(&r, "root/reply", "\"id\":\"1\",\"ok\":false,\"error\":\"failed: polling was ended", NULL), 1);
    assert_int_equal(
        seen(&r, "root/reply", "\"id\":\"2\",\"ok\":false,\"error\":\"busy: the gateway is stopping\"", NULL),
        1);
    say(&r, READ("3"));
    rig_end(&r); /* with a command in hand */
}

/* ---- floods ---- */

/* Goes over what was sent on a topic, but for back-fill: how often a text stands there; in *sum what the numbers behind it add up
 * to. */
static size_t live(const struct rig *r, const char *topic, const char *text, uint64_t *sum)
{
    size_t count = 0;

    *sum = 0;
    for (size_t i = 0; i < r->broker->count; i++) {
        const struct support_message *m = &r->broker->messages[i];

        if (strcmp(m->topic, topic) != 0 || strstr(m->payload, "\"backfill\":true"))
            continue;
        for (const char *p = strstr(m->payload, text); p; p = strstr(p + 1, text)) {
            *sum += strtoull(p + strlen(text), NULL, 10);
            count++;
        }
    }
    return count;
}

/* One of several kinds, most of them no good; %: a number, so that ids are new ones. */
static void hostile(struct rig *r, int64_t number)
{
    static const char *const texts[] = {
        "{\"id\":\"%\",\"command\":\"ack\",\"alarm\":\"gw-01-1\",\"by\":\"Li\"}",
        "{\"id\":\"%\",\"command\":\"reboot\"}",
        "{\"id\":\"%\"",
        "{\"id\":\"%\",\"command\":\"read\",\"point\":\"d.a\"}",
        "{\"id\":\"%\",\"command\":\"backfill\",\"stream\":\"alarm\",\"from\":1,\"to\":9}",
        "{\"id\":\"7%\",\"command\":\"shelve\",\"alarm\":\"x\"}",
        "[]%",
    };
    const char *pattern = texts[number % (int64_t)RG_COUNT(texts)];
    const char *mark = strchr(pattern, '%');
    char text[128];

    (void)snprintf(text, sizeof text, "%.*s%lld%s", (int)(mark - pattern), pattern, (long long)number,
                   mark + 1);
    say(r, text);
}

/* A hostile platform, 100 commands a second for four minutes, while an alarm comes up every ten seconds. */
static void a_flood(void **state)
{
    const int64_t seconds = 240;
    uint64_t refused, unheard, ignored;
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, MAY_ALL);
    support_broker_clear(r.broker);
    for (int64_t s = 0; s < seconds; s++) {
        r.a = s % 10 < 5 ? 5 : 60;
        for (int64_t i = 0; i < 100; i++)
            hostile(&r, s * 100 + i);
        pass(&r, 1000);
    }
    r.a = 5;
    pass(&r, 70000);
    /* Every alarm came through, at once. */
    assert_int_equal(live(&r, "root/alarm", "\"event\":\"raise\"", &ignored), seconds / 10);
    for (size_t i = 0; i < r.broker->count; i++) {
        const struct support_message *m = &r.broker->messages[i];

        if (strcmp(m->topic, "root/alarm") == 0 && !strstr(m->payload, "\"backfill\":true"))
            assert_in_range(m->at_ms - loop_mono_ms(r.loop) + loop_wall_ms(r.loop),
                            number_behind(m->payload, "\"ts\":"), number_behind(m->payload, "\"ts\":") + 500);
    }
    /* What was answered keeps to the pace (and as many are told that they were too many), and so does what was recorded. */
    assert_in_range(answers(&r), seconds, 2 * (seconds + REQUEST_BURST));
    size_t records = live(&r, "root/event", "\"kind\":\"command\"", &ignored);
    assert_in_range(records, seconds / 4, seconds + REQUEST_BURST + seconds / 60 + 2);
    /* Nothing is lost in silence: each has a record, or is counted in one. */
    size_t counts = live(&r, "root/event", ",\"unheard\":", &unheard);
    (void)live(&r, "root/event",
               "\"command\":null,\"uplink\":\"county\",\"ok\":false,\"refused\":", &refused);
    assert_in_range(counts, seconds / 60 - 1, seconds / 60 + 2);
    assert_int_equal(records - counts + refused + unheard, (uint64_t)seconds * 100);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_that_refuses),
        cmocka_unit_test(a_connection_that_is_lost),
        cmocka_unit_test(a_read_goes_on_over_a_reload),
        cmocka_unit_test(a_read_of_what_is_hidden_meanwhile),
        cmocka_unit_test(reloads),
        cmocka_unit_test(an_answer_while_uplinks_leave),
        cmocka_unit_test(an_uplink_that_goes),
        cmocka_unit_test(a_right_that_goes),
        cmocka_unit_test(the_end),
        cmocka_unit_test(a_flood),
    };

    (void)signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
