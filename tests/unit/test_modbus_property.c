/* LINK rg_modbus rg_modbus_model */
/* Random devices (points, gates, decimals, enumerations) with random registers, polled, probed, failing and divided: what
 * transact would give is what a simple model of the device gives. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/random.h"
#include "modbus_case.h"

#define DEVICES 2000

static uint64_t below(void *arg, uint64_t bound)
{
    return random_below(arg, bound);
}

static void random_devices(void **state)
{
    const char *given = getenv("RG_SEED");
    const uint64_t seed = given ? strtoull(given, NULL, 10) : random_system_seed();
    struct case_tally tally = {0};
    struct rg_random r;

    (void)state;
    print_message("RG_SEED=%" PRIu64 "\n", seed);
    for (uint64_t i = 0; i < DEVICES; i++) {
        char where[200];
        const struct case_choices choices = {below, &r};

        random_seed(&r, seed + i); /* of each by itself, so that one that fails can be run alone */
        const char *wrong = case_run(&choices, &tally, where, sizeof where);

        if (wrong)
            fail_msg("%s (%s): RG_SEED=%" PRIu64, wrong, where, seed + i);
    }
    print_message("%" PRIu64 " samples, %" PRIu64 " of them good, %" PRIu64 " divisions\n", tally.samples,
                  tally.good, tally.divisions);
    /* A generator that gives only bad readings would prove nothing. */
    assert_true(tally.good > tally.samples / 10);
    assert_true(tally.divisions > DEVICES / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_devices)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
