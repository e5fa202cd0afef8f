/* LINK rg_modbus */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/random.h"
#include "drivers/modbus/modbus_driver.h"
#include "drivers/modbus/plan.h"

#define FIRST 1000 /* index of the device's first point in the site */

static struct site_point point_at(enum point_space space, uint16_t address, enum point_type type)
{
    return (struct site_point){.name = "p",
                               .space = space,
                               .address = address,
                               .type = type,
                               .order = ORDER_ABCD,
                               .bit = -1,
                               .scaling = {1, 0, 1}};
}

static struct driver_plan *make(uint16_t max_registers, uint16_t max_gap, const struct site_point *points,
                                size_t count)
{
    const struct site_device device = {.unit = 9, .max_registers = max_registers, .max_gap = max_gap};
    struct driver_plan *plan = NULL;

    assert_int_equal(modbus_driver.plan(&device, points, count, FIRST, &plan), RG_OK);
    return plan;
}

static void expect_request(const struct driver_plan *plan, size_t i, uint8_t function, uint16_t address,
                           uint16_t count)
{
    assert_true(i < modbus_driver.plan_requests(plan));
    assert_int_equal(plan->requests[i].ask.unit, 9);
    assert_int_equal(plan->requests[i].ask.function, function);
    assert_int_equal(plan->requests[i].ask.address, address);
    assert_int_equal(plan->requests[i].ask.count, count);
}

static void joins_over_gaps(void **state)
{
    const struct site_point points[] = {
        point_at(SPACE_HOLDING, 20, TYPE_U16), point_at(SPACE_HOLDING, 0, TYPE_F32),
        point_at(SPACE_HOLDING, 10, TYPE_U16), point_at(SPACE_INPUT, 0, TYPE_U16),
        point_at(SPACE_COIL, 5, TYPE_BOOL),    point_at(SPACE_DISCRETE, 5, TYPE_BOOL),
    };
    struct driver_plan *plan = make(125, 8, points, RG_COUNT(points));

    (void)state;
    assert_int_equal(plan->request_count, 5);
    expect_request(plan, 0, 1, 5, 1);
    expect_request(plan, 1, 2, 5, 1);
    expect_request(plan, 2, 4, 0, 1);
    expect_request(plan, 3, 3, 0, 11); /* 2..9 read through: 8 */
    expect_request(plan, 4, 3, 20, 1); /* 11..19 would be 9 */
    assert_int_equal(modbus_driver.plan_points(plan, 3), 2);
    plan_destroy(plan);
}

static void singles_only(void **state)
{
    const struct site_point points[] = {
        point_at(SPACE_HOLDING, 0, TYPE_U16), point_at(SPACE_HOLDING, 1, TYPE_U16),
        point_at(SPACE_HOLDING, 2, TYPE_F32), point_at(SPACE_HOLDING, 2, TYPE_U16),
        point_at(SPACE_HOLDING, 4, TYPE_F64), point_at(SPACE_COIL, 0, TYPE_BOOL),
        point_at(SPACE_COIL, 1, TYPE_BOOL),
    };
    struct driver_plan *plan = make(1, 8, points, RG_COUNT(points));

    (void)state;
    assert_int_equal(plan->request_count, 6);
    expect_request(plan, 0, 1, 0, 1);
    expect_request(plan, 1, 1, 1, 1);
    expect_request(plan, 2, 3, 0, 1);
    expect_request(plan, 3, 3, 1, 1);
    expect_request(plan, 4, 3, 2, 2); /* and the u16 that lies within */
    expect_request(plan, 5, 3, 4, 4);
    plan_destroy(plan);
}

static void limits(void **state)
{
    struct site_point points[300];
    struct driver_plan *plan;

    (void)state;
    for (uint16_t i = 0; i < 300; i++)
        points[i] = point_at(SPACE_INPUT, i, TYPE_U16);
    plan = make(125, 8, points, 300);
    assert_int_equal(plan->request_count, 3);
    expect_request(plan, 2, 4, 250, 50);
    plan_destroy(plan);
    plan = make(9999, 8, points, 300); /* never more than the protocol allows */
    expect_request(plan, 0, 4, 0, 125);
    plan_destroy(plan);
    /* A value that would straddle the limit starts the next request. */
    for (uint16_t i = 0; i < 10; i++)
        points[i] = point_at(SPACE_INPUT, (uint16_t)(2 * i), TYPE_U32);
    plan = make(5, 8, points, 10);
    expect_request(plan, 0, 4, 0, 4);
    assert_int_equal(plan->request_count, 5);
    plan_destroy(plan);
    /* The last address there is. */
    points[0] = point_at(SPACE_HOLDING, 65535, TYPE_U16);
    plan = make(125, 8, points, 1);
    expect_request(plan, 0, 3, 65535, 1);
    plan_destroy(plan);
    points[0] = point_at(SPACE_COIL, 0, TYPE_BOOL);
    points[1] = point_at(SPACE_COIL, 1999, TYPE_BOOL);
    points[2] = point_at(SPACE_COIL, 2000, TYPE_BOOL);
    plan = make(125, 2000, points, 3);
    expect_request(plan, 0, 1, 0, 2000);
    expect_request(plan, 1, 1, 2000, 1);
    plan_destroy(plan);
}

static void asks_with_the_gap_of_the_device(void **state)
{
    const struct site_device device = {.unit = 9, .max_registers = 125, .gap_ms = 300};
    const struct site_point point = point_at(SPACE_INPUT, 30300, TYPE_U16);
    struct driver_plan *plan = NULL;

    (void)state;
    assert_int_equal(modbus_driver.plan(&device, &point, 1, FIRST, &plan), RG_OK);
    assert_int_equal(plan->requests[0].ask.gap_us, 300000);
    plan_destroy(plan);
    plan = make(125, 8, &point, 1);
    assert_int_equal(plan->requests[0].ask.gap_us, 0);
    plan_destroy(plan);
}

static void divides_where_nothing_is_used(void **state)
{
    const struct site_point points[] = {
        point_at(SPACE_HOLDING, 0, TYPE_F64), point_at(SPACE_HOLDING, 1, TYPE_U16), /* within it */
        point_at(SPACE_HOLDING, 4, TYPE_U16), point_at(SPACE_HOLDING, 7, TYPE_F32),
        point_at(SPACE_HOLDING, 9, TYPE_U16), point_at(SPACE_HOLDING, 100, TYPE_U16),
        point_at(SPACE_COIL, 20, TYPE_BOOL),  point_at(SPACE_COIL, 22, TYPE_BOOL),
    };
    struct driver_plan *plan = make(125, 8, points, RG_COUNT(points));
    struct driver_plan *divided = NULL, *again = NULL;
    char text[40];

    (void)state;
    assert_int_equal(plan->request_count, 3);
    expect_request(plan, 1, 3, 0, 10);
    plan_describe(plan, 1, text, sizeof text);
    assert_string_equal(text, "holding 0 to 9");
    plan_describe(plan, 2, text, sizeof text);
    assert_string_equal(text, "holding 100");
    /* Busy, or illegal function: dividing helps neither. */
    assert_int_equal(modbus_driver.plan_divide(plan, 1, 6, &divided), RG_ENOTFOUND);
    assert_int_equal(modbus_driver.plan_divide(plan, 1, 1, &divided), RG_ENOTFOUND);
    assert_int_equal(modbus_driver.plan_divide(plan, 2, 2, &divided), RG_ENOTFOUND);
    assert_null(divided);
    assert_int_equal(modbus_driver.plan_divide(plan, 1, 2, &divided), RG_OK);
    assert_int_equal(divided->request_count, 4);
    expect_request(divided, 0, 1, 20, 3);
    expect_request(divided, 1, 3, 0, 5);
    expect_request(divided, 2, 3, 7, 3);
    expect_request(divided, 3, 3, 100, 1);
    assert_int_equal(modbus_driver.plan_points(divided, 1), 3);
    assert_int_equal(divided->items[divided->requests[2].first].offset, 0);
    assert_int_equal(divided->items[divided->requests[2].first + 1].offset, 2);
    assert_int_equal(modbus_driver.plan_divide(divided, 1, 2, &again), RG_ENOTFOUND);
    assert_int_equal(modbus_driver.plan_divide(divided, 0, 3, &again), RG_OK);
    expect_request(again, 1, 1, 22, 1);
    plan_destroy(plan); /* each stands by itself */
    plan_destroy(divided);
    expect_request(again, 4, 3, 100, 1);
    plan_destroy(again);
}

static void refused_and_empty(void **state)
{
    const struct site_device device = {.unit = 1, .max_registers = 125, .max_gap = 8};
    struct site_point point = point_at(SPACE_HOLDING, 65535, TYPE_U32);
    struct driver_plan *plan = NULL;

    (void)state;
    assert_int_equal(plan_create(&device, &point, 1, 0, &plan), RG_EINVAL);
    point = point_at(SPACE_HOLDING, 0, TYPE_U32);
    point.order = ORDER_NONE;
    assert_int_equal(plan_create(&device, &point, 1, 0, &plan), RG_EINVAL);
    assert_int_equal(plan_create(&device, &point, SIZE_MAX >> 8, 0, &plan), RG_EINVAL);
    assert_null(plan);
    assert_int_equal(plan_create(&device, NULL, 0, 0, &plan), RG_OK);
    assert_int_equal(modbus_driver.plan_requests(plan), 0);
    modbus_driver.plan_destroy(plan);
    modbus_driver.plan_destroy(NULL);
}

static void wire_bytes(void **state)
{
    const struct site_point points[] = {point_at(SPACE_COIL, 0, TYPE_BOOL),
                                        point_at(SPACE_COIL, 8, TYPE_BOOL),
                                        point_at(SPACE_HOLDING, 0, TYPE_F32)};
    struct driver_plan *plan = make(125, 8, points, RG_COUNT(points));
    size_t sent, received;

    (void)state;
    modbus_driver.plan_bytes(plan, 0, BUS_RTU, &sent, &received); /* 9 bits: two bytes */
    assert_int_equal(sent, 8);
    assert_int_equal(received, 7);
    modbus_driver.plan_bytes(plan, 1, BUS_RTU_OVER_TCP, &sent, &received);
    assert_int_equal(sent, 8);
    assert_int_equal(received, 9); /* golden vector 5: 02 03 04 C8 7C 46 28 04 F5 */
    modbus_driver.plan_bytes(plan, 1, BUS_TCP, &sent, &received);
    assert_int_equal(sent, 12);
    assert_int_equal(received, 13);
    plan_destroy(plan);
}

static unsigned words_of(const struct site_point *p)
{
    return p->space <= SPACE_DISCRETE ? 1 : point_type_words(p->type);
}

/* Every point whole in exactly one request, and nothing read for nothing over more than max_gap. */
static void check_plan(const struct driver_plan *plan, const struct site_point *points, unsigned *seen,
                       size_t count, uint16_t max_registers, uint16_t max_gap)
{
    memset(seen, 0, count * sizeof *seen);
    for (size_t q = 0; q < plan->request_count; q++) {
        const struct plan_request *req = &plan->requests[q];
        const bool bits = req->ask.function <= 2;
        uint8_t touched[ASK_MAX_BITS] = {0};
        unsigned gap = 0;

        assert_true(req->count > 0);
        for (size_t k = req->first; k < req->first + req->count; k++) {
            const struct plan_item *item = &plan->items[k];
            const struct site_point *p = &points[item->point - FIRST];

            seen[item->point - FIRST]++;
            assert_int_equal(req->ask.address + item->offset, p->address);
            assert_int_equal(plan->ways[item->way].bits, bits);
            assert_true(item->offset + words_of(p) <= req->ask.count); /* whole, in one request */
            memset(touched + item->offset, 1, words_of(p));
            /* Over the limit only as one value by itself. */
            if (req->ask.count > (bits && max_registers > 1 ? 16u * max_registers : max_registers))
                assert_true(req->ask.count <= 4 && (k > req->first || words_of(p) == req->ask.count));
        }
        assert_true(req->ask.count <= (bits ? ASK_MAX_BITS : ASK_MAX_REGISTERS));
        assert_true(touched[0] && touched[req->ask.count - 1]);
        for (unsigned k = 0; k < req->ask.count; k++) {
            gap = touched[k] ? 0 : gap + 1;
            assert_true(gap <= max_gap);
        }
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(seen[i], 1);
}

/* All its requests divided, one after the other: then none reads through anything. */
static struct driver_plan *divide_all(struct driver_plan *plan)
{
    for (size_t q = 0; q < plan->request_count; q++) {
        struct driver_plan *divided = NULL;
        const enum rg_err err = plan_divide(plan, q, &divided);

        assert_true(err == RG_OK || err == RG_ENOTFOUND);
        assert_int_equal(err == RG_OK, divided != NULL);
        if (divided) {
            plan_destroy(plan);
            plan = divided;
        }
    }
    return plan;
}

static void check_random(struct rg_random *r)
{
    const size_t count = random_below(r, 60);
    const uint16_t max_registers = (uint16_t)(random_below(r, 4) ? 1 + random_below(r, 125) : 1);
    const uint16_t max_gap = (uint16_t)random_below(r, 20);
    const uint64_t room = random_below(r, 2) ? 65500 : 200;
    struct site_point *points = calloc(count + 1, sizeof *points);
    unsigned *seen = calloc(count + 1, sizeof *seen);
    struct driver_plan *plan;

    assert_non_null(points);
    assert_non_null(seen);
    for (size_t i = 0; i < count; i++) {
        const enum point_space space = (enum point_space)random_below(r, 4);

        points[i] = point_at(space, (uint16_t)random_below(r, room),
                             space <= SPACE_DISCRETE ? TYPE_BOOL
                                                     : (enum point_type)random_below(r, TYPE_BYTES8_8 + 1));
    }
    plan = make(max_registers, max_gap, points, count);
    check_plan(plan, points, seen, count, max_registers, max_gap);
    plan = divide_all(plan);
    check_plan(plan, points, seen, count, max_registers, 0);
    plan_destroy(plan);
    free(points);
    free(seen);
}

static void random_points(void **state)
{
    const char *given = getenv("RG_SEED");
    const uint64_t seed = given ? strtoull(given, NULL, 10) : random_system_seed();
    struct rg_random r;

    (void)state;
    print_message("RG_SEED=%" PRIu64 "\n", seed);
    random_seed(&r, seed);
    for (int i = 0; i < 3000; i++)
        check_random(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_over_gaps),
        cmocka_unit_test(singles_only),
        cmocka_unit_test(limits),
        cmocka_unit_test(asks_with_the_gap_of_the_device),
        cmocka_unit_test(divides_where_nothing_is_used),
        cmocka_unit_test(refused_and_empty),
        cmocka_unit_test(wire_bytes),
        cmocka_unit_test(random_points),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
