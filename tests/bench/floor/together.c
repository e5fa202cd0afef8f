/* Reading, storing and publishing at riskgate's pace with nothing in between: at each instant all devices are read, their registers stored as
 * they came in one commit (FULL), and sent as they came in one message (QoS 1). No values, no rules, no names, no care. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "database.h"
#include "lines.h"
#include "measure.h"
#include "publisher.h"

static void sleep_until(int64_t mono_us)
{
    const struct timespec at = {.tv_sec = mono_us / 1000000, .tv_nsec = mono_us % 1000000 * 1000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0) {
    }
}

static void one_round(const struct lines *lines, struct database *d, struct publisher *p, uint16_t *registers)
{
    const size_t each = (size_t)lines->registers;

    for (size_t i = 0; i < lines->count; i++)
        lines_read(lines, i, registers + i * each);
    database_begin(d);
    for (size_t i = 0; i < lines->count; i++)
        database_insert(d, (int64_t)i, registers + i * each, each * sizeof *registers);
    (void)database_commit(d);
    publisher_send(p, registers, lines->count * each * sizeof *registers, 10);
}

int floor_together(int count, char **arguments)
{
    struct lines lines;
    struct database d;
    struct publisher p;
    struct measure_moment begin, passed;
    uint16_t *registers;
    int64_t until_us, period_us, rounds = 0;

    if (count < 6)
        return 2;
    until_us = measure_number(arguments[0], "the time is in ms") * 1000;
    period_us = measure_number(arguments[1], "the period is in ms") * 1000;
    lines_open(&lines, (int)measure_number(arguments[2], "registers"), arguments + 5, count - 5);
    database_open(&d, arguments[3], "FULL");
    publisher_open(&p, measure_number(arguments[4], "a port is a number"));
    registers = calloc(lines.count * (size_t)lines.registers, sizeof *registers);
    measure_need(registers != NULL, "out of memory");
    begin = measure_now();
    do {
        one_round(&lines, &d, &p, registers);
        rounds++;
        sleep_until(begin.mono_us + rounds * period_us);
        passed = measure_since(begin);
    } while (passed.mono_us < until_us);
    publisher_wait(&p);
    (void)printf("{\"rounds\":%lld,\"user_s_per_min\":%.3f,\"system_s_per_min\":%.3f}\n", (long long)rounds,
                 (double)passed.user_us * 60 / (double)passed.mono_us,
                 (double)passed.system_us * 60 / (double)passed.mono_us);
    publisher_close(&p);
    database_close(&d);
    lines_close(&lines);
    free(registers);
    return 0;
}
