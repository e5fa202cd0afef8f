/* LINK rg_base Threads::Threads; LABEL tsan */
/* The log through its own thread: who logs never waits for who takes it; all lines come, in their order and with what they are about;
 * what finds no room is counted, and told where it is missing. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log_queue.h"

#define THREADS 4
#define LINES 500                          /* of each */
#define MANY (LOG_QUEUE_BYTES / 100 + 100) /* lines of over 100 bytes: there is no room for all of them */
#define PATIENCE_MS 20000

/* The journal, that is: who takes the lines. Behind a gate. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool closed, inside; /* the gate; somebody stands before it */
    pthread_t taker;     /* who was there last */
    long next[THREADS];  /* of each thread: the number that comes next */
    long count, missing, gaps;
} journal = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void keep(const char *text)
{
    long number, missing;
    unsigned thread;

    if (sscanf(text, "thread %u line %ld", &thread, &number) == 2) {
        assert_true(thread < THREADS);
        assert_int_equal(number, journal.next[thread]);
        journal.next[thread]++;
    } else if (sscanf(text, "%ld lines of the log are missing here", &missing) == 1) {
        journal.missing += missing;
        journal.gaps++;
    }
    journal.count++;
}

static bool journal_cb(int priority, const struct log_about *about, const char *text)
{
    (void)about;
    (void)pthread_mutex_lock(&journal.mutex);
    journal.inside = true;
    journal.taker = pthread_self();
    (void)pthread_cond_broadcast(&journal.changed);
    while (journal.closed)
        (void)pthread_cond_wait(&journal.changed, &journal.mutex);
    journal.inside = false;
    keep(text);
    assert_true(priority == 6 || journal.gaps > 0);
    (void)pthread_cond_broadcast(&journal.changed);
    (void)pthread_mutex_unlock(&journal.mutex);
    return true;
}

static void journal_close(bool closed)
{
    (void)pthread_mutex_lock(&journal.mutex);
    journal.closed = closed;
    (void)pthread_cond_broadcast(&journal.changed);
    (void)pthread_mutex_unlock(&journal.mutex);
}

/* Until the thread stands before the closed gate. */
static void await_inside(void)
{
    (void)pthread_mutex_lock(&journal.mutex);
    while (!journal.inside)
        (void)pthread_cond_wait(&journal.changed, &journal.mutex);
    (void)pthread_mutex_unlock(&journal.mutex);
}

static void write_numbered(unsigned thread, long from, long to)
{
    for (long i = from; i < to; i++)
        log_info("thread %u line %ld %0100d", thread, i, 0);
}

/* The journal takes no more: the thread stands before the gate with thread 0's first line. */
static void stand_still(void)
{
    journal_close(true);
    write_numbered(0, 0, 1);
    await_inside();
}

/* All is taken, however long it takes. */
static void stop_wholly(void)
{
    assert_true(log_queue_stop(PATIENCE_MS));
}

static void await_gaps(long gaps)
{
    (void)pthread_mutex_lock(&journal.mutex);
    while (journal.gaps < gaps)
        (void)pthread_cond_wait(&journal.changed, &journal.mutex);
    (void)pthread_mutex_unlock(&journal.mutex);
}

/* Whether the last line of thread 0's before `next` was taken by who logged it; *taken: whether it was at all. */
static bool taken_by_caller(long next, bool *taken)
{
    bool own;

    (void)pthread_mutex_lock(&journal.mutex);
    *taken = journal.next[0] == next;
    own = *taken && pthread_equal(journal.taker, pthread_self());
    (void)pthread_mutex_unlock(&journal.mutex);
    return own;
}

/* Until the queue's thread has ended: what is logged then is written by who logs it. The number of the line that comes next. */
static long await_ended(long next)
{
    const int64_t end_ms = clock_mono_ms() + PATIENCE_MS;
    bool ended = false, taken = true;

    while (!ended) {
        if (taken) {
            write_numbered(0, next, next + 1);
            next++;
        }
        ended = taken_by_caller(next, &taken);
        assert_true(clock_mono_ms() < end_ms);
        (void)sched_yield();
    }
    return next;
}

/* Standard error counts as the journal's: the sink is asked. */
static void name_standard_error(void)
{
    char value[64];
    struct stat st;

    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    (void)snprintf(value, sizeof value, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", value, 1), 0);
}

static int begin(void **state)
{
    (void)state;
    memset(journal.next, 0, sizeof journal.next);
    journal.count = journal.missing = journal.gaps = 0;
    journal.inside = false;
    name_standard_error();
    log_set_level(LOG_LEVEL_INFO);
    log_set_sink(journal_cb);
    return log_start() == RG_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    log_set_sink(NULL);
    return unsetenv("JOURNAL_STREAM");
}

static void *write_lines(void *arg)
{
    const unsigned *thread = arg;

    write_numbered(*thread, 0, LINES);
    return NULL;
}

static void all_come_in_their_order(void **state)
{
    unsigned numbers[THREADS];
    pthread_t threads[THREADS];

    (void)state;
    assert_int_equal(log_start(), RG_ESTATE);
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    stop_wholly();
    assert_int_equal(log_lost(), 0);
    assert_int_equal(journal.count, THREADS * LINES);
}

static bool fields_cb(int priority, const struct log_about *about, const char *text)
{
    (void)priority;
    assert_string_equal(text, "可燃? of all");
    assert_string_equal(about->bus, "b");
    assert_string_equal(about->device, "gas-1");
    assert_string_equal(about->point, "gas-1.lel");
    assert_null(about->rule);
    assert_string_equal(about->area, "a");
    assert_string_equal(about->alarm, "gw-1");
    assert_string_equal(about->output, "siren");
    assert_string_equal(about->uplink, "county");
    assert_string_equal(about->message_id, "e8249e7a343d47728f424ba140278838");
    journal.count++;
    return true;
}

/* What it is about may be gone when it is taken. */
static void what_it_is_about_is_kept(void **state)
{
    char device[] = "gas-1";
    const struct log_about about = {.bus = "b",
                                    .device = device,
                                    .point = "gas-1.lel",
                                    .area = "a",
                                    .alarm = "gw-1",
                                    .output = "siren",
                                    .uplink = "county",
                                    .message_id = "e8249e7a343d47728f424ba140278838"};

    (void)state;
    journal_close(true);
    log_info("thread 0 line 0");
    await_inside();
    log_set_sink(fields_cb); /* for the next */
    log_tell(LOG_LEVEL_INFO, &about, "可燃\n of all");
    memset(device, 'x', sizeof device - 1);
    journal_close(false);
    stop_wholly();
    assert_int_equal(journal.count, 2);
}

/* A journal that stands still: all goes on, and when it is back it gets what there was room for, and is told how much there was none for. */
static void nobody_takes_it(void **state)
{
    const uint64_t before = log_lost();
    uint64_t lost;

    (void)state;
    stand_still();
    write_numbered(0, 1, MANY);
    lost = log_lost() - before;
    assert_in_range(lost, 1, MANY / 2);
    log_info("short"); /* there is room for it, but what was before it is missing */
    assert_int_equal(log_lost() - before, lost + 1);
    journal_close(false);
    await_gaps(1);
    assert_int_equal(journal.missing, lost + 1);
    assert_int_equal(journal.next[0] + journal.missing, MANY + 1);
    write_numbered(1, 0, 1);
    stop_wholly();
    assert_int_equal(journal.next[1], 1);
    assert_int_equal(journal.gaps, 1);
    assert_int_equal(log_lost() - before, lost + 1);
}

/* Its end does not wait for ever, and neither does who still logs then. */
static void the_end_does_not_wait(void **state)
{
    int64_t began_ms;

    (void)state;
    stand_still();
    began_ms = clock_mono_ms();
    log_stop();
    assert_in_range(clock_mono_ms() - began_ms, LOG_STOP_MS - 1, PATIENCE_MS);
    write_numbered(0, 1, 2);
    journal_close(false);
    stop_wholly();
    assert_int_equal(journal.next[0], 2);
    write_numbered(0, 2, 3); /* without the thread */
    assert_int_equal(journal.next[0], 3);
}

/* A journal that is back after the end gets everything, and the thread that has ended meanwhile can be told to end once more. */
static void back_after_the_end(void **state)
{
    long next;

    (void)state;
    stand_still();
    log_stop();
    journal_close(false);
    next = await_ended(1);
    assert_int_equal(journal.next[0], next);
    stop_wholly();
    write_numbered(0, next, next + 1);
    assert_int_equal(journal.next[0], next + 1);
    assert_int_equal(log_start(), RG_OK);
    stop_wholly();
}

static void *read_pipe(void *arg)
{
    FILE *file = fdopen(*(const int *)arg, "r");
    char line[LOG_LINE_MAX];
    long next = 0;

    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        long number;

        assert_int_equal(sscanf(line, "<6>thread 0 line %ld", &number), 1);
        assert_int_equal(number, next);
        next++;
    }
    assert_int_equal(fclose(file), 0);
    return (void *)(intptr_t)next;
}

/* A pipe that its reader has told not to block: no line is torn or left out for that. */
static void a_pipe_that_does_not_block(void **state)
{
    const int saved = dup(STDERR_FILENO);
    const long lines = 1500; /* more than a pipe holds */
    pthread_t reader;
    void *count = NULL;
    int ends[2];

    (void)state;
    stop_wholly();
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK), 0);
    name_standard_error();
    log_set_sink(NULL);
    assert_int_equal(log_start(), RG_OK);
    write_numbered(0, 0, lines);
    assert_int_equal(pthread_create(&reader, NULL, read_pipe, &ends[0]), 0);
    stop_wholly();
    assert_true(dup2(saved, STDERR_FILENO) >= 0); /* the pipe has no writer any more */
    assert_int_equal(close(saved), 0);
    assert_int_equal(pthread_join(reader, &count), 0);
    assert_int_equal((intptr_t)count, lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_come_in_their_order, begin, end),
        cmocka_unit_test_setup_teardown(what_it_is_about_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(nobody_takes_it, begin, end),
        cmocka_unit_test_setup_teardown(the_end_does_not_wait, begin, end),
        cmocka_unit_test_setup_teardown(back_after_the_end, begin, end),
        cmocka_unit_test_setup_teardown(a_pipe_that_does_not_block, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
