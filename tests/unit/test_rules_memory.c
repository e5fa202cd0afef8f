/* LINK rg_rules rg_test_support -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc */
/* The engine's memory: all of it taken at creation, all or nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/rules.h"
#include "support_site.h"

static long allocations;
static uint64_t asked;         /* bytes */
static long refuse_after = -1; /* this many succeed, then none; -1: never */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool refused(size_t size)
{
    allocations++;
    asked += size;
    return refuse_after >= 0 && allocations > refuse_after;
}

void *__wrap_malloc(size_t size)
{
    return refused(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refused(count * size) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return refused(size) ? NULL : __real_realloc(memory, size);
}

static const char plant[] =
    "area shop aggregate=gb39496\ndevice d area=shop offline=10s:yellow\npoint a doubt=20ms:blue flat=1s "
    "band=2 "
    "rate=700\npoint b doubt=40ms:red twin=d.a within=30\ndevice e offline=20s:red\npoint a\n"
    "rule r points=* above=blue:10,yellow:20,orange:25,red:50 on=30ms off=20ms\n"
    "rule q points=d.* below=red:-5\n"
    "rule m points=*.* mean=1s above=red:45\nrule x points=d.a max=30d above=blue:50\n"
    "rule t points=d.* delta=150ms coverage=1 above=blue:30";

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

/* What `check` tells is what is taken: of small sites, of many points, of long windows. */
static void worked_out_before(void **state)
{
    static const char *const sites[] = {
        "",
        "device d\npoint a",
        plant,
        "device d poll=1s\npoint a\npoint b\npoint c\npoint d\npoint e\n"
        "rule m points=* mean=30d above=red:45\nrule n points=* twa=1h above=red:45",
        "area s aggregate=gb39496\ndevice d area=s\npoint a doubt=1s:red flat=1h\npoint b doubt=1s:red "
        "twin=d.a within=1\nrule m points=* above=red:45\nrule n points=* above=red:45",
        "permit p max=1h\ndevice d\npoint a\npoint b\npoint c\npoint g\n"
        "rule v points=d.a,d.b,d.c vote=2 mean=10s above=red:45 permit=p\n"
        "rule g points=d.a,d.b when=d.g:1 above=blue:3,red:@d.c*1.5 permit=p",
    };
    struct told told = {0};
    char *many = calloc(1, 100000);
    size_t length;

    (void)state;
    assert_non_null(many);
    (void)text_copy(many, 100000, "area s\ndevice d area=s\n");
    length = strlen(many);
    for (int i = 0; i < 1500; i++) {
        (void)text_format(many + length, 100000 - length, "point p%d\n", i);
        length += strlen(many + length);
    }
    (void)text_format(many + length, 100000 - length,
                      "rule r points=* above=red:1\nrule q points=* above=red:1");
    for (size_t i = 0; i <= RG_COUNT(sites); i++) {
        struct support_site s;
        struct rules *r;
        uint64_t told_bytes;

        support_site_build(&s, i < RG_COUNT(sites) ? sites[i] : many);
        told_bytes = rules_memory(&s.site);
        asked = 0;
        assert_int_equal(rules_create(&s.site, 1, change_cb, &told, &r), RG_OK);
        if (told_bytes < asked - asked / 50 || told_bytes > asked + asked / 50)
            fail_msg("site %zu: %llu told, %llu taken", i, (unsigned long long)told_bytes,
                     (unsigned long long)asked);
        rules_destroy(r);
        support_site_free(&s);
    }
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(nothing_allocated_after_create),
        cmocka_unit_test(worked_out_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
