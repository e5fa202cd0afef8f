/* The plant as its scenario file describes it. The file's form is in README.md beside this. */
#ifndef RG_PLANT_SCENARIO_H
#define RG_PLANT_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plant/bank.h"
#include "plant/fault.h"
#include "plant/pool.h"

#define SCENARIO_NAME_MAX 64
#define SCENARIO_LISTENERS_MAX 4096

/* One request as it came. */
struct history_entry {
    int64_t at_us; /* its first byte, CLOCK_MONOTONIC */
    uint32_t
        silence_us; /* since the last byte either way on this line or connection; UINT32_MAX: its first */
    uint16_t address, quantity;
    uint8_t function;
};

struct history {
    struct history_entry *entries; /* ring, [capacity] */
    uint32_t capacity;
    uint64_t total;
};

struct unit_counters {
    uint64_t requests, answers, exceptions, faults, writes;
};

struct unit {
    uint8_t id;
    struct bank bank;
    struct fault_set faults;
    struct unit_counters counters;
    struct history history;
    uint32_t owed;   /* its answers that wait for their time */
    int64_t owed_us; /* when the last of them leaves */
};

enum listener_kind { LISTENER_TCP, LISTENER_RTU, LISTENER_RTU_OVER_TCP };
extern const char *const listener_kind_names[];

struct listener_config {
    char name[SCENARIO_NAME_MAX + 8];
    enum listener_kind kind;
    const char *host;    /* TCP, RTU over TCP */
    uint16_t port;       /* 0: the system's choice */
    const char *path;    /* RTU: where the symbolic link to the pty goes */
    bool echo;           /* what is received is given back at once, before it is answered */
    uint32_t baud;       /* 0: answers go out at once; else after the time the line would take */
    int64_t idle_us;     /* RTU framing: so much silence ends whatever has come */
    uint8_t unknown;     /* exception for units that are not there; 0: silence */
    struct unit **units; /* in the file's order */
    size_t unit_count;
    struct unit *by_id[256];
    struct fault_set faults;
    bool refuses; /* some of the file's faults is FAULT_REFUSE */
};

struct scenario {
    struct pool pool; /* holds everything below */
    uint64_t seed;
    int64_t tick_us; /* signals change on this grid of the plant's time */
    struct listener_config *listeners;
    size_t listener_count;
};

/* Reads a file; what is wrong with it is written to standard error, each as file:line:column: error: text. False then.
 * *scenario is to be freed with scenario_free in any case. */
bool scenario_load(const char *file, uint64_t seed, struct scenario *scenario);
void scenario_free(struct scenario *scenario);

#endif
