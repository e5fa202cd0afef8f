/* LINK rg_config rg_test_support */
/* A device with a profile: what it takes from it, what it overrides, and what is wrong with either. */
#include "config_rows.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/diff.h"
#include "config/profile.h"
#include "support_tmp.h"

static char folder[SUPPORT_TMP_SIZE];
static char path_of[SUPPORT_TMP_SIZE + 64];

static const char *path(const char *name)
{
    assert_true((size_t)snprintf(path_of, sizeof path_of, "%s/%s", folder, name) < sizeof path_of);
    return path_of;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(path(name), "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

/* Loads main.yaml with one device of these keys; its issues, the folder's name cut out, must be those wanted,
 * but for the hints about the whole file. */
static struct config *load(const char *device, const char *wanted)
{
    char text[4096];
    char found[8192] = "";
    size_t used = 0;
    struct config *config;

    (void)snprintf(text, sizeof text,
                   GATEWAY "buses: [{name: b, tcp: \"127.0.0.1:502\"}, "
                           "{name: r, rtu: /dev/x, baud: 9600}]\ndevices:\n  - {%s}\n",
                   device);
    put("main.yaml", text);
    assert_int_equal(config_load(path("main.yaml"), &config), RG_OK);
    for (size_t i = 0; i < config->issue_count; i++) {
        const struct config_issue *issue = &config->issues[i];
        char line[2048];
        char *cut;

        if (issue->line == 0 && issue->severity == CONFIG_WARNING)
            continue;
        (void)snprintf(line, sizeof line, "%s:%u:%u: %s: %s\n", issue->file, issue->line, issue->column,
                       issue->severity == CONFIG_ERROR ? "error" : "warning", issue->text);
        while ((cut = strstr(line, folder)) != NULL)
            memmove(cut, cut + strlen(folder) + 1, strlen(cut + strlen(folder) + 1) + 1);
        used += (size_t)snprintf(found + used, sizeof found - used, "%s", line);
        assert_true(used < sizeof found);
    }
    assert_string_equal(found, wanted);
    assert_int_equal(config->site == NULL, config->error_count > 0);
    return config;
}

static void expect(const char *device, const char *wanted)
{
    config_free(load(device, wanted));
}

#define D "name: d, bus: b, unit: 7, "
#define HEAD(name) "name: " name "\nmaker: m\ndevice: d\nreads: r\nsource: s\nnote: n\n"

static int set_up(void **state)
{
    (void)state;
    if (!support_tmp_dir(folder) || setenv("RISKGATE_PROFILES", path("installed"), 1) != 0)
        return -1;
    if (mkdir(path("profiles"), 0700) != 0 || mkdir(path("installed"), 0700) != 0)
        return -1;
    put("profiles/gas.yaml",
        HEAD("gas") "poll: 2s\nretries: 1\nmax_gap: 3\nline: {baud: 19200, parity: even}\norder: CDAB\n"
                    "status: {holding: 9, is: {1: good}, otherwise: inhibited}\n"
                    "heartbeat: {holding: 8, within: 20s}\n"
                    "trigger: {holding: 5, value: 1, wait: 500ms, broadcast: true}\n"
                    "points:\n"
                    "  - {name: gas, register: 40003, type: f32, unit: ppm, label: Gas}\n"
                    "  - {name: t, holding: 4, type: i16, scale: 0.1, unit: C, decimals_from: {holding: 6, "
                    "mask: 3}}\n");
    put("profiles/ask.yaml",
        HEAD("ask") "asks: {order: nobody knows, gas.unit: 'look at it'}\n"
                    "unit_codes: [{point: gas, holding: 4, mask: 0xff, codes: {1: ppm, 2: "
                    "ppb, 3: ppm}}]\n"
                    "points: [{name: gas, holding: 2, type: f32}]\n");
    put("installed/relay.yaml", HEAD("relay") "points: [{name: r1, coil: 0}]\n");
    put("installed/gas.yaml", HEAD("gas") "points: [{name: other, coil: 0}]\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return support_tmp_remove(folder) ? 0 : -1;
}

static void test_bare(void **state)
{
    struct config *config = load(D "profile: gas", "");
    const struct site_device *d = &config->site->devices[0];
    const struct site_point *p = config->site->points;

    (void)state;
    /* The folder beside the main file comes before the installed one. */
    assert_int_equal(d->point_count, 2);
    assert_string_equal(d->profile, "gas");
    assert_int_equal(d->unit, 7);
    assert_int_equal(d->poll_ms, 2000);
    assert_int_equal(d->retries, 1);
    assert_int_equal(d->max_gap, 3);
    assert_int_equal(d->max_registers, 125);
    assert_int_equal(d->gate_count, 2);
    assert_int_equal(d->gates[0].at.address, 9);
    assert_int_equal(d->gates[0].otherwise, QUALITY_INHIBITED);
    assert_int_equal(d->gates[1].kind, GATE_HEARTBEAT);
    assert_true(d->trigger.enabled);
    assert_int_equal(d->trigger.wait_ms, 500);
    /* On TCP there is nothing to broadcast on, and no line to contradict. */
    assert_false(d->trigger.broadcast);
    assert_string_equal(p[0].full_name, "d.gas");
    assert_int_equal(p[0].address, 2);
    assert_int_equal(p[0].order, ORDER_CDAB);
    assert_string_equal(p[0].unit, "ppm");
    assert_string_equal(p[0].label, "Gas");
    assert_non_null(strstr(p[0].file, "profiles/gas.yaml"));
    assert_int_equal(p[0].line, 16);
    assert_non_null(strstr(d->where, "main.yaml:4"));
    assert_true(p[1].has_decimals);
    config_free(config);
}

static void test_installed(void **state)
{
    struct config *config = load(D "profile: relay", "");

    (void)state;
    assert_string_equal(config->site->points[0].full_name, "d.r1");
    config_free(config);
}

static void test_override(void **state)
{
    struct config *config = load(
        "name: d, bus: r, unit: 7, profile: gas, poll: 5s, order: ABCD, line: {baud: 9600, parity: none}, "
        "trigger: {wait: 1s}, heartbeat: {within: 1m}, status: {discrete: 3, is: {1: sensor}}, "
        "points: [{name: extra, coil: 1}, {name: gas, holding: 20, range: [0, 10], label: Neu}, "
        "{name: t, decimals_from: {holding: 7}}]",
        "");
    const struct site_device *d = &config->site->devices[0];
    const struct site_point *p = config->site->points;

    (void)state;
    assert_int_equal(d->poll_ms, 5000);
    assert_int_equal(d->retries, 1);
    assert_int_equal(d->gate_count, 2);
    assert_int_equal(d->gates[0].at.space, SPACE_DISCRETE);
    assert_int_equal(d->gates[1].at.address, 8);
    assert_int_equal(d->gates[1].within_ms, 60000);
    assert_int_equal(d->trigger.address, 5);
    assert_int_equal(d->trigger.wait_ms, 1000);
    assert_true(d->trigger.broadcast);
    /* The profile's points in its order, then what is new. */
    assert_int_equal(d->point_count, 3);
    assert_string_equal(p[0].name, "gas");
    assert_int_equal(p[0].address, 20);
    assert_int_equal(p[0].type, TYPE_F32);
    assert_int_equal(p[0].order, ORDER_ABCD);
    assert_true(p[0].has_range);
    assert_string_equal(p[0].label, "Neu");
    assert_string_equal(p[0].unit, "ppm");
    assert_string_equal(p[1].name, "t");
    assert_int_equal(p[1].decimals.address, 7);
    assert_int_equal(p[1].decimals.mask, 3);
    assert_string_equal(p[2].name, "extra");
    config_free(config);
}

static void test_line(void **state)
{
    (void)state;
    expect(
        "name: d, bus: r, unit: 7, profile: gas",
        "main.yaml:4:41: error: mixed speeds on one line: this device is set to `19200` by its profile (if "
        "it is not, give `line` here), its bus `r` (main.yaml:2) to `9600`\n"
        "main.yaml:4:41: error: mixed parity on one line: this device is set to `even` by its profile (if "
        "it is not, give `line` here), its bus `r` (main.yaml:2) to `none`\n");
    /* What the device says itself is held against TCP as before. */
    expect(
        D "profile: gas, line: {baud: 9600}, trigger: {broadcast: true}",
        "main.yaml:4:52: error: `line` means nothing on `tcp`: it belongs to devices on `rtu` or "
        "`rtu_over_tcp`\n"
        "main.yaml:4:76: error: `broadcast` is possible on `rtu` and `rtu_over_tcp` only: on `tcp` there is "
        "no unit 0\n");
}

static void test_asks(void **state)
{
    struct config *config;

    (void)state;
    expect(
        D "profile: ask",
        "main.yaml:4:41: error: the profile `ask` leaves `order` to the site, give it here: nobody knows\n"
        "main.yaml:4:41: error: the profile `ask` leaves `gas.unit` to the site, give it here: look at it\n");
    /* A point that is nothing without the profile is no further error. */
    expect(
        D "profile: ask, points: [{name: gas, unit: ppm}]",
        "main.yaml:4:41: error: the profile `ask` leaves `order` to the site, give it here: nobody knows\n");
    config = load(D "profile: ask, order: BADC, points: [{name: gas, unit: ppm}]", "");
    assert_int_equal(config->site->points[0].order, ORDER_BADC);
    config_free(config);
}

static void test_unit_codes(void **state)
{
    struct config *config = load(D "profile: ask, order: BADC, points: [{name: gas, unit: ppm}], "
                                   "status: [{coil: 1, is: {1: sensor}}]",
                                 "");
    const struct site_device *d = &config->site->devices[0];

    (void)state;
    /* The device's own status first, then the gate of the unit: every code of it is good, others are not. */
    assert_int_equal(d->gate_count, 2);
    assert_int_equal(d->gates[1].at.address, 4);
    assert_int_equal(d->gates[1].at.mask, 0xff);
    assert_int_equal(d->gates[1].case_count, 2);
    assert_int_equal(d->gates[1].cases[0].value, 1);
    assert_int_equal(d->gates[1].cases[1].value, 3);
    assert_int_equal(d->gates[1].cases[1].quality, QUALITY_GOOD);
    assert_int_equal(d->gates[1].otherwise, QUALITY_SENSOR);
    config_free(config);
    config = load(D "profile: ask, order: BADC, points: [{name: gas, unit: ppb}]", "");
    assert_int_equal(config->site->devices[0].gate_count, 1);
    config_free(config);
    config = load(
        D "profile: ask, order: BADC, points: [{name: gas, unit: ppb}], status: {coil: 1, is: {1: sensor}}",
        "");
    assert_int_equal(config->site->devices[0].gate_count, 2);
    config_free(config);
    expect(D "profile: ask, order: BADC, points: [{name: gas, unit: \"%LEL\"}]",
           "main.yaml:4:86: error: `unit`: the device says in which unit it measures, and `%LEL` is none it "
           "knows: ppm, ppb, ppm\n");
}

static void test_unknown(void **state)
{
    (void)state;
    /* What refers to the points of such a device is no further error. */
    expect(D "profile: gass}\nrules:\n  - {name: x, points: d.gas, above: {red: 1}",
           "main.yaml:4:41: error: there is no profile `gass` in `profiles` or `installed`; did you mean "
           "`gas`?\n");
    expect(D "profile: relayy",
           "main.yaml:4:41: error: there is no profile `relayy` in `profiles` or `installed`; did you mean "
           "`relay`?\n");
    expect(D "profile: ../main", "main.yaml:4:41: error: `profile` must be 1 to 64 of A-Z a-z 0-9 . _ -, not "
                                 "`../main`\n");
    expect(D "profile: [gas]", "main.yaml:4:32: error: `profile` must be a name, not a list\n");
    expect("name: d, bus: b, unit: 7",
           "main.yaml:4:5: error: `points` is missing in a device, and no output is on it\n");
}

static void test_wrong_files(void **state)
{
    (void)state;
    put("profiles/bad.yaml", "name: good\nmaker: m\ndevices: d\nsource: s\npoints: []\n");
    expect(D "profile: bad",
           "profiles/bad.yaml:1:1: error: `device` is missing in a profile\n"
           "profiles/bad.yaml:1:1: error: `reads` is missing in a profile\n"
           "profiles/bad.yaml:1:1: error: `note` is missing in a profile\n"
           "profiles/bad.yaml:1:7: error: `name` must be that of the file, `bad`, not `good`\n"
           "profiles/bad.yaml:3:1: error: unknown key `devices` in a profile; did you mean `device`?\n");
    put("profiles/bad.yaml", "name: [bad\n");
    expect(D "profile: bad",
           "profiles/bad.yaml:1:11: error: not valid YAML: flow sequence without a closing bracket\n");
    put("profiles/bad.yaml", "");
    expect(D "profile: bad",
           "profiles/bad.yaml:0:0: error: a profile is a mapping of its keys, not nothing\n");
    assert_int_equal(mkdir(path("profiles/folder.yaml"), 0700), 0);
    {
        char wanted[SUPPORT_TMP_SIZE + 128];

        (void)snprintf(wanted, sizeof wanted,
                       "main.yaml:4:41: error: `profiles/folder.yaml` is not a regular file\n");
        expect(D "profile: folder", wanted);
    }
    /* Errors of its points have its places, once for all devices of it. */
    put("profiles/bad.yaml",
        HEAD("bad") "points:\n  - {name: a, holding: 1, typ: u16}\n  - {name: w, holding: "
                    "2, type: u32}\n");
    expect(
        D "profile: bad}\n  - {name: e, bus: b, unit: 8, profile: bad",
        "profiles/bad.yaml:8:5: error: `type` is missing in a point that is a register\n"
        "profiles/bad.yaml:8:27: error: unknown key `typ` in a point; did you mean `type`?\n"
        "profiles/bad.yaml:9:5: error: `order` is missing: the order of the bytes of a point of type u32 is "
        "never guessed\n");
    put("profiles/bad.yaml",
        HEAD("bad") "asks: {order: [x]}\nunit_codes: [{point: b, holding: 1, codes: {1: x}}, "
                    "1]\npoints: [{name: a, coil: 1}]\n");
    expect(D "profile: bad",
           "profiles/bad.yaml:7:8: error: `order` in `asks` must be a text, not a list\n"
           "profiles/bad.yaml:8:22: error: there is no point `b`\n"
           "profiles/bad.yaml:8:53: error: an entry of `unit_codes` must be a mapping, not a "
           "text\n");
}

#define GAUGE(of)                                                                                            \
    HEAD("gauge")                                                                                            \
    "points:\n  - {name: p, holding: 0, type: u16, convert: {vibrating_wire: {input: digits,\n"              \
    "     zero: 9000, factor: 1, sign: zero - reading, temperature: {of: " of ", zero: 20, factor: 2}}}}\n"  \
    "  - {name: t, holding: 1, type: i16, convert: {thermistor: {a: 1, b: 2, c: 3}}}\n"

/* A profile's conversions are those of each device that has it, and know no other. */
static void test_conversions(void **state)
{
    struct config *c;

    (void)state;
    put("profiles/gauge.yaml", GAUGE("t"));
    c = load(D "profile: gauge}\n  - {name: e, bus: b, unit: 8, profile: gauge", "");
    for (uint32_t i = 0; i < 4; i += 2) {
        assert_int_equal(c->site->points[i].convert->kind, CONVERT_VIBRATING_WIRE);
        assert_int_equal(c->site->points[i].convert->temperature.point, i + 1);
        assert_int_equal(c->site->points[i + 1].convert->kind, CONVERT_THERMISTOR);
    }
    config_free(c);
    /* The site's own file may: the gauge's zero is its own, too. */
    c = load(
        D
        "profile: gauge, points: [{name: p, convert: {vibrating_wire: {input: digits, zero: 8981, factor: 3,"
        " sign: zero - reading, temperature: {of: e.t, zero: 5, factor: 2}}}}]}\n"
        "  - {name: e, bus: b, unit: 8, profile: gauge",
        "");
    assert_true(c->site->points[0].convert->zero == 8981);
    assert_int_equal(c->site->points[0].convert->temperature.point, 3);
    config_free(c);
    put("profiles/gauge.yaml", GAUGE("e.t"));
    expect(D "profile: gauge}\n  - {name: e, bus: b, unit: 8, profile: gauge",
           "profiles/gauge.yaml:9:69: error: a profile knows the points of its own device only, which have "
           "no dot: "
           "`e.t`\n");
}

static void test_digest(void **state)
{
    struct config *before = load(D "profile: relay", "");
    struct config *after;
    struct config_diff diff;
    bool told = false;

    (void)state;
    put("installed/relay.yaml", HEAD("relay") "points: [{name: r1, coil: 0}]\n# the same, said again\n");
    after = load(D "profile: relay", "");
    assert_string_not_equal(before->sha256, after->sha256);
    config_free(after);
    /* Another profile is told, with its name. */
    after = load(D "profile: gas", "");
    assert_int_equal(config_diff(before->site, after->site, &diff), RG_OK);
    for (size_t i = 0; i < diff.count; i++)
        told = told ||
               (strstr(diff.changes[i].what, "profile") && strcmp(diff.changes[i].before, "relay") == 0 &&
                strcmp(diff.changes[i].after, "gas") == 0);
    assert_true(told);
    config_diff_free(&diff);
    config_free(before);
    config_free(after);
}

static void test_text(void **state)
{
    static const struct row rows[] = {
        {FRAME_DEVICE, "name: d, bus: b, unit: 1, profile: gas",
         "5:41: error: `profile` is not possible here\n"},
    };

    (void)state;
    check_rows(rows, RG_COUNT(rows));
}

/* What a profile says of itself, and the site that is made of it. */
static void test_describe(void **state)
{
    struct config *config;
    const struct profile *p;
    char *text = NULL;
    size_t size = 0;
    FILE *f;

    (void)state;
    put("profiles/v.yaml",
        HEAD("v") "line: {baud: 9600}\nasks: {order: why, a.unit: what, a.label: that}\n"
                  "points: [{name: a, holding: 1, type: f32}, {name: b, coil: 3}]\n"
                  "vectors:\n"
                  "  - {about: one, derived: true, give: {order: ABCD, a.unit: \"\\\"%\", a.label: x},\n"
                  "     holding: {0x0001: [0x4248, 0]}, coil: {3: 1}, expect: {a: 50, b: true}}\n"
                  "  - {about: two, give: {order: CDAB, a.unit: ppm, a.label: x}, register: {40002: 7, "
                  "00004: 0}, "
                  "expect: {a: sensor}}\n");
    assert_int_equal(config_load_profile(path("profiles/v.yaml"), &config), RG_OK);
    config_print(config, stderr);
    assert_int_equal(config->error_count + config->warning_count, 0);
    p = config->profile;
    assert_string_equal(p->name, "v");
    assert_string_equal(p->line, "{baud: 9600}");
    assert_int_equal(p->ask_count, 3);
    assert_string_equal(p->asks[1].key, "a.unit");
    assert_string_equal(p->asks[1].why, "what");
    assert_int_equal(p->vector_count, 2);
    assert_true(p->vectors[0].derived);
    assert_false(p->vectors[1].derived);
    assert_int_equal(p->vectors[0].answer_count, 3);
    assert_int_equal(p->vectors[0].answers[0].space, SPACE_COIL);
    assert_int_equal(p->vectors[0].answers[2].address, 2);
    assert_int_equal(p->vectors[1].answers[0].space, SPACE_COIL);
    assert_int_equal(p->vectors[1].answers[0].address, 3);
    assert_int_equal(p->vectors[1].answers[1].address, 1);
    assert_int_equal(p->vectors[1].expects[0].quality, QUALITY_SENSOR);
    assert_true(p->vectors[0].expects[1].value == 1);
    assert_string_equal(config->site->points[0].unit, "\"%");
    assert_int_equal(config->site->points[0].order, ORDER_ABCD);
    f = open_memstream(&text, &size);
    assert_non_null(f);
    profile_write_site(f, p, &p->vectors[1]);
    assert_int_equal(fclose(f), 0);
    assert_non_null(strstr(text, "profile: v, order: CDAB, points: [{name: a, unit: ppm, label: x}]}]\n"));
    free(text);
    config_free(config);
}

static void test_wrong_vectors(void **state)
{
    static const struct {
        const char *vectors, *wanted;
    } rows[] = {
        {"[1]", "7:11: an entry of `vectors` must be a mapping, not a text\n"},
        {"[{about: x}]", "7:11: `expect` is missing in a vector\n"},
        {"[{about: x, holding: {1: 65536}, expect: {}}]", "7:35: a holding holds 0 to 65535\n"},
        {"[{about: x, coil: {1: 2}, expect: {}}]", "7:32: a coil holds 0 to 1\n"},
        {"[{about: x, holding: {x: 1}, expect: {}}]", "7:32: `x` is no address\n"},
        {"[{about: x, register: {50001: 1}, expect: {}}]", "7:33: `50001` is no address\n"},
        {"[{about: x, holding: {65535: [1, 2]}, expect: {}}]", "7:43: the last address is 65535\n"},
        {"[{about: x, holding: {1: 1}, register: {40002: 1}, expect: {}}]",
         "7:11: holding 1 is given twice\n"},
        {"[{about: x, expect: {a: perhaps}}]", "7:34: `expect` must be a number, not `perhaps`\n"},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct config *config;
        char text[1024];
        char found[1024];
        size_t used = 0;

        (void)snprintf(text, sizeof text, HEAD("w") "vectors: %s\npoints: [{name: a, coil: 1}]\n",
                       rows[i].vectors);
        put("profiles/w.yaml", text);
        assert_int_equal(config_load_profile(path("profiles/w.yaml"), &config), RG_OK);
        for (size_t k = 0; k < config->issue_count; k++)
            used += (size_t)snprintf(found + used, sizeof found - used, "%u:%u: %s\n", config->issues[k].line,
                                     config->issues[k].column, config->issues[k].text);
        assert_string_equal(found, rows[i].wanted);
        assert_null(config->profile);
        assert_null(config->site);
        config_free(config);
    }
}

static void test_list(void **state)
{
    struct profile_list list;
    char found[SUPPORT_TMP_SIZE];

    (void)state;
    put("installed/no-profile.txt", "x");
    put("installed/.hidden.yaml", "x");
    profile_folder(found, sizeof found);
    assert_string_equal(found, path("installed"));
    assert_int_equal(profile_list(found, &list), RG_OK);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.names[0], "gas");
    assert_string_equal(list.names[1], "relay");
    profile_list_free(&list);
    assert_int_equal(profile_list(path("nowhere"), &list), RG_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bare),     cmocka_unit_test(test_installed),
                                       cmocka_unit_test(test_override), cmocka_unit_test(test_line),
                                       cmocka_unit_test(test_asks),     cmocka_unit_test(test_unit_codes),
                                       cmocka_unit_test(test_unknown),  cmocka_unit_test(test_wrong_files),
                                       cmocka_unit_test(test_digest),   cmocka_unit_test(test_text),
                                       cmocka_unit_test(test_describe), cmocka_unit_test(test_wrong_vectors),
                                       cmocka_unit_test(test_list),     cmocka_unit_test(test_conversions)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
