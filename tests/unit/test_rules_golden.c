/* LINK rg_rules rg_config rg_test_support */
/* The numbers of standards, from the configuration as people write it to the event: ladders of limits, exposure over a shift, the
 * aggregation of a tailings pond. Sources: GB/T 50493-2019 5.5.2, GBZ 2.1, GBZ/T 223-2009, AQ 4273-2016 5.1.4, GB 39496-2020
 * 5.5.4, GB 51108-2015 8.3. */
#include "rules_stage.h"

#include "config/config.h"

#define HEAD                                                                                                 \
    "gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: x}}\n"                                   \
    "buses: [{name: b, tcp: \"127.0.0.1:502\"}]\n"

/* The configuration, which must be right. */
static struct config *load(const char *text)
{
    struct config *config;

    assert_int_equal(config_load_text("golden.yaml", text, strlen(text), &config), RG_OK);
    for (size_t i = 0; i < config->issue_count; i++) {
        if (config->issues[i].severity == CONFIG_ERROR)
            fail_msg("%u:%u: %s", config->issues[i].line, config->issues[i].column, config->issues[i].text);
    }
    assert_non_null(config->site);
    return config;
}

static void feed(struct stage *st, int64_t at, uint32_t point, double value)
{
    struct sample sample = {.point = point, .value = value};
    struct frame frame = {.device = st->site->points[point].device,
                          .at = {at, at + WALL},
                          .heard = true,
                          .count = 1,
                          .samples = &sample};

    rules_frame(st->rules, &frame);
}

/* ---- ladders: readings one after another, and the level that each gives ---- */

struct ladder {
    const char *what, *type, *rule; /* of the point d.a; values: of the site */
    const char *values;
    struct {
        double value;
        enum level level;
    } steps[12]; /* up to one whose level is LEVEL_COUNT */
};

#define END                                                                                                  \
    {                                                                                                        \
        0, LEVEL_COUNT                                                                                       \
    }

static const struct ladder ladders[] = {
    {"combustible gas, %LEL: GB/T 50493-2019 5.5.2 has 25 and 50 at most",
     "u16",
     "above: {yellow: 25, orange: 50}",
     "",
     {{24.9, LEVEL_NONE},
      {25, LEVEL_YELLOW},
      {49.9, LEVEL_YELLOW},
      {50, LEVEL_ORANGE},
      {100, LEVEL_ORANGE},
      END}},
    {"oxygen, %VOL: GB/T 50493-2019 has 19.5 and 23.5",
     "u16",
     "above: {yellow: 23.5}, below: {yellow: 19.5, red: 18}",
     "",
     {{20.9, LEVEL_NONE},
      {23.4, LEVEL_NONE},
      {23.5, LEVEL_YELLOW},
      {20.9, LEVEL_NONE},
      {19.5, LEVEL_YELLOW},
      {18.1, LEVEL_YELLOW},
      {18, LEVEL_RED},
      END}},
    {"the same from a float",
     "f32",
     "above: {yellow: 23.5}, below: {yellow: 19.5}",
     "",
     {{(double)19.6f, LEVEL_NONE}, {(double)19.5f, LEVEL_YELLOW}, {(double)20.9f, LEVEL_NONE}, END}},
    {"H2S, mg/m3: a MAC of 10; half of it, it, twice it (GBZ/T 223-2009, GB/T 50493-2019)",
     "u16",
     "above: {blue: 5, yellow: 10, orange: 20}",
     "",
     {{4.9, LEVEL_NONE}, {5, LEVEL_BLUE}, {10, LEVEL_YELLOW}, {19.9, LEVEL_YELLOW}, {20, LEVEL_ORANGE}, END}},
    {"CO, mg/m3: PC-TWA 20, PC-STEL 30",
     "u16",
     "above: {blue: 20, yellow: 30, red: 200}",
     "",
     {{19.9, LEVEL_NONE}, {20, LEVEL_BLUE}, {29.9, LEVEL_BLUE}, {30, LEVEL_YELLOW}, {200, LEVEL_RED}, END}},
    {"temperature at a collector's inlet: AQ 4273-2016 5.1.4 has 70",
     "i16",
     "above: {blue: 50, yellow: 60, orange: 70}",
     "",
     {{69.9, LEVEL_YELLOW}, {70, LEVEL_ORANGE}, {-20, LEVEL_NONE}, END}},
    {"depth of the phreatic line: orange at 1.1 times the control depth (GB 51108-2015 8.3), smaller is "
     "worse",
     "u16",
     "below: {blue: {value: control-depth, times: 1.3}, yellow: {value: control-depth, times: 1.2}, "
     "orange: {value: control-depth, times: 1.1}, red: {value: control-depth}}",
     "values: {control-depth: 4.0}\n",
     {{5.21, LEVEL_NONE},
      {5.2, LEVEL_BLUE},
      {4.8, LEVEL_YELLOW},
      {4.41, LEVEL_YELLOW},
      {4.4, LEVEL_ORANGE},
      {4.01, LEVEL_ORANGE},
      {4.0, LEVEL_RED},
      {4.5, LEVEL_YELLOW},
      {6, LEVEL_NONE},
      END}},
    {"landslide displacement: orange at 80 % of red (GB 51108-2015 8.3)",
     "u16",
     "above: {orange: {value: design, times: 0.8}, red: {value: design}}",
     "values: {design: 50}\n",
     {{39.9, LEVEL_NONE},
      {40, LEVEL_ORANGE},
      {49.9, LEVEL_ORANGE},
      {50, LEVEL_RED},
      {39.9, LEVEL_NONE},
      END}},
};

static enum level level_of(const struct stage *st)
{
    return rules_level(st->rules);
}

static void climb(const struct ladder *l)
{
    char text[2048];
    struct stage st = {0};
    struct config *config;

    assert_true(text_format(
        text, sizeof text,
        HEAD "%sdevices:\n  - {name: d, bus: b, unit: 1, points: [{name: a, holding: 0, type: %s%s}]}\n"
             "rules:\n  - {name: r, points: d.a, %s}\n",
        l->values, l->type, strcmp(l->type, "f32") == 0 ? ", order: ABCD" : ", scale: 0.01", l->rule));
    config = load(text);
    stage_open(&st, config->site, NULL);
    for (size_t i = 0; l->steps[i].level != LEVEL_COUNT; i++) {
        feed(&st, 1000 * (int64_t)(i + 1), 0, l->steps[i].value);
        if (level_of(&st) != l->steps[i].level)
            fail_msg("%s: %g is %s, not %s\n%s", l->what, l->steps[i].value, level_name(level_of(&st)),
                     level_name(l->steps[i].level), st.events);
    }
    rules_destroy(st.rules);
    config_free(config);
}

static void ladders_of_standards(void **state)
{
    (void)state;
    for (size_t i = 0; i < RG_COUNT(ladders); i++)
        climb(&ladders[i]);
}

/* ---- short-term exposure: 15 minutes ---- */

#define MINUTE INT64_C(60000)
#define EXPOSURE                                                                                             \
    HEAD "devices:\n  - {name: d, bus: b, unit: 1, poll: 10s, points: [{name: a, holding: 0, type: u16}]}\n" \
         "rules:\n  - {name: r, points: d.a, %s: 15m, above: {blue: 20, yellow: 30}}\n"

struct dose {
    int minutes;
    double value;
};

/* What is breathed, a sample each 10 s up to and with the last instant; the events. */
static void expose(const char *signal, const struct dose *doses, size_t count, const char *events)
{
    struct stage st = {0};
    struct config *config;
    char text[1024];
    int64_t at = 0;

    assert_true(text_format(text, sizeof text, EXPOSURE, signal));
    config = load(text);
    stage_open(&st, config->site, NULL);
    for (size_t i = 0; i < count; i++) {
        for (int64_t end = at + doses[i].minutes * MINUTE; at < end; at += 10000)
            feed(&st, at, 0, doses[i].value);
    }
    feed(&st, at, 0, doses[count - 1].value);
    if (strcmp(st.events, events) != 0)
        fail_msg("%s: want %s\n  got  %s", signal, events, st.events);
    rules_destroy(st.rules);
    config_free(config);
}

static void exposure_of_fifteen_minutes(void **state)
{
    /* 5 min at 60 and 10 min at 15 mg/m3 are 30.0 over 15 min, and the limit is 30: >=, not >. */
    static const struct dose at_the_limit[] = {{5, 60}, {10, 15}};
    /* 3 min at 100, then nothing: 20.0 at the 15th minute. */
    static const struct dose burst[] = {{3, 100}, {12, 0}};

    (void)state;
    /* What was breathed already can only grow: the whole window need not be seen. A mean is known from 75 % of it on. */
    expose("twa", at_the_limit, RG_COUNT(at_the_limit),
           "300000 raise none>blue 20/20; 900000 escalate blue>yellow 30/30");
    expose("twa", burst, RG_COUNT(burst), "180000 raise none>blue 20/20");
    expose("mean", at_the_limit, RG_COUNT(at_the_limit), "680000 raise none>yellow 34.8529/30");
    expose("mean", burst, RG_COUNT(burst), "680000 raise none>blue 26.4706/20");
}

/* ---- many warnings of one kind: GB 39496-2020 5.5.4 ---- */

struct pond {
    const char *what;
    int counts
        [2][LEVEL_COUNT]; /* of points of the displacement and of the phreatic line: how many at each level */
    enum level level;     /* of the pond */
};

static const struct pond ponds[] = {
    {"nothing", {{0}}, LEVEL_NONE},
    {"3 blue are blue", {{0, 3, 0, 0, 0}}, LEVEL_BLUE},
    {"4 blue are yellow", {{0, 4, 0, 0, 0}}, LEVEL_YELLOW},
    {"2 yellow are yellow", {{0, 0, 2, 0, 0}}, LEVEL_YELLOW},
    {"3 yellow are orange", {{0, 0, 3, 0, 0}}, LEVEL_ORANGE},
    {"1 orange is orange", {{0, 0, 0, 1, 0}}, LEVEL_ORANGE},
    {"2 orange are red", {{0, 0, 0, 2, 0}}, LEVEL_RED},
    {"1 red is red", {{0, 0, 0, 0, 1}}, LEVEL_RED},
    {"3 yellow and 4 blue are 4 yellow: orange (our reading)", {{0, 4, 3, 0, 0}}, LEVEL_ORANGE},
    {"2 yellow and 4 blue are 3 yellow: orange (our reading)", {{0, 4, 2, 0, 0}}, LEVEL_ORANGE},
    {"kinds are apart: 2 and 2 blue", {{0, 2, 0, 0, 0}, {0, 2, 0, 0, 0}}, LEVEL_BLUE},
    {"kinds are apart: 2 and 1 yellow", {{0, 0, 2, 0, 0}, {0, 0, 1, 0, 0}}, LEVEL_YELLOW},
    {"items count like points: 2 orange items", {{0, 0, 0, 1, 0}, {0, 0, 0, 1, 0}}, LEVEL_RED},
};

static void the_pond(const struct pond *pond)
{
    static const double values[] = {0, 10, 20, 30, 40};
    char text[4096] = HEAD "areas:\n  - {name: dam, aggregate: gb39496}\ndevices:\n";
    struct stage st = {0};
    struct config *config;
    uint32_t point = 0;

    for (int kind = 0; kind < 2; kind++) {
        size_t length = strlen(text);

        (void)text_format(text + length, sizeof text - length,
                          "  - {name: k%d, bus: b, unit: %d, area: dam, points: [", kind, kind + 1);
        for (int i = 0; i < 8; i++) {
            length = strlen(text);
            (void)text_format(text + length, sizeof text - length, "%s{name: p%d, holding: %d, type: u16}",
                              i ? ", " : "", i, i);
        }
        length = strlen(text);
        (void)text_format(text + length, sizeof text - length, "]}\n");
    }
    (void)text_format(
        text + strlen(text), sizeof text - strlen(text),
        "rules:\n"
        "  - {name: displacement, points: \"k0.*\", above: {blue: 10, yellow: 20, orange: 30, red: 40}}\n"
        "  - {name: phreatic, points: \"k1.*\", above: {blue: 10, yellow: 20, orange: 30, red: 40}}\n");
    config = load(text);
    stage_open(&st, config->site, NULL);
    for (uint32_t kind = 0; kind < 2; kind++) {
        point = 8 * kind;
        for (int level = LEVEL_BLUE; level < LEVEL_COUNT; level++) {
            for (int i = 0; i < pond->counts[kind][level]; i++, point++)
                feed(&st, 1000 + point, point, values[level]);
        }
    }
    if (rules_area_level(st.rules, 0, NULL) != pond->level)
        fail_msg("%s: the pond is %s, not %s", pond->what, level_name(rules_area_level(st.rules, 0, NULL)),
                 level_name(pond->level));
    for (uint32_t i = 0; i < 16; i++)
        feed(&st, 10000, i, 0);
    assert_int_equal(rules_area_level(st.rules, 0, NULL), LEVEL_NONE);
    rules_destroy(st.rules);
    config_free(config);
}

static void aggregation_of_a_pond(void **state)
{
    (void)state;
    for (size_t i = 0; i < RG_COUNT(ponds); i++)
        the_pond(&ponds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ladders_of_standards),
        cmocka_unit_test(exposure_of_fifteen_minutes),
        cmocka_unit_test(aggregation_of_a_pond),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
