/* LINK rg_test_support rg_daemon rg_loop_virtual -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=strdup */
/* The way of a reading takes no memory: once its buffers have their size, frames are converted, judged, recorded, thinned, rolled up,
 * committed, read back and published without one allocation of ours. Counted are those of the daemon's own code; what SQLite does in
 * itself is bounded by its caches. */
#include "app_rig.h"

#include "uplink/transport.h"

static long allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t elements, size_t size)
{
    allocations++;
    return __real_calloc(elements, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    allocations++;
    return __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text)
{
    allocations++;
    return __real_strdup(text);
}

/* ---- a broker that takes everything, and no memory ---- */

#define IN_FLIGHT 64

struct transport {
    const struct transport_cbs *cbs;
    void *arg;
    struct loop *loop;
    struct loop_timer *timer;
    bool up;
    uint64_t tokens[IN_FLIGHT];
    size_t count;
};

static uint64_t published, documents, bytes;

static void answer_cb(void *arg)
{
    struct transport *t = arg;
    size_t answered = t->count;

    if (!t->up) {
        t->up = true;
        t->cbs->connected(t->arg, SIZE_MAX);
        return;
    }
    for (size_t i = 0; i < answered; i++)
        t->cbs->acked(t->arg, t->tokens[i]);
    memmove(t->tokens, t->tokens + answered, (t->count - answered) * sizeof t->tokens[0]);
    t->count -= answered;
    if (t->count > 0)
        loop_timer_at(t->timer, loop_mono_ms(t->loop) + 1);
}

static enum rg_err quiet_create(struct loop *loop, const struct site_uplink *conf,
                                const struct transport_cbs *cbs, void *arg, struct transport **out)
{
    struct transport *t = calloc(1, sizeof *t);

    (void)conf;
    assert_non_null(t);
    *t = (struct transport){.cbs = cbs, .arg = arg, .loop = loop};
    *out = t;
    return loop_timer_create(loop, answer_cb, t, &t->timer);
}

static enum rg_err quiet_connect(struct transport *t, const char *password, const char *will_topic,
                                 const char *will, size_t will_length)
{
    (void)password;
    (void)will_topic;
    (void)will;
    (void)will_length;
    t->up = false;
    t->count = 0;
    loop_timer_at(t->timer, loop_mono_ms(t->loop) + 1);
    return RG_OK;
}

static enum rg_err quiet_publish(struct transport *t, const struct transport_publish *publish)
{
    assert_true(t->up && t->count < IN_FLIGHT);
    published++;
    documents += publish->retained;
    bytes += publish->length;
    t->tokens[t->count++] = publish->token;
    loop_timer_at(t->timer, loop_mono_ms(t->loop) + 1);
    return RG_OK;
}

static enum rg_err quiet_subscribe(struct transport *t, const char *topic, enum transport_subscription id)
{
    (void)t;
    (void)topic;
    (void)id;
    return RG_ESTATE;
}

static void quiet_disconnect(struct transport *t)
{
    t->up = false;
    t->cbs->disconnected(t->arg);
}

static void quiet_destroy(struct transport *t)
{
    if (t)
        loop_timer_destroy(t->timer);
    free(t);
}

static const struct transport_ops quiet = {.name = "quiet",
                                           .create = quiet_create,
                                           .connect = quiet_connect,
                                           .publish = quiet_publish,
                                           .subscribe = quiet_subscribe,
                                           .disconnect = quiet_disconnect,
                                           .destroy = quiet_destroy};

/* ---- the plant: every value a new one, some at times no value ---- */

static const char plant[] =
    "area shop\n"
    "bus b1 host=127.0.0.1 port=1502\nbus b2 host=127.0.0.1 port=1503\nbus b3 host=127.0.0.1 port=1504\n"
    "device d bus=b1 unit=1 poll=200ms area=shop offline=10s:yellow\n"
    "point a\npoint b\npoint c type=f32\npoint e\npoint f\npoint g\npoint h\npoint i type=f32\n"
    "device e bus=b2 unit=1 poll=500ms area=shop record=20s:10s\n"
    "point a change=60000\npoint b change=60000\npoint c change=60000\n"
    "device f bus=b3 unit=1 poll=1s area=shop\n"
    "point a doubt=20s:blue flat=30s\npoint b\n"
    "rule r points=*.* above=yellow:60000,red:64000 deadband=100\nrule s points=*.* below=yellow:-60000\n"
    "rule t points=*.* above=blue:45000 on=4s\nrule m points=*.a mean=10s above=red:64000\n";

static void vary_cb(void *arg, int64_t now_ms, struct sample *sample)
{
    const double noise = (double)((uint64_t)now_ms * 2654435761U % 50000);

    (void)arg;
    sample->value = sample->point % 3 == 0 ? noise : sample->point % 3 == 1 ? noise / 10 : noise * 1.1e-3;
    if (now_ms % 17000 < 1000 && sample->point % 5 == 0)
        sample->quality = QUALITY_SENSOR;
}

static void look(const struct rig *r, struct store_stats *stats)
{
    store_stats(r->pipeline.store, stats);
    assert_int_equal(stats->failures, 0);
    assert_int_equal(stats->lost, 0);
}

static void frames_take_no_memory(void **state)
{
    struct rig r;
    const struct fake_hooks hooks = {.now_ms = now_cb, .spend = spend_cb, .read = vary_cb, .arg = &r};
    const struct pipeline_env env = {fake_driver(), &quiet, "test", 7};
    struct store_start start = {0};
    struct store_stats before, after;
    char why[512] = "";
    long warm;

    (void)state;
    rig_begin(&r, plant);
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    fake_destroy(r.fake);
    r.fake = fake_create(&r.site.site, &hooks);
    assert_non_null(r.fake);
    assert_int_equal(pipeline_open(&r.pipeline, r.loop, &env, &r.site.site, "0123", &start, why, sizeof why),
                     RG_OK);
    store_start_free(&start);
    assert_int_equal(pipeline_uplinks_start(&r.pipeline), RG_OK);

    pass(&r, 150000); /* two turns of the minute */
    look(&r, &before);
    published = documents = bytes = 0;
    warm = allocations;
    pass(&r, 600000);
    look(&r, &after);
    print_message("%lld records, %llu commits, %llu messages of %llu bytes\n",
                  (long long)(after.head[STREAM_TELEMETRY] - before.head[STREAM_TELEMETRY]),
                  (unsigned long long)(after.commits - before.commits), (unsigned long long)published,
                  (unsigned long long)bytes);
    assert_true(after.head[STREAM_TELEMETRY] - before.head[STREAM_TELEMETRY] > 3600);
    assert_true(published > 1000);
    assert_int_equal(after.head[STREAM_ALARM], 0);
    /* Once a minute the risk document is another one. */
    assert_in_range(documents, 1, 15);
    assert_in_range(allocations - warm, 0, documents);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(frames_take_no_memory)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
