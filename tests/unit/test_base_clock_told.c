/* LINK rg_base */
/* The one word between riskgate-clock and the daemon. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/clock_told.h"

#define NOW_MS INT64_C(5000000)

struct place {
    char folder[64], file[80];
};

static struct place place(void)
{
    struct place p = {.folder = "/tmp/clock-told-XXXXXX"};

    assert_non_null(mkdtemp(p.folder));
    (void)snprintf(p.file, sizeof p.file, "%s/synced", p.folder);
    return p;
}

static void leave(const struct place *p)
{
    (void)unlink(p->file);
    assert_int_equal(rmdir(p->folder), 0);
}

static void test_word(void **state)
{
    const struct place p = place();
    clock_told *teller;
    const clock_told *reader;

    (void)state;
    assert_int_equal(clock_told_open(p.file, &reader), RG_EIO);
    assert_null(reader);
    assert_int_equal(clock_told_create(p.file, &teller), RG_OK);
    assert_int_equal(clock_told_open(p.file, &reader), RG_OK);
    assert_false(clock_told_synced(reader, NOW_MS)); /* nothing was told yet */
    clock_told_put(teller, NOW_MS, true);
    assert_true(clock_told_synced(reader, NOW_MS));
    assert_true(clock_told_synced(reader, NOW_MS + CLOCK_TOLD_GOOD_MS));
    assert_false(clock_told_synced(reader, NOW_MS + CLOCK_TOLD_GOOD_MS + 1));
    clock_told_put(teller, NOW_MS, false);
    assert_false(clock_told_synced(reader, NOW_MS));
    clock_told_put(teller, NOW_MS * 2, true); /* of a boot that lasted longer */
    assert_false(clock_told_synced(reader, NOW_MS));
    clock_told_close(reader);
    clock_told_close(teller);
    leave(&p);
}

static void test_teller_begins_anew(void **state)
{
    const struct place p = place();
    clock_told *teller;
    const clock_told *reader;

    (void)state;
    assert_int_equal(clock_told_create(p.file, &teller), RG_OK);
    assert_int_equal(clock_told_open(p.file, &reader), RG_OK);
    clock_told_put(teller, NOW_MS, true);
    clock_told_close(teller);
    assert_int_equal(clock_told_create(p.file, &teller), RG_OK);
    assert_true(clock_told_synced(reader, NOW_MS));
    clock_told_put(teller, NOW_MS + 1, false);
    assert_false(clock_told_synced(reader, NOW_MS + 1));
    clock_told_close(reader);
    clock_told_close(teller);
    leave(&p);
}

static void test_no_such_file(void **state)
{
    const struct place p = place();
    const clock_told *reader;
    clock_told *teller;
    int fd = open(p.file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "short", 5), 5);
    (void)close(fd);
    assert_int_equal(clock_told_open(p.file, &reader), RG_EINVAL);
    assert_int_equal(clock_told_open(p.folder, &reader), RG_EINVAL);
    assert_int_equal(clock_told_create(p.folder, &teller), RG_EIO);
    leave(&p);
}

/* Whoever may ask the kernel does: a file that tells otherwise changes nothing. */
static void test_the_kernel_first(void **state)
{
    const struct place p = place();
    const bool before = clock_synced();
    clock_told *teller;

    (void)state;
    assert_int_equal(clock_told_create(p.file, &teller), RG_OK);
    clock_told_put(teller, clock_mono_ms(), !before);
    assert_int_equal(clock_follow(p.file), RG_OK);
    assert_int_equal(clock_synced(), before);
    assert_int_equal(clock_follow(NULL), RG_OK);
    clock_told_close(teller);
    leave(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_word),
        cmocka_unit_test(test_teller_begins_anew),
        cmocka_unit_test(test_no_such_file),
        cmocka_unit_test(test_the_kernel_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
