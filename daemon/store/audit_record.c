#include "store/audit_record.h"

#include <string.h>

#define TAIL ",\"hash\":\""
#define TAIL_SIZE (sizeof(TAIL) - 1 + CHAIN_HEX + 2) /* with the quote and the brace that end the record */

/* Reads "<key>N" at *at and moves behind it. */
static bool take_number(const char **at, const char *end, const char *key, int64_t *out)
{
    const size_t length = strlen(key);
    const char *digit = *at + length;
    bool negative;
    int64_t value = 0;

    if ((size_t)(end - *at) <= length || memcmp(*at, key, length) != 0)
        return false;
    negative = *digit == '-';
    if (negative)
        digit++;
    *at = digit;
    for (; digit < end && *digit >= '0' && *digit <= '9'; digit++) {
        if (value > (INT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (*digit - '0');
    }
    if (digit == *at)
        return false;
    *at = digit;
    *out = negative ? -value : value;
    return true;
}

static bool is_hex(const char *text)
{
    for (size_t i = 0; i < CHAIN_HEX; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    }
    return true;
}

static bool take_tail(struct audit_record *r)
{
    const char *tail;

    if (r->length < TAIL_SIZE)
        return false;
    tail = r->text + r->length - TAIL_SIZE;
    if (memcmp(tail, TAIL, sizeof(TAIL) - 1) != 0 || memcmp(r->text + r->length - 2, "\"}", 2) != 0 ||
        !is_hex(tail + sizeof(TAIL) - 1))
        return false;
    r->covered = r->length - TAIL_SIZE;
    r->hashed = tail + sizeof(TAIL) - 1;
    return true;
}

void audit_record_take(struct audit_record *r, sqlite3_stmt *stmt, bool chained)
{
    const char *at, *end;

    *r = (struct audit_record){.seq = sqlite3_column_int64(stmt, 0), .ts = sqlite3_column_int64(stmt, 1)};
    r->text = sqlite3_column_type(stmt, 2) == SQLITE_TEXT ? (const char *)sqlite3_column_text(stmt, 2) : NULL;
    r->length = r->text == NULL ? 0 : (size_t)sqlite3_column_bytes(stmt, 2);
    if (chained && sqlite3_column_type(stmt, 3) == SQLITE_TEXT && sqlite3_column_bytes(stmt, 3) == CHAIN_HEX)
        r->column = (const char *)sqlite3_column_text(stmt, 3);
    if (r->text == NULL)
        return;
    at = r->text;
    end = r->text + r->length;
    r->covered = r->length;
    r->well_formed = take_number(&at, end, "{\"seq\":", &r->text_seq) &&
                     take_number(&at, end, ",\"ts\":", &r->text_ts) && (!chained || take_tail(r));
}

bool audit_hash_same(const char *a, const char *b)
{
    return a != NULL && b != NULL && memcmp(a, b, CHAIN_HEX) == 0;
}

enum rg_err audit_record_follows(struct chain *chain, const char *before, const struct audit_record *r,
                                 bool *follows)
{
    char hash[CHAIN_HEX + 1];
    enum rg_err err = chain_next(chain, before, r->text, r->covered, hash);

    *follows = err == RG_OK && audit_hash_same(hash, r->hashed);
    return err;
}
