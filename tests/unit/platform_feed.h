/* Messages as a gateway would send them, hash and all, for the tests of the platform's judgement. */
#ifndef PLATFORM_FEED_H
#define PLATFORM_FEED_H

#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "platform/gateway.h"

#define FEED_TEXT 4096

/* A record of a hashed stream: body is what stands between its number and its hash. before: the hash before, or "". */
static inline void feed_record(char out[FEED_TEXT], int64_t seq, const char *body, const char *before,
                               char hash[LEDGER_HASH + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char covered[FEED_TEXT];
    unsigned size = 0;
    int n = snprintf(covered, sizeof covered, "%s{\"seq\":%lld,%s", before, (long long)seq, body);

    assert_true(n > 0 && (size_t)n < sizeof covered);
    assert_int_equal(EVP_Digest(covered, (size_t)n, digest, &size, EVP_sha256(), NULL), 1);
    for (unsigned i = 0; i < size; i++)
        (void)snprintf(hash + 2 * i, 3, "%02x", digest[i]);
    n = snprintf(out, FEED_TEXT, "%s,\"hash\":\"%s\"}", covered + strlen(before), hash);
    assert_true(n > 0 && n < FEED_TEXT);
}

static inline void feed_number(char out[32], int64_t n)
{
    (void)snprintf(out, 32, n ? "%lld" : "null", (long long)n);
}

/* A message of records joined by commas; 0 for null. extra: further members, each with its comma, or "". */
static inline void feed_message(char *out, size_t size, const char *stream, int64_t prev, int64_t first,
                                int64_t last, const char *extra, const char *records)
{
    char p[32], f[32], l[32];
    int n;

    feed_number(p, prev);
    feed_number(f, first);
    feed_number(l, last);
    n = snprintf(out, size,
                 "{\"v\":1,\"ent\":\"E\",\"gw\":\"G\",\"stream\":\"%s\",\"backfill\":false,\"prev\":%s,"
                 "\"first\":%s,\"last\":%s,%s\"records\":[%s]}",
                 stream, p, f, l, extra, records);
    assert_true(n > 0 && (size_t)n < size);
}

/* Breaches found in one message. */
static inline uint64_t feed_take(struct gateway *g, struct violations *v, const struct gateway_sink *sink,
                                 const char *topic, const char *payload)
{
    const struct platform_message m = {topic, payload, strlen(payload), 1, false, false};
    uint64_t before = v->count;

    gateway_take(g, &m, v, sink);
    return v->count - before;
}

#endif
