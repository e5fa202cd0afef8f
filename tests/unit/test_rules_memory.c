/* LINK rg_rules rg_test_support -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc */
/* The engine's memory: all of it taken at creation, all or nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/text.h"
#include "rules/rules.h"
#include "support_site.h"

static long allocations;
static long refuse_after = -1; /* this many succeed, then none; -1: never */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool refused(void)
{
    allocations++;
    return refuse_after >= 0 && allocations > refuse_after;
}

void *__wrap_malloc(size_t size)
{
    return refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return refused() ? NULL : __real_realloc(memory, size);
}

static const char plant[] =
    "area shop\ndevice d area=shop offline=10s:yellow\npoint a\npoint b\ndevice e offline=20s:red\npoint a\n"
    "rule r points=* above=blue:10,yellow:20,orange:25,red:50 on=30ms off=20ms\n"
    "rule q points=d.* below=red:-5";

struct told {
    int count;
    char id[ALARM_ID_MAX]; /* of the last one */
};

static void change_cb(void *arg, const struct alarm_change *change)
{
    struct told *told = arg;

    told->count++;
    (void)text_copy(told->id, sizeof told->id, change->alarm->id);
}

static struct moment at(int64_t t)
{
    return (struct moment){t, t + 1000000};
}

static void out_of_memory(void **state)
{
    struct support_site s;
    struct told told = {0};
    struct rules *r = NULL;
    long n = 0;

    (void)state;
    support_site_build(&s, plant);
    for (;; n++) {
        enum rg_err err;

        allocations = 0;
        refuse_after = n;
        err = rules_create(&s.site, 1, change_cb, &told, &r);
        refuse_after = -1;
        if (err == RG_OK)
            break;
        assert_int_equal(err, RG_ENOMEM);
        assert_null(r);
    }
    assert_true(n >= 10);
    rules_destroy(r);
    support_site_free(&s);
}

static void nothing_allocated_after_create(void **state)
{
    struct alarm orphan = {.id = "gw-01-1", .rule = "gone", .point = "d.a", .level = LEVEL_BLUE};
    struct told told = {0};
    struct support_site s;
    struct rules *r;
    int shelved = 0;

    (void)state;
    support_site_build(&s, plant);
    assert_int_equal(rules_create(&s.site, 1, change_cb, &told, &r), RG_OK);
    allocations = 0;
    assert_int_equal(rules_restore(r, &orphan), RG_OK);
    rules_start(r, at(0));
    for (int i = 0; i < 5000; i++) {
        struct sample sample = {.point = (uint32_t)(i % 3), .value = (i * 37) % 60 - 6};
        struct frame frame = {
            .device = i % 3 == 2, .at = at(10 * i), .heard = i % 900 < 300, .count = 1, .samples = &sample};

        rules_frame(r, &frame);
        if (i % 100 == 0)
            (void)!rules_ack(r, told.id, "Li", NULL, at(10 * i));
        if (i % 70 == 0 && rules_shelve(r, told.id, 500, "Li", NULL, at(10 * i)) == RG_OK)
            shelved++;
    }
    assert_true(shelved > 5);
    rules_tick(r, at(10000000));
    assert_true(told.count > 500);
    assert_int_equal(allocations, 0);
    rules_destroy(r);
    support_site_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(nothing_allocated_after_create),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
