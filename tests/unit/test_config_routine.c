/* LINK rg_config */
/* reports and self_test: what is told without anything having happened. */
#include "config/diff.h"
#include "config_rows.h"

#define UPLINKS                                                                                              \
    "uplinks: [{name: county, url: 'mqtt://127.0.0.1'}, {name: city, url: 'mqtt://127.0.0.1:1884'}]\n"
#define PLANT                                                                                                \
    BUS "devices: [{name: d, bus: b, unit: 1, points: [{name: p, coil: 0}]},"                                \
        " {name: m, bus: b, unit: 2}]\n"

static const struct row rows[] = {
    {FRAME_TOP, "reports: {}\n", ""},
    {FRAME_TOP, "reports: ~\n", ""},
    {FRAME_TOP, "reports: {daily: none, monthly: none}\n", ""},
    {FRAME_TOP, "reports: {daily: 23:59, monthly: '00:00'}\n", ""},
    {FRAME_TOP, "reports: {daily: 24:00}\n",
     "2:18: error: `daily` must be a time of day such as \"00:05\", or none, not `24:00`\n"},
    {FRAME_TOP, "reports: {daily: 0:05}\n",
     "2:18: error: `daily` must be a time of day such as \"00:05\", or none, not `0:05`\n"},
    {FRAME_TOP, "reports: {monthly: 00:60}\n",
     "2:20: error: `monthly` must be a time of day such as \"00:05\", or none, not `00:60`\n"},
    {FRAME_TOP, "reports: {daily: '00:05 '}\n",
     "2:18: error: `daily` must be a time of day such as \"00:05\", or none, not `00:05 `\n"},
    {FRAME_TOP, "reports: {daily: 5}\n",
     "2:18: error: `daily` must be a time of day such as \"00:05\", or none, not `5`\n"},
    {FRAME_TOP, "reports: {daily: [00:05]}\n",
     "2:11: error: `daily` must be a time of day such as \"00:05\", or none, not a list\n"},
    {FRAME_TOP, "reports: {weekly: 00:05}\n", "2:11: error: unknown key `weekly` in `reports`\n"},
    {FRAME_TOP, "reports: none\n", "2:10: error: `reports` must be a mapping, not `none`\n"},
    {FRAME_TOP, UPLINKS "self_test: {every: 24h}\n", ""},
    {FRAME_TOP, UPLINKS "self_test: ~\n", ""},
    {FRAME_TOP, UPLINKS "self_test: {every: 24h, uplinks: county, limit: 5s, level: red}\n", ""},
    {FRAME_TOP, UPLINKS "self_test: {every: 24h, uplinks: ['c*']}\n", ""},
    {FRAME_TOP, UPLINKS "self_test: {limit: 5s}\n", "3:12: error: `every` is missing in `self_test`\n"},
    {FRAME_TOP, UPLINKS "self_test: {every: 59s, limit: 1s}\n",
     "3:20: error: `every` must be 1m to 366d, not `59s`\n"},
    {FRAME_TOP, UPLINKS "self_test: {every: 1m, limit: 1m}\n",
     "3:1: error: `limit` must be shorter than `every`\n"},
    {FRAME_TOP, UPLINKS "self_test: {every: 1m}\n", "3:1: error: `limit` must be shorter than `every`\n"},
    {FRAME_TOP, UPLINKS "self_test: {every: 1d, limit: 500ms}\n",
     "3:31: error: `limit` must be 1s to 1h, not `500ms`\n"},
    {FRAME_TOP, UPLINKS "self_test: {every: 1d, uplinks: [country]}\n",
     "3:34: error: there is no uplink `country`; did you mean `county`?\n"},
    {FRAME_TOP, UPLINKS "self_test: {every: 1d, uplinks: 'x*'}\n", "3:33: error: `x*` matches no uplink\n"},
    {FRAME_TOP, UPLINKS "self_test: {every: 1d, uplinks: []}\n",
     "3:24: error: `uplinks` is empty: leave it out for all of them\n"},
    {FRAME_TOP, UPLINKS "self_test: {every: 1d, level: none}\n",
     "3:31: error: `level` must be one of blue, yellow, orange, red, not `none`\n"},
    {FRAME_TOP, "self_test: {every: 24h}\n", "2:1: error: `self_test` needs an uplink: there is none\n"},
    {FRAME_TOP, "self_test: {every: 24h, uplinks: county}\n", "2:34: error: there is no uplink `county`\n"},
    {FRAME_TOP, PLANT "rules: [{name: self_test, points: d.p, is: {1: red}}]\n",
     "3:69: error: `points` is missing in a device, and no output is on it\n"
     "4:16: error: the name `self_test` is reserved for self tests that failed\n"},
    {FRAME_TOP,
     UPLINKS PLANT "self_test: {every: 1d, level: orange}\n"
                   "outputs: [{name: o, device: m, coil: 0, when: {rule: self_test, from: orange}}]\n",
     ""},
    {FRAME_TOP,
     UPLINKS PLANT "self_test: {every: 1d}\n"
                   "outputs: [{name: o, device: m, coil: 0, when: {rule: self_test, from: orange}}]\n",
     "6:71: error: the rule `self_test` never gives orange: the output would never be on\n"},
    {FRAME_TOP,
     UPLINKS PLANT "outputs: [{name: o, device: m, coil: 0, when: {rule: self_test, from: blue}}]\n",
     "5:54: error: there is no `self_test`: the output would never be on\n"},
};

static void test_rows(void **state)
{
    (void)state;
    check_rows(rows, RG_COUNT(rows));
}

static void test_values(void **state)
{
    struct config *c = load_good(GATEWAY UPLINKS);

    (void)state;
    assert_true(c->site->reports.on);
    assert_int_equal(c->site->reports.daily_minute, 5);
    assert_int_equal(c->site->reports.monthly_minute, 10);
    assert_int_equal(c->site->self_test.every_ms, 0);
    config_free(c);
    c = load_good(GATEWAY UPLINKS
                  "reports: {daily: 23:59, monthly: none}\nself_test: {every: 24h, uplinks: city}\n");
    assert_int_equal(c->site->reports.daily_minute, 1439);
    assert_int_equal(c->site->reports.monthly_minute, -1);
    assert_int_equal(c->site->self_test.every_ms, 86400000);
    assert_int_equal(c->site->self_test.limit_ms, 60000);
    assert_int_equal(c->site->self_test.level, LEVEL_YELLOW);
    assert_false(c->site->self_test.uplinks[0]);
    assert_true(c->site->self_test.uplinks[1]);
    config_free(c);
}

/* What is changed is told. */
static void test_diff(void **state)
{
    static const char *const wanted[] = {"reports.daily.at 00:05 06:00", "self_test.alarm.level yellow red",
                                         "self_test.uplinks.county tested -"};
    struct config *a = load_good(GATEWAY UPLINKS "self_test: {every: 24h}\n");
    struct config *b = load_good(
        GATEWAY UPLINKS "reports: {daily: 06:00}\nself_test: {every: 24h, uplinks: city, level: red}\n");
    struct config_diff diff;

    (void)state;
    assert_int_equal(config_diff(a->site, b->site, &diff), RG_OK);
    assert_int_equal(diff.count, RG_COUNT(wanted));
    for (size_t i = 0; i < diff.count; i++) {
        char text[256];

        (void)snprintf(text, sizeof text, "%s %s %s", diff.changes[i].what,
                       diff.changes[i].before ? diff.changes[i].before : "-",
                       diff.changes[i].after ? diff.changes[i].after : "-");
        assert_string_equal(text, wanted[i]);
    }
    config_diff_free(&diff);
    config_free(a);
    config_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_diff),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
