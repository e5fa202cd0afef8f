/* LINK rg_plant rg_test_support -Wl,--wrap=write */
/* The silence the plant measures on a line: from before an answer is handed over, so that a plant which is held up right after that
 * never calls a silence shorter than the one that the other end kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "plant/plant.h"
#include "support_tmp.h"

#define HELD_UP_US 3000

static int watched = -1;      /* the plant's end of the line */
static int64_t handed_over;   /* when the last answer there was written */
static unsigned times_handed; /* how many were */

ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);

/* Writes, and then does not come back for a while, as on a machine that stands still. */
ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    int64_t now_us = timers_now();
    ssize_t written = __real_write(fd, bytes, length);
    if (fd != watched)
        return written;
    handed_over = now_us;
    times_handed++;
    while (timers_now() - now_us < HELD_UP_US)
        ;
    return written;
}

struct line {
    char folder[SUPPORT_TMP_SIZE];
    struct scenario scenario;
    struct plant plant;
    struct link *link;
    int end; /* ours */
};

static void begin(struct line *line, const char *listener)
{
    char path[SUPPORT_TMP_SIZE + 16];
    int ends[2];
    *line = (struct line){.end = -1};
    assert_true(support_tmp_dir(line->folder));
    (void)snprintf(path, sizeof(path), "%s/plant.yaml", line->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fprintf(file,
                        "listeners:\n- {name: a, rtu_over_tcp: '127.0.0.1:0', %s"
                        "units: [{id: 1, registers: [{holding: 0, count: 2, raw: 4660}]}]}\n",
                        listener) > 0);
    assert_int_equal(fclose(file), 0);
    assert_true(scenario_load(path, 1, &line->scenario));
    assert_true(plant_create(&line->plant, &line->scenario, 1));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    line->link = link_open(&line->plant, &line->plant.listeners[0], ends[0]);
    assert_non_null(line->link);
    line->end = ends[1];
    watched = ends[0];
    times_handed = 0;
}

static void end(struct line *line)
{
    watched = -1;
    plant_destroy(&line->plant);
    assert_int_equal(close(line->end), 0);
    assert_true(support_tmp_remove(line->folder));
}

static void ask(struct line *line)
{
    uint8_t request[8] = {1, 3, 0, 0, 0, 2};
    uint16_t crc = codec_crc(request, 6);
    request[6] = (uint8_t)(crc & 0xFFu);
    request[7] = (uint8_t)(crc >> 8);
    assert_int_equal(write(line->end, request, sizeof(request)), sizeof(request));
    line->link->source.ready_cb(&line->plant, &line->link->source, 0);
}

static void hear(struct line *line)
{
    uint8_t answer[16];
    assert_int_equal(read(line->end, answer, sizeof(answer)), 9);
}

static void test_an_answer_at_once(void **state)
{
    struct line line;
    (void)state;
    begin(&line, "");
    for (unsigned i = 0; i < 3; i++) {
        int64_t before_us = timers_now();
        ask(&line);
        assert_int_equal(times_handed, i + 1);
        assert_in_range(line.link->active_us, before_us, handed_over);
        hear(&line);
    }
    /* The plant came back 3 ms after the other end had the answer: all of them belong to the silence. */
    assert_true(line.plant.listeners[0].counters.silence_min_us >= HELD_UP_US);
    end(&line);
}

static void test_an_answer_that_takes_the_lines_time(void **state)
{
    struct line line;
    struct timer timer;
    (void)state;
    begin(&line, "baud: 1200, ");
    int64_t before_us = timers_now();
    ask(&line);
    assert_int_equal(times_handed, 0);
    assert_true(timers_take(&line.plant.timers, INT64_MAX, &timer));
    assert_int_equal(timer.kind, TIMER_ANSWER);
    /* 8 characters there, 9 back and 3.5 between, of 10 bits. */
    assert_true(timer.due_us - before_us >= 170833);
    int64_t due_us = timers_now();
    link_answer(&line.plant, timer.index);
    assert_int_equal(times_handed, 1);
    assert_in_range(line.link->active_us, due_us, handed_over);
    hear(&line);
    ask(&line);
    assert_true(line.plant.listeners[0].counters.silence_min_us >= HELD_UP_US);
    end(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_at_once),
        cmocka_unit_test(test_an_answer_that_takes_the_lines_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
