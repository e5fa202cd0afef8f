/* What can still be read of a damaged store, into the new one. */
#ifndef RG_STORE_SALVAGE_H
#define RG_STORE_SALVAGE_H

#include "store/renew.h"

/* Opens what was set aside so that nothing in it is changed, not even at the end. NULL: it cannot be. */
sqlite3 *salvage_open(const char *old_path);

/* The newest records of a stream, as far down as the chain holds. *first: of them, or head + 1; before: the hash that
 * it follows from. The code is the new file's, whatever the old one says. */
int salvage_stream(sqlite3 *old, sqlite3 *db, enum stream stream, const struct renew_stream *known,
                   int64_t *first, char before[CHAIN_HEX + 1]);
/* Small tables, row by row until one cannot be read. */
int salvage_state(sqlite3 *old, sqlite3 *db);

#endif
