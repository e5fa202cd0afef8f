/* LINK rg_config */
/* Texts that repeat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include <stdio.h>

#include "config/intern.h"

#define TEXTS 5000

/* Equal texts are one, different ones are not, however many there are. */
static void each_is_kept_once(void **state)
{
    struct intern texts = {0};
    struct arena arena;
    const char *kept[TEXTS];
    char text[32];
    size_t used;

    (void)state;
    arena_init(&arena, 0);
    for (int i = 0; i < TEXTS; i++) {
        (void)snprintf(text, sizeof text, "text %d", i);
        kept[i] = intern_text(&texts, &arena, text);
        assert_non_null(kept[i]);
        assert_ptr_not_equal(kept[i], text);
    }
    used = arena.used;
    for (int i = 0; i < TEXTS; i++) {
        (void)snprintf(text, sizeof text, "text %d", i);
        assert_string_equal(kept[i], text);
        (void)intern_text(&texts, &arena, text);
    }
    /* A text that is out of its places' reach is kept again: hardly any. */
    assert_true(arena.used - used < TEXTS / 100);
    assert_ptr_equal(intern_text(&texts, &arena, ""), intern_text(&texts, &arena, ""));
    intern_end(&texts);
    assert_string_equal(kept[TEXTS - 1], "text 4999"); /* the arena's */
    arena_destroy(&arena);
}

static void nothing_is_no_text(void **state)
{
    struct intern texts = {0};
    struct arena arena;

    (void)state;
    arena_init(&arena, 1); /* no room for a text */
    assert_null(intern_text(&texts, &arena, NULL));
    assert_null(intern_text(&texts, &arena, "text"));
    assert_null(intern_text(&texts, &arena, "text"));
    intern_end(&texts);
    intern_end(&texts);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_kept_once),
        cmocka_unit_test(nothing_is_no_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
