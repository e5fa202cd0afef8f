/* An immutable name -> index table (open addressing), built once, for lookups by name. */
#ifndef RG_BASE_HASH_INDEX_H
#define RG_BASE_HASH_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct hash_index; /* keeps pointers to the names: they must outlive it */

RG_NODISCARD enum rg_err hash_index_create(size_t expected, struct hash_index **out);
/* Bytes that one for so many names takes. */
size_t hash_index_bytes(size_t expected);
void hash_index_destroy(struct hash_index *h); /* takes NULL */
/* RG_EEXIST when the name is there already (then *index_there, may be NULL, is its index); RG_ENOMEM. */
RG_NODISCARD enum rg_err hash_index_add(struct hash_index *h, const char *name, uint32_t index,
                                        uint32_t *index_there);
/* RG_ENOTFOUND when it is not there. */
RG_NODISCARD enum rg_err hash_index_find(const struct hash_index *h, const char *name, uint32_t *index);

#endif
