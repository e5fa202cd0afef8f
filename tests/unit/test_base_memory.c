/* LINK rg_base */
/* What is given back is gone, what lies beside it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#define PAGES 9

static size_t page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t count_of(const unsigned char *bytes, size_t size, unsigned char wanted)
{
    size_t count = 0;

    for (size_t i = 0; i < size; i++)
        count += bytes[i] == wanted;
    return count;
}

static void what_is_reserved_is_zeroed(void **state)
{
    const size_t sizes[] = {1, 100, page() - 1, page(), PAGES * page() + 1};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *memory = memory_reserve(sizes[i]);

        assert_non_null(memory);
        assert_int_equal(count_of(memory, sizes[i], 0), sizes[i]);
        memset(memory, 0xaa, sizes[i]);
        memory_unreserve(memory, sizes[i]);
    }
    memory_unreserve(memory_reserve(0), 0);
    memory_unreserve(NULL, 100);
}

/* A kernel that is played (qemu) may leave out what is only advice; then nothing is given back, and nothing may be lost either. */
static bool takes_advice(unsigned char *memory)
{
    unsigned char *inner = memory + (page() - (uintptr_t)memory % page());

    *inner = 0xaa;
    return madvise(inner, page(), MADV_DONTNEED) == 0 && *inner == 0;
}

/* Of the heap, wherever it begins and ends. */
static void only_the_stretch_is_released(void **state)
{
    const size_t size = PAGES * page();
    unsigned char *memory = malloc(size);
    size_t least; /* that is given back */

    (void)state;
    assert_non_null(memory);
    least = takes_advice(memory) ? 5 * page() : 0;
    for (size_t offset = 0; offset < 2 * page(); offset += page() / 3 + 1) {
        const size_t length = 6 * page() + offset / 2;
        size_t zeroed;

        memset(memory, 0xaa, size);
        memory_release(memory + offset, length);
        zeroed = count_of(memory + offset, length, 0);
        assert_int_equal(zeroed % page(), 0);
        assert_true(zeroed >= least && zeroed <= length); /* all whole pages of it */
        assert_int_equal(count_of(memory + offset, length, 0xaa), length - zeroed);
        assert_int_equal(count_of(memory, offset, 0xaa), offset);
        assert_int_equal(count_of(memory + offset + length, size - offset - length, 0xaa),
                         size - offset - length);
    }
    memset(memory, 0xaa, size);
    memory_release(memory, 0);
    memory_release(memory + 1, page() - 1); /* less than a page */
    memory_release(NULL, size);
    assert_int_equal(count_of(memory, size, 0xaa), size);
    free(memory);
}

static int written = 7;
static int zero;
static const char *const relocated[] = {"one", "two", "three"}; /* the loader wrote these addresses */

static void what_was_written_outlives_the_start(void **state)
{
    char text[32];

    (void)state;
    for (int i = 0; i < 3; i++) {
        written++;
        zero--;
        memory_leave_start();
        memory_give_back();
        assert_int_equal(written, 8 + i);
        assert_int_equal(zero, -1 - i);
        assert_true(
            text_format(text, sizeof text, "%s %s %s %d", relocated[0], relocated[1], relocated[2], i));
        assert_int_equal(strncmp(text, "one two three ", 14), 0);
        assert_string_equal(rg_err_text(RG_OK), rg_err_text(RG_OK));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_reserved_is_zeroed),
        cmocka_unit_test(only_the_stretch_is_released),
        cmocka_unit_test(what_was_written_outlives_the_start),
    };

    memory_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
