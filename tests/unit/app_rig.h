/* The pipeline on the virtual loop with one device, a real store and one broker: for test_app_pipeline.c and test_app_reload.c. */
#ifndef RG_TESTS_APP_RIG_H
#define RG_TESTS_APP_RIG_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "app/pipeline.h"
#include "base/log.h"
#include "support_driver.h"
#include "support_site.h"
#include "support_tmp.h"
#include "support_transport.h"
#include "virtual_loop.h"

#define PORT 1883
#define PLANT                                                                                                \
    "area shop\n"                                                                                            \
    "bus b1 host=127.0.0.1 port=1502\n"                                                                      \
    "device d bus=b1 unit=1 poll=1s area=shop offline=10s:yellow label=Probe\n"                              \
    "point a holding=0 unit=%LEL\n"                                                                          \
    "point b holding=1\n"
#define RULE "rule r points=d.a above=yellow:20,red:50 message=high\n"

struct rig {
    char folder[SUPPORT_TMP_SIZE], path[SUPPORT_TMP_SIZE + 16];
    struct loop *loop;
    struct support_site site;
    struct site_uplink uplink;
    bool all_devices[4];
    struct fake *fake;
    struct support_broker *broker;
    struct pipeline pipeline;
    double a, b;      /* what the points say */
    int64_t takes_ms; /* so long the driver takes to decode a point */
};

static inline int64_t now_cb(void *arg)
{
    return loop_mono_ms(((struct rig *)arg)->loop);
}

static inline void spend_cb(void *arg, int64_t ms)
{
    virtual_loop_spend(((struct rig *)arg)->loop, ms);
}

static inline void read_cb(void *arg, int64_t now_ms, struct sample *sample)
{
    const struct rig *r = arg;

    (void)now_ms;
    sample->value = sample->point == 0 ? r->a : r->b;
    if (r->takes_ms > 0)
        virtual_loop_spend(r->loop, r->takes_ms);
}

static inline void rig_open(struct rig *r)
{
    const struct pipeline_env env = {fake_driver(), &support_transport, "test", 7};
    struct store_start start = {0};
    char why[512] = "";

    assert_int_equal(
        pipeline_open(&r->pipeline, r->loop, &env, &r->site.site, "0123", &start, why, sizeof why), RG_OK);
    store_start_free(&start);
    assert_int_equal(pipeline_uplinks_start(&r->pipeline), RG_OK);
}

/* raw: of the fake's hooks, or NULL. */
static inline void rig_begin_raw(struct rig *r, const char *text,
                                 void (*raw)(void *arg, uint32_t bus, const struct driver_raw *ask,
                                             struct driver_raw_answer *answer))
{
    const struct fake_hooks hooks = {
        .now_ms = now_cb, .spend = spend_cb, .read = read_cb, .raw = raw, .arg = r};

    *r = (struct rig){.a = 5, .b = 7.5};
    log_set_level(LOG_LEVEL_ERROR);
    assert_true(support_tmp_dir(r->folder));
    (void)snprintf(r->path, sizeof r->path, "%s/p.db", r->folder);
    assert_int_equal(loop_create(&r->loop), RG_OK);
    support_site_build(&r->site, text);
    r->site.site.store = (struct site_store){.path = r->path,
                                             .commit_ms = 500,
                                             .keep_telemetry_ms = 86400000,
                                             .keep_alarms_ms = 86400000,
                                             .keep_events_ms = 86400000,
                                             .max_size = 1 << 30};
    memset(r->all_devices, 1, sizeof r->all_devices);
    r->uplink = (struct site_uplink){.name = "county",
                                     .url = "mqtt://127.0.0.1:1883",
                                     .host = "127.0.0.1",
                                     .port = PORT,
                                     .client_id = "c",
                                     .topic_root = "root",
                                     .keepalive_ms = 30000,
                                     .telemetry_send = true,
                                     .telemetry_devices = r->all_devices,
                                     .alarms_from = LEVEL_BLUE,
                                     .backfill_rate = 1000};
    r->site.site.uplinks = &r->uplink;
    r->site.site.uplink_count = 1;
    r->fake = fake_create(&r->site.site, &hooks);
    assert_non_null(r->fake);
    r->broker = support_broker_create(r->loop, PORT);
    rig_open(r);
}

static inline void rig_begin(struct rig *r, const char *text)
{
    rig_begin_raw(r, text, NULL);
}

static inline void rig_end(struct rig *r)
{
    assert_int_equal(pipeline_close(&r->pipeline), RG_OK);
    assert_int_equal(fake_alive(r->fake), 0);
    support_broker_destroy(r->broker);
    fake_destroy(r->fake);
    support_site_free(&r->site);
    assert_int_equal(virtual_loop_alive(r->loop), 0);
    assert_int_equal(loop_destroy(r->loop), RG_OK);
    assert_true(support_tmp_remove(r->folder));
}

static inline void pass(struct rig *r, int64_t ms)
{
    assert_true(virtual_loop_run_for(r->loop, ms));
}

/* Messages on a topic that hold a text; the last one in *last (may be NULL). */
static inline size_t seen(const struct rig *r, const char *topic, const char *text,
                          const struct support_message **last)
{
    size_t count = 0;

    for (size_t i = 0; i < r->broker->count; i++) {
        const struct support_message *m = &r->broker->messages[i];

        if (strcmp(m->topic, topic) != 0 || !strstr(m->payload, text))
            continue;
        count++;
        if (last)
            *last = m;
    }
    return count;
}

static inline void disk_refuses(bool refuses)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = refuses ? 0 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#endif
