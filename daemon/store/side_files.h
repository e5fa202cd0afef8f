/* Two small files beside the database: a lock that keeps a second daemon away, and a reserve that is given up when
 * the disk is full. */
#ifndef RG_STORE_SIDE_FILES_H
#define RG_STORE_SIDE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* <path>.lock, held by the open file description: gone with the process, however it ends. RG_EEXIST: another
 * process holds it; RG_EIO. *why: words with the path. */
RG_NODISCARD enum rg_err lock_take(const char *path, int *fd, char *why, size_t why_size);
void lock_release(int fd); /* takes -1; the file stays, or two could hold two of the same name */

/* <path>.reserve: so many bytes of the disk, given up when it is full: what makes room needs some itself. Both do
 * nothing when it is so already, and nothing depends on their success. reserve_keep leaves a disk alone that has
 * not twice as much free. */
void reserve_keep(const char *path, int64_t bytes);
bool reserve_release(const char *path); /* true: there was one, and it is gone */

/* The folder that a file lies in. folder_open: a descriptor, -1: it cannot be opened. folder_sync: so that what was made
 * or renamed in it stays so after a power cut; where that fails nothing depends on it. */
int folder_open(const char *path);
void folder_sync(const char *path);

#endif
