/* What arrived of one stream of one gateway: every record once, however often it was sent. */
#ifndef PLATFORM_LEDGER_H
#define PLATFORM_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ledger_entry {
    uint64_t fingerprint; /* of the record's bytes; 0: not received */
    int64_t prev;         /* of a message that began with this record: its prev + 1; 0: none began here */
    char *text;           /* kept for hashed streams, to check the chain */
    uint32_t length;
};

struct ledger {
    struct ledger_entry *entries; /* by sequence number - 1 */
    size_t capacity;
    int64_t top; /* highest sequence number received */
    uint64_t messages, backfill_messages, records, resent;
};

enum ledger_result { LEDGER_NEW, LEDGER_RESENT, LEDGER_DIFFERS, LEDGER_NO_MEMORY };

#define LEDGER_SEQ_MAX (64 * 1000 * 1000)

enum ledger_result ledger_add(struct ledger *l, int64_t seq, const char *text, size_t length, bool keep);
/* A message began with `first` and named `prev` (0: null). */
void ledger_prev(struct ledger *l, int64_t first, int64_t prev);
/* Records that some message named as prev and that never came. The first few are written to out. */
uint64_t ledger_missing(const struct ledger *l, int64_t *out, size_t max, size_t *written);
/* Numbers between 1 and top that never came (filters and retention leave such holes rightfully). */
uint64_t ledger_holes(const struct ledger *l);
/* Checks each record whose forerunner is here too. Returns the number of the first record that does not fit, or 0; *checked counts. */
int64_t ledger_chain(const struct ledger *l, uint64_t *checked);
void ledger_free(struct ledger *l);

#endif
