/* Connections of libmodbus to some devices of the loopback. */
#ifndef RG_BENCH_LINES_H
#define RG_BENCH_LINES_H

#include <stddef.h>
#include <stdint.h>

#include <modbus.h>

struct lines {
    size_t count;
    modbus_t **line; /* [count], owned, connected */
    int registers;   /* of each device; at most what one request reads */
};

void lines_open(struct lines *lines, int registers, char **ports, int count);
/* One request to one device; the registers as they are. Ends the program when there is no answer. */
void lines_read(const struct lines *lines, size_t i, uint16_t *registers);
void lines_close(struct lines *lines);

#endif
