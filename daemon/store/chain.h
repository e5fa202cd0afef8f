/* The hash chain of a stream (contract §3): lower-case hex of SHA-256 over the previous record's hash (its 64
 * characters; nothing for the first record) followed by this record's text up to, not including, `,"hash":`. */
#ifndef RG_STORE_CHAIN_H
#define RG_STORE_CHAIN_H

#include <stddef.h>

#include "base/error.h"

#define CHAIN_HEX 64 /* characters, without the NUL */

struct chain; /* the digest's working memory, so that none is allocated for a record */

RG_NODISCARD enum rg_err chain_create(struct chain **out);
void chain_destroy(struct chain *c); /* takes NULL */
/* previous: CHAIN_HEX characters, or "" for the first record. out gets CHAIN_HEX characters and a NUL and may be
 * previous. RG_EIO: the library refused. */
RG_NODISCARD enum rg_err chain_next(struct chain *c, const char *previous, const char *text, size_t length,
                                    char *out);

#endif
