/* LINK rg_daemon rg_loop_virtual */
/* Planned against measured: when a word is said, and when it is taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "app/load.h"

static void words(void **state)
{
    static const struct {
        double planned, measured;
        enum load_word before, now;
    } rows[] = {
        {0.30, 0.30, LOAD_FITS, LOAD_FITS},
        {0.30, 0.59, LOAD_FITS, LOAD_FITS},
        {0.30, 0.61, LOAD_FITS, LOAD_OVER_PLAN},
        {0.30, 0.50, LOAD_OVER_PLAN, LOAD_OVER_PLAN},
        {0.30, 0.44, LOAD_OVER_PLAN, LOAD_FITS},
        {0.001, 0.15, LOAD_FITS, LOAD_FITS}, /* too little to matter */
        {0.001, 0.25, LOAD_FITS, LOAD_OVER_PLAN},
        {0.001, 0.12, LOAD_OVER_PLAN, LOAD_OVER_PLAN},
        {0.001, 0.09, LOAD_OVER_PLAN, LOAD_FITS},
        {0.70, 0.94, LOAD_FITS, LOAD_FITS},
        {0.70, 0.95, LOAD_FITS, LOAD_FULL},
        {1.50, 1.00, LOAD_FITS, LOAD_FULL},
        {0.70, 0.86, LOAD_FULL, LOAD_FULL},
        {0.70, 0.84, LOAD_FULL, LOAD_FITS},
        {0.30, 0.97, LOAD_OVER_PLAN, LOAD_FULL},
        {0.30, 0.80, LOAD_FULL, LOAD_OVER_PLAN},
        {0.00, 0.00, LOAD_FULL, LOAD_FITS},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++)
        if (load_judge(rows[i].planned, rows[i].measured, rows[i].before) != rows[i].now)
            fail_msg("row %zu", i);
}

static void planned_is_the_sum_of_a_bus_s_devices(void **state)
{
    struct site_bus buses[2] = {{.name = "a", .kind = BUS_TCP}, {.name = "b", .kind = BUS_TCP, .gap_ms = 15}};
    struct site_point points[3] = {{.space = SPACE_HOLDING, .type = TYPE_U16},
                                   {.space = SPACE_HOLDING, .type = TYPE_U16},
                                   {.space = SPACE_COIL, .type = TYPE_BOOL}};
    struct site_device devices[4] = {
        {.bus = 0, .poll_ms = 100, .max_registers = 125, .point_count = 1},
        {.bus = 0, .poll_ms = 200, .max_registers = 125, .first_point = 1, .point_count = 1},
        {.bus = 1, .poll_ms = 100, .max_registers = 125, .first_point = 2, .point_count = 1},
        {.bus = SITE_NONE, .derived = true, .poll_ms = 1000},
    };
    const struct site site = {.buses = buses,
                              .bus_count = 2,
                              .devices = devices,
                              .device_count = 4,
                              .points = points,
                              .point_count = 3};
    struct load load;

    (void)state;
    assert_int_equal(load_create(&load, &site), RG_OK);
    assert_true(load.planned[0] > 0.0749 && load.planned[0] < 0.0751); /* 5 ms of 100, and of 200 */
    assert_true(load.planned[1] > 0.199 && load.planned[1] < 0.201);   /* 20 ms of 100 */
    assert_int_equal(load.words[1], LOAD_FITS);
    load_destroy(&load);
    load_destroy(&load);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(planned_is_the_sum_of_a_bus_s_devices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
