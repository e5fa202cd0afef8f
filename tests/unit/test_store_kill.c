/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE PkgConfig::CRYPTO */
/* A process killed at random moments while it appends: what it reported as committed is there, without holes, and
 * the chain holds. */
#include "test_store_chain.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"

#define KILLS 20

struct told {
    int64_t head[STREAM_COUNT];
};

struct child {
    struct rig rig;
    int pipe;
};

static void tell(void *arg, const int64_t head[STREAM_COUNT], const bool changed[STREAM_COUNT])
{
    struct child *c = arg;
    struct told told;
    (void)changed;
    memcpy(told.head, head, sizeof(told.head));
    /* Less than PIPE_BUF: whole or not at all. */
    if (write(c->pipe, &told, sizeof(told)) != sizeof(told))
        _exit(3);
}

/* Appends until it is killed. Exits with a status of its own when something is wrong. */
static void run_child(const char *path, int pipe, uint64_t seed)
{
    static struct child c;
    struct rg_random random;
    random_seed(&random, seed);
    c.pipe = pipe;
    c.rig.conf = (struct site_store){.path = path,
                                     .commit_ms = 20,
                                     .keep_telemetry_ms = 400, /* the retention is at work as well */
                                     .keep_alarms_ms = 1000 * RIG_DAY,
                                     .keep_events_ms = 1000 * RIG_DAY,
                                     .max_size = 64 << 20};
    struct store_cbs cbs = {.committed = tell};
    if (loop_create(&c.rig.loop) != RG_OK)
        _exit(4);
    if (store_open(c.rig.loop, &c.rig.conf, &cbs, &c, &c.rig.store, &c.rig.start, c.rig.why,
                   sizeof(c.rig.why)) != RG_OK)
        _exit(5);
    uint64_t next = c.rig.start.next_alarm;
    for (;;) {
        uint64_t what = random_below(&random, 20);
        enum rg_err err = RG_OK;
        if (what == 0)
            err = rig_alarm_record(&c.rig, (unsigned)next++, "raise", LEVEL_RED, LEVEL_NONE);
        else if (what == 1)
            err = rig_event(&c.rig, "device");
        else
            err = rig_telemetry(&c.rig, (uint32_t)what, loop_wall_ms(c.rig.loop), "\"values\":{\"lel\":1}");
        if (err != RG_OK)
            _exit(6);
        (void)virtual_loop_run_for(c.rig.loop, (int64_t)random_below(&random, 5));
    }
}

static void kill_one(struct rig *r, struct rg_random *random, struct told *last)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    uint64_t seed = random_next(random);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(ends[0]);
        run_child(r->path, ends[1], seed);
    }
    (void)close(ends[1]);

    /* After a random number of reports and a random while: in the middle of whatever it does then. */
    uint64_t reports = 1 + random_below(random, 40);
    struct told told;
    for (uint64_t i = 0; i < reports && read(ends[0], &told, sizeof(told)) == sizeof(told); i++)
        *last = told;
    (void)usleep((useconds_t)random_below(random, 3000));
    assert_int_equal(kill(pid, SIGKILL), 0);
    while (read(ends[0], &told, sizeof(told)) == sizeof(told))
        *last = told;
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)close(ends[0]);
    if (!WIFSIGNALED(status))
        fail_msg("the child ended by itself with %d", WEXITSTATUS(status));
}

static void check(struct rig *r, const struct told *last, uint64_t *next_alarm)
{
    rig_open(r);
    assert_false(r->start.clean);
    for (int s = 0; s < STREAM_COUNT; s++)
        assert_true(r->start.head[s] >= last->head[s]);
    /* Numbers of occurrences are never used twice, committed or not. */
    assert_true(r->start.next_alarm > *next_alarm);
    *next_alarm = r->start.next_alarm;
    check_chain(r, "alarm", r->start.head[STREAM_ALARM]);
    check_chain(r, "event", r->start.head[STREAM_EVENT]);
    assert_int_equal(rig_number(r, "SELECT count(DISTINCT body ->> '$.alarm') FROM alarm"),
                     r->start.head[STREAM_ALARM]);
    assert_int_equal(r->start.alarm_count, r->start.head[STREAM_ALARM]);
    /* The oldest go by age; the rest is whole, up to the head. */
    char expected[64];
    (void)snprintf(expected, sizeof(expected), "%" PRId64 "|1", r->start.head[STREAM_TELEMETRY]);
    assert_string_equal(rig_query(r, "SELECT max(max(seq), (SELECT seq FROM stream WHERE id = 1)),"
                                     " count(*) = coalesce(max(seq) - min(seq) + 1, 0) FROM telemetry"),
                        expected);
    assert_string_equal(rig_query(r, "PRAGMA integrity_check"), "ok");
    /* Closed as after another kill: without a word. */
    store_start_free(&r->start);
    assert_int_equal(store_close(r->store), RG_OK);
    r->store = NULL;
    sqlite3 *db = rig_sql(r);
    assert_int_equal(sqlite3_exec(db, "UPDATE run SET clean = 0", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_kills(void **state)
{
    (void)state;
    uint64_t seed = random_system_seed();
    print_message("seed %" PRIu64 "\n", seed);
    struct rg_random random;
    random_seed(&random, seed);
    struct rig r;
    rig_init(&r);
    struct told last = {{0}};
    uint64_t next_alarm = 0;
    for (int i = 0; i < KILLS; i++) {
        kill_one(&r, &random, &last);
        check(&r, &last, &next_alarm);
    }
    assert_true(last.head[STREAM_TELEMETRY] > KILLS);
    assert_true(last.head[STREAM_ALARM] > 0);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kills)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
