/* LINK rg_modbus */
/* What the values of one answer cost: 100 u16 registers, plain, then with what may lie beside them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "drivers/modbus/modbus_driver.h"
#include "drivers/modbus/reading.h"

#define POINTS 100
#define ROUNDS 200000

enum beside {
    BESIDE_NOTHING,
    BESIDE_GATES,    /* a state, fault bits and a heartbeat */
    BESIDE_DECIMALS, /* of every point, in two registers */
    BESIDE_WORDS,    /* an enumeration of eight values */
};

static const struct gate_case cases[] = {
    {2, QUALITY_INHIBITED}, {3, QUALITY_INHIBITED}, {12, QUALITY_INHIBITED}};
static const struct site_gate gates[] = {
    {.kind = GATE_VALUES, .at = {SPACE_HOLDING, 100, 0}, .cases = cases, .case_count = 3},
    {.kind = GATE_BITS, .at = {SPACE_HOLDING, 101, 0}, .cases = cases, .case_count = 3},
    {.kind = GATE_HEARTBEAT, .at = {SPACE_HOLDING, 102, 0}, .within_ms = 1000000},
};
static const struct point_word words[] = {{0, "a"}, {1, "b"}, {2, "c"}, {3, "d"},
                                          {4, "e"}, {5, "f"}, {6, "g"}, {7, "h"}};

static int run(const char *what, enum beside beside)
{
    const struct site_device device = {.unit = 1,
                                       .poll_ms = 1000,
                                       .max_registers = 125,
                                       .max_gap = 8,
                                       .gates = gates,
                                       .gate_count = beside == BESIDE_GATES ? RG_COUNT(gates) : 0};
    static struct site_point points[POINTS];
    static struct sample samples[POINTS];
    uint8_t data[ASK_DATA_MAX] = {0};
    struct driver_plan *plan = NULL;
    struct driver_memory *memory = NULL;
    double sum = 0;

    for (uint16_t i = 0; i < POINTS; i++) {
        points[i] = (struct site_point){.name = "p",
                                        .space = SPACE_HOLDING,
                                        .address = i,
                                        .type = TYPE_U16,
                                        .bit = -1,
                                        .scaling = {1, 0, 10}};
        points[i].has_range = true;
        points[i].range_max = 100;
        points[i].has_decimals = beside == BESIDE_DECIMALS;
        points[i].decimals = (struct site_register){SPACE_HOLDING, (uint16_t)(100 + i % 2), 0};
        points[i].words = words;
        points[i].word_count = beside == BESIDE_WORDS ? RG_COUNT(words) : 0;
        if (beside == BESIDE_WORDS)
            points[i].scaling.den = 1;
        data[2 * i + 1] = (uint8_t)(i % 8);
    }
    if (modbus_driver.plan(&device, points, POINTS, 0, &plan) != RG_OK ||
        modbus_driver.memory_create(&device, plan, &memory) != RG_OK) {
        modbus_driver.plan_destroy(plan);
        return 1;
    }
    const int64_t begun_us = clock_mono_us();
    for (int64_t i = 0; i < ROUNDS; i++) {
        const struct reading reading = {.plan = plan, .memory = memory, .begun_us = i, .asked_us = i};

        reading_decode(&reading, data, ask_data_bytes(&plan->requests[0].ask), samples);
        sum += samples[i % POINTS].value;
    }
    const double us = (double)(clock_mono_us() - begun_us);

    printf("%-10s %6.1f ns a point, %6.2f us an answer (%g)\n", what, us * 1000 / ROUNDS / POINTS,
           us / ROUNDS, sum);
    modbus_driver.memory_destroy(memory);
    modbus_driver.plan_destroy(plan);
    return 0;
}

/* An argument: only that one. */
int main(int argc, char **argv)
{
    static const char *const names[] = {"plain", "gates", "decimals", "words"};
    int failed = 0;

    for (int i = 0; i < (int)RG_COUNT(names); i++) {
        if (argc < 2 || strcmp(argv[1], names[i]) == 0)
            failed |= run(names[i], (enum beside)i);
    }
    return failed;
}
