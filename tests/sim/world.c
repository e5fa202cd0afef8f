#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "config/config.h"
#include "platform/raw.h"

#define STOP_MS 30000 /* longer than a stop may take */
#define SCAN_RECORDS 256
#define SCAN_BYTES (256u << 10)

/* ---- chance and failure ---- */

void world_fail(const struct world *w, const char *format, ...)
{
    int64_t ms = world_now(w) - VIRTUAL_MONO_MS;
    va_list args;

    (void)fflush(stdout);
    (void)fprintf(stderr, "seed %llu, %lld d %02d:%02d:%02d.%03d: ", (unsigned long long)w->seed,
                  (long long)(ms / WORLD_DAY), (int)(ms / WORLD_HOUR % 24), (int)(ms / WORLD_MINUTE % 60),
                  (int)(ms / WORLD_SECOND % 60), (int)(ms % 1000));
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    exit(1);
}

int64_t world_between(struct world *w, int64_t low, int64_t high)
{
    return low + (int64_t)random_below(&w->random, (uint64_t)(high - low + 1));
}

void world_window_add(struct world *w, struct world_windows *list, struct world_window window)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 32;
        list->windows = realloc(list->windows, list->capacity * sizeof *list->windows);
        WORLD_CHECK(w, list->windows, "out of memory");
    }
    WORLD_CHECK(w, list->count == 0 || list->windows[list->count - 1].to_ms <= window.from_ms,
                "windows out of order");
    list->windows[list->count++] = window;
}

/* ---- life ---- */

int64_t world_now(const struct world *w)
{
    return loop_mono_ms(w->loop);
}

int world_main(int argc, char **argv, void (*run)(uint64_t seed))
{
    static const char *const usual[] = {"1", "2", "3"};
    int count = argc > 1 ? argc - 1 : (int)RG_COUNT(usual);

    for (int i = 0; i < count; i++) {
        uint64_t seed = strtoull(argc > 1 ? argv[i + 1] : usual[i], NULL, 10);

        (void)printf("seed %llu\n", (unsigned long long)seed);
        (void)fflush(stdout);
        run(seed);
    }
    return 0;
}

void world_create(struct world *w, uint64_t seed, const struct world_plan *plan)
{
    *w = (struct world){.seed = seed, .plan = *plan, .takes_ms = 10};
    random_seed(&w->random, seed);
    /* Durability is not what is tried here: where there is memory to be had as a folder, an fsync costs nothing. */
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0);
    if (loop_create(&w->loop) != RG_OK || !support_tmp_dir(w->folder))
        abort();
    (void)snprintf(w->config_file, sizeof w->config_file, "%s/sim.yaml", w->folder);
    (void)snprintf(w->store_file, sizeof w->store_file, "%s/sim.db", w->folder);
    for (unsigned i = 0; i < plan->devices; i++) {
        struct world_device *d = &w->devices[i];

        d->poll_capacity = (size_t)(plan->duration_ms / plan->poll_ms) * 2 + 4096;
        d->polls = calloc(d->poll_capacity, sizeof *d->polls);
        WORLD_CHECK(w, d->polls, "out of memory");
    }
    for (unsigned i = 0; i < plan->uplinks; i++)
        world_platform_create(w, &w->platforms[i], (uint16_t)(WORLD_PORT + i));
    world_plant_begin(w);
    world_write_config(w);
}

void world_destroy(struct world *w)
{
    for (unsigned i = 0; i < w->plan.uplinks; i++)
        world_platform_destroy(&w->platforms[i]);
    for (unsigned i = 0; i < WORLD_DEVICES; i++) {
        free(w->devices[i].polls);
        free(w->devices[i].faults.windows);
        for (unsigned p = 0; p < WORLD_RULED; p++)
            free(w->devices[i].excursions[p].windows);
    }
    for (unsigned i = 0; i < WORLD_BUSES; i++)
        free(w->bus_faults[i].windows);
    WORLD_CHECK(w, virtual_loop_alive(w->loop) == 0, "%zu handles of the loop are left",
                virtual_loop_alive(w->loop));
    WORLD_CHECK(w, support_tmp_remove(w->folder), "%s could not be removed", w->folder);
    if (loop_destroy(w->loop) != RG_OK)
        abort();
}

void world_start(struct world *w)
{
    const struct pipeline_env env = {
        .driver = &world_driver,
        .transport = &support_transport,
        .version = "sim",
        .seed = w->seed + w->runs,
    };
    struct config *config = NULL;

    w->lives++;
    WORLD_CHECK(w, config_load(w->config_file, &config) == RG_OK, "out of memory");
    if (!config->site)
        config_print(config, stderr);
    WORLD_CHECK(w, config->site, "the configuration has errors");
    WORLD_CHECK(w, app_create(w->loop, &env, config, &w->app) == RG_OK, "the app does not start");
}

static void stopped_cb(void *arg)
{
    struct world *w = arg;

    w->stopped = true;
}

void world_stop(struct world *w)
{
    int64_t until = world_now(w) + STOP_MS;

    w->stopped = false;
    app_stop(w->app, "the simulation", stopped_cb, w);
    while (!w->stopped && virtual_loop_next_ms(w->loop) <= until)
        (void)virtual_loop_step(w->loop);
    WORLD_CHECK(w, w->stopped, "the app did not stop within %d s", STOP_MS / 1000);
    WORLD_CHECK(w, app_destroy(w->app) == RG_OK, "the last records could not be committed");
    w->app = NULL;
}

static void copy_file(const struct world *w, const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    static char block[1 << 16];
    size_t n;

    WORLD_CHECK(w, in && out, "cannot copy %s", from);
    while ((n = fread(block, 1, sizeof block, in)) > 0)
        WORLD_CHECK(w, fwrite(block, 1, n, out) == n, "cannot copy %s", from);
    (void)fclose(in);
    WORLD_CHECK(w, fclose(out) == 0, "cannot copy %s", from);
}

void world_crash(struct world *w)
{
    static const char *const kept[] = {"", "-wal", ".marks"};
    char file[SUPPORT_TMP_SIZE + 48], saved[SUPPORT_TMP_SIZE + 64];

    for (size_t i = 0; i < RG_COUNT(kept); i++) {
        (void)snprintf(file, sizeof file, "%s%s", w->store_file, kept[i]);
        (void)snprintf(saved, sizeof saved, "%s.saved", file);
        copy_file(w, file, saved);
    }
    (void)app_destroy(w->app); /* what it still writes is taken back below */
    w->app = NULL;
    (void)snprintf(file, sizeof file, "%s-shm", w->store_file);
    (void)unlink(file); /* usually gone with the last connection */
    for (size_t i = 0; i < RG_COUNT(kept); i++) {
        (void)snprintf(file, sizeof file, "%s%s", w->store_file, kept[i]);
        (void)snprintf(saved, sizeof saved, "%s.saved", file);
        WORLD_CHECK(w, rename(saved, file) == 0, "cannot put %s back", file);
    }
}

void world_reload(struct world *w)
{
    world_write_config(w);
    app_reload(w->app, "the simulation");
}

void world_run_for(struct world *w, int64_t ms)
{
    WORLD_CHECK(w, virtual_loop_run_for(w->loop, ms), "somebody stopped the loop");
}

/* ---- judgement ---- */

void world_check_memory(const struct world *w, int64_t before, int64_t growth)
{
    int64_t now = world_memory(w);

    WORLD_CHECK(w, now <= before + growth, "memory in use grew from %lld to %lld KiB",
                (long long)before >> 10, (long long)now >> 10);
    WORLD_CHECK(w, world_page_cache() <= WORLD_PAGE_CACHE_MAX, "SQLite uses %lld KiB",
                (long long)world_page_cache() >> 10);
}

static bool nothing_waits(const struct world *w)
{
    const struct pipeline *p = app_pipeline(w->app);
    struct store_stats store;

    store_stats(p->store, &store);
    if (!p->uplinks || p->uplink_count < w->plan.uplinks || p->risk_changed || store.waiting_bytes > 0)
        return false;
    for (unsigned i = 0; i < w->plan.uplinks; i++) {
        struct uplink_stats s;

        if (!p->uplinks[i])
            return false;
        uplink_stats(p->uplinks[i], &s);
        if (!s.connected || s.in_flight > 0)
            return false;
        for (int k = 0; k < STREAM_COUNT; k++) {
            if (s.pending[k] > 0)
                return false;
        }
    }
    return true;
}

void world_settle(struct world *w, int64_t most_ms)
{
    int64_t until = world_now(w) + most_ms;

    while (!nothing_waits(w)) {
        WORLD_CHECK(w, world_now(w) < until, "something still waits after %lld s",
                    (long long)(most_ms / 1000));
        world_run_for(w, 10);
    }
}

struct scan {
    struct world *w;
    enum stream stream;
    int64_t head, next;
    uint64_t meant; /* for the second platform */
};

static bool holds(const struct raw_record *r, const char *text)
{
    return memmem(r->text, r->length, text, strlen(text)) != NULL;
}

/* What world_config.c says of the second uplink. */
static bool meant_for_city(enum stream stream, const struct raw_record *r)
{
    if (stream == STREAM_ALARM)
        return holds(r, "\"level\":\"orange\"") || holds(r, "\"level\":\"red\"") ||
               holds(r, "\"was\":\"orange\"") || holds(r, "\"was\":\"red\"") || holds(r, "\"test\":true");
    if (stream == STREAM_TELEMETRY)
        return holds(r, "\"device\":\"d0\"") || holds(r, "\"device\":\"d1\"");
    return true;
}

static void scan_record(struct scan *s, const struct raw_record *r)
{
    const struct world_text *county;
    long long seq = 0;

    WORLD_CHECK(s->w, sscanf(r->text, "{\"seq\":%lld", &seq) == 1 && seq == s->next,
                "the store has %s %lld after %lld", stream_name(s->stream), seq, (long long)s->next - 1);
    s->next = seq + 1;
    county = world_platform_text(&s->w->platforms[0], (enum stream_kind)s->stream, seq);
    WORLD_CHECK(s->w, county && county->length == r->length && memcmp(county->text, r->text, r->length) == 0,
                "%s %lld is not at the platform as it is in the store", stream_name(s->stream), seq);
    if (s->w->plan.uplinks > 1) {
        bool there = world_platform_text(&s->w->platforms[1], (enum stream_kind)s->stream, seq) != NULL;

        WORLD_CHECK(s->w, there == meant_for_city(s->stream, r), "%s %lld is %s at the second platform",
                    stream_name(s->stream), seq, there ? "wrongly" : "not");
    }
}

static void scan_chunk_cb(void *arg, const struct chunk *chunk)
{
    static struct raw_record records[SCAN_RECORDS];
    struct scan *s = arg;
    char *text = NULL;
    int length, count;

    WORLD_CHECK(s->w, chunk->error == RG_OK && chunk->count > 0, "the store cannot be read");
    length = asprintf(&text, "{\"records\":[%.*s]}", (int)chunk->length, chunk->bodies);
    WORLD_CHECK(s->w, length > 0, "out of memory");
    count = raw_records(text, (size_t)length, records, SCAN_RECORDS);
    WORLD_CHECK(s->w, count == (int)chunk->count && count <= SCAN_RECORDS, "%d records", count);
    for (int i = 0; i < count; i++)
        scan_record(s, &records[i]);
    free(text);
}

static void scan_stream(struct world *w, enum stream stream)
{
    struct pipeline *p = app_pipeline(w->app);
    struct scan s = {.w = w, .stream = stream, .next = 1};
    struct store_stats stats;
    const struct ledger *county = &w->platforms[0].gateway->ledgers[stream];

    store_stats(p->store, &stats);
    s.head = stats.head[stream];
    WORLD_CHECK(w, county->top == s.head && ledger_holes(county) == 0,
                "%s: the platform has up to %lld, %llu missing; the store %lld", stream_name(stream),
                (long long)county->top, (unsigned long long)ledger_holes(county), (long long)s.head);
    while (s.next <= s.head) {
        int64_t before = s.next;

        WORLD_CHECK(w,
                    store_fetch(p->store, stream, s.next, s.head, SCAN_RECORDS, SCAN_BYTES, NULL,
                                scan_chunk_cb, &s) == RG_OK,
                    "the store cannot be asked");
        while (s.next == before)
            world_run_for(w, 1);
    }
}

void world_check_platforms(struct world *w)
{
    for (unsigned i = 0; i < w->plan.uplinks; i++) {
        struct world_platform *p = &w->platforms[i];

        gateway_finish(p->gateway, true, p->violations);
        WORLD_CHECK(w, p->violations->count == 0, "platform %u, the contract: %s", i, p->violations->text[0]);
    }
    for (int i = 0; i < STREAM_COUNT; i++)
        scan_stream(w, (enum stream)i);
}

struct active {
    struct world *w;
    unsigned count;
};

static void active_cb(void *arg, const struct alarm *alarm)
{
    struct active *a = arg;
    const struct gateway *g = a->w->platforms[0].gateway;
    const struct alarm_view *v;

    a->count++;
    v = alarm_find(&g->alarms, alarm->id);
    if (!v)
        world_fail(a->w, "alarm %s is not at the platform", alarm->id);
    WORLD_CHECK(a->w,
                v->active && (int)v->level == (int)alarm->level && v->acked == alarm->acked &&
                    strcmp(v->rule, alarm->rule) == 0 && strcmp(v->point, alarm->point) == 0,
                "alarm %s is %s in the rules and %s at the platform", alarm->id, level_name(alarm->level),
                platform_level_name(v->level));
}

void world_check_active(struct world *w)
{
    const struct pipeline *p = app_pipeline(w->app);
    const struct gateway *g = w->platforms[0].gateway;
    struct active a = {.w = w};

    rules_each(p->rules, active_cb, &a);
    WORLD_CHECK(w, g->alarms.active == a.count, "%u alarms are active, %zu at the platform", a.count,
                g->alarms.active);
    WORLD_CHECK(w, (int)g->level == (int)rules_level(p->rules), "the risk document says %s",
                platform_level_name(g->level));
    for (uint32_t i = 0; i < p->site->area_count; i++) {
        size_t alarms = 0;
        enum level level = rules_area_level(p->rules, i, &alarms);

        for (int k = 0; k < g->area_count; k++) {
            if (strcmp(g->areas[k].name, p->site->areas[i].name) != 0)
                continue;
            WORLD_CHECK(w, (int)g->areas[k].level == (int)level && (size_t)g->areas[k].alarms == alarms,
                        "the risk document says %s with %d alarms of area %s",
                        platform_level_name(g->areas[k].level), g->areas[k].alarms, g->areas[k].name);
        }
    }
}
