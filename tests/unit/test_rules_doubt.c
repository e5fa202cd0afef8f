/* LINK rg_rules rg_test_support */
/* Readings that are not to be believed: every clause of doubt.h as a row, each with time split in three ways that must make
 * no difference. Rule r watches nothing that happens here. */
#include "rules_stage.h"

#define OF_A(words) "device d poll=100ms\npoint a doubt=" words "\npoint b\nrule r points=d.b above=red:1e9"
#define PLAIN OF_A("10s:yellow")
#define FLAT OF_A("1s:yellow flat=500ms band=0.2")
#define RATE OF_A("10s:orange rate=10")
#define RAISED " raise none>yellow doubt d.a "
#define CLEAR " clear yellow>none doubt d.a "
#define TWINS                                                                                                \
    "device e\npoint a\ndevice d\npoint a doubt=1s:yellow twin=e.a within=5\npoint b\n"                      \
    "rule r points=d.b above=red:1e9"

static const struct stage_row quality_rows[] = {
    {"good readings raise nothing", PLAIN, "0:a=1 60000:a=1 60000:tick", "", NULL, false},
    {"switched off", OF_A("10s:none"), "0:a=!range 60000:tick", "", NULL, false},
    {"range, at the end of the delay", PLAIN, "100:a=!range 5000:a=!range 11000:tick",
     "10100" RAISED "-/- (range)", NULL, false},
    {"sensor", PLAIN, "100:a=!sensor 11000:tick", "10100" RAISED "-/- (sensor)", NULL, false},
    {"stale", PLAIN, "100:a=!stale 11000:tick", "10100" RAISED "-/- (stale)", NULL, false},
    {"not a number is no reading", PLAIN, "100:a=nan 11000:tick", "10100" RAISED "-/- (sensor)", NULL, false},
    {"one doubt after another is one doubt", PLAIN, "100:a=!range 5000:a=!sensor 11000:tick",
     "10100" RAISED "-/- (sensor)", NULL, false},
    {"comm, device and inhibited are none", PLAIN, "0:a=!comm 20000:a=!device 40000:a=!inhibited 60000:tick",
     "", NULL, false},
    {"a good one in between breaks the delay", PLAIN, "0:a=!range 9999:a=5 10001:a=!range 20000:tick", "",
     NULL, false},
    {"the delay ends before a reading of that instant", PLAIN, "0:a=!range 10000:a=5",
     "10000" RAISED "-/- (range); 10000" CLEAR "5/-", NULL, false},
    {"no delay at all", OF_A("0s:red"), "100:a=!range 200:a=7",
     "100 raise none>red doubt d.a -/- (range); 200 clear red>none doubt d.a 7/-", NULL, false},
    {"comm freezes the delay; what comes next decides: on", PLAIN, "0:a=!range 5000:a=!comm 30000:a=!range",
     "30000" RAISED "-/- (range)", NULL, false},
    {"... still running", PLAIN, "0:a=!range 5000:a=!comm 6000:a=!range 9999:tick 12000:tick",
     "10000" RAISED "-/- (range)", NULL, false},
    {"... or over", PLAIN, "0:a=!range 5000:a=!inhibited 30000:a=3 60000:tick", "", NULL, false},
    {"comm clears nothing", PLAIN, "0:a=!range 20000:a=!comm 30000:a=!device 40000:a=!inhibited 50000:a=4",
     "10000" RAISED "-/- (range); 50000" CLEAR "4/-", NULL, false},
    {"a new occurrence after a clear", PLAIN, "0:a=!range 15000:a=4 16000:a=!range 30000:tick",
     "10000" RAISED "-/- (range); 15000" CLEAR "4/-; 26000" RAISED "-/- (range)", NULL, false},
    {"time that goes back is taken at the instant of the last", PLAIN,
     "5000:a=!range 4000:a=!range 15000:tick", "15000" RAISED "-/- (range)", NULL, true},
    {"each point for itself",
     "device d\npoint a doubt=1s:blue\npoint b doubt=2s:red\nrule r points=d.a above=red:9",
     "0:a=!range,b=!sensor 500:a=10 3000:tick",
     "500 raise none>red 10/9; 2000 raise none>red doubt d.b -/- (sensor)", NULL, false},
};

static const struct stage_row flat_rows[] = {
    {"alike for that long, and the delay", FLAT,
     "0:a=5 100:a=5 200:a=5 300:a=5 400:a=5 499:a=5 500:a=5 1000:a=5 2000:tick", "1500" RAISED "5/- (flat)",
     NULL, false},
    {"within the band", FLAT, "0:a=5 200:a=5.2 400:a=5.1 600:a=5.1 2000:tick", "1600" RAISED "5.1/- (flat)",
     NULL, false},
    {"each by little, together by more", FLAT, "0:a=5 200:a=5.15 400:a=5.3 600:a=5.3 800:a=5.3 2000:tick", "",
     NULL, false},
    {"a new run begins with what did not fit", FLAT, "0:a=5 400:a=6 600:a=6 800:a=6 900:a=6 3000:tick",
     "1900" RAISED "6/- (flat)", NULL, false},
    {"life ends it", FLAT, "0:a=5 250:a=5 500:a=5 2000:a=7 2100:a=7",
     "1500" RAISED "5/- (flat); 2000" CLEAR "7/-", NULL, false},
    {"life within the delay", FLAT, "0:a=5 250:a=5 500:a=5 1499:a=7 3000:tick", "", NULL, false},
    {"a reading holds for three polls", FLAT, "0:a=5 1000:a=5 1100:a=5 1199:a=5 1200:a=5 3000:tick",
     "2200" RAISED "5/- (flat)", NULL, false},
    {"what is not known makes no run", FLAT,
     "0:a=5 100:a=!comm 900:a=5 1000:a=!comm 1500:a=5 1700:a=5 3000:tick", "", NULL, false},
    {"... nor ends one", FLAT, "0:a=5 100:a=!comm 900:a=5 1200:a=5 1300:a=5 3000:tick",
     "2300" RAISED "5/- (flat)", NULL, false},
    {"bad and flat", FLAT, "0:a=5 250:a=5 500:a=5 600:a=!sensor 2000:tick",
     "1500" RAISED "-/- (sensor, flat)", NULL, false},
    {"floats are compared as floats",
     "device d poll=100ms\npoint a type=f32 doubt=1s:yellow flat=500ms band=0.2\npoint b\nrule r points=d.b "
     "above=red:1e9",
     "0:a=19.9 250:a=20.1 500:a=19.9 2000:tick", "1500" RAISED "19.9/- (flat)", NULL, false},
};

static const struct stage_row rate_rows[] = {
    {"at once, and over with the next plausible pair", RATE, "0:a=5 1000:a=15.5 2000:a=16",
     "1000 raise none>orange doubt d.a 15.5/- (rate); 2000 clear orange>none doubt d.a 16/-", NULL, false},
    {"just plausible", RATE, "0:a=12.3 1000:a=22.3 1500:a=17.3 1600:a=16.3", "", NULL, false},
    {"downward too", RATE, "0:a=12.3 100:a=11.2", "100 raise none>orange doubt d.a 11.2/- (rate)", NULL,
     false},
    {"slowly is plausible", RATE, "0:a=0 100000:a=1000", "", NULL, false},
    {"a bad one parts the pair", RATE, "0:a=5 1000:a=!inhibited 2000:a=500 3000:a=500", "", NULL, false},
    {"and keeps it as it was", RATE, "0:a=5 1000:a=500 2000:a=!comm 3000:a=500 4000:a=500",
     "1000 raise none>orange doubt d.a 500/- (rate); 4000 clear orange>none doubt d.a 500/-", NULL, false},
    {"again and again is one", RATE, "0:a=0 1000:a=100 2000:a=0 3000:a=100 4000:a=100",
     "1000 raise none>orange doubt d.a 100/- (rate); 4000 clear orange>none doubt d.a 100/-", NULL, false},
    {"two of one instant say nothing", RATE, "0:a=5 0:a=500 1000:a=500", "", NULL, false},
    {"while a delay runs", RATE, "0:a=!range 1000:a=5 2000:a=!range 3000:a=5 4000:a=500",
     "4000 raise none>orange doubt d.a 500/- (rate)", NULL, false},
};

static const struct stage_row twin_rows[] = {
    {"apart for that long", TWINS, "0:e.a=10 100:a=16 2000:tick", "1100" RAISED "16/- (twin e.a)", NULL,
     false},
    {"just together", TWINS, "0:e.a=10.3 100:a=15.3 2000:tick 2000:a=5.3 4000:tick", "", NULL, false},
    {"the twin comes back", TWINS, "0:e.a=10 100:a=16 1000:e.a=12 3000:tick", "", NULL, false},
    {"the twin ends it", TWINS, "0:e.a=10 100:a=16 2000:e.a=12",
     "1100" RAISED "16/- (twin e.a); 2000" CLEAR "16/-", NULL, false},
    {"it comes back itself", TWINS, "0:e.a=10 100:a=16 2000:a=14",
     "1100" RAISED "16/- (twin e.a); 2000" CLEAR "14/-", NULL, false},
    {"a twin that was never read", TWINS, "0:a=16 5000:a=900", "", NULL, false},
    {"the twin is bad: frozen, then over", TWINS,
     "0:e.a=10 100:a=16 500:e.a=!sensor 3000:a=16 4000:e.a=12 9000:tick", "", NULL, false},
    {"the twin is bad: frozen, then on", TWINS, "0:e.a=10 100:a=16 500:e.a=!sensor 3000:a=16 4000:e.a=10",
     "4000" RAISED "16/- (twin e.a)", NULL, false},
    {"a bad twin clears nothing", TWINS, "0:e.a=10 100:a=16 2000:e.a=!comm 3000:a=11 4000:e.a=12",
     "1100" RAISED "16/- (twin e.a); 4000" CLEAR "11/-", NULL, false},
    {"itself bad: the twin says nothing", TWINS,
     "0:e.a=10 100:a=16 500:a=!comm 600:e.a=16 2000:e.a=10 3000:a=15", "", NULL, false},
    {"bad and apart are two signs", TWINS, "0:e.a=10 100:a=16 500:a=!range 2000:tick",
     "1100" RAISED "-/- (range, twin e.a)", NULL, false},
    {"read together they move together",
     "device d\npoint a\npoint b doubt=0s:yellow twin=d.a within=1\nrule r points=d.a above=red:1e9",
     "0:a=1,b=1 1000:a=50,b=50 2000:b=90,a=90 3000:a=0,b=2",
     "3000 raise none>yellow doubt d.b 2/- (twin d.a)", NULL, false},
};

static const struct stage_row restored_rows[] = {
    {"stands until a good reading", PLAIN, "5000:a=!comm 6000:a=!range 30000:a=5", "30000" CLEAR "5/-",
     "doubt d.a yellow", false},
    {"a plausible pair is needed", RATE, "0:a=5 1000:a=!comm 2000:a=5 3000:a=5",
     "3000 clear orange>none doubt d.a 5/-", "doubt d.a orange", false},
    {"a twin must be seen", TWINS, "0:a=5 1000:a=5 2000:e.a=6", "2000" CLEAR "5/-", "doubt d.a yellow",
     false},
    {"what stood still must move", FLAT, "0:a=5 1000:a=5.1 2000:a=6", "2000" CLEAR "6/-", "doubt d.a yellow",
     false},
    {"of another level it is not configured", PLAIN, "0:a=!range",
     "0 clear red>none doubt d.a -/- (no longer configured)", "doubt d.a red", false},
    {"of a point without doubt it is not configured", PLAIN, "0:a=!range",
     "0 clear yellow>none doubt d.b -/- (no longer configured)", "doubt d.b yellow", false},
    {"of a point that is not there", PLAIN, "0:a=!range",
     "0 clear yellow>none doubt d.x -/- (no longer configured)", "doubt d.x yellow", false},
};

static void quality(void **state)
{
    (void)state;
    stage_rows(quality_rows, RG_COUNT(quality_rows));
}

static void flat(void **state)
{
    (void)state;
    stage_rows(flat_rows, RG_COUNT(flat_rows));
}

static void rate(void **state)
{
    (void)state;
    stage_rows(rate_rows, RG_COUNT(rate_rows));
}

static void twin(void **state)
{
    (void)state;
    stage_rows(twin_rows, RG_COUNT(twin_rows));
}

static void restored(void **state)
{
    (void)state;
    stage_rows(restored_rows, RG_COUNT(restored_rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(quality), cmocka_unit_test(flat),
                                       cmocka_unit_test(rate), cmocka_unit_test(twin),
                                       cmocka_unit_test(restored)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
