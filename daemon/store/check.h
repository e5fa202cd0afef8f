/* Is the database whole? After an unclean end. */
#ifndef RG_STORE_CHECK_H
#define RG_STORE_CHECK_H

#include "store/db.h"

/* SQLite's quick_check, and that each stream's last number and hash are those of its last record. RG_ECORRUPT,
 * RG_EIO, RG_ENOMEM; *why gets words without the path. */
RG_NODISCARD enum rg_err check_database(sqlite3 *db, char *why, size_t why_size);

#endif
