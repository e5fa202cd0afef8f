/* The hash chain over alarm, event and report: a record's hash is SHA-256 over the hash before it and its own text up to ,"hash":. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"
#include "raw.h"

struct link {
    struct gateway *g;
    enum stream_kind kind;
    struct ledger *l;
    struct violations *v;
    const struct gateway_sink *sink;
};

/* before: NULL for a chain's first record. */
static bool follows(const char *before, const char *text, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    size_t covered = raw_before_hash(text, length);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = covered < length && ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

    if (ok && before)
        ok = EVP_DigestUpdate(ctx, before, LEDGER_HASH) == 1;
    ok = ok && EVP_DigestUpdate(ctx, text, covered) == 1 && EVP_DigestFinal_ex(ctx, digest, &size) == 1 &&
         2 * size == LEDGER_HASH;
    EVP_MD_CTX_free(ctx);
    for (unsigned i = 0; ok && i < size; i++) {
        const char *at = text + length - 2 - LEDGER_HASH + 2 * (size_t)i;

        ok = at[0] == digits[digest[i] >> 4] && at[1] == digits[digest[i] & 15];
    }
    return ok;
}

/* The hash of a record, from memory or from whoever keeps all. False: it is not here. */
static bool hash_of(const struct link *c, int64_t seq, char out[LEDGER_HASH])
{
    const char *hash = ledger_hash(c->l, seq);
    size_t length = 0;
    char *text = NULL;
    bool found = hash != NULL;

    if (hash)
        memcpy(out, hash, LEDGER_HASH);
    else if (c->sink->recall && ledger_accounts_for(c->l, seq))
        text = c->sink->recall(c->sink->arg, c->g, c->kind, seq, &length);
    if (text && raw_before_hash(text, length) < length) {
        memcpy(out, text + length - 2 - LEDGER_HASH, LEDGER_HASH);
        found = true;
    }
    free(text);
    return found;
}

static void judge(const struct link *c, int64_t seq, const char *before, const char *text, size_t length)
{
    if (follows(before, text, length)) {
        c->l->verified++;
        return;
    }
    /* After a store that had to be set aside a chain begins anew; that must be told as a loss (chain_finish). */
    if (before && follows(NULL, text, length)) {
        c->l->verified++;
        c->g->anew[c->kind] = seq;
        return;
    }
    violation(c->v, c->g, "%s %lld: its hash does not follow from the record before", stream_kinds[c->kind],
              (long long)seq);
}

/* Of a record whose forerunner will not be seen nothing can be said, but that a chain may begin with it. */
static void judge_alone(const struct link *c, int64_t seq, const char *text, size_t length)
{
    if (follows(NULL, text, length)) {
        c->l->verified++;
        c->g->anew[c->kind] = seq;
    } else {
        c->l->unverified++;
    }
}

/* The record after one that came late, which waited for it: here, or with whoever keeps all. */
static void judge_next(const struct link *c, int64_t seq, const char *hash)
{
    struct ledger_wait next = {.seq = seq + 1};

    if (!ledger_wait_take(c->l, seq + 1, &next) && c->sink->recall && seq < c->l->top)
        next.text = c->sink->recall(c->sink->arg, c->g, c->kind, seq + 1, &next.length);
    if (next.text)
        judge(c, next.seq, hash, next.text, next.length);
    free(next.text);
}

void chain_take(struct gateway *g, enum stream_kind kind, int64_t seq, const char *text, size_t length,
                struct violations *v, const struct gateway_sink *sink)
{
    const struct link c = {g, kind, &g->ledgers[kind], v, sink};
    char before[LEDGER_HASH];

    if (raw_before_hash(text, length) == length)
        return; /* a breach that was told already */
    if (seq == 1)
        judge(&c, seq, NULL, text, length);
    else if (hash_of(&c, seq - 1, before))
        judge(&c, seq, before, text, length);
    else if (ledger_accounts_for(c.l, seq - 1) || !ledger_wait_add(c.l, seq, text, length))
        judge_alone(&c, seq, text, length);
    judge_next(&c, seq, text + length - 2 - LEDGER_HASH);
}

static bool explained(const struct gateway *g, enum stream_kind kind, int64_t seq)
{
    for (size_t i = 0; i < g->loss_count; i++) {
        const struct loss_told *loss = &g->losses[i];

        if (loss->kind == kind && (loss->last == 0 || loss->last == seq - 1))
            return true;
    }
    return false;
}

void chain_finish(struct gateway *g, enum stream_kind kind, struct violations *v)
{
    const struct link c = {g, kind, &g->ledgers[kind], v, &gateway_no_sink};

    while (c.l->waiting_count > 0) {
        struct ledger_wait *last = &c.l->waiting[--c.l->waiting_count];

        judge_alone(&c, last->seq, last->text, last->length);
        free(last->text);
    }
    if (g->anew[kind] && !explained(g, kind, g->anew[kind]))
        violation(v, g, "%s %lld: its hash chain begins anew, and no loss explains it", stream_kinds[kind],
                  (long long)g->anew[kind]);
}
