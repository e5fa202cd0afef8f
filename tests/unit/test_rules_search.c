/* LINK rg_rules */
/* The place of a number among numbers in order, by itself and as a member of larger things, against a search from the beginning. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "rules/search.h"

struct thing {
    char before[12];
    uint32_t number;
    double after;
};

static uint32_t from_the_beginning(const struct thing *all, size_t count, uint32_t wanted)
{
    uint32_t found = 0;

    for (size_t i = 0; i < count; i++)
        found = all[i].number <= wanted ? (uint32_t)i : found;
    return found;
}

static void the_last_that_is_at_most(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (size_t count = 0; count <= 40; count++) {
        struct thing all[40] = {0};
        uint32_t numbers[40] = {0};
        uint32_t number = 0;

        for (size_t i = 0; i < count; i++) {
            seed = seed * 1664525 + 1013904223;
            number += (seed >> 28) % 3; /* equal ones among them */
            all[i].number = numbers[i] = number;
        }
        for (uint32_t wanted = 0; wanted <= number + 1; wanted++) {
            const uint32_t right = from_the_beginning(all, count, wanted);

            assert_int_equal(search_last(numbers, sizeof numbers[0], count, wanted), right);
            assert_int_equal(search_last((const unsigned char *)all + offsetof(struct thing, number),
                                         sizeof all[0], count, wanted),
                             right);
        }
        assert_int_equal(search_last(numbers, sizeof numbers[0], count, UINT32_MAX), count ? count - 1 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_last_that_is_at_most)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
