/* LINK rg_config */
/* Two configurations compared key by key: what is told upward when one is applied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/diff.h"

#define HEAD                                                                                                 \
    "gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: 示例}}\n"                              \
    "store: {path: x.db}\n"
#define PLANT                                                                                                \
    "buses: [{name: b, tcp: '127.0.0.1:1502'}]\n"                                                            \
    "devices: [{name: d, bus: b, unit: 1, poll: 1s, points: [{name: p, holding: 0, type: u16}]}]\n"
#define RULE "rules: [{name: r, points: d.p, above: {yellow: 20, red: 50}}]\n"

static struct config *load(const char *text)
{
    struct config *config = NULL;

    assert_int_equal(config_load_text("diff.yaml", text, strlen(text), &config), RG_OK);
    if (!config->site)
        config_print(config, stderr);
    assert_non_null(config->site);
    return config;
}

static void check_told(const struct config_diff *diff, const char *expected)
{
    char text[4096] = "";
    size_t length = 0;

    for (size_t i = 0; i < diff->count; i++) {
        const struct config_change *c = &diff->changes[i];

        length += (size_t)snprintf(text + length, sizeof text - length, "%s: %s -> %s\n", c->what,
                                   c->before ? c->before : "-", c->after ? c->after : "-");
        assert_true(length < sizeof text);
    }
    assert_string_equal(text, expected);
}

/* Compares two texts, by their sites and by what a run before wrote of the first; expected: lines "what: before -> after", "-" for
 * nothing, in order. */
static void check(const char *before, const char *after, const char *expected)
{
    struct config *a = load(before), *b = load(after);
    struct config_diff diff;
    struct jsonw text;

    jsonw_init(&text, 0);
    assert_int_equal(config_diff(a->site, b->site, &diff), RG_OK);
    check_told(&diff, expected);
    config_diff_free(&diff);
    assert_int_equal(config_describe(a->site, &text), RG_OK);
    assert_int_equal(config_diff_text(text.text, text.length, b->site, &diff), RG_OK);
    check_told(&diff, expected);
    config_diff_free(&diff);
    jsonw_free(&text);
    config_free(a);
    config_free(b);
}

/* Not a byte less or more, but the order does not count: versions before this one wrote the keys sorted. */
static void the_text_of_a_run_before(void **state)
{
    struct config *c = load(HEAD PLANT "areas: [{name: a, label: 'quoted \"twice\", a \\ and 区域'}]\n" RULE);
    struct config_diff diff;
    struct jsonw text, turned;
    const char *comma;

    (void)state;
    jsonw_init(&text, 0);
    jsonw_init(&turned, 0);
    assert_int_equal(config_describe(c->site, &text), RG_OK);
    assert_int_equal(config_diff_text(text.text, text.length, c->site, &diff), RG_OK);
    assert_true(diff.count == 0 && diff.arena.used <= 64); /* nothing was listed to find that out */
    config_diff_free(&diff);
    assert_int_equal(config_diff_text(text.text, text.length - 1, c->site, &diff), RG_EINVAL);
    config_diff_free(&diff);
    /* The first key and its text go to the end. */
    comma = strchr(strchr(text.text, ',') + 1, ',');
    jsonw_array_begin(&turned);
    jsonw_raw(&turned, comma + 1, (size_t)(text.text + text.length - 1 - (comma + 1)));
    jsonw_raw(&turned, text.text + 1, (size_t)(comma - text.text - 1));
    jsonw_array_end(&turned);
    assert_int_equal(turned.length, text.length);
    assert_int_equal(config_diff_text(turned.text, turned.length, c->site, &diff), RG_OK);
    check_told(&diff, "");
    config_diff_free(&diff);
    jsonw_free(&text);
    jsonw_free(&turned);
    config_free(c);
}

static void the_same_twice(void **state)
{
    (void)state;
    check(HEAD PLANT RULE, HEAD PLANT RULE, "");
}

static void how_it_is_written_is_no_change(void **state)
{
    (void)state;
    check(HEAD PLANT RULE,
          "# the same, in another order\n" RULE
          "devices:\n  - points:\n      - {type: u16, register: 40001, name: p}\n"
          "    poll: 1000ms\n    unit: 1\n    bus: b\n    name: d\n"
          "buses:\n  - {tcp: '127.0.0.1:1502', name: b}\n" HEAD,
          "");
}

static void every_changed_limit_with_old_and_new(void **state)
{
    (void)state;
    check(HEAD PLANT RULE,
          HEAD PLANT
          "rules: [{name: r, points: d.p, above: {blue: 10, yellow: 22.5, red: 50}, deadband: 1}]\n",
          "rule.r.above.blue: - -> 10\n"
          "rule.r.above.yellow: 20 -> 22.5\n"
          "rule.r.deadband: 0 -> 1\n");
    check(HEAD PLANT RULE,
          HEAD PLANT "rules: [{name: r, points: d.p, above: {red: 50}, below: {blue: 3}, on_delay: 90s}]\n",
          "rule.r.above.yellow: 20 -> -\n"
          "rule.r.below.blue: - -> 3\n"
          "rule.r.on_delay: 0s -> 90s\n");
}

#define TWO                                                                                                  \
    "buses: [{name: b, tcp: '127.0.0.1:1502'}]\n"                                                            \
    "devices:\n"                                                                                             \
    "  - {name: d, bus: b, unit: 1, points: [{name: p, holding: 0, type: u16}, {name: q, coil: 0}]}\n"       \
    "  - {name: e, bus: b, unit: 2, points: [{name: p, holding: 0, type: u16}, {name: q, coil: 0}]}\n"

/* What a rule looks at, when it is armed and what holds for its alarm. */
static void the_whole_of_a_rule(void **state)
{
    (void)state;
    check(HEAD TWO "values: {top: 85}\nrules: [{name: r, points: d.p, above: {red: {value: top}}}]\n",
          HEAD TWO "values: {top: 90}\nrules: [{name: r, points: d.p, above: {red: {value: top}}}]\n",
          "rule.r.above.red: 85 -> 90\n");
    check(HEAD TWO "rules: [{name: r, points: d.p, above: {red: {of: e.p, times: 1.1}}}]\n",
          HEAD TWO "rules: [{name: r, points: d.p, above: {red: {of: e.p, times: 1.2, plus: -3}}}]\n",
          "rule.r.above.red: e.p * 1.1 -> e.p * 1.2 + -3\n");
    check(HEAD TWO "rules: [{name: r, points: '*.p', above: {red: 5}}]\n",
          HEAD TWO
          "rules: [{name: r, points: '*.p', above: {red: {of: q, times: 2}}, when: {point: q, is: [1], "
          "above: 0, below: 2}}]\n",
          "rule.r.above.red: 5 -> (each its own) * 2\n"
          "rule.r.above.red.d.p: - -> d.q\n"
          "rule.r.above.red.e.p: - -> e.q\n"
          "rule.r.when.above: - -> 0\n"
          "rule.r.when.below: - -> 2\n"
          "rule.r.when.is.1: - -> armed\n"
          "rule.r.when.point: - -> (each its own)\n"
          "rule.r.when.point.d.p: - -> d.q\n"
          "rule.r.when.point.e.p: - -> e.q\n");
    check(HEAD TWO "rules: [{name: r, points: d.p, above: {red: 5}, mean: 15m}]\n",
          HEAD TWO "rules: [{name: r, points: d.p, above: {red: 5}, delta: 1h, wrap: 65536, coverage: 50}]\n",
          "rule.r.signal: mean -> delta\n"
          "rule.r.signal.coverage: 75 -> 50\n"
          "rule.r.signal.window: 15m -> 1h\n"
          "rule.r.signal.wrap: - -> 65536\n");
    check(
        HEAD TWO "permits: [{name: t, max: 8h}]\nrules: [{name: r, vote: {need: 2, points: '*.p'}, above: "
                 "{red: 5}}]\n",
        HEAD TWO
        "permits: [{name: t, max: 4h}]\nrules: [{name: r, vote: {need: 1, points: '*.p', bad: holds}, above: "
        "{red: 5}, latch: true, permit: t, basis: {red: PROPOSAL}}]\n",
        "permit.t.max: 8h -> 4h\n"
        "rule.r.basis.red: - -> PROPOSAL\n"
        "rule.r.latch: - -> blue\n"
        "rule.r.permit: - -> t\n"
        "rule.r.vote: 2, bad counts -> 1, bad holds\n");
    check(HEAD PLANT RULE "alarms: {shelve_max: 8h}\nareas: [{name: a}]\n",
          HEAD PLANT RULE "alarms: {shelve_max: 1h}\nareas: [{name: a, aggregate: gb39496}]\n",
          "alarms.shelving.max: - -> 1h\n"
          "area.a.aggregate: - -> gb39496\n");
}

static void doubts_of_points(void **state)
{
    (void)state;
    check(HEAD PLANT RULE,
          HEAD "buses: [{name: b, tcp: '127.0.0.1:1502'}]\n"
               "devices: [{name: d, bus: b, unit: 1, poll: 1s, doubt: {level: yellow, after: 10s},\n"
               "  points: [{name: p, holding: 0, type: u16}]}]\n" RULE,
          "");
    check(HEAD PLANT RULE,
          HEAD
          "buses: [{name: b, tcp: '127.0.0.1:1502'}]\n"
          "devices: [{name: d, bus: b, unit: 1, poll: 1s, points: [{name: p, holding: 0, type: u16, doubt: "
          "{level: red,\n"
          "  after: 5s, flat: 1h, rate: {change: 10, per: 2s}, twin: {point: g.x, within: 3}}}]}]\n"
          "derived: [{name: g, points: [{name: x, sum: [d.p]}]}]\n" RULE,
          "device.g.bus: - -> (derived)\n"
          "point.d.p.doubt.after: - -> 5s\n"
          "point.d.p.doubt.flat: - -> 1h\n"
          "point.d.p.doubt.flat_band: - -> 0\n"
          "point.d.p.doubt.level: - -> red\n"
          "point.d.p.doubt.rate: - -> 5/s\n"
          "point.d.p.doubt.twin: - -> g.x within 3\n"
          "point.g.x.derived: - -> sum\n"
          "point.g.x.derived.0: - -> d.p * 1 + 0\n"
          "point.g.x.scaling: - -> 1 0 1\n");
}

static void limits_are_told_exactly(void **state)
{
    (void)state;
    check(HEAD PLANT "rules: [{name: r, points: d.p, above: {red: 0.1}}]\n",
          HEAD PLANT "rules: [{name: r, points: d.p, above: {red: 0.100000000000001}}]\n",
          "rule.r.above.red: 0.1 -> 0.100000000000001\n");
}

static void discrete_conditions(void **state)
{
    (void)state;
    check(HEAD PLANT "rules: [{name: r, points: d.p, is: {1: red, 2: blue}}]\n",
          HEAD PLANT "rules: [{name: r, points: d.p, is: {1: orange, 3: blue}}]\n",
          "rule.r.is.1: red -> orange\n"
          "rule.r.is.2: blue -> -\n"
          "rule.r.is.3: - -> blue\n");
}

static void how_a_point_is_read(void **state)
{
    (void)state;
    check(HEAD PLANT,
          HEAD "buses: [{name: b, tcp: '127.0.0.1:1502'}]\n"
               "devices: [{name: d, bus: b, unit: 1, poll: 1s,\n"
               "           points: [{name: p, input: 4, type: f32, order: CDAB, scale: 0.5, range: [0, 100], "
               "unit: kPa}]}]\n",
          "point.d.p.range: - -> [0, 100]\n"
          "point.d.p.read: holding 0 u16 -> input 4 f32 CDAB\n"
          "point.d.p.scaling: 1 0 1 -> 5 0 10\n"
          "point.d.p.unit: - -> kPa\n");
}

#define LINE "buses: [{name: b, rtu: /dev/x, baud: 9600"
#define UNIT "devices: [{name: d, bus: b, unit: 1, poll: 5s, points: [{name: p, holding: 0, type: u16"

static void how_a_line_and_a_device_are_asked(void **state)
{
    (void)state;
    /* What is written out but is the default is no change. */
    check(HEAD LINE "}]\n" UNIT "}]}]\n",
          HEAD LINE ", retry: 30s, echo: false}]\n" UNIT
                    "}], gap: 0s, start_up: 0s, misses: 3, probe: 1m, line: {baud: 9600}, order: ABCD}]\n",
          "");
    check(HEAD LINE "}]\n" UNIT "}]}]\n",
          HEAD LINE ", retry: 1m, echo: true, rs485: {send: low, before: 1ms}}]\n" UNIT
                    "}], gap: 1s, start_up: 10s, misses: 4, probe: 2m,\n"
                    "  trigger: {holding: 9, value: 5, wait: 3s, broadcast: true}}]\n",
          "bus.b.echo: - -> true\n"
          "bus.b.retry: - -> 1m\n"
          "bus.b.rs485: - -> send low, before 1ms, after 0ms\n"
          "device.d.gap: - -> 1s\n"
          "device.d.misses: - -> 4\n"
          "device.d.probe: - -> 2m\n"
          "device.d.start_up: - -> 10s\n"
          "device.d.trigger.wait: - -> 3s\n"
          "device.d.trigger.write: - -> holding 9 = 5, broadcast\n");
}

static void what_decides_on_quality(void **state)
{
    (void)state;
    check(HEAD LINE "}]\n" UNIT
                    "}], status: {holding: 5, is: {1: good, 2: inhibited}, otherwise: sensor}}]\n",
          HEAD LINE
          "}]\n" UNIT
          "}], status: {holding: 5, mask: 0xff, is: {2: sensor, 1: good, 3: stale}, otherwise: device},\n"
          "  heartbeat: {coil: 7, within: 20s}}]\n",
          "device.d.heartbeat.read: - -> coil 7 mask 0\n"
          "device.d.heartbeat.within: - -> 20s\n"
          "device.d.status.0.is.2: inhibited -> sensor\n"
          "device.d.status.0.is.3: - -> stale\n"
          "device.d.status.0.otherwise: sensor -> device\n"
          "device.d.status.0.read: holding 5 mask 0 -> holding 5 mask 255\n");
    /* Of bits the first that is set counts, so their order is part of what they say; of values it is not. */
    check(HEAD LINE "}]\n" UNIT
                    "}], status: [{holding: 5, is: {1: good, 2: stale}}, {holding: 6, bits: {1: good, 2: "
                    "stale}}]}]\n",
          HEAD LINE "}]\n" UNIT
                    "}], status: [{holding: 5, is: {2: stale, 1: good}}, {holding: 6, bits: {2: stale, 1: "
                    "good}}]}]\n",
          "device.d.status.1.bits.1: good, 1 -> good, 2\n"
          "device.d.status.1.bits.2: stale, 2 -> stale, 1\n");
}

static void what_a_value_means(void **state)
{
    (void)state;
    check(HEAD LINE "}]\n" UNIT ", decimals_from: {holding: 4}}]}]\n",
          HEAD LINE "}]\n" UNIT ", decimals_from: {input: 4, mask: 0xff00}}]}]\n",
          "point.d.p.decimals_from: holding 4 mask 0 -> input 4 mask 65280\n");
    check(HEAD LINE "}]\n" UNIT ", values: {1: open, 2: shut}}]}]\n",
          HEAD LINE "}]\n" UNIT ", values: {2: closed, 3: open}}]}]\n",
          "point.d.p.values.1: open -> -\n"
          "point.d.p.values.2: shut -> closed\n"
          "point.d.p.values.3: - -> open\n");
}

#define GROUP "derived: [{name: g, points: [{name: x, "

/* A group plays the part of a device: it has the one key that tells that a device is there. */
static void a_derived_group(void **state)
{
    (void)state;
    check(HEAD PLANT, HEAD PLANT GROUP "sum: [d.p, 2]}]}]\n",
          "device.g.bus: - -> (derived)\n"
          "point.g.x.derived: - -> sum\n"
          "point.g.x.derived.0: - -> d.p * 1 + 0\n"
          "point.g.x.derived.1: - -> 2\n"
          "point.g.x.scaling: - -> 1 0 1\n");
}

static void derived_points(void **state)
{
    (void)state;
    check(HEAD PLANT GROUP "sum: [d.p, 2]}]}]\n",
          HEAD PLANT GROUP "max: [{of: d.p, times: 0.5}, 2], unit: m, range: [0, 1], scale: 0.1}]}]\n",
          "point.g.x.derived: sum -> max\n"
          "point.g.x.derived.0: d.p * 1 + 0 -> d.p * 0.5 + 0\n"
          "point.g.x.range: - -> [0, 1]\n"
          "point.g.x.scaling: 1 0 1 -> 1 0 10\n"
          "point.g.x.unit: - -> m\n");
    check(HEAD PLANT GROUP "increase: {of: d.p}}]}]\n",
          HEAD PLANT GROUP "increase: {of: d.p, wrap: 100, most: 9}}]}]\n",
          "point.g.x.derived.most: - -> 9\npoint.g.x.derived.wrap: - -> 100\n");
}

static void conversions(void **state)
{
    (void)state;
    check(HEAD LINE "}]\n" UNIT ", convert: {table: [[0, 0], [1, 2]]}}]}]\n",
          HEAD LINE "}]\n" UNIT ", convert: {table: [[0, 0], [1, 3], [2, 9]]}}]}]\n",
          "point.d.p.convert.1: 1: 2 -> 1: 3\npoint.d.p.convert.2: - -> 2: 9\n");
    check(HEAD LINE "}]\n" UNIT ", convert: {thermistor: {a: 1, b: 2, c: 3}}}]}]\n",
          HEAD LINE "}]\n" UNIT
                    ", convert: {concentration: {to: ppm, molar_mass: 28.01, temperature: 20}}}]}]\n",
          "point.d.p.convert: thermistor -> concentration\n"
          "point.d.p.convert.a: 1 -> -\n"
          "point.d.p.convert.b: 2 -> -\n"
          "point.d.p.convert.c: 3 -> -\n"
          "point.d.p.convert.d: 0 -> -\n"
          "point.d.p.convert.molar_mass: - -> 28.01\n"
          "point.d.p.convert.temperature: - -> 20\n"
          "point.d.p.convert.to: - -> ppm\n");
    check(HEAD LINE "}]\n" UNIT ", convert: {pressure: {from: kPa, to: mH2O}}}]}]\n",
          HEAD LINE "}]\n" UNIT ", convert: {pressure: {from: hPa, to: mH2O}}}]}]\n",
          "point.d.p.convert.to: mH2O from kPa -> mH2O from hPa\n");
}

#define WIRE ", convert: {vibrating_wire: {input: hertz, "

static void a_vibrating_wire(void **state)
{
    (void)state;
    check(HEAD LINE "}]\n" UNIT WIRE "zero: 9000, factor: 0.1, sign: reading - zero}}}]}]\n",
          HEAD LINE "}]\n" UNIT WIRE
                    "zero: 9001, factor: 0.2, sign: zero - reading, barometer: {of: q, zero: 100},"
                    " temperature: {of: q, zero: 20, factor: 3}}}}, {name: q, coil: 0}]}]\n",
          "point.d.p.convert.barometer: - -> d.q * 1 + 0, zero 100\n"
          "point.d.p.convert.factor: 0.1 -> 0.2\n"
          "point.d.p.convert.sign: reading - zero -> zero - reading\n"
          "point.d.p.convert.temperature: - -> d.q * 1 + 0, zero 20, factor 3\n"
          "point.d.p.convert.zero: 9000 -> 9001\n"
          "point.d.q.bits: - -> -1 0\n"
          "point.d.q.doubt.after: - -> 15s\n"
          "point.d.q.read: - -> coil 0 bool\n"
          "point.d.q.scaling: - -> 1 0 1\n");
    check(HEAD LINE "}]\n" UNIT WIRE "zero: 9000, polynomial: {a: 1, b: 2}}}}]}]\n",
          HEAD LINE "}]\n" UNIT WIRE "polynomial: {a: 1, b: 3, c: 4}}}}]}]\n",
          "point.d.p.convert.b: 2 -> 3\npoint.d.p.convert.c: - -> 4\npoint.d.p.convert.zero: 9000 -> -\n");
}

static void things_that_come_and_go(void **state)
{
    struct config *a, *b;
    struct config_diff diff;
    size_t gone = 0;

    (void)state;
    a = load(HEAD PLANT RULE);
    b = load(HEAD);
    assert_int_equal(config_diff(a->site, b->site, &diff), RG_OK);
    for (size_t i = 0; i < diff.count; i++) {
        assert_non_null(diff.changes[i].before);
        assert_null(diff.changes[i].after);
        gone += strcmp(diff.changes[i].what, "rule.r.above.red") == 0 ||
                strcmp(diff.changes[i].what, "device.d.unit") == 0 ||
                strcmp(diff.changes[i].what, "bus.b.tcp") == 0 ||
                strcmp(diff.changes[i].what, "rule.r.points.d.p") == 0;
    }
    assert_int_equal(gone, 4);
    config_diff_free(&diff);
    config_free(a);
    config_free(b);
}

static void uplinks_areas_and_the_rest(void **state)
{
    (void)state;
    check(HEAD PLANT "uplinks: [{name: u, url: 'mqtt://127.0.0.1:1883'}]\nareas: [{name: a, responsible: "
                     "{unit: u, person: Li, phone: 1}, measure: stop}]\n"
                     "log: {level: info}\n",
          HEAD PLANT
          "uplinks: [{name: u, url: 'mqtt://127.0.0.1:1884', alarms: {from: orange}, telemetry: "
          "{send: false}, commands: [shelve, ack], receipts: true, insecure: true}]\n"
          "areas: [{name: a, responsible: {unit: u, person: Wang, phone: 1}, measure: stop, inherent: red}]\n"
          "log: {level: debug}\ncontrol: {socket: /tmp/x.sock}\n",
          "area.a.inherent: none -> red\n"
          "area.a.responsible.person: Li -> Wang\n"
          "control.socket.path: - -> /tmp/x.sock\n"
          "log.level.is: info -> debug\n"
          "uplink.u.alarms.from: blue -> orange\n"
          "uplink.u.commands: - -> ack, shelve\n"
          "uplink.u.insecure: - -> true\n"
          "uplink.u.receipts: - -> true\n"
          "uplink.u.telemetry.send: true -> false\n"
          "uplink.u.url: mqtt://127.0.0.1:1883 -> mqtt://127.0.0.1:1884\n");
}

/* A rule's name may look like the key of another's point. */
static void names_with_dots_that_read_alike(void **state)
{
    static const char text[] = HEAD
        "buses: [{name: b, tcp: '127.0.0.1:1502'}]\n"
        "devices: [{name: d, bus: b, unit: 1, poll: 1s, points: [{name: message, holding: 0, type: u16},\n"
        "                                                       {name: p, holding: 1, type: u16}]}]\n"
        "rules: [{name: r, points: [d.message], above: {red: 5}},\n"
        "        {name: r.points.d, points: d.p, above: {red: 5}, message: hot}]\n";

    (void)state;
    check(text, text, "");
}

static void from_nothing_everything_is_new(void **state)
{
    struct config *b = load(HEAD PLANT RULE);
    struct config_diff diff;

    (void)state;
    assert_int_equal(config_diff(NULL, b->site, &diff), RG_OK);
    assert_true(diff.count > 20);
    for (size_t i = 0; i < diff.count; i++) {
        assert_null(diff.changes[i].before);
        assert_non_null(diff.changes[i].after);
        assert_true(i == 0 || strcmp(diff.changes[i - 1].what, diff.changes[i].what) <= 0);
    }
    config_diff_free(&diff);
    config_diff_free(&diff);
    config_free(b);
}

/* Long texts are compared whole; what stands in the key is never cut so that two become one. */
static void longest_names(void **state)
{
    char id[65], before[4096], after[4096];

    (void)state;
    memset(id, 'n', 64);
    id[64] = '\0';
    for (int i = 0; i < 2; i++)
        (void)snprintf(
            i ? after : before, sizeof before,
            HEAD
            "buses: [{name: b, tcp: '127.0.0.1:1502'}]\n"
            "devices: [{name: %s, bus: b, unit: 1, poll: 1s, points: [{name: %s, holding: %d, type: u16}]}]\n"
            "rules: [{name: %s, points: '%s.%s', above: {red: 5}}]\n",
            id, id, i, id, id, id);
    (void)snprintf(after + strlen(after), sizeof after - strlen(after), "# the end\n");
    struct config *a = load(before), *b = load(after);
    struct config_diff diff;

    assert_int_equal(config_diff(a->site, b->site, &diff), RG_OK);
    assert_int_equal(diff.count, 1);
    assert_string_equal(diff.changes[0].before, "holding 0 u16");
    assert_string_equal(diff.changes[0].after, "holding 1 u16");
    config_diff_free(&diff);
    config_free(a);
    config_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_twice),
        cmocka_unit_test(the_text_of_a_run_before),
        cmocka_unit_test(how_it_is_written_is_no_change),
        cmocka_unit_test(every_changed_limit_with_old_and_new),
        cmocka_unit_test(limits_are_told_exactly),
        cmocka_unit_test(the_whole_of_a_rule),
        cmocka_unit_test(doubts_of_points),
        cmocka_unit_test(discrete_conditions),
        cmocka_unit_test(how_a_point_is_read),
        cmocka_unit_test(how_a_line_and_a_device_are_asked),
        cmocka_unit_test(what_decides_on_quality),
        cmocka_unit_test(what_a_value_means),
        cmocka_unit_test(a_derived_group),
        cmocka_unit_test(derived_points),
        cmocka_unit_test(conversions),
        cmocka_unit_test(a_vibrating_wire),
        cmocka_unit_test(things_that_come_and_go),
        cmocka_unit_test(uplinks_areas_and_the_rest),
        cmocka_unit_test(names_with_dots_that_read_alike),
        cmocka_unit_test(from_nothing_everything_is_new),
        cmocka_unit_test(longest_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
