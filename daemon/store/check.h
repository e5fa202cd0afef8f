/* Is the database whole? After an unclean end. */
#ifndef RG_STORE_CHECK_H
#define RG_STORE_CHECK_H

#include "store/db.h"

/* So many pages (256 MiB) are looked through as a whole, which takes a fast disk under a second and an SD card about ten. In a
 * larger file only the tables but telemetry and the roll-ups are: nobody watches meanwhile, and what is damaged of those is
 * found by the first who reads it, and set aside then. */
#define CHECK_WHOLE_PAGES 65536

/* SQLite's quick_check, and that each stream's last number and hash are those of its last record. RG_ECORRUPT,
 * RG_EIO, RG_ENOMEM; *why gets words without the path. */
RG_NODISCARD enum rg_err check_database(sqlite3 *db, char *why, size_t why_size);

#endif
