/* The tables and views of contract §4, made by numbered migrations. */
#ifndef RG_STORE_SCHEMA_H
#define RG_STORE_SCHEMA_H

#include "store/db.h"

#define SCHEMA_APPLICATION_ID 0x52474731 /* "RGG1" in the file's header: told apart from any other database */
#define SCHEMA_VERSION 6                 /* kept as user_version */

/* Records of telemetry are noted in blocks of so many sequence numbers, each with a bit map of the devices in it:
 * an index for filters that costs one row a block instead of one entry a record. */
#define SCHEMA_BLOCK_SHIFT 12

/* Brings the database from whatever version it has to `version`, each step in a transaction of its own that also
 * sets user_version. RG_EINVAL: some other program's database; RG_EUNSUPPORTED: newer than SCHEMA_VERSION;
 * RG_ECORRUPT, RG_EIO, RG_ENOMEM. *why gets words without the path. */
RG_NODISCARD enum rg_err schema_migrate(sqlite3 *db, int version, char *why, size_t why_size);

#endif
