/* LINK rg_rules rg_test_support */
/* What the engine says of its own state, after each kind of past. */
#include "rules_stage.h"

#include <math.h>

#include "rules/explain.h"

#define FAN "device d\npoint a\npoint fan\nrule r points=d.a above=yellow:20,red:50 when=d.fan:1"
#define TANK "device d\npoint a\npermit tank\nrule r points=d.a permit=tank above=yellow:20,red:50"
#define VOTE "device d\npoint a\npoint b\npoint c\nrule r points=d.* vote=2 above=yellow:20,red:50"
#define PAIR "device d\npoint a\npoint base\nrule r points=d.a above=red:@d.base*1.2"

/* says: "<state> <level>><reading's level>[ <value>][ bad][ <alarm's level>][ guard][ permit][ until <ms>][ <level> <since>..<end>]...", for each watch of the
 * point's rules. */
struct row {
    const char *name, *rule, *script, *says, *restore;
};

static const struct row rows[] = {
    {"nothing known", STEPS, "100:tick", "unknown none>none", NULL},
    {"nothing known of what stands", STEPS, "100:tick", "unknown yellow>yellow yellow", "r d.a yellow"},
    {"only bad ones", STEPS, "100:a=!sensor", "unknown none>none bad", NULL},
    {"quiet", STEPS, "100:a=9.5", "quiet none>none 9.5", NULL},
    {"quiet, the last one bad", STEPS, "100:a=9.5 200:a=!comm", "quiet none>none 9.5 bad", NULL},
    {"held", STEPS, "100:a=20", "held yellow>yellow 20 yellow", NULL},
    {"held, the last one bad", STEPS, "100:a=20 200:a=!comm", "held yellow>yellow 20 bad yellow", NULL},
    {"a good one again", STEPS, "100:a=20 200:a=!comm 300:a=21", "held yellow>yellow 21 yellow", NULL},
    {"in the band", STEPS, "100:a=20 200:a=19.5", "band yellow>yellow 19.5 yellow", NULL},
    {"an f32 at its limit is not in the band",
     "device d\npoint a type=f32\nrule r points=d.a above=yellow:19.9 deadband=1", "100:a=19.9",
     "held yellow>yellow 19.9 yellow", NULL},
    {"rising, two clocks", STEPS " on=3s", "100:a=12 1100:a=20 2000:tick",
     "rising none>yellow 20 blue 100..3100 yellow 1100..4100", NULL},
    {"rising out of an alarm", STEPS " on=3s", "100:a=12 5000:a=20",
     "rising blue>yellow 20 blue yellow 5000..8000", NULL},
    {"frozen", STEPS " on=3s", "100:a=12 1100:a=!comm 9000:tick", "frozen none>blue 12 bad blue 100..3100",
     NULL},
    {"falling, two clocks", STEPS " off=10s", "100:a=30 1000:a=12 2000:a=0",
     "falling orange>none 0 orange yellow 1000..11000 blue 1000..11000 none 2000..12000", NULL},
    {"waiting", STEPS " off=10s", "100:a=30 1000:a=0 2000:a=!device", "waiting orange>none 0 bad orange",
     NULL},
    {"latched", STEPS " latch=blue off=1s", "100:a=30 1000:a=0 9000:tick",
     "latched orange>none 0 orange yellow 1000..2000 blue 1000..2000 none 1000..2000", NULL},
    {"a latch let go", STEPS " latch=blue off=1s", "100:a=30 1000:a=0 1500:ack",
     "falling orange>none 0 orange yellow 1000..2000 blue 1000..2000 none 1000..2000", NULL},
    {"not armed by its guard", FAN, "100:fan=0 200:a=60", "unarmed none>none 60 guard", NULL},
    {"an alarm that is suppressed", FAN, "100:a=60 200:fan=0 300:a=0", "unarmed red>red 0 red guard", NULL},
    {"armed, its guard bad", FAN, "100:fan=!comm 200:a=60", "held red>red 60 red", NULL},
    {"not armed by its permit", TANK, "100:a=60", "unarmed none>none 60 permit", NULL},
    {"its permit is open", TANK, "50:permit=tank:1m 100:a=60", "held red>red 60 red until 60050", NULL},
    {"a member of a vote", VOTE, "100:a=60", "quiet none>red 60", NULL},
    {"two of the vote, its delay", VOTE " on=3s", "100:a=60,b=30",
     "rising none>red 60 blue 100..3100 yellow 100..3100", NULL},
    {"what the vote gives", VOTE, "100:a=60,b=60", "held red>red 60 red", NULL},
    {"a limit that is not known", PAIR, "100:a=60", "quiet none>none 60", NULL},
    {"a limit that follows", PAIR, "100:base=50 200:a=60", "held red>red 60 red", NULL},
    {"is", "is=1:red", "100:a=1", "held red>red 1 red", NULL},
    {"cleared", STEPS, "100:a=30 200:a=0", "quiet none>none 0", NULL},
    {"two rules in order",
     "device d\npoint a\nrule r points=d.a above=blue:10\nrule q points=d.a below=red:20", "100:a=15",
     "held blue>blue 15 blue; held red>red 15 red", NULL},
};

struct said {
    char text[1024];
    struct explain last;
    size_t count;
};

RG_PRINTF(2, 3) static void say(struct said *s, const char *format, ...)
{
    size_t length = strlen(s->text);
    va_list args;

    va_start(args, format);
    assert_true(vsnprintf(s->text + length, sizeof s->text - length, format, args) <
                (int)(sizeof s->text - length));
    va_end(args);
}

static void explain_cb(void *arg, const struct explain *e)
{
    struct said *s = arg;

    s->last = *e;
    s->count++;
    if (e->kind != EXPLAIN_RULE)
        return;
    say(s, "%s%s %s>%s", s->text[0] ? "; " : "", explain_state_name(e->state), level_name(e->level),
        level_name(e->seen));
    if (e->has_value)
        say(s, " %g", e->value);
    if (e->bad)
        say(s, " bad");
    if (e->alarm)
        say(s, " %s", level_name(e->alarm->level));
    if (e->unguarded)
        say(s, " guard");
    if (e->unpermitted)
        say(s, " permit");
    if (e->permit_until != INT64_MIN)
        say(s, " until %lld", (long long)e->permit_until);
    for (size_t i = 0; i < e->clock_count; i++) {
        const struct explain_clock *c = &e->clocks[i];

        assert_int_equal(c->end.wall_ms - c->since.wall_ms, c->end.mono_ms - c->since.mono_ms);
        say(s, " %s %lld..%lld", level_name(c->level), (long long)c->since.mono_ms,
            (long long)c->end.mono_ms);
    }
}

/* The last rule's alone. */
static void explain_rule_cb(void *arg, const struct explain *e)
{
    if (e->kind == EXPLAIN_RULE)
        explain_cb(arg, e);
}

static void every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct said said = {0};
        struct stage st;

        stage_begin(&st, rows[i].rule, rows[i].restore);
        stage_play(&st, rows[i].script, SPLIT_NONE);
        assert_int_equal(rules_explain(st.rules, "d.a", explain_cb, &said), RG_OK);
        if (strcmp(said.text, rows[i].says) != 0)
            fail_msg("\n  row  %s\n  want %s\n  got  %s", rows[i].name, rows[i].says, said.text);
        assert_int_equal(said.last.kind, EXPLAIN_OFFLINE); /* of its device, always last */
        stage_end(&st);
    }
}

static void limits_are_told_with_their_dead_bands(void **state)
{
    struct said said = {0};
    struct stage st;
    struct site_rule *rule;

    (void)state;
    stage_begin(&st, "above=yellow:20,red:50 below=red:2 is=7:blue deadband=1", NULL);
    rule = &st.support.site.rules[0];
    rule->basis[LEVEL_NONE] = "PROPOSAL";
    rule->basis[LEVEL_RED] = "GB/T 50493-2019 5.5.2";
    stage_play(&st, "100:a=21", SPLIT_NONE);
    assert_int_equal(rules_explain(st.rules, st.first_id, explain_cb, &said), RG_OK);
    assert_int_equal(said.count, 1); /* an alarm's own watch and no other */
    assert_int_equal(said.last.limit_count, 4);
    assert_int_equal(said.last.limits[0].level, LEVEL_RED);
    assert_int_equal(said.last.limits[0].side, EXPLAIN_ABOVE);
    assert_true(said.last.limits[0].limit == 50 && said.last.limits[0].leaves == 49);
    assert_false(said.last.limits[0].holds || said.last.limits[0].reached);
    assert_string_equal(said.last.limits[0].basis, "GB/T 50493-2019 5.5.2");
    assert_int_equal(said.last.limits[1].level, LEVEL_YELLOW);
    assert_true(said.last.limits[1].holds && said.last.limits[1].reached);
    assert_true(said.last.limits[1].leaves == 19);
    assert_string_equal(said.last.limits[1].basis, "PROPOSAL");
    assert_int_equal(said.last.limits[2].side, EXPLAIN_BELOW);
    assert_true(said.last.limits[2].limit == 2 && said.last.limits[2].leaves == 3);
    assert_int_equal(said.last.limits[3].side, EXPLAIN_IS);
    assert_true(said.last.limits[3].limit == 7);
    stage_end(&st);
}

static void limits_are_told_with_what_they_follow(void **state)
{
    struct said said = {0};
    struct stage st;

    (void)state;
    stage_begin(&st, PAIR, NULL);
    stage_play(&st, "100:a=60", SPLIT_NONE);
    assert_int_equal(rules_explain(st.rules, "d.a", explain_rule_cb, &said), RG_OK);
    assert_true(isnan(said.last.limits[0].limit));
    assert_int_equal(said.last.limits[0].of_point, support_site_point(st.site, "d.base"));
    assert_true(said.last.limits[0].of->times == 1.2);
    stage_play(&st, "200:base=40", SPLIT_NONE);
    assert_int_equal(rules_explain(st.rules, "d.a", explain_rule_cb, &said), RG_OK);
    assert_true(said.last.limits[0].limit == 48 && said.last.limits[0].holds);
    stage_end(&st);
}

static void a_vote_is_told_by_its_members(void **state)
{
    struct said said = {0};
    struct stage st;

    (void)state;
    stage_begin(&st, VOTE, NULL);
    stage_play(&st, "100:a=60,b=30,c=!comm", SPLIT_NONE);
    assert_int_equal(rules_explain(st.rules, st.first_id, explain_cb, &said), RG_OK);
    assert_int_equal(said.count, 3);
    assert_string_equal(said.text, "held red>red 60 red; held red>yellow 30 red; held red>none bad red");
    stage_end(&st);
}

static void windows_are_told_with_their_coverage(void **state)
{
    struct said said = {0};
    struct stage st;

    (void)state;
    stage_begin(&st, "device d poll=1s\npoint a\nrule r points=d.a max=10s above=red:50", NULL);
    stage_play(&st, "0:a=60 1000:a=1 2000:a=1 5000:a=2", SPLIT_NONE);
    assert_int_equal(rules_explain(st.rules, st.first_id, explain_rule_cb, &said), RG_OK);
    assert_true(said.last.windowed && said.last.value == 60);
    assert_int_equal(said.last.covered_ms, 5000);
    assert_int_equal(said.last.need_ms, 7500);
    assert_int_equal(said.last.trust, READING_AT_LEAST);
    stage_play(&st, "8000:a=2", SPLIT_NONE);
    assert_int_equal(rules_explain(st.rules, st.first_id, explain_rule_cb, &said), RG_OK);
    assert_int_equal(said.last.trust, READING_GOOD);
    stage_play(&st, "9000:a=!comm", SPLIT_NONE);
    assert_int_equal(rules_explain(st.rules, st.first_id, explain_rule_cb, &said), RG_OK);
    assert_int_equal(said.last.trust, READING_BAD);
    stage_end(&st);
}

static void silence_is_told_with_its_end(void **state)
{
    struct said said = {0};
    struct stage st;

    (void)state;
    stage_begin(&st, "device d offline=10s:yellow\npoint a\nrule r points=d.a " STEPS, NULL);
    stage_play(&st, "3000:a=1", SPLIT_NONE);
    assert_int_equal(rules_explain(st.rules, "d", explain_cb, &said), RG_OK);
    assert_int_equal(said.last.state, EXPLAIN_HEARD);
    assert_true(said.last.has_due);
    assert_int_equal(said.last.heard.mono_ms, 3000);
    assert_int_equal(said.last.due.mono_ms, 13000);
    assert_int_equal(said.last.due.wall_ms, 13000 + WALL);
    assert_null(said.last.alarm);
    stage_play(&st, "20000:tick", SPLIT_NONE);
    assert_int_equal(rules_explain(st.rules, st.first_id, explain_cb, &said), RG_OK);
    assert_int_equal(said.last.kind, EXPLAIN_OFFLINE);
    assert_int_equal(said.last.state, EXPLAIN_SILENT);
    assert_int_equal(said.last.level, LEVEL_YELLOW);
    assert_false(said.last.has_due);
    assert_non_null(said.last.alarm);
    stage_end(&st);
}

static void an_output_is_told_with_its_fault(void **state)
{
    struct said said = {0};
    struct stage st;

    (void)state;
    stage_begin(
        &st,
        "area x\ndevice d\npoint a\ndevice m\noutput siren device=m coil=0 area=x from=red fault=yellow\n"
        "rule r points=d.a " STEPS,
        NULL);
    assert_int_equal(rules_explain(st.rules, "siren", explain_cb, &said), RG_OK);
    assert_int_equal(said.last.kind, EXPLAIN_OUTPUT);
    assert_int_equal(said.last.state, EXPLAIN_WELL);
    rules_output(st.rules, 0, true, (struct moment){100, 100 + WALL});
    assert_int_equal(rules_explain(st.rules, "siren", explain_cb, &said), RG_OK);
    assert_int_equal(said.last.state, EXPLAIN_FAULTY);
    assert_int_equal(said.last.output, 0);
    assert_int_equal(said.last.level, LEVEL_YELLOW);
    assert_non_null(said.last.alarm);
    stage_end(&st);
}

static void what_is_nothing_is_not_found(void **state)
{
    struct said said = {0};
    struct rules *rules;
    struct stage st;

    (void)state;
    stage_begin(&st, STEPS, NULL);
    stage_play(&st, "100:a=50 200:a=0", SPLIT_NONE);
    assert_int_equal(rules_explain(st.rules, "", explain_cb, &said), RG_ENOTFOUND);
    assert_int_equal(rules_explain(st.rules, "d.c", explain_cb, &said), RG_ENOTFOUND);
    assert_int_equal(rules_explain(st.rules, st.first_id, explain_cb, &said), RG_ENOTFOUND); /* cleared */
    assert_int_equal(rules_explain(st.rules, "r", explain_cb, &said), RG_ENOTFOUND);
    assert_int_equal(said.count, 0);
    assert_int_equal(rules_create(st.site, 1, stage_change_cb, &st, &rules), RG_OK);
    assert_int_equal(rules_explain(rules, "d.a", explain_cb, &said), RG_ESTATE);
    rules_destroy(rules);
    stage_end(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row),
        cmocka_unit_test(limits_are_told_with_their_dead_bands),
        cmocka_unit_test(limits_are_told_with_what_they_follow),
        cmocka_unit_test(a_vote_is_told_by_its_members),
        cmocka_unit_test(windows_are_told_with_their_coverage),
        cmocka_unit_test(silence_is_told_with_its_end),
        cmocka_unit_test(an_output_is_told_with_its_fault),
        cmocka_unit_test(what_is_nothing_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
