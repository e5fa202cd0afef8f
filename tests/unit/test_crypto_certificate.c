/* LINK rg_crypto rg_test_support */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "crypto/certificate.h"
#include "pem_files.h"
#include "support_tmp.h"

#define END_OLD INT64_C(1704067200000)    /* 2024-01-01 */
#define END_NEW INT64_C(2019686400000)    /* 2034-01-01 */
#define END_BROKER INT64_C(2569738150000) /* 2051-06-07 08:09:10: a GeneralizedTime, as all from 2050 on */

static char folder[SUPPORT_TMP_SIZE];

static const char *path_of(const char *name)
{
    static char paths[4][SUPPORT_TMP_SIZE + 72];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static const char *put(const char *name, const char *text)
{
    const char *path = path_of(name);
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

static size_t load(const char *text, struct certificate **list)
{
    size_t count = 0;
    char why[CERTIFICATE_WORDS] = "";

    if (certificate_load(put("c.pem", text), list, &count, why) != RG_OK)
        fail_msg("%s", why);
    return count;
}

static void what_a_certificate_says(void **state)
{
    struct certificate *list = NULL;

    (void)state;
    assert_int_equal(load("Some words before it.\n" PEM_BROKER "and after\n" PEM_OLD, &list), 2);
    assert_string_equal(list[0].subject, "O=示例,CN=broker");
    assert_true(list[0].begins_ms == INT64_C(1763780645000));
    assert_true(list[0].ends_ms == END_BROKER);
    assert_string_equal(list[1].subject, "CN=Test CA");
    assert_true(list[1].ends_ms == END_OLD);
    free(list);
    /* A key in the same file is none of it. */
    assert_int_equal(load(PEM_BROKER_KEY PEM_BROKER PEM_BROKER_KEY_PKCS8, &list), 1);
    free(list);
}

static void the_first_to_end(void **state)
{
    static const struct {
        const char *text;
        int64_t ends;
    } rows[] = {
        {PEM_OLD, END_OLD},
        {PEM_NEW, END_NEW},
        {PEM_BROKER, END_BROKER},
        {PEM_BROKER PEM_NEW, END_NEW},
        {PEM_BROKER PEM_OLD, END_OLD},
        {PEM_OLD PEM_NEW, END_NEW}, /* renewed, with the old one left in the file */
        {PEM_NEW PEM_OLD, END_NEW},
        {PEM_NEW PEM_OLD PEM_BROKER PEM_OLD, END_NEW},
        {PEM_OLD PEM_OLD, END_OLD},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct certificate *list = NULL;
        size_t count = load(rows[i].text, &list);

        assert_true(certificate_first_to_end(list, count)->ends_ms == rows[i].ends);
        free(list);
    }
}

static void refused(const char *path, enum rg_err expected, const char *words)
{
    struct certificate *list = NULL;
    size_t count = 0;
    char why[CERTIFICATE_WORDS] = "";

    assert_int_equal(certificate_load(path, &list, &count, why), expected);
    assert_null(list);
    assert_int_equal(count, 0);
    if (!strstr(why, words) || !strstr(why, path))
        fail_msg("says: %s", why);
}

static void what_is_no_certificate(void **state)
{
    char large[64];

    (void)state;
    refused(path_of("nowhere.pem"), RG_ENOTFOUND, "no such file");
    refused(put("empty.pem", ""), RG_EINVAL, "holds no certificate");
    refused(put("words.pem", "nothing of the kind\n"), RG_EINVAL, "holds no certificate");
    refused(put("key.pem", PEM_BROKER_KEY), RG_EINVAL, "holds no certificate");
    refused(put("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n"), RG_EINVAL, "damaged");
    refused(put("wrong.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), RG_EINVAL,
            "damaged");
    refused(put("half.pem", PEM_NEW "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            RG_EINVAL, "damaged");
    refused(folder, RG_EIO, "no regular file");
    assert_int_equal(mkfifo(path_of("pipe.pem"), 0600), 0);
    refused(path_of("pipe.pem"), RG_EIO, "no regular file");
    (void)snprintf(large, sizeof(large), "%s", "large.pem");
    assert_int_equal(truncate(put(large, "x"), CERTIFICATE_FILE_BYTES + 1), 0);
    refused(path_of(large), RG_ERANGE, "too large");
    if (geteuid() != 0) {
        assert_int_equal(chmod(put("closed.pem", PEM_NEW), 0), 0);
        refused(path_of("closed.pem"), RG_EPERM, "may not be read");
    }
}

static void whether_a_key_fits(void **state)
{
    static const struct {
        const char *certificate, *key;
        enum rg_err err;
        const char *words;
    } rows[] = {
        {PEM_BROKER, PEM_BROKER_KEY, RG_OK, ""},
        {PEM_BROKER PEM_NEW, PEM_BROKER_KEY, RG_OK, ""},
        {PEM_NEW PEM_BROKER, PEM_BROKER_KEY, RG_EINVAL, "does not fit"},
        {PEM_BROKER, PEM_OTHER_KEY, RG_EINVAL, "does not fit"},
        {PEM_BROKER, PEM_BROKER_KEY_ENCRYPTED, RG_EINVAL, "passphrase"},
        {PEM_BROKER, PEM_BROKER_KEY_PKCS8, RG_EINVAL, "passphrase"},
        {PEM_BROKER, PEM_BROKER, RG_EINVAL, "no private key"},
        {PEM_BROKER, "", RG_EINVAL, "no private key"},
        {"", PEM_BROKER_KEY, RG_EINVAL, "holds no certificate"},
    };
    char why[CERTIFICATE_WORDS];

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        const char *certificate = put("fit.pem", rows[i].certificate);
        const char *key = put("fit.key", rows[i].key);

        why[0] = '\0';
        assert_int_equal(certificate_key_fits(certificate, key, why), rows[i].err);
        if (!strstr(why, rows[i].words))
            fail_msg("row %zu says: %s", i, why);
        assert_null(strstr(why, "BEGIN"));
    }
    assert_int_equal(certificate_key_fits(path_of("fit.pem"), path_of("nowhere.key"), why), RG_EINVAL);
    assert_int_equal(certificate_key_fits(put("fit.pem", PEM_BROKER), path_of("nowhere.key"), why),
                     RG_ENOTFOUND);
    assert_non_null(strstr(why, "nowhere.key"));
}

static int setup(void **state)
{
    (void)state;
    return support_tmp_dir(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return support_tmp_remove(folder) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_certificate_says),
        cmocka_unit_test(the_first_to_end),
        cmocka_unit_test(what_is_no_certificate),
        cmocka_unit_test(whether_a_key_fits),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
