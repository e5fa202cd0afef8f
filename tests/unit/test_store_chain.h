/* The hash chain of contract §3, computed anew from what lies in the file. */
#ifndef RG_TESTS_STORE_CHAIN_H
#define RG_TESTS_STORE_CHAIN_H

#include "test_store_help.h"

#include <openssl/sha.h>

/* Independent of the daemon's own code: one-shot SHA-256 over text put together here. Numbers run from 1 without a
 * hole up to head. */
static inline void check_chain(const struct rig *r, const char *table, int64_t head)
{
    sqlite3 *db = rig_sql(r);
    sqlite3_stmt *stmt = NULL;
    char sql[96], previous[65] = "";
    (void)snprintf(sql, sizeof(sql), "SELECT seq, body, hash FROM %s ORDER BY seq", table);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    int64_t expected = 1;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        assert_int_equal(sqlite3_column_int64(stmt, 0), expected++);
        const char *body = (const char *)sqlite3_column_text(stmt, 1);
        const char *hash = (const char *)sqlite3_column_text(stmt, 2);
        const char *tail = strstr(body, ",\"hash\":\"");
        assert_non_null(tail);
        char text[4096], hex[65];
        int n = snprintf(text, sizeof(text), "%s%.*s", previous, (int)(tail - body), body);
        unsigned char digest[SHA256_DIGEST_LENGTH];
        assert_non_null(SHA256((const unsigned char *)text, (size_t)n, digest));
        for (size_t i = 0; i < sizeof(digest); i++)
            (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
        assert_string_equal(hash, hex);
        char ending[96];
        (void)snprintf(ending, sizeof(ending), ",\"hash\":\"%s\"}", hex);
        assert_string_equal(tail, ending);
        memcpy(previous, hex, sizeof(previous));
    }
    assert_int_equal(expected, head + 1);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#endif
