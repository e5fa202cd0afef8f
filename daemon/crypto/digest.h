/* SHA-256 (FIPS 180-4) as lower-case hex. The working memory is kept, so that nothing is allocated for one more digest. One thread
 * at a time. */
#ifndef RG_CRYPTO_DIGEST_H
#define RG_CRYPTO_DIGEST_H

#include <stddef.h>

#include "base/error.h"

#define DIGEST_HEX 64 /* characters, without the NUL */

struct digest;

RG_NODISCARD enum rg_err digest_create(struct digest **out);
void digest_destroy(struct digest *d); /* takes NULL */

/* begin, add as often as needed, end. RG_EIO: the library refused; begin again. */
RG_NODISCARD enum rg_err digest_begin(struct digest *d);
RG_NODISCARD enum rg_err digest_add(struct digest *d, const void *bytes, size_t length);
RG_NODISCARD enum rg_err digest_end(struct digest *d, char out[DIGEST_HEX + 1]);

#endif
