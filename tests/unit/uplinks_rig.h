/* The world of the simulations with two platforms, and what each of them got, for test_app_uplinks.c and test_app_uplinks_busy.c. */
#ifndef RG_TESTS_UPLINKS_RIG_H
#define RG_TESTS_UPLINKS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/app_impl.h"
#include "app/uplinks.h"
#include "base/log.h"
#include "world.h"

static const struct world_plan plan = {
    .devices = 6,
    .points = 4,
    .buses = 2,
    .uplinks = 2,
    .poll_ms = WORLD_SECOND,
    .commit_ms = 300, /* never in step with the polls: there are moments when nothing waits */
    .offline_ms = 10 * WORLD_SECOND,
    .backfill_rate = 5,
    .red = 40,
    .duration_ms = WORLD_HOUR,
};

/* What each platform got: the last document of each kind, and how many messages of each topic. */
static struct {
    char state[1024], about[65536];
    unsigned abouts, telemetry, refusals;
} got[2];
static unsigned refusals; /* that are expected */

static inline void look_cb(struct world_platform *p, const char *topic, const struct support_message *m)
{
    const size_t i = p == &p->world->platforms[0] ? 0 : 1;

    if (strcmp(topic, "state") == 0)
        (void)snprintf(got[i].state, sizeof got[i].state, "%s", m->payload);
    if (strcmp(topic, "about") == 0)
        (void)snprintf(got[i].about, sizeof got[i].about, "%s", m->payload);
    got[i].abouts += strcmp(topic, "about") == 0 ? 1 : 0;
    got[i].refusals += strstr(m->payload, "\"applied\":false") ? 1 : 0;
    got[i].telemetry += strcmp(topic, "telemetry") == 0 ? 1 : 0;
}

static inline int begin(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    world_create(w, 1, &plan);
    memset(got, 0, sizeof got);
    refusals = 0;
    w->platforms[0].look = w->platforms[1].look = look_cb;
    world_start(w);
    world_run_for(w, 2500);
    *state = w;
    return 0;
}

static inline int end(void **state)
{
    struct world *w = *state;

    w->plan.uplinks = plan.uplinks;
    if (w->app)
        assert_int_equal(app_destroy(w->app), RG_OK);
    world_destroy(w);
    free(w);
    assert_int_equal(got[0].refusals, refusals);
    return 0;
}

/* Replaces one text in the file. */
static inline void edit_file(const struct world *w, const char *old, const char *new)
{
    static char text[65536];
    FILE *f = fopen(w->config_file, "r");
    const char *at;

    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    assert_int_equal(fclose(f), 0);
    at = strstr(text, old);
    assert_non_null(at);
    f = fopen(w->config_file, "w");
    assert_non_null(f);
    assert_true(fprintf(f, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)) > 0);
    assert_int_equal(fclose(f), 0);
}

static inline void reload(struct world *w)
{
    app_reload(w->app, "a test");
    world_run_for(w, 10000);
    assert_int_equal(app_pipeline(w->app)->leaving_count, 0);
}

static inline const struct support_broker *broker(const struct world *w, unsigned platform)
{
    return w->platforms[platform].broker;
}

/* Telemetry and the like that came, and how much of it for the first time: equal when nothing was sent twice. */
static inline struct uplink_stats stats_of(const struct world *w, unsigned platform)
{
    const struct pipeline *p = app_pipeline(w->app);
    struct uplink_stats s;

    assert_non_null(p->uplinks[platform]);
    uplink_stats(p->uplinks[platform], &s);
    return s;
}

#endif
