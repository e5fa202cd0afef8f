/* LINK rg_sim rg_daemon rg_loop_virtual */
/* A reload for which there is not memory enough, wherever that shows: what was in force goes on, whole. The allocator of the C library is
 * taken over for this; under a sanitizer, which has one of its own, there is nothing to see here. */
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

#if defined(__has_feature) /* clang; gcc has macros of its own */
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif
#define OURS (!SANITIZED)

static long allowed = -1; /* allocations until one fails; negative: none does */
static bool failed;

#if OURS
static bool refuses(void)
{
    if (allowed < 0 || allowed-- > 0)
        return false;
    allowed = -1;
    failed = true;
    return true;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
    return refuses() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return refuses() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return refuses() ? NULL : __libc_realloc(memory, size);
}
#endif

static const struct world_plan plan = {
    .devices = 5,
    .points = 4,
    .buses = 2,
    .uplinks = 2,
    .poll_ms = WORLD_SECOND,
    .commit_ms = 300,
    .offline_ms = 10 * WORLD_SECOND,
    .backfill_rate = 200,
    .red = 40,
    .features = true,
    .duration_ms = WORLD_HOUR,
};

static struct config *load(struct world *w, unsigned devices, const char *window)
{
    struct config *config = NULL;

    w->plan.devices = devices;
    w->plan.more = window;
    world_write_config(w);
    assert_int_equal(config_load(w->config_file, &config), RG_OK);
    assert_non_null(config->site);
    return config;
}

/* Takes a site with so many allocations before one is refused. */
static enum rg_err take(struct pipeline *p, const struct config *next, long most)
{
    static const uint32_t kin[] = {0, 1}; /* both go on */
    struct uplinks_plan *plan_made = NULL;
    struct prime *prime = NULL;
    enum rg_err err;

    failed = false;
    allowed = most;
    err = uplinks_prepare(p, next->site, next->sha256, kin, 0, &plan_made);
    if (err == RG_OK)
        err = prime_create(p, next->site, &prime);
    if (err == RG_OK && prime) {
        most = allowed; /* the worker's are SQLite's */
        allowed = -1;
        prime_run(prime);
        allowed = most;
    }
    if (err == RG_OK)
        err = pipeline_take_primed(p, next->site, next->sha256, NULL, prime);
    allowed = -1; /* the broker that is played does not do without */
    if (err == RG_OK)
        uplinks_switch(p, plan_made);
    else
        uplinks_plan_free(plan_made);
    prime_destroy(prime);
    if (err == RG_OK)
        assert_int_equal(uplinks_begin(p), RG_OK);
    return err;
}

/* Everything that a reload does on the loop, with one allocation after the other refused. */
static void each_allocation_refused(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct config *configs[2];
    struct pipeline *p;
    long count = 0, refused = 0;
    size_t in_force = 0;

    (void)state;
    assert_non_null(w);
    world_create(w, 1, &plan);
    world_start(w);
    world_run_for(w, 3500);
    p = app_pipeline(w->app);
    configs[0] = load(w, 5, "  - {name: extra, points: d0.p1, max: 9m, above: {red: 90}}\n");
    configs[1] = load(w, 4, "  - {name: extra, points: d0.p1, max: 7m, above: {red: 90}}\n");
    for (failed = OURS; failed; count += 1 + count / 100) {
        const struct site *site = p->site;
        const struct rules *rules = p->rules;
        const struct poll *poll = p->poll;

        if (take(p, configs[1 - in_force], count) == RG_OK) { /* what failed could be done without */
            in_force = 1 - in_force;
            world_run_for(w, 500);
            continue;
        }
        refused++;
        assert_true(failed);
        assert_ptr_equal(p->site, site);
        assert_ptr_equal(p->rules, rules);
        assert_ptr_equal(p->poll, poll);
        if (count % 50 == 0)
            world_run_for(w, 1000);
    }
    print_message("of %ld allocations one refused each time, which stopped %ld reloads\n", count, refused);
    assert_true(!OURS || refused > 50);
    for (unsigned k = 0; k < 2; k++) {
        assert_int_equal(w->platforms[k].broker->connections, 1);
        assert_int_equal(w->platforms[k].broker->disconnects, 0);
    }
    assert_int_equal(app_destroy(w->app), RG_OK);
    w->app = NULL;
    config_free(configs[0]);
    config_free(configs[1]);
    world_destroy(w);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
