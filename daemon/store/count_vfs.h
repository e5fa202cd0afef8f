/* Counts what the store writes to its disk: a thin layer under SQLite over the file system it uses by default. Every
 * byte that SQLite hands to the system counts, in the database and in its log (a page that is written, logged and
 * copied back counts each time), and every sync. What the disk makes of it below that is its own affair. */
#ifndef RG_STORE_COUNT_VFS_H
#define RG_STORE_COUNT_VFS_H

#include <stdint.h>

#include "base/error.h"

#define COUNT_VFS_NAME "riskgate-count-" /* each one's name begins with it */

struct count_vfs;

struct count_written {
    uint64_t bytes;
    uint64_t syncs;
};

RG_NODISCARD enum rg_err count_vfs_create(struct count_vfs **out);
/* After the last connection through it was closed. Takes NULL. */
void count_vfs_destroy(struct count_vfs *v);
const char *count_vfs_name(const struct count_vfs *v); /* for sqlite3_open_v2 */
/* What the store writes beside SQLite. Any thread, as the next. */
void count_vfs_add(struct count_vfs *v, uint64_t bytes, uint64_t syncs);
struct count_written count_vfs_read(const struct count_vfs *v);
/* Grows whenever anything is read, written or synced: as long as it does, the disk answers. */
uint64_t count_vfs_moved(const struct count_vfs *v);

#endif
