/* A bare loop over all devices with libmodbus: how many requests a second, and what one costs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lines.h"
#include "measure.h"

void lines_open(struct lines *lines, int registers, char **ports, int count)
{
    measure_need(registers <= MODBUS_MAX_READ_REGISTERS, "more registers than one request reads");
    *lines = (struct lines){.line = calloc((size_t)count, sizeof(modbus_t *)), .registers = registers};
    measure_need(lines->line != NULL, "out of memory");
    for (int i = 0; i < count; i++) {
        modbus_t *line = modbus_new_tcp("127.0.0.1", (int)measure_number(ports[i], "a port is a number"));

        measure_need(line != NULL && modbus_connect(line) == 0 && modbus_set_slave(line, 1) == 0 &&
                         modbus_set_response_timeout(line, 60, 0) == 0, /* a machine may stand still */
                     "no device there");
        lines->line[lines->count++] = line;
    }
}

void lines_read(const struct lines *lines, size_t i, uint16_t *registers)
{
    int got = modbus_read_registers(lines->line[i], 0, lines->registers, registers);

    measure_need(got == lines->registers, modbus_strerror(errno));
}

void lines_close(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        modbus_close(lines->line[i]);
        modbus_free(lines->line[i]);
    }
    free(lines->line);
}

int floor_modbus(int count, char **arguments)
{
    struct lines lines;
    struct measure_moment begin, passed;
    uint16_t registers[MODBUS_MAX_READ_REGISTERS];
    uint64_t requests = 0;
    int64_t until_us;

    if (count < 3)
        return 2;
    until_us = measure_number(arguments[0], "the time is in ms") * 1000;
    lines_open(&lines, (int)measure_number(arguments[1], "registers"), arguments + 2, count - 2);
    begin = measure_now();
    do {
        for (size_t i = 0; i < lines.count; i++)
            lines_read(&lines, i, registers);
        requests += lines.count;
        passed = measure_since(begin);
    } while (passed.mono_us < until_us);
    (void)printf("{\"requests\":%" PRIu64
                 ",\"requests_per_s\":%.0f,\"user_us_per_request\":%.2f,\"system_us_per_request\":%.2f}\n",
                 requests, (double)requests * 1e6 / (double)passed.mono_us,
                 (double)passed.user_us / (double)requests, (double)passed.system_us / (double)requests);
    lines_close(&lines);
    return 0;
}
