/* One stream being looked through, record by record, and the search for what a record that does not hold has suffered. For
 * audit.c. */
#ifndef RG_STORE_AUDIT_WALK_H
#define RG_STORE_AUDIT_WALK_H

#include "store/audit.h"
#include "store/audit_record.h"

struct walk {
    sqlite3 *db;
    struct chain *chain;
    enum stream stream;
    bool chained;
    sqlite3_stmt *rows,
        *peek; /* numbers ?1 to ?2; the first above ?1: with the columns of audit_record_take */
    struct audit_stream *out;
    int64_t next;                 /* the number that comes next */
    char before[CHAIN_HEX + 1];   /* hash that the next record follows from; "": the chain begins here */
    char previous[CHAIN_HEX + 1]; /* and that the one before followed from; "?": not known */
    int64_t head;                 /* last number as the table `stream` has it */
    char head_hash[CHAIN_HEX + 1];
};

#define WALK_UNKNOWN "?" /* in place of a hash */

/* Looks at the next record; w->out->fault tells when it does not hold. SQLITE_OK or what went wrong. */
RG_NODISCARD int walk_record(struct walk *w, const struct audit_record *r);
/* After the last record that is there: whether that is where the stream ends. */
void walk_end(struct walk *w);
RG_PRINTF(5, 6)
void walk_blame(struct walk *w, enum audit_fault fault, int64_t first, int64_t last, const char *format, ...);

#endif
