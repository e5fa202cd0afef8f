/* LINK rg_config */
/* A right configuration: every field of the site, given and by default. */
#include "config_rows.h"

static const char whole[] =
    "gateway:\n"
    "  id: gw-01\n"
    "  enterprise:\n"
    "    code: 91350100M000100Y43\n"
    "    name: 示例金属制品有限公司\n"
    "    industry: 金属\n"
    "    region: 350100\n"
    "    grid: g-7\n"
    "    contact: {name: 李四, phone: 0591-1}\n"
    "    workers: 120\n"
    "store:\n"
    "  path: /var/lib/x.db\n"
    "  commit: 500ms\n"
    "  retention: {telemetry: 1d, alarms: 2y, events: 48h, max_size: 64MiB}\n"
    "uplinks:\n"
    "  - name: county\n"
    "    url: mqtts://[::1]\n"
    "    protocol: 3.1.1\n"
    "    client_id: me\n"
    "    username: 007\n"
    "    password_file: /pw\n"
    "    tls: {ca: /ca, cert: /cert, key: /key}\n"
    "    topic_root: a/b\n"
    "    keepalive: 10s\n"
    "    telemetry: {send: false, devices: [d2]}\n"
    "    alarms: {from: orange}\n"
    "    backfill: {rate: unlimited}\n"
    "    commands: [read, ack]\n"
    "    receipts: true\n"
    "buses:\n"
    "  - {name: line, rtu: /dev/ttyS1, baud: 19200, parity: even, stop_bits: 2, timeout: 250ms, gap: 5ms}\n"
    "  - {name: far, rtu_over_tcp: 'host:4001'}\n"
    "devices:\n"
    "  - name: d1\n"
    "    label: 探头\n"
    "    bus: line\n"
    "    unit: 247\n"
    "    poll: 2s\n"
    "    area: hall\n"
    "    timeout: 100ms\n"
    "    retries: 2\n"
    "    max_registers: 1\n"
    "    max_gap: 0\n"
    "    offline: {after: 9s, level: red}\n"
    "    points:\n"
    "      - {name: a, label: 浓度, holding: 7, type: i16, scale: 0.1, offset: -2.5, unit: '%LEL', range: "
    "[-1, 1e2],\n"
    "         invalid: [32768, -32767, 0x7fff]}\n"
    "      - {name: b, register: 30002, type: f64, order: DCBA}\n"
    "      - {name: c, input: 0x10, bit: 15}\n"
    "      - {name: e, holding: 1, type: u32, order: CDAB, mask: 0xff00}\n"
    "      - {name: f, coil: 65535}\n"
    "      - {name: g, register: 10004}\n"
    "      - {name: h, holding: 3, type: f32, order: ABCD, invalid: [-9999.9]}\n"
    "  - {name: d2, bus: far, unit: 1, points: [{name: a, holding: 0, type: u16, invalid: [-1]}]}\n"
    "areas:\n"
    "  - {name: hall, label: 车间, parent: plant, tier: workshop, inherent: red, measure: 撤离, grid: g,\n"
    "     responsible: {unit: u, person: p, phone: 13800000000}}\n"
    "  - {name: plant}\n"
    "rules:\n"
    "  - {name: r1, points: [d2.a, '*.a', d1.b], above: {yellow: 10, red: 20.5}, below: {blue: -1}, "
    "deadband: 0.5,\n"
    "     on_delay: 3s, off_delay: 1m, message: 高}\n"
    "  - {name: r2, points: d1.f, is: {true: red, 0: blue}}\n"
    "control: {socket: rg.sock}\n"
    "log: {level: debug}\n";

static void check_head(const struct site *site)
{
    const struct site_gateway *g = &site->gateway;

    assert_string_equal(g->id, "gw-01");
    assert_string_equal(g->ent_code, "91350100M000100Y43");
    assert_string_equal(g->ent_name, "示例金属制品有限公司");
    assert_string_equal(g->ent_industry, "金属");
    assert_string_equal(g->ent_region, "350100");
    assert_string_equal(g->ent_grid, "g-7");
    assert_string_equal(g->contact_name, "李四");
    assert_string_equal(g->contact_phone, "0591-1");
    assert_int_equal(g->workers, 120);
    assert_string_equal(site->store.path, "/var/lib/x.db");
    assert_int_equal(site->store.commit_ms, 500);
    assert_int_equal(site->store.keep_telemetry_ms, 86400000);
    assert_int_equal(site->store.keep_alarms_ms, 730 * INT64_C(86400000));
    assert_int_equal(site->store.keep_events_ms, 2 * 86400000);
    assert_int_equal(site->store.max_size, 64 << 20);
    assert_string_equal(site->control_socket, "rg.sock");
    assert_int_equal(site->log_level, LOG_LEVEL_DEBUG);
}

static void check_uplink(const struct site *site)
{
    const struct site_uplink *u = &site->uplinks[0];

    assert_int_equal(site->uplink_count, 1);
    assert_string_equal(u->name, "county");
    assert_string_equal(u->url, "mqtts://[::1]");
    assert_string_equal(u->host, "::1");
    assert_int_equal(u->port, 8883);
    assert_true(u->tls && u->v311 && !u->telemetry_send);
    assert_string_equal(u->client_id, "me");
    assert_string_equal(u->username, "007");
    assert_string_equal(u->password_file, "/pw");
    assert_string_equal(u->ca, "/ca");
    assert_string_equal(u->cert, "/cert");
    assert_string_equal(u->key, "/key");
    assert_string_equal(u->topic_root, "a/b");
    assert_int_equal(u->keepalive_ms, 10000);
    assert_false(u->telemetry_devices[0]);
    assert_true(u->telemetry_devices[1]);
    assert_int_equal(u->alarms_from, LEVEL_ORANGE);
    assert_true(u->backfill_rate == 0 && u->receipts);
    assert_int_equal(u->may, SITE_MAY_READ | SITE_MAY_ACK);
    assert_string_equal(u->where, "c.yaml:16");
}

static void check_buses(const struct site *site)
{
    const struct site_bus *line = &site->buses[0];
    const struct site_bus *far = &site->buses[1];

    assert_int_equal(site->bus_count, 2);
    assert_int_equal(line->kind, BUS_RTU);
    assert_string_equal(line->path, "/dev/ttyS1");
    assert_int_equal(line->baud, 19200);
    assert_int_equal(line->parity, PARITY_EVEN);
    assert_int_equal(line->stop_bits, 2);
    assert_int_equal(line->timeout_ms, 250);
    assert_int_equal(line->gap_ms, 5);
    assert_null(line->host);
    assert_int_equal(far->kind, BUS_RTU_OVER_TCP);
    assert_string_equal(far->host, "host");
    assert_int_equal(far->port, 4001);
    assert_int_equal(far->baud, 0);
    assert_int_equal(far->timeout_ms, 1000);
    assert_int_equal(far->gap_ms, 0);
    assert_null(far->path);
}

static void check_devices(const struct site *site)
{
    const struct site_device *d1 = &site->devices[0];
    const struct site_device *d2 = &site->devices[1];

    assert_int_equal(site->device_count, 2);
    assert_string_equal(d1->label, "探头");
    assert_int_equal(d1->bus, 0);
    assert_int_equal(d1->unit, 247);
    assert_int_equal(d1->poll_ms, 2000);
    assert_int_equal(d1->area, 0);
    assert_int_equal(d1->timeout_ms, 100);
    assert_int_equal(d1->retries, 2);
    assert_int_equal(d1->max_registers, 1);
    assert_int_equal(d1->max_gap, 0);
    assert_int_equal(d1->offline_after_ms, 9000);
    assert_int_equal(d1->offline_level, LEVEL_RED);
    assert_int_equal(d1->first_point, 0);
    assert_int_equal(d1->point_count, 7);
    assert_null(d2->label);
    assert_int_equal(d2->poll_ms, 1000);
    assert_int_equal(d2->area, SITE_NONE);
    assert_int_equal(d2->timeout_ms, 1000); /* the bus's */
    assert_int_equal(d2->retries, 0);
    assert_int_equal(d2->max_registers, 125);
    assert_int_equal(d2->max_gap, 8);
    assert_int_equal(d2->offline_after_ms, 10000);
    assert_int_equal(d2->offline_level, LEVEL_YELLOW);
    assert_int_equal(d2->first_point, 7);
    assert_int_equal(d2->point_count, 1);
}

static void check_points(const struct site *site)
{
    static const struct {
        const char *full_name;
        enum point_space space;
        uint16_t address;
        enum point_type type;
        enum word_order order;
        int bit;
        uint32_t mask;
    } wanted[] = {
        {"d1.a", SPACE_HOLDING, 7, TYPE_I16, ORDER_NONE, -1, 0},
        {"d1.b", SPACE_INPUT, 1, TYPE_F64, ORDER_DCBA, -1, 0},
        {"d1.c", SPACE_INPUT, 16, TYPE_U16, ORDER_NONE, 15, 0},
        {"d1.e", SPACE_HOLDING, 1, TYPE_U32, ORDER_CDAB, -1, 0xff00},
        {"d1.f", SPACE_COIL, 65535, TYPE_BOOL, ORDER_NONE, -1, 0},
        {"d1.g", SPACE_DISCRETE, 3, TYPE_BOOL, ORDER_NONE, -1, 0},
        {"d1.h", SPACE_HOLDING, 3, TYPE_F32, ORDER_ABCD, -1, 0},
        {"d2.a", SPACE_HOLDING, 0, TYPE_U16, ORDER_NONE, -1, 0},
    };
    const struct site_point *a = &site->points[0];

    assert_int_equal(site->point_count, RG_COUNT(wanted));
    for (size_t i = 0; i < RG_COUNT(wanted); i++) {
        const struct site_point *p = &site->points[i];

        assert_string_equal(p->full_name, wanted[i].full_name);
        assert_int_equal(p->device, i < 7 ? 0 : 1);
        assert_int_equal(p->space, wanted[i].space);
        assert_int_equal(p->address, wanted[i].address);
        assert_int_equal(p->type, wanted[i].type);
        assert_int_equal(p->order, wanted[i].order);
        assert_int_equal(p->bit, wanted[i].bit);
        assert_int_equal(p->mask, wanted[i].mask);
    }
    assert_string_equal(a->label, "浓度");
    assert_string_equal(a->unit, "%LEL");
    assert_true(a->scaling.num == 1 && a->scaling.add == -25 && a->scaling.den == 10);
    assert_true(a->has_range && a->range_min == -1 && a->range_max == 100);
    /* 32768 in an i16 is the pattern 0x8000. */
    assert_int_equal(a->invalid_count, 3);
    assert_true(a->invalid[0] == -32768 && a->invalid[1] == -32767 && a->invalid[2] == 32767);
    assert_true(site->points[6].invalid[0] == (double)-9999.9f);
    assert_true(site->points[7].invalid[0] == 65535);
    assert_true(site->points[1].scaling.num == 1 && site->points[1].scaling.den == 1 &&
                !site->points[1].has_range);
}

static void check_rules(const struct site *site)
{
    const struct site_area *hall = &site->areas[0];
    const struct site_rule *r1 = &site->rules[0];
    const struct site_rule *r2 = &site->rules[1];
    const uint32_t points[] = {0, 1, 7}; /* ascending, once each */

    assert_int_equal(site->area_count, 2);
    assert_string_equal(hall->label, "车间");
    assert_int_equal(hall->parent, 1);
    assert_int_equal(hall->tier, TIER_WORKSHOP);
    assert_int_equal(hall->inherent, LEVEL_RED);
    assert_string_equal(hall->resp_unit, "u");
    assert_string_equal(hall->resp_person, "p");
    assert_string_equal(hall->resp_phone, "13800000000");
    assert_string_equal(hall->measure, "撤离");
    assert_string_equal(hall->grid, "g");
    assert_string_equal(site->areas[1].label, "plant");
    assert_int_equal(site->areas[1].parent, SITE_NONE);
    assert_int_equal(site->areas[1].inherent, LEVEL_NONE);
    assert_int_equal(site->rule_count, 2);
    assert_int_equal(r1->point_count, RG_COUNT(points));
    assert_memory_equal(r1->points, points, sizeof points);
    assert_true(r1->has_above[LEVEL_YELLOW] && r1->has_above[LEVEL_RED] && r1->has_below[LEVEL_BLUE]);
    assert_false(r1->has_above[LEVEL_BLUE] || r1->has_above[LEVEL_ORANGE] || r1->has_below[LEVEL_RED] ||
                 r1->has_above[LEVEL_NONE]);
    assert_true(r1->above[LEVEL_YELLOW] == 10 && r1->above[LEVEL_RED] == 20.5 && r1->below[LEVEL_BLUE] == -1);
    assert_true(r1->deadband == 0.5);
    assert_int_equal(r1->on_delay_ms, 3000);
    assert_int_equal(r1->off_delay_ms, 60000);
    assert_string_equal(r1->message, "高");
    assert_int_equal(r2->is_count, 2);
    assert_true(r2->is[0].value == 1 && r2->is[0].level == LEVEL_RED && r2->is[1].value == 0 &&
                r2->is[1].level == LEVEL_BLUE);
    assert_true(r2->deadband == 0 && r2->on_delay_ms == 0 && r2->off_delay_ms == 0 && !r2->message);
}

static void test_whole(void **state)
{
    struct config *config = load_good(whole);

    (void)state;
    check_head(config->site);
    check_uplink(config->site);
    check_buses(config->site);
    check_devices(config->site);
    check_points(config->site);
    check_rules(config->site);
    config_free(config);
}

static void test_defaults(void **state)
{
    struct config *config = load_good(
        GATEWAY "uplinks: [{name: u, url: mqtt://localhost}]\nrules:\nstore:\n" BUS
                "devices: [{name: d, bus: b, unit: 255, poll: 5s, points: [{name: p, coil: 0}]}]\n");
    const struct site *site = config->site;

    (void)state;
    assert_int_equal(site->gateway.workers, -1);
    assert_null(site->gateway.ent_region);
    assert_string_equal(site->store.path, "riskgate.db");
    assert_int_equal(site->store.commit_ms, 1000);
    assert_int_equal(site->store.keep_telemetry_ms, 30 * INT64_C(86400000));
    assert_int_equal(site->store.keep_alarms_ms, 1095 * INT64_C(86400000));
    assert_int_equal(site->store.keep_events_ms, 1095 * INT64_C(86400000));
    assert_true(site->store.max_size == INT64_C(4) << 30);
    assert_null(site->control_socket);
    assert_int_equal(site->log_level, LOG_LEVEL_INFO);
    assert_int_equal(site->uplinks[0].port, 1883);
    assert_false(site->uplinks[0].tls || site->uplinks[0].v311);
    assert_string_equal(site->uplinks[0].client_id, "riskgate-gw-u");
    assert_string_equal(site->uplinks[0].topic_root, "riskgate/v1/91350100M000100Y43/gw");
    assert_int_equal(site->uplinks[0].keepalive_ms, 30000);
    assert_int_equal(site->uplinks[0].may, 0);
    assert_true(site->uplinks[0].telemetry_send && site->uplinks[0].telemetry_devices[0]);
    assert_int_equal(site->uplinks[0].alarms_from, LEVEL_BLUE);
    assert_true(site->uplinks[0].backfill_rate == 200 && !site->uplinks[0].receipts);
    assert_int_equal(site->devices[0].offline_after_ms, 15000); /* three polls */
    assert_int_equal(site->devices[0].unit, 255);
    config_free(config);
}

/* The last point of an address space, and the last device of a glob. */
static void test_edges(void **state)
{
    struct config *config = load_good(
        GATEWAY BUS
        "devices:\n"
        "  - {name: d-1, bus: b, unit: 1, points: [{name: p, holding: 65532, type: u64, order: ABCD}]}\n"
        "  - {name: d_2, bus: b, unit: 2, poll: 10ms, points: [{name: p, register: 465536, type: u16}]}\n"
        "uplinks: [{name: u, url: 'mqtt://h:1', telemetry: {devices: 'd?2'}}]\n"
        "rules: [{name: r, points: '*', below: {blue: 3, red: 1}}]\n");

    (void)state;
    assert_int_equal(config->site->points[1].address, 65535);
    assert_false(config->site->uplinks[0].telemetry_devices[0]);
    assert_true(config->site->uplinks[0].telemetry_devices[1]);
    assert_int_equal(config->site->rules[0].point_count, 2);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole), cmocka_unit_test(test_defaults),
                                       cmocka_unit_test(test_edges)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
