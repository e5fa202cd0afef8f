/* LINK rg_rules rg_config rg_test_support */
/* The shipped rule packs in the engine, on the sites of config/examples: the ladders of the standards, step by step, and what
 * windows, guards, votes and permits make of them. No rule of a pack is without a row. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "config/config.h"
#include "rules/rules.h"
#include "support_site.h"

#define WALL INT64_C(1763780000000)
#define STEP_MS 1200000 /* of a ladder: longer than every on-delay of the packs */

struct row {
    const char *example, *rule;
    /* What is so from the beginning: "<point>=<value> ...". */
    const char *given;
    /* A ladder: "<point>: <value>=<level> ...", where n b y o r are the levels. Or a script: "<time>:<point>=<value>",
     * "<time>..<time>/<step>:<point>=<value>", "<time>?<level>"; value may be "a+b*t", t in hours since 0. */
    const char *text;
};

static const struct row rows[] = {
    /* Dust, dry: AQ 4273-2016 5.1.4: 20 % of the recorded difference (800 Pa), 70 degrees at the inlet. */
    {"dust", "dust-dp-change", "dry-1.fan=1", "dry-1.dp: 800=n 879=n 880=b 959=b 960=y 1119=y 1120=o 2999=o"},
    {"dust", "dust-dp-change", "dry-1.fan=1",
     "dry-1.dp: 800=n 721=n 720=b 641=b 640=y 481=y 480=o 41=o 40=r"},
    {"dust", "dust-dp-change", "dry-1.fan=0", "dry-1.dp: 800=n 0=n"},
    {"dust", "dust-dp-lasting", "dry-1.fan=1", "0s:dry-1.dp=960 9m?n 599s?n 600s?o"},
    {"dust", "dust-dp-lasting", "dry-1.fan=1", "0s:dry-1.dp=640 599s?n 600s?o"},
    {"dust", "dust-inlet-temp", "", "dry-1.inlet_temp: 49.9=n 50=b 59.9=b 60=y 69.9=y 70=o 200=o"},
    {"dust", "dust-inlet-temp-rise", "", "0s..5m/1s:dry-1.inlet_temp=20+590*t 5m?n"},
    {"dust", "dust-inlet-temp-rise", "", "0s..5m/1s:dry-1.inlet_temp=20+606*t 5m?r"},
    {"dust", "dust-inlet-hot-spark", "dry-1.inlet_temp=69.9", "0s..30s/1s:dry-1.spark=1 30s?n"},
    {"dust", "dust-inlet-hot-spark", "dry-1.inlet_temp=70",
     "0s..59s/1s:dry-1.spark=0 60s?n 60s:dry-1.spark=1 60s?r"},
    {"dust", "dust-spark", "", "dry-1.spark: 0=n 1=y"},
    {"dust", "dust-sparks", "", "0s..60s/1s:dry-1.spark_count=7 61s..70s/1s:dry-1.spark_count=9 70s?n"},
    {"dust", "dust-sparks", "",
     "0s..9m/1s:dry-1.spark_count=7 541s..550s/1s:dry-1.spark_count=9 551s..560s/1s:dry-1.spark_count=10 "
     "560s?o"},
    {"dust", "dust-spark-not-quenched", "dry-1.quench_fault=0", "0s..59s/1s:dry-1.spark=1 59s?n"},
    {"dust", "dust-spark-not-quenched", "dry-1.quench_fault=1",
     "0s..59s/1s:dry-1.spark=0 60s:dry-1.spark=1 60s?r"},
    {"dust", "dust-hopper-temp", "", "dry-1.hopper_temp: 59.9=n 60=o 69.9=o 70=r"},
    {"dust", "dust-hopper-temp-over-mean", "dry-1-mean.hopper_now=49.9",
     "0s..24h/3s:dry-1-mean.hopper_base=40 86410s?n"},
    {"dust", "dust-hopper-temp-over-mean", "dry-1-mean.hopper_now=50",
     "0s..24h/3s:dry-1-mean.hopper_base=40 86420s?b"},
    {"dust", "dust-hopper-temp-over-mean", "dry-1-mean.hopper_now=60",
     "0s..24h/3s:dry-1-mean.hopper_base=40 86420s?y"},
    {"dust", "dust-airlock-fault", "", "dry-1.airlock_fault: 0=n 1=y"},
    {"dust", "dust-airlock-fault-lasting", "", "0s:dry-1.airlock_fault=1 9999ms?n 10s?o"},
    {"dust", "dust-airlock-fault-hot", "dry-1.hopper_temp=59.9", "dry-1.airlock_fault: 0=n 1=n"},
    {"dust", "dust-airlock-fault-hot", "dry-1.hopper_temp=60", "dry-1.airlock_fault: 0=n 1=r"},
    {"dust", "dust-fan-off", "dry-1.process=1", "dry-1.fan: 1=n 0=o"},
    {"dust", "dust-fan-off", "dry-1.process=0", "dry-1.fan: 1=n 0=n"},
    {"dust", "dust-fan-off-lasting", "dry-1.process=1", "0s:dry-1.fan=0 59999ms?n 60s?r"},
    {"dust", "dust-fan-off-early", "dry-1.fan=0",
     "0s..60s/1s:dry-1.process=1 60s?y 61s..659s/1s:dry-1.process=0 659s?y 660s..670s/1s:dry-1.process=0 "
     "670s?n"},
    {"dust", "dust-fan-off-early", "dry-1.fan=1", "0s..60s/1s:dry-1.process=1 60s?n"},
    {"dust", "dust-concentration", "", "dry-1.dust_conc: 9.9=n 10=y 20=o 30=r"},
    /* Dust, wet: GB/T 50493-2019 5.5.2 for hydrogen. */
    {"dust", "dust-wet-tank-level", "", "wet-1.wet_level: 600=n 541=n 540=b 480=y 451=y 450=o 0=o"},
    {"dust", "dust-wet-flow", "wet-1.wet_fan=1", "wet-1.wet_flow: 20=n 18.1=n 18=b 16=y 12=o 1.1=o 1=r"},
    {"dust", "dust-wet-flow", "wet-1.wet_fan=0", "wet-1.wet_flow: 0=n"},
    {"dust", "dust-wet-h2", "", "h2-1.h2: 9.9=n 10=b 24.9=b 25=y 49.9=y 50=o 100=o"},
    {"dust", "dust-wet-h2-two", "h2-2.h2=0", "h2-1.h2: 0=n 100=n"},
    {"dust", "dust-wet-h2-two", "h2-2.h2=50", "h2-1.h2: 49.9=n 50=r"},
    {"dust", "dust-wet-fan-off", "wet-1.wet_process=1", "wet-1.wet_fan: 1=n 0=o"},
    {"dust", "dust-wet-fan-off-lasting", "wet-1.wet_process=1", "0s:wet-1.wet_fan=0 59999ms?n 60s?r"},
    {"dust", "dust-wet-fan-off-early", "wet-1.wet_fan=0", "0s..60s/1s:wet-1.wet_process=1 60s?y"},
    /* Metallurgy: GBZ 2.1, GB 6222 as quoted, GB/T 50493-2019. */
    {"metallurgy-gas", "gas-co-high", "", "zone-a-1.co: 19=n 20=b 29=b 30=y 99=y 100=o 199=o 200=r"},
    {"metallurgy-gas", "gas-co-ppm-high", "", "gas-ppm.co_ppm: 15=n 16=b 23=b 24=y 79=y 80=o 159=o 160=r"},
    /* Golden vector 25: 5 min at 60 and 10 at 15 are 30.0; 3 min at 100 are 20.0. */
    {"metallurgy-gas", "gas-co-stel", "",
     "0s..299s/1s:zone-a-1.co=60 300s..899s/1s:zone-a-1.co=15 899s?b 900s:zone-a-1.co=15 900s?y "
     "901s..30m/1s:zone-a-1.co=0 30m?n"},
    {"metallurgy-gas", "gas-co-stel", "", "0s..3m/1s:zone-a-1.co=100 181s..15m/1s:zone-a-1.co=0 15m?n"},
    {"metallurgy-gas", "gas-co-ppm-stel", "",
     "0s..899s/1s:gas-ppm.co_ppm=24 899s?b 900s:gas-ppm.co_ppm=24 900s?y"},
    {"metallurgy-gas", "gas-co-twa", "", "0s..6h/3s:zone-a-1.co=20 6h?n"},
    {"metallurgy-gas", "gas-co-twa", "", "0s..7h/3s:zone-a-1.co=20 7h?b 7h..8h/3s:zone-a-1.co=20 8h?y"},
    {"metallurgy-gas", "gas-co-ppm-twa", "", "0s..8h/3s:gas-ppm.co_ppm=16 8h?y"},
    {"metallurgy-gas", "gas-co-zone-a", "zone-a-2.co=0 zone-a-3.co=0", "zone-a-1.co: 0=n 599=n"},
    {"metallurgy-gas", "gas-co-zone-a", "zone-a-2.co=30 zone-a-3.co=0", "zone-a-1.co: 29=n 30=o 599=o"},
    {"metallurgy-gas", "gas-co-zone-a", "zone-a-2.co=30 zone-a-3.co=100", "zone-a-1.co: 0=o 99=o 100=r"},
    {"metallurgy-gas", "gas-lel-high", "", "zone-b-1.lel: 9.9=n 10=b 24.9=b 25=y 49.9=y 50=o"},
    {"metallurgy-gas", "gas-lel-zone-b", "zone-b-2.lel=49.9", "zone-b-1.lel: 0=n 100=n"},
    {"metallurgy-gas", "gas-lel-zone-b", "zone-b-2.lel=50", "zone-b-1.lel: 49.9=n 50=r"},
    {"metallurgy-gas", "gas-o2", "", "argon.o2: 20.9=n 20.6=n 20.5=b 19.6=b 19.5=y 19=o 18.1=o 18=r"},
    {"metallurgy-gas", "gas-o2", "", "argon.o2: 20.9=n 23.4=n 23.5=y 24.5=o 24.9=o 25=r"},
    {"metallurgy-gas", "furnace-cooling-out", "", "eaf-cooling.cooling_out: 39.9=n 40=b 45=y 49.9=y 50=o"},
    {"metallurgy-gas", "furnace-cooling-loss", "", "eaf-cooling.cooling_loss: 1.59=n 1.6=b 1.8=y 2=o"},
    {"metallurgy-gas", "furnace-cooling-leak-hot", "eaf-cooling.cooling_out=49.9",
     "eaf-cooling.cooling_loss: 1=n 9=n"},
    {"metallurgy-gas", "furnace-cooling-leak-hot", "eaf-cooling.cooling_out=50",
     "eaf-cooling.cooling_loss: 1.9=n 2=r"},
    {"metallurgy-gas", "furnace-shell-temp", "", "eaf.shell_temp: 179=n 180=b 220=y 260=o 300=r"},
    {"metallurgy-gas", "furnace-pit-water", "", "eaf.pit_water: 0=n 1=r"},
    {"metallurgy-gas", "gas-pressure-low", "", "pipe.gas_pressure: 4.1=n 4=b 3=y 2.5=o 2=r"},
    /* Ammonia: GBZ/T 223-2009, GBZ 2.1, GB 28009. */
    {"ammonia", "nh3-room-ppm", "", "room.nh3_room_ppm: 19=n 20=b 39=b 40=y 99=y 100=o 149=o 150=r"},
    {"ammonia", "nh3-room", "", "room-2.nh3_room: 14=n 15=b 29=b 30=y 69=y 70=o 104=o 105=r"},
    {"ammonia", "nh3-work", "", "hall.nh3_work: 14.9=n 15=b 20=y 39.9=y 40=o 69.5=o 69.6=r"},
    {"ammonia", "nh3-work-ppm", "", "hall-2.nh3_work_ppm: 19.6=n 19.7=b 26.3=y 52.6=o 99.9=o 100=r"},
    {"ammonia", "nh3-exhaust-off-ppm", "room.nh3_room_ppm=99", "room.exhaust_fan: 1=n 0=n"},
    {"ammonia", "nh3-exhaust-off-ppm", "room.nh3_room_ppm=100", "0s:room.exhaust_fan=0 29999ms?n 30s?r"},
    {"ammonia", "nh3-exhaust-off", "room-2.nh3_room=70", "0s:room-2.exhaust_fan_mg=0 29999ms?n 30s?r"},
    {"ammonia", "nh3-receiver-level", "", "receiver.receiver_level: 69=n 70=b 75=y 80=o 85=r"},
    {"ammonia", "nh3-receiver-pressure", "", "receiver.receiver_pressure: 1.349=n 1.35=b 1.45=y 1.5=o 1.6=r"},
    {"ammonia", "nh3-discharge-temp", "", "receiver.discharge_temp: 109=n 110=b 120=y 130=o 140=r"},
    /* Confined space: armed by the permit only. */
    {"confined-space", "cs-o2", "permit", "multi-1.cs_o2: 20.9=n 19.6=n 19.5=o 18.1=o 18=r"},
    {"confined-space", "cs-o2", "permit", "multi-1.cs_o2: 20.9=n 21=b 23.4=b 23.5=o"},
    {"confined-space", "cs-o2", "", "multi-1.cs_o2: 20.9=n 10=n"},
    {"confined-space", "cs-lel", "permit", "multi-1.cs_lel: 4.9=n 5=b 10=y 25=o 50=r"},
    {"confined-space", "cs-h2s", "permit", "multi-1.cs_h2s: 4.9=n 5=b 7=y 10=o 20=r"},
    {"confined-space", "cs-h2s", "", "multi-1.cs_h2s: 4.9=n 100=n"},
    {"confined-space", "cs-co", "permit", "multi-1.cs_co: 14.9=n 15=b 20=y 30=o 40=r"},
    {"confined-space", "cs-no-record", "permit",
     "0s..90m/3s:multi-1.cs_record=7 90m..209m/3s:multi-1.cs_record=8 209m?n "
     "209m..212m/3s:multi-1.cs_record=8 212m?y"},
    {"confined-space", "cs-no-record", "", "0s..3h/3s:multi-1.cs_record=7 3h?n"},
    /* Tailings: golden vector 29: phreatic red 4.0 is orange at 4.4; landslide red 50 is orange at 40. */
    {"tailings-wet", "tailings-phreatic", "",
     "p-1.phreatic_depth: 5.3=n 5.2=b 4.8=y 4.41=y 4.4=o 4.01=o 4=r"},
    {"tailings-wet", "tailings-landslide", "",
     "slope-1.landslide: 24.9=n 25=b 32.5=y 39.9=y 40=o 49.9=o 50=r"},
    {"tailings-wet", "tailings-beach", "", "dam.beach: 91.1=n 91=b 84=y 77=o 70.1=o 70=r"},
    {"tailings-wet", "tailings-freeboard", "", "dam.freeboard: 0.92=n 0.91=b 0.84=y 0.77=o 0.71=o 0.7=r"},
    {"tailings-wet", "tailings-pool-level", "", "pool.pool_level: 147.6=n 147.7=b 148=y 148.6=o 149.2=r"},
    {"tailings-wet", "tailings-displacement", "", "gnss-1.displacement: 24=n 25=b 32.5=y 40=o 50=r"},
    {"tailings-wet", "tailings-displacement-rate", "", "0s..48h/1h:gnss-1.displacement=10+0.10*t 48h?n"},
    {"tailings-wet", "tailings-displacement-rate", "", "0s..48h/1h:gnss-1.displacement=10+0.105*t 48h?b"},
    {"tailings-wet", "tailings-displacement-rate", "", "0s..48h/1h:gnss-1.displacement=10+0.17*t 48h?o"},
    {"tailings-wet", "tailings-displacement-rate", "", "0s..48h/1h:gnss-1.displacement=10+0.21*t 48h?r"},
    {"tailings-wet", "tailings-inner-displacement", "", "ipi-1.inner_displacement: 19=n 20=b 26=y 32=o 40=r"},
    {"tailings-wet", "tailings-rain-12h", "",
     "0s..12h/1m:rain-1.rain_total=100+4.1*t 12h?n 12h..13h/1m:rain-1.rain_total=100+4.2*t 13h?b"},
    {"tailings-wet", "tailings-rain-6h", "", "0s..6h/1m:rain-1.rain_total=100+8.2*t 6h?n"},
    {"tailings-wet", "tailings-rain-6h", "", "0s..6h/1m:rain-1.rain_total=100+8.5*t 6h?y"},
    {"tailings-wet", "tailings-rain-24h", "", "0s..24h/1m:rain-1.rain_total=100+2.0*t 24h?n"},
    {"tailings-wet", "tailings-rain-24h", "", "0s..24h/1m:rain-1.rain_total=100+2.1*t 24h?y"},
    {"tailings-wet", "tailings-rain-3h", "", "0s..3h/1m:rain-1.rain_total=100+16.5*t 3h?n"},
    {"tailings-wet", "tailings-rain-3h", "", "0s..3h/1m:rain-1.rain_total=100+17*t 3h?o"},
    {"tailings-wet", "tailings-rain-3h", "", "0s..3h/1m:rain-1.rain_total=100+34*t 3h?r"},
    {"tailings-wet", "tailings-seepage-rise", "", "0s..24h/10m:weir-1.seepage=2 24h?n"},
    {"tailings-wet", "tailings-seepage-rise", "", "0s..24h/10m:weir-1.seepage=2+0.0085*t 24h?b"},
    {"tailings-wet", "tailings-seepage-rise", "", "0s..24h/10m:weir-1.seepage=2+0.017*t 24h?y"},
    {"tailings-wet", "tailings-seepage-rise", "", "0s..24h/10m:weir-1.seepage=2+0.042*t 24h?o"},
    {"tailings-wet", "tailings-seepage-muddy", "weir-1.turbidity=49",
     "0s..24h/10m:weir-1.seepage=2+0.042*t 24h?n"},
    {"tailings-wet", "tailings-seepage-muddy", "weir-1.turbidity=50",
     "0s..24h/10m:weir-1.seepage=2+0.0085*t 24h?r"},
    {"tailings-dry", "tailings-dry-phreatic", "", "p-2.phreatic_depth: 5.3=n 5.2=b 4.8=y 4.4=o 4=r"},
    {"tailings-dry", "tailings-dry-landslide", "", "slope-1.landslide: 24.9=n 25=b 32.5=y 40=o 50=r"},
    {"tailings-dry", "tailings-dry-displacement", "", "gnss-1.displacement: 24=n 25=b 32.5=y 40=o 50=r"},
    {"tailings-dry", "tailings-dry-displacement-rate", "", "0s..48h/1h:gnss-1.displacement=10+0.21*t 48h?r"},
    {"tailings-dry", "tailings-dry-inner-displacement", "",
     "ipi-1.inner_displacement: 19=n 20=b 26=y 32=o 40=r"},
    {"tailings-dry", "tailings-dry-rain-12h", "", "0s..12h/1m:rain-1.rain_total=100+4.2*t 12h?b"},
    {"tailings-dry", "tailings-dry-rain-6h", "", "0s..6h/1m:rain-1.rain_total=100+8.5*t 6h?y"},
    {"tailings-dry", "tailings-dry-rain-24h", "", "0s..24h/1m:rain-1.rain_total=100+2.1*t 24h?y"},
    {"tailings-dry", "tailings-dry-rain-3h", "", "0s..3h/1m:rain-1.rain_total=100+17*t 3h?o"},
    {"tailings-dry", "tailings-dry-seepage-rise", "", "0s..24h/10m:weir-1.seepage=2+0.017*t 24h?y"},
    {"tailings-dry", "tailings-dry-seepage-muddy", "weir-1.turbidity=50",
     "0s..24h/10m:weir-1.seepage=2+0.0085*t 24h?r"},
};

/* One row while it is played. */
struct play {
    const struct row *row;
    const struct site *site;
    struct rules *rules;
    enum level level; /* of the row's rule, suppressed ones none */
};

static void change_cb(void *arg, const struct alarm_change *change)
{
    struct play *p = arg;

    if (strcmp(change->alarm->rule, p->row->rule) == 0)
        p->level = change->alarm->suppressed ? LEVEL_NONE : change->alarm->level;
}

static void feed(struct play *p, const char *point, double value, int64_t ms)
{
    struct sample sample = {.point = support_site_point(p->site, point)};
    struct frame frame = {.at = {ms, ms + WALL}, .samples = &sample, .count = 1, .heard = true};

    sample.value = p->site->points[sample.point].type == TYPE_F32 ? (double)(float)value : value;
    frame.device = p->site->points[sample.point].device;
    rules_frame(p->rules, &frame);
}

static int64_t time_of(const char **text)
{
    char word[24];
    size_t length = strspn(*text, "0123456789smhd");
    int64_t ms = 0;

    assert_true(length < sizeof word);
    memcpy(word, *text, length);
    word[length] = '\0';
    *text += length;
    if (text_duration(word, &ms) != RG_OK)
        fail_msg("no time: %s", word);
    return ms;
}

static void check_level(const struct play *p, char wanted, int64_t ms)
{
    static const char letters[] = "nbyor";

    rules_tick(p->rules, (struct moment){ms, ms + WALL});
    if (letters[p->level] != wanted)
        fail_msg("%s: %s: at %lld ms %s, not %c", p->row->rule, p->row->text, (long long)ms,
                 level_name(p->level), wanted);
}

/* "<point>=<value>" or "<point>=<a>+<b>*t", at each step of a time. */
static void play_feed(struct play *p, const char *text, int64_t from, int64_t to, int64_t step)
{
    char point[POINT_NAME_MAX];
    double a = 0, b = 0;

    assert_true(sscanf(text, "%129[^=]=%lf+%lf*t", point, &a, &b) >= 2);
    for (int64_t ms = from; ms <= to; ms += step)
        feed(p, point, a + b * (double)ms / 3600000, ms);
}

static void play_item(struct play *p, const char *text)
{
    int64_t from = time_of(&text);
    int64_t to = from, step = 1;

    if (*text == '?') {
        check_level(p, text[1], from);
        return;
    }
    if (strncmp(text, "..", 2) == 0) {
        text += 2;
        to = time_of(&text);
        assert_true(*text++ == '/');
        step = time_of(&text);
    }
    assert_true(*text == ':');
    play_feed(p, text + 1, from, to, step);
}

static void play_ladder(struct play *p, char *text)
{
    char *rest = NULL;
    char *point = strtok_r(text, ": ", &rest);
    int64_t ms = 0;

    for (char *item = strtok_r(NULL, " ", &rest); item; item = strtok_r(NULL, " ", &rest)) {
        char *end = NULL;
        double value = strtod(item, &end);

        assert_int_equal(*end, '=');
        feed(p, point, value, ms);
        ms += STEP_MS;
        check_level(p, end[1], ms - 1);
    }
}

static void play_row(const struct row *row, const struct site *site)
{
    struct play p = {.row = row, .site = site};
    char given[256], text[512];
    char *rest = NULL;

    assert_true(text_copy(given, sizeof given, row->given) && text_copy(text, sizeof text, row->text));
    assert_int_equal(rules_create(site, 1, change_cb, &p, &p.rules), RG_OK);
    rules_start(p.rules, (struct moment){0, WALL});
    for (char *item = strtok_r(given, " ", &rest); item; item = strtok_r(NULL, " ", &rest)) {
        if (strcmp(item, "permit") == 0)
            rules_permit(p.rules, 0, INT64_MAX, (struct moment){0, WALL});
        else
            play_feed(&p, item, 0, 0, 1);
    }
    if (strchr(text, '?')) {
        for (char *item = strtok_r(text, " ", &rest); item; item = strtok_r(NULL, " ", &rest))
            play_item(&p, item);
    } else {
        play_ladder(&p, text);
    }
    rules_destroy(p.rules);
}

static struct config *load(const char *example)
{
    char path[4096];
    struct config *config;

    (void)snprintf(path, sizeof path, "%s/config/examples/%s.yaml", getenv("RG_SOURCE_DIR"), example);
    assert_int_equal(config_load(path, &config), RG_OK);
    config_print(config, stderr);
    assert_non_null(config->site);
    return config;
}

/* No rule is shipped that was never seen to raise its alarm, nor one that was never seen not to. */
static void check_all_played(const struct site *site, const char *example)
{
    for (size_t i = 0; i < site->rule_count; i++) {
        size_t k = 0;

        while (k < RG_COUNT(rows) &&
               (strcmp(rows[k].example, example) != 0 || strcmp(rows[k].rule, site->rules[i].name) != 0))
            k++;
        if (k == RG_COUNT(rows))
            fail_msg("no row plays the rule %s", site->rules[i].name);
    }
}

static void test_packs(void **state)
{
    const char *example = "";
    struct config *config = NULL;

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        if (strcmp(rows[i].example, example) != 0) {
            config_free(config);
            example = rows[i].example;
            config = load(example);
            check_all_played(config->site, example);
        }
        play_row(&rows[i], config->site);
    }
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_packs)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
