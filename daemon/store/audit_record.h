/* One record as an audit sees it, taken apart: what its row says, and what its text says. For audit.c and trace.c. */
#ifndef RG_STORE_AUDIT_RECORD_H
#define RG_STORE_AUDIT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/chain.h"
#include "store/db.h"

/* Texts are borrowed from the statement until its next step. */
struct audit_record {
    int64_t seq, ts; /* of the row */
    const char *text;
    size_t length;
    const char *column; /* the row's hash, or NULL: none of CHAIN_HEX characters */
    /* Of the text; well_formed: it begins with {"seq":N,"ts":N and, when chained, ends with its hash. */
    bool well_formed;
    int64_t text_seq, text_ts;
    size_t covered;     /* bytes that the hash covers */
    const char *hashed; /* the hash in the text, CHAIN_HEX characters; NULL for telemetry */
};

/* Columns of the statement: seq, ts, body and, when chained, hash. */
void audit_record_take(struct audit_record *r, sqlite3_stmt *stmt, bool chained);
bool audit_hash_same(const char *a, const char *b); /* of CHAIN_HEX characters; NULL is like none */
/* Whether the hash in the text follows from `before`. */
RG_NODISCARD enum rg_err audit_record_follows(struct chain *chain, const char *before,
                                              const struct audit_record *r, bool *follows);

#endif
