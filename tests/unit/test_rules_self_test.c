/* LINK rg_rules rg_test_support */
/* Self tests that did not come through: their alarms, who follows them, and over restarts and reloads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/explain.h"
#include "rules/rules.h"
#include "support_site.h"

#define SITE                                                                                                 \
    "area hall\n"                                                                                            \
    "device gas area=hall\n"                                                                                 \
    "point lel\n"                                                                                            \
    "rule high points=gas.lel above=red:50\n"                                                                \
    "device relay\n"                                                                                         \
    "output lamp device=relay coil=0 rule=high from=yellow\n"                                                \
    "output siren device=relay coil=1 area=hall from=blue\n"

struct bed {
    struct support_site s;
    struct site_uplink uplinks[3];
    bool tested[3];
    struct rules *r;
    struct moment now;
    char told[512];
};

static void change_cb(void *arg, const struct alarm_change *c)
{
    struct bed *b = arg;
    size_t length = strlen(b->told);

    (void)snprintf(b->told + length, sizeof b->told - length, "%s%s %s>%s %s %s %s %s", length ? "; " : "",
                   alarm_event_name(c->event), level_name(c->was), level_name(c->alarm->level),
                   c->alarm->rule, c->alarm->point, c->alarm->area[0] ? c->alarm->area : "-",
                   c->comment   ? c->comment
                   : c->message ? c->message
                                : "-");
}

static void make(struct bed *b, bool county, bool city)
{
    *b = (struct bed){.now = {1000, 7001000},
                      .uplinks = {{.name = "county"}, {.name = "city"}, {.name = "untested"}},
                      .tested = {county, city, false}};
    support_site_build(&b->s, SITE);
    b->s.site.uplinks = b->uplinks;
    b->s.site.uplink_count = 3;
    b->s.site.outputs[0].rule = SITE_RULE_SELF_TEST;
    if (county || city)
        b->s.site.self_test = (struct site_self_test){
            .every_ms = 86400000, .limit_ms = 60000, .level = LEVEL_ORANGE, .uplinks = b->tested};
    assert_int_equal(rules_create(&b->s.site, 1, change_cb, b, &b->r), RG_OK);
}

static void end(struct bed *b)
{
    rules_destroy(b->r);
    support_site_free(&b->s);
}

static void told(struct bed *b, const char *wanted)
{
    assert_string_equal(b->told, wanted);
    b->told[0] = '\0';
}

static void test_life(void **state)
{
    uint64_t announced;
    struct bed b;

    (void)state;
    make(&b, true, true);
    rules_self_test(b.r, 0, true, b.now); /* before the start nothing is told */
    told(&b, "");
    rules_start(b.r, b.now);
    rules_self_test(b.r, 0, true, b.now);
    rules_self_test(b.r, 0, true, b.now);
    told(&b, "raise none>orange self_test county - a test alarm did not come through");
    assert_int_equal(rules_level(b.r), LEVEL_ORANGE);
    assert_int_equal(rules_area_level(b.r, 0, NULL), LEVEL_NONE);
    assert_int_equal(rules_output_level(b.r, 0, &announced), LEVEL_ORANGE);
    assert_int_equal(announced, 1);
    assert_int_equal(rules_output_level(b.r, 1, &announced), LEVEL_NONE);
    rules_self_test(b.r, 1, true, b.now);
    told(&b, "raise none>orange self_test city - a test alarm did not come through");
    rules_self_test(b.r, 2, true, b.now); /* it is not tested */
    rules_self_test(b.r, 3, true, b.now); /* there is none */
    told(&b, "");
    rules_self_test(b.r, 0, false, b.now);
    rules_self_test(b.r, 0, false, b.now);
    told(&b, "clear orange>none self_test county - a test alarm did not come through");
    assert_int_equal(rules_output_level(b.r, 0, NULL), LEVEL_ORANGE);
    rules_self_test(b.r, 1, false, b.now);
    assert_int_equal(rules_output_level(b.r, 0, NULL), LEVEL_NONE);
    assert_int_equal(rules_level(b.r), LEVEL_NONE);
    end(&b);
}

static void carry_cb(void *arg, const struct alarm *alarm)
{
    assert_int_equal(rules_restore(arg, alarm), RG_OK);
}

/* Over a restart or a reload it stands, until one comes through; where it is tested no more it is cleared, and said why. */
static void test_carried(void **state)
{
    struct bed b, next, none;

    (void)state;
    make(&b, true, true);
    rules_start(b.r, b.now);
    rules_self_test(b.r, 0, true, b.now);
    rules_self_test(b.r, 1, true, b.now);
    assert_int_equal(rules_ack(b.r, "gw-01-1", "Li", NULL, b.now), RG_OK);
    make(&next, true, false);
    rules_each(b.r, carry_cb, next.r);
    rules_start(next.r, next.now);
    rules_inherit(next.r, b.r);
    told(&next, "clear orange>none self_test city - no longer configured");
    assert_int_equal(rules_level(next.r), LEVEL_ORANGE);
    rules_self_test(next.r, 0, true, next.now); /* still: no second one */
    told(&next, "");
    rules_self_test(next.r, 0, false, next.now);
    told(&next, "clear orange>none self_test county - a test alarm did not come through");
    make(&none, false, false);
    rules_each(b.r, carry_cb, none.r);
    rules_start(none.r, none.now);
    told(&none, "clear orange>none self_test county - no longer configured; "
                "clear orange>none self_test city - no longer configured");
    rules_self_test(none.r, 0, true, none.now);
    told(&none, "");
    end(&none);
    end(&next);
    end(&b);
}

static void explain_cb(void *arg, const struct explain *e)
{
    assert_int_equal(e->kind, EXPLAIN_SELF_TEST);
    assert_int_equal(e->device, SITE_NONE);
    *(enum explain_state *)arg = e->state;
}

static void test_explained(void **state)
{
    enum explain_state said = EXPLAIN_UNKNOWN;
    struct bed b;

    (void)state;
    make(&b, true, false);
    rules_start(b.r, b.now);
    assert_int_equal(rules_explain(b.r, "county", explain_cb, &said), RG_OK);
    assert_int_equal(said, EXPLAIN_WELL);
    assert_int_equal(rules_explain(b.r, "city", explain_cb, &said), RG_ENOTFOUND);
    rules_self_test(b.r, 0, true, b.now);
    assert_int_equal(rules_explain(b.r, "gw-01-1", explain_cb, &said), RG_OK);
    assert_int_equal(said, EXPLAIN_FAULTY);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_carried),
        cmocka_unit_test(test_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
