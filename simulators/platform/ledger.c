#include "ledger.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw.h"

static uint64_t fingerprint(const char *text, size_t length)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a, 64 bit */

    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    return h ? h : 1;
}

static bool ledger_reach(struct ledger *l, int64_t seq)
{
    size_t capacity = l->capacity ? l->capacity : 1024;
    struct ledger_entry *grown;

    if (seq < 1 || seq > LEDGER_SEQ_MAX)
        return false;
    while (capacity < (size_t)seq)
        capacity *= 2;
    if (capacity == l->capacity)
        return true;
    grown = realloc(l->entries, capacity * sizeof *grown);
    if (!grown)
        return false;
    memset(grown + l->capacity, 0, (capacity - l->capacity) * sizeof *grown);
    l->entries = grown;
    l->capacity = capacity;
    return true;
}

enum ledger_result ledger_add(struct ledger *l, int64_t seq, const char *text, size_t length, bool keep)
{
    uint64_t print = fingerprint(text, length);
    struct ledger_entry *e;

    if (!ledger_reach(l, seq))
        return LEDGER_NO_MEMORY;
    e = &l->entries[seq - 1];
    l->records++;
    if (e->fingerprint) {
        l->resent++;
        return e->fingerprint == print ? LEDGER_RESENT : LEDGER_DIFFERS;
    }
    e->fingerprint = print;
    if (seq > l->top)
        l->top = seq;
    if (keep) {
        e->text = malloc(length + 1);
        if (!e->text)
            return LEDGER_NO_MEMORY;
        memcpy(e->text, text, length);
        e->text[length] = '\0';
        e->length = (uint32_t)length;
    }
    return LEDGER_NEW;
}

void ledger_prev(struct ledger *l, int64_t first, int64_t prev)
{
    if (ledger_reach(l, first))
        l->entries[first - 1].prev = prev + 1;
}

uint64_t ledger_missing(const struct ledger *l, int64_t *out, size_t max, size_t *written)
{
    uint64_t missing = 0;

    *written = 0;
    for (size_t i = 0; i < l->capacity; i++) {
        int64_t prev = l->entries[i].prev - 1;

        if (prev < 1 || ((size_t)prev <= l->capacity && l->entries[prev - 1].fingerprint))
            continue;
        missing++;
        if (*written < max)
            out[(*written)++] = prev;
    }
    return missing;
}

uint64_t ledger_holes(const struct ledger *l)
{
    uint64_t holes = 0;

    for (int64_t i = 0; i < l->top; i++)
        holes += l->entries[i].fingerprint == 0;
    return holes;
}

static bool chain_fits(const struct ledger_entry *before, const struct ledger_entry *e)
{
    size_t covered = raw_before_hash(e->text, e->length);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char hex[65];
    EVP_MD_CTX *ctx;
    bool ok;

    if (covered == e->length)
        return false;
    ctx = EVP_MD_CTX_new();
    ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
    if (ok && before)
        ok = EVP_DigestUpdate(ctx, before->text + before->length - 66, 64) == 1;
    ok = ok && EVP_DigestUpdate(ctx, e->text, covered) == 1 && EVP_DigestFinal_ex(ctx, digest, &size) == 1 &&
         size == 32;
    EVP_MD_CTX_free(ctx);
    for (unsigned i = 0; ok && i < 32; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return ok && memcmp(hex, e->text + e->length - 66, 64) == 0;
}

int64_t ledger_chain(const struct ledger *l, uint64_t *checked)
{
    *checked = 0;
    for (int64_t i = 0; i < l->top; i++) {
        const struct ledger_entry *e = &l->entries[i];
        const struct ledger_entry *before = i > 0 ? &l->entries[i - 1] : NULL;

        if (!e->text || (before && !before->text))
            continue;
        if (before && raw_before_hash(before->text, before->length) == before->length)
            return i;
        if (!chain_fits(before, e))
            return i + 1;
        (*checked)++;
    }
    return 0;
}

void ledger_free(struct ledger *l)
{
    for (size_t i = 0; i < l->capacity; i++)
        free(l->entries[i].text);
    free(l->entries);
    memset(l, 0, sizeof *l);
}
