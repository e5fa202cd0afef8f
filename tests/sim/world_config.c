/* The configuration of the simulated site, as the file that the app reads. */
#include <stdio.h>

#include "world.h"

static void write_head(const struct world *w, FILE *f)
{
    (void)fprintf(f,
                  "gateway:\n  id: " WORLD_GATEWAY "\n  enterprise: {code: " WORLD_ENTERPRISE
                  ", name: 示例}\n"
                  "store: {path: sim.db, commit: %lldms, retention: {telemetry: 90d}}\n"
                  "log: {level: error}\n"
                  "uplinks:\n"
                  "  - {name: county, url: 'mqtt://127.0.0.1:%d', backfill: {rate: %u/s}%s}\n",
                  (long long)w->plan.commit_ms, WORLD_PORT, w->plan.backfill_rate,
                  w->plan.commands ? ", commands: [ack, shelve, backfill, read]" : "");
    if (w->plan.uplinks > 1)
        (void)fprintf(f,
                      "  - {name: city, url: 'mqtt://127.0.0.1:%d', alarms: {from: orange},\n"
                      "     telemetry: {send: true, devices: [d0, d1]}, backfill: {rate: %u/s}%s}\n",
                      WORLD_PORT + 1, w->plan.backfill_rate,
                      w->plan.commands ? ", commands: [ack, read]" : "");
    (void)fprintf(f, "areas:\n  - {name: plant, label: 全厂}\n");
    for (int i = 0; i < 3; i++)
        (void)fprintf(f,
                      "  - {name: a%d, parent: plant, tier: workshop, inherent: orange, responsible: "
                      "{unit: 生产部, person: 张三, phone: 1}, measure: 停机}\n",
                      i);
}

static void write_devices(const struct world *w, FILE *f)
{
    char doubt[64];

    (void)snprintf(doubt, sizeof doubt, ", doubt: {level: yellow, after: %dms}", WORLD_DOUBT_ON_MS);
    (void)fprintf(f, "buses:\n");
    for (unsigned i = 0; i < w->plan.buses; i++)
        (void)fprintf(f, "  - {name: b%u, tcp: '127.0.0.1:%u', timeout: 500ms}\n", i, 1502 + i);
    (void)fprintf(f, "devices:\n");
    for (unsigned i = 0; i < w->plan.devices; i++) {
        (void)fprintf(f,
                      "  - name: d%u\n    bus: b%u\n    unit: %u\n    poll: %lldms\n    area: a%u\n"
                      "    offline: {after: %lldms, level: yellow}\n    doubt: {level: none}\n",
                      i, i % w->plan.buses, i + 1, (long long)w->plan.poll_ms, i % 3,
                      (long long)w->plan.offline_ms);
        if (w->plan.record)
            (void)fprintf(f, "    record: %s\n", w->plan.record);
        (void)fprintf(f, "    points:\n");
        for (unsigned p = 0; p < w->plan.points; p++)
            (void)fprintf(
                f, "      - {name: p%u, holding: %u, type: u16, scale: 0.1, unit: '%%LEL', change: 5%s}\n", p,
                p, p == 0 ? doubt : "");
    }
}

static void write_rules(const struct world *w, FILE *f)
{
    (void)fprintf(
        f,
        "rules:\n"
        "  - {name: high, points: '*.p0', above: {blue: 10, yellow: 20, orange: 30, red: %g}, deadband: 1,\n"
        "     on_delay: %dms, off_delay: %dms, message: 浓度过高}\n"
        "  - {name: now, points: '*.p1', above: {red: 50}}\n"
        "  - {name: low, points: '*.p2', below: {yellow: 5}, deadband: 0.5, off_delay: %dms}\n",
        w->plan.red, WORLD_HIGH_ON_MS, WORLD_HIGH_OFF_MS, WORLD_LOW_OFF_MS);
}

/* What sim_rules.c holds against the readings. */
static void write_features(FILE *f)
{
    (void)fprintf(f,
                  "  - {name: average, points: '*.p0', mean: 5m, above: {yellow: 15, red: 30}, deadband: 1}\n"
                  "  - {name: latched, points: '*.p1', above: {red: 50}, latch: true}\n"
                  "  - {name: guarded, points: '*.p2', below: {orange: 5}, when: {point: p3, above: 20}}\n"
                  "  - {name: voted, vote: {need: 2, points: [d0.p0, d1.p0, d2.p0], bad: counts}, above: "
                  "{orange: 20}}\n"
                  "  - {name: follows, points: d3.p0, above: {blue: {of: d2.p0, plus: 10}}}\n");
}

/* What sim_derived.c works out for itself. */
static void write_derived(const struct world *w, FILE *f)
{
    (void)fprintf(f, "derived:\n"
                     "  - name: calc\n    area: a0\n");
    if (w->plan.record)
        (void)fprintf(f, "    record: %s\n", w->plan.record);
    (void)fprintf(f, "    points:\n"
                     "      - {name: worst, max: [loss, {of: d2.p0, times: 0.5, plus: 1}], range: [0, 60]}\n"
                     "      - {name: loss, difference: [d0.p0, d1.p0]}\n"
                     "      - {name: mean, mean: [d0.p0, d1.p0, d2.p0]}\n"
                     "      - {name: rain, increase: {of: d3.p3, wrap: 53}, scale: 2}\n");
}

/* What depends on more than the reading in hand. */
static void write_memory(FILE *f)
{
    (void)fprintf(f,
                  "  - {name: mean, points: '*.p0', mean: 10m, above: {blue: 8, yellow: 14}, deadband: 1}\n"
                  "  - {name: top, points: '*.p1', max: 20m, above: {yellow: 50}}\n"
                  "  - {name: dose, points: ['d0.p0', 'd1.p0'], twa: 1h, above: {orange: 9}, off_delay: 5m}\n"
                  "  - {name: stuck, points: '*.p3', flat: 4m, is: {1: blue}}\n"
                  "  - {name: two, vote: {need: 2, points: ['d0.p0', 'd1.p0', 'd2.p0']}, above: {red: 20}, "
                  "on_delay: 1m}\n"
                  "  - {name: latched, points: '*.p2', below: {yellow: 5.2}, latch: true}\n"
                  "  - {name: beside, points: d1.p0, above: {yellow: {of: d0.p0, times: 1.5, plus: 3}}}\n"
                  "  - {name: armed, points: d2.p0, when: {point: d2.p1, below: 45}, above: {blue: 9}, "
                  "off_delay: 2m}\n");
}

void world_write_config(const struct world *w)
{
    FILE *f = fopen(w->config_file, "w");

    WORLD_CHECK(w, f, "cannot write %s", w->config_file);
    write_head(w, f);
    write_devices(w, f);
    if (w->plan.derived)
        write_derived(w, f);
    write_rules(w, f);
    if (w->plan.derived)
        (void)fprintf(f, "  - {name: loss, points: calc.loss, above: {yellow: 4}}\n");
    if (w->plan.memory)
        write_memory(f);
    if (w->plan.features)
        write_features(f);
    if (w->plan.more)
        (void)fprintf(f, "%s", w->plan.more);
    WORLD_CHECK(w, fclose(f) == 0, "cannot write %s", w->config_file);
}
