/* LINK rg_test_support rg_daemon rg_modbus rg_loop_virtual -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=memory_reserve */
/* What a point more takes, beside its configuration and its rules: a site of many points shall find room on a small box. Judged by what is
 * asked for, so that no machine makes a difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/evidence.h"
#include "app/recording.h"
#include "base/hash_index.h"
#include "base/memory.h"
#include "drivers/modbus/modbus_driver.h"
#include "drivers/modbus/plan.h"
#include "support_site.h"

#define DEVICE_POINTS 100

static size_t asked;    /* bytes of the heap, all that was ever asked for */
static size_t reserved; /* bytes that cost nothing until they are used */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_memory_reserve(size_t bytes);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_memory_reserve(size_t bytes);

void *__wrap_malloc(size_t size)
{
    asked += size;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    asked += count * size;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    asked += size;
    return __real_realloc(memory, size);
}

void *__wrap_memory_reserve(size_t bytes)
{
    const size_t before = asked;
    void *memory = __real_memory_reserve(bytes);

    asked = before; /* where it is of the heap */
    reserved += bytes;
    return memory;
}

struct part {
    const char *name;
    size_t heap_most, reserved_most;                                  /* bytes a point, as configured below */
    void (*make)(const struct site *site, size_t *heap, size_t *set); /* what its creation took */
};

static void take(size_t *heap, size_t *set)
{
    *heap = asked;
    *set = reserved;
}

static void make_evidence(const struct site *site, size_t *heap, size_t *set)
{
    struct evidence e;

    assert_int_equal(evidence_create(&e, site), RG_OK);
    take(heap, set);
    evidence_destroy(&e);
}

static void make_recording(const struct site *site, size_t *heap, size_t *set)
{
    struct recording r = {NULL, NULL};

    assert_int_equal(recording_create(&r, site), RG_OK);
    take(heap, set);
    recording_destroy(&r);
}

static void make_names(const struct site *site, size_t *heap, size_t *set)
{
    struct hash_index *names;

    assert_int_equal(hash_index_create(site->point_count, &names), RG_OK);
    for (uint32_t i = 0; i < site->point_count; i++)
        assert_int_equal(hash_index_add(names, site->points[i].full_name, i, NULL), RG_OK);
    take(heap, set);
    assert_int_equal(asked, hash_index_bytes(site->point_count)); /* what `check` goes by */
    hash_index_destroy(names);
}

static void make_plans(const struct site *site, size_t *heap, size_t *set)
{
    size_t kept = 0;

    for (size_t i = 0; i < site->device_count; i++) {
        const struct site_device *d = &site->devices[i];
        struct driver_plan *plan = NULL;
        size_t before = asked;

        assert_int_equal(
            modbus_driver.plan(d, site->points + d->first_point, d->point_count, d->first_point, &plan),
            RG_OK);
        asked = before;
        kept += plan->item_count * sizeof *plan->items + plan->way_count * sizeof *plan->ways +
                plan->request_count * sizeof *plan->requests + sizeof *plan;
        modbus_driver.plan_destroy(plan);
    }
    asked += kept;
    take(heap, set);
}

/* Devices of a hundred registers each, three rules on every point: the work that gateways are compared on. */
static void build(struct support_site *s, size_t devices)
{
    const size_t room = devices * DEVICE_POINTS * 40 + 1000;
    char *text = __real_malloc(room);
    size_t at = 0;

    assert_non_null(text);
    for (size_t d = 0; d < devices; d++) {
        at += (size_t)snprintf(text + at, room - at, "device d%zu\n", d);
        for (int p = 0; p < DEVICE_POINTS; p++)
            at += (size_t)snprintf(text + at, room - at, "point p%d holding=%d\n", p, p);
    }
    at += (size_t)snprintf(text + at, room - at,
                           "rule h points=*.* above=red:64000 deadband=100\nrule l points=*.* below=red:10\n"
                           "rule o points=*.* above=blue:45000 on=20s\n");
    assert_true(at < room);
    support_site_build(s, text);
    free(text);
}

static void a_point_more_takes_little(void **state)
{
    static const struct part parts[] = {
        {"its last readings, for alarms", 136, 0, make_evidence},
        {"what is recorded of it", 8, 200, make_recording},
        {"a table of names", 32, 0, make_names},
        {"how it is read", 24, 0, make_plans},
    };
    struct support_site few, many;
    size_t more;

    (void)state;
    build(&few, 8);
    build(&many, 40);
    more = many.site.point_count - few.site.point_count;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t heap[2], set[2];

        asked = reserved = 0;
        parts[i].make(&few.site, &heap[0], &set[0]);
        asked = reserved = 0;
        parts[i].make(&many.site, &heap[1], &set[1]);
        print_message("%s: %.1f bytes a point, %.1f reserved\n", parts[i].name,
                      (double)(heap[1] - heap[0]) / (double)more, (double)(set[1] - set[0]) / (double)more);
        assert_true(heap[1] > heap[0]);
        assert_true(heap[1] - heap[0] <= parts[i].heap_most * more);
        assert_true(set[1] - set[0] <= parts[i].reserved_most * more);
    }
    support_site_free(&few);
    support_site_free(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_point_more_takes_little)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
