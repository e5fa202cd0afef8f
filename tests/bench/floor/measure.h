/* What the parts of bench_floor share: processor time, spreads of durations, and the end of a program that cannot go on. */
#ifndef RG_BENCH_MEASURE_H
#define RG_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A moment of this process, all its threads together; microseconds. */
struct measure_moment {
    int64_t mono_us, user_us, system_us;
};

struct measure_moment measure_now(void);
/* What passed since. */
struct measure_moment measure_since(struct measure_moment begin);

/* Durations, the first SPREAD_MAX of them. */
#define MEASURE_SPREAD_MAX 200000u
struct measure_spread {
    size_t count;
    float *us; /* [MEASURE_SPREAD_MAX], owned */
};

void spread_create(struct measure_spread *spread);
void spread_destroy(struct measure_spread *spread);
void spread_add(struct measure_spread *spread, int64_t us);
/* Prints  "name":{"p50_ms":..,"p99_ms":..,"max_ms":..}  ; sorts. */
void spread_print(struct measure_spread *spread, const char *name);

/* Ends the program, saying what was needed, unless it holds. */
void measure_need(bool holds, const char *what);
/* A whole number of at least 1, or the end. */
long measure_number(const char *text, const char *what);

/* The parts; each prints one JSON object on a line. arguments begins behind the part's name; 0 or the status of a usage error. */
int floor_modbus(int count, char **arguments);
int floor_disk(int count, char **arguments);
int floor_mqtt(int count, char **arguments);
int floor_together(int count, char **arguments);
int floor_subscribe(int count, char **arguments);
int floor_alarm(int count, char **arguments);

#endif
