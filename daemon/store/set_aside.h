/* A damaged database is moved out of the way, whole, for people to look at; never deleted, never overwritten. */
#ifndef RG_STORE_SET_ASIDE_H
#define RG_STORE_SET_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SET_ASIDE_NAME 320 /* of the file, without its folder */

/* Whether a file at path that is no database may be taken for a store of ours that was damaged: it is not there, or the
 * store is known from its side files, or it is not text. Anything else somebody put there, and it is left alone. */
bool set_aside_may(const char *path, bool known);

/* Renames <path> to <path>.corrupt-20261122T101112Z (UTC of wall_ms), -2, -3 ... when that is taken; its -wal and -shm
 * go before it and keep its name, so that it can be opened as it was, and that no new database ever finds them. All
 * connections of this process must be closed; those of others follow the file. name: of the file ("" when there was
 * none). RG_EIO, with *why. */
RG_NODISCARD enum rg_err set_aside_move(const char *path, int64_t wall_ms, char name[SET_ASIDE_NAME],
                                        char *why, size_t why_size);

/* What lies beside the store by now: how many, and bytes together. */
void set_aside_count(const char *path, unsigned *count, int64_t *bytes);

#endif
