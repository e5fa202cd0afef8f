/* LINK rg_crypto */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "crypto/digest.h"

/* NIST's examples of SHA-256, and the digest of nothing. */
static const struct {
    const char *text, *hex;
} rows[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void it_is_sha256(void **state)
{
    struct digest *d = NULL;
    char out[DIGEST_HEX + 1];

    (void)state;
    assert_int_equal(digest_create(&d), RG_OK);
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        assert_int_equal(digest_begin(d), RG_OK);
        assert_int_equal(digest_add(d, rows[i].text, strlen(rows[i].text)), RG_OK);
        assert_int_equal(digest_end(d, out), RG_OK);
        assert_string_equal(out, rows[i].hex);
    }
    digest_destroy(d);
    digest_destroy(NULL);
}

/* A million times "a" (NIST), in pieces that do not divide it, and after one that was broken off. */
static void pieces_are_joined(void **state)
{
    static char piece[997];
    struct digest *d = NULL;
    char out[DIGEST_HEX + 1];

    (void)state;
    memset(piece, 'a', sizeof(piece));
    assert_int_equal(digest_create(&d), RG_OK);
    assert_int_equal(digest_begin(d), RG_OK);
    assert_int_equal(digest_add(d, "left over", 9), RG_OK);
    assert_int_equal(digest_begin(d), RG_OK);
    for (size_t left = 1000000; left > 0;) {
        size_t length = left < sizeof(piece) ? left : sizeof(piece);

        assert_int_equal(digest_add(d, piece, length), RG_OK);
        left -= length;
    }
    assert_int_equal(digest_end(d, out), RG_OK);
    assert_string_equal(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    digest_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_sha256),
        cmocka_unit_test(pieces_are_joined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
