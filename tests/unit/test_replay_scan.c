/* LINK rg_replay rg_record */
/* The text of a telemetry record back into its frame: what the writer wrote comes back bit for bit, and nothing else is taken. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "record/record.h"
#include "replay/scan.h"

#define DEVICES 3
#define POINTS 12 /* of each */

static struct site_device devices[DEVICES];
static struct site_point points[DEVICES * POINTS];
static char names[DEVICES * POINTS][16];
static struct site site = {
    .devices = devices, .device_count = DEVICES, .points = points, .point_count = DEVICES * POINTS};

static int make_site(void **state)
{
    static const char *const device_names[DEVICES] = {"gas-1", "gas-2", "a.b_c-9"};

    (void)state;
    for (uint32_t i = 0; i < DEVICES * POINTS; i++) {
        (void)snprintf(names[i], sizeof names[i], "p%u", (unsigned)(i % POINTS));
        points[i] = (struct site_point){.name = names[i],
                                        .device = i / POINTS,
                                        .type = i % 3 ? TYPE_F64 : TYPE_F32,
                                        .scaling = {1, 0, 1}};
    }
    for (uint32_t d = 0; d < DEVICES; d++)
        devices[d] =
            (struct site_device){.name = device_names[d], .first_point = d * POINTS, .point_count = POINTS};
    return 0;
}

static bool single(void *arg, const char *device, const char *point)
{
    (void)arg;
    for (uint32_t i = 0; i < site.point_count; i++) {
        if (strcmp(devices[points[i].device].name, device) == 0 && strcmp(points[i].name, point) == 0)
            return point_is_single(&points[i]);
    }
    return false;
}

/* ---- numbers ---- */

static void assert_number(const char *text)
{
    const char *end = text + strlen(text);
    double value;

    assert_ptr_equal(scan_number(text, end, false, &value), end);
    assert_true(value == strtod(text, NULL));
    assert_ptr_equal(scan_number(text, end, true, &value), end);
    assert_true(value == (double)strtof(text, NULL));
}

static void numbers_are_those_of_strtod(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "-1",
        "12.3",
        "0.1",
        "0.000001",
        "9007199254740992",
        "9007199254740993",
        "18446744073709551615",
        "184467440737095516150",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "4.35",
        "1.7976931348623157e308",
        "5e-324",
        "2.2250738585072011e-308",
        "1e-400",
        "123456789012345678901234567890",
        "0.3",
        "2.5e3",
        "2.5E+3",
        "16777217",
        "33554435",
        "1.00000017881393432617187499",
        "1.00000017881393432617187500",
        "1.00000017881393432617187501",
        "7.006492321624085e-46",
        "1.401298464324817e-45",
        "8.5899345920000001e9",
        "0.00000000000000000000000000000000000001",
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(texts); i++) {
        double value;

        if (isfinite(strtof(texts[i], NULL))) {
            assert_number(texts[i]);
        } else {
            assert_non_null(scan_number(texts[i], texts[i] + strlen(texts[i]), false, &value));
            assert_true(value == strtod(texts[i], NULL));
            assert_null(scan_number(texts[i], texts[i] + strlen(texts[i]), true, &value));
        }
    }
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const texts[] = {
        "",         "-",     "+1",
        ".5",       "1.",    "01",
        "-01",      "1e",    "1e+",
        "x",        "nul",   "NaN",
        "Infinity", "--1",   "1e999",
        "-1e999",   "\"1\"", "1.000000000000000000000000000000000000000000000000000000000000000000000001"};
    double value;

    (void)state;
    for (size_t i = 0; i < RG_COUNT(texts); i++) {
        const char *end = texts[i] + strlen(texts[i]);
        const char *at = scan_number(texts[i], end, false, &value);

        if (at == end)
            fail_msg("%s was taken", texts[i]);
    }
    assert_non_null(scan_number("null", &"null"[4], false, &value));
    assert_true(isnan(value));
}

/* ---- frames ---- */

static double any_value(struct rg_random *r, bool as_float)
{
    uint64_t bits = random_next(r);
    double value;
    float f;

    switch (random_below(r, 6)) {
    case 0: /* any bits */
        memcpy(&value, &bits, sizeof value);
        break;
    case 1:
        value = (double)(int64_t)random_below(r, 1 << 20) - (1 << 19);
        break;
    case 2:
        value = (double)random_below(r, 1 << 24) / 1000;
        break;
    case 3: /* any bits of a float */
        memcpy(&f, &bits, sizeof f);
        value = (double)f;
        break;
    case 4:
        value = ldexp(random_unit(r), (int)random_below(r, 120) - 60);
        break;
    default:
        value = (double)random_below(r, 65536) / 10;
    }
    if (as_float)
        value = (double)(float)value;
    return isfinite(value) ? value : 0;
}

static size_t make_frame(struct rg_random *r, struct frame *frame, struct sample *samples)
{
    size_t count = 0;
    bool blind = random_below(r, 10) == 0;

    frame->device = (uint32_t)random_below(r, DEVICES);
    frame->heard = random_below(r, 2) == 0;
    for (uint32_t i = 0; i < POINTS; i++) {
        uint32_t point = frame->device * POINTS + i;
        struct sample s = {.point = point, .quality = QUALITY_GOOD};

        if (random_below(r, 8) == 0)
            continue;
        if (blind)
            s.quality = random_below(r, 2) ? QUALITY_COMM : QUALITY_DEVICE;
        else if (random_below(r, 4) == 0)
            s.quality = (enum quality)random_below(r, QUALITY_COUNT);
        if (s.quality != QUALITY_COMM && s.quality != QUALITY_DEVICE)
            frame->heard = true;
        if (s.quality == QUALITY_GOOD)
            s.value = any_value(r, point_is_single(&points[point]));
        samples[count++] = s;
    }
    return count;
}

static void assert_same(const struct names *n, const struct frame *frame, const struct scanned *got,
                        const struct sample *samples)
{
    size_t at = 0;

    assert_int_equal(got->ts, frame->at.wall_ms);
    assert_string_equal(n->devices[got->device].name, devices[frame->device].name);
    assert_int_equal(got->heard, frame->heard);
    assert_int_equal(got->unsynced, frame->clock_unsynced);
    assert_int_equal(got->count, frame->count);
    for (int good = 1; good >= 0; good--) {
        for (size_t i = 0; i < frame->count; i++) {
            const struct sample *s = &frame->samples[i];

            if ((s->quality == QUALITY_GOOD) != (good == 1))
                continue;
            assert_string_equal(n->points[samples[at].point].name, points[s->point].name);
            assert_int_equal(n->points[samples[at].point].device, got->device);
            assert_int_equal(samples[at].quality, s->quality);
            if (memcmp(&samples[at].value, &s->value, sizeof s->value) != 0 &&
                !(s->value == 0 && samples[at].value == 0)) /* the writer's -0 is 0 */
                fail_msg("%.17g came back as %.17g", s->value, samples[at].value);
            at++;
        }
    }
    assert_int_equal(at, got->count);
}

static void what_was_recorded_comes_back(void **state)
{
    uint64_t seed = random_system_seed();
    struct rg_random r;
    struct sample samples[POINTS], back[POINTS];
    struct names n;
    struct jsonw w;
    uint32_t last = NAMES_NONE;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    random_seed(&r, seed);
    names_init(&n, single, NULL);
    jsonw_init(&w, 0);
    for (int i = 0; i < 20000; i++) {
        struct frame frame = {.samples = samples, .clock_unsynced = random_below(&r, 5) == 0};
        struct scanned got;
        const char *body;
        char stored[2048];
        size_t length;

        frame.at.wall_ms = (int64_t)random_below(&r, UINT64_C(1) << 45);
        frame.count = make_frame(&r, &frame, samples);
        if (frame.count == 0)
            continue; /* never told */
        assert_int_equal(record_frame(&w, &site, &frame, &body, &length), RG_OK);
        assert_int_equal(scan_frame(&n, last, body, length, back, POINTS, &got), RG_OK);
        assert_same(&n, &frame, &got, back);
        last = got.device;
        length = (size_t)snprintf(stored, sizeof stored, "{\"seq\":%d,%.*s}", i + 1, (int)length, body);
        assert_int_equal(scan_frame(&n, last, stored, length, back, POINTS, &got), RG_OK);
        assert_same(&n, &frame, &got, back);
        assert_int_equal(scan_frame(&n, last, body, length, back, got.count - 1, &got), RG_EFULL);
    }
    assert_int_equal(n.device_count, DEVICES);
    assert_int_equal(n.point_count, DEVICES * POINTS);
    jsonw_free(&w);
    names_destroy(&n);
}

#define WHOLE                                                                                                \
    "\"ts\":5,\"device\":\"d\",\"values\":{\"a\":1.5,\"b\":2},\"bad\":{\"c\":\"comm\"},\"clock\":"           \
    "\"unsynced\""

static enum rg_err scan_text(struct names *n, const char *text, size_t length, struct scanned *out)
{
    struct sample samples[3];
    char *exact = malloc(length ? length : 1); /* so that a byte too far is seen */
    enum rg_err err;

    assert_non_null(exact);
    memcpy(exact, text, length);
    err = scan_frame(n, NAMES_NONE, exact, length, samples, RG_COUNT(samples), out);
    free(exact);
    return err;
}

static void every_cut_is_refused(void **state)
{
    static const char stored[] = "{\"seq\":77," WHOLE "}";
    struct names n;
    struct scanned out;

    (void)state;
    names_init(&n, NULL, NULL);
    assert_int_equal(scan_text(&n, stored, sizeof stored - 1, &out), RG_OK);
    assert_true(out.heard && out.unsynced);
    assert_int_equal(out.count, 3);
    for (size_t length = 0; length < sizeof stored - 1; length++)
        assert_int_equal(scan_text(&n, stored, length, &out), RG_EINVAL);
    names_destroy(&n);
}

static void what_is_not_our_form_is_refused(void **state)
{
    static const char *const texts[] = {
        "{}",
        WHOLE " ",
        WHOLE "}",
        "{" WHOLE "}",
        "\"ts\":-5,\"device\":\"d\",\"values\":{}",
        "\"ts\":99999999999999999999,\"device\":\"d\",\"values\":{}",
        "\"ts\":5,\"device\":\"\",\"values\":{}",
        "\"ts\":5,\"device\":\"d\\u0041\",\"values\":{}",
        "\"ts\":5,\"device\":\"d\",\"values\":[]",
        "\"ts\":5,\"device\":\"d\",\"values\":{\"a\":1,\"a\":2}",
        "\"ts\":5,\"device\":\"d\",\"values\":{\"a\":1},\"bad\":{\"a\":\"comm\"}",
        "\"ts\":5,\"device\":\"d\",\"values\":{\"a\":\"1\"}",
        "\"ts\":5,\"device\":\"d\",\"values\":{\"a\":true}",
        "\"ts\":5,\"device\":\"d\",\"values\":{\"a\":1,}",
        "\"ts\":5,\"device\":\"d\",\"values\":{,\"a\":1}",
        "\"ts\":5,\"device\":\"d\",\"values\":{},\"bad\":{\"a\":\"good\"}",
        "\"ts\":5,\"device\":\"d\",\"values\":{},\"bad\":{\"a\":\"broken\"}",
        "\"ts\":5,\"device\":\"d\",\"values\":{},\"bad\":{\"a\":1}",
        "\"ts\":5,\"device\":\"d\",\"values\":{},\"heard\":false",
        "\"ts\":5,\"device\":\"d\",\"values\":{\"a\":1},\"clock\":\"synced\"",
        "\"device\":\"d\",\"ts\":5,\"values\":{}",
        ("\"ts\":5,\"device\":\"ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\","
         "\"values\":{}"),
    };
    struct names n;
    struct scanned out;

    (void)state;
    names_init(&n, NULL, NULL);
    for (size_t i = 0; i < RG_COUNT(texts); i++) {
        if (scan_text(&n, texts[i], strlen(texts[i]), &out) != RG_EINVAL)
            fail_msg("taken: %s", texts[i]);
    }
    assert_int_equal(
        scan_text(&n, "\"ts\":5,\"device\":\"d\",\"values\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1}", 60 - 7, &out),
        RG_EFULL);
    names_destroy(&n);
}

static void heard_is_what_the_readings_say(void **state)
{
    static const struct {
        const char *rest;
        bool heard;
    } rows[] = {
        {"\"values\":{\"a\":1}", true},
        {"\"values\":{},\"bad\":{\"a\":\"comm\"}", false},
        {"\"values\":{},\"bad\":{\"a\":\"device\"}", false},
        {"\"values\":{},\"bad\":{\"a\":\"device\",\"b\":\"inhibited\"}", true},
        {"\"values\":{},\"bad\":{\"a\":\"sensor\"}", true},
        {"\"values\":{},\"bad\":{\"a\":\"range\"}", true},
        {"\"values\":{},\"bad\":{\"a\":\"stale\"}", true},
        {"\"values\":{},\"bad\":{\"a\":\"comm\"},\"heard\":true", true},
    };
    struct names n;

    (void)state;
    names_init(&n, NULL, NULL);
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        char text[256];
        int length = snprintf(text, sizeof text, "\"ts\":5,\"device\":\"d\",%s", rows[i].rest);
        struct scanned out;

        assert_int_equal(scan_text(&n, text, (size_t)length, &out), RG_OK);
        assert_int_equal(out.heard, rows[i].heard);
    }
    names_destroy(&n);
}

/* Names that hash alike, many of them, and the same name on many devices. */
static void names_are_told_apart(void **state)
{
    struct names n;
    char name[16];
    uint32_t d, p, again;

    (void)state;
    names_init(&n, NULL, NULL);
    for (uint32_t i = 0; i < 3000; i++) {
        int length = snprintf(name, sizeof name, "n%u", (unsigned)i);

        assert_int_equal(names_device(&n, name, (size_t)length, &d), RG_OK);
        assert_int_equal(d, i);
        assert_int_equal(names_point(&n, d, "co", 2, &p), RG_OK);
        assert_int_equal(p, 2 * i);
        assert_int_equal(names_point(&n, d, "c", 1, &p), RG_OK);
        assert_int_equal(p, 2 * i + 1);
    }
    for (uint32_t i = 0; i < 3000; i++) {
        int length = snprintf(name, sizeof name, "n%u", (unsigned)i);

        assert_int_equal(names_device(&n, name, (size_t)length, &again), RG_OK);
        assert_int_equal(again, i);
        assert_int_equal(names_point(&n, i, "co", 2, &again), RG_OK);
        assert_int_equal(again, 2 * i);
    }
    names_destroy(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_strtod),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(what_was_recorded_comes_back),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(what_is_not_our_form_is_refused),
        cmocka_unit_test(heard_is_what_the_readings_say),
        cmocka_unit_test(names_are_told_apart),
    };

    return cmocka_run_group_tests(tests, make_site, NULL);
}
