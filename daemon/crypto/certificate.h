/* What the certificates and keys in PEM files say. Reads files: blocking, and only of regular ones. Words name the file, and never show
 * anything of a key. */
#ifndef RG_CRYPTO_CERTIFICATE_H
#define RG_CRYPTO_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CERTIFICATE_SUBJECT 256
#define CERTIFICATE_WORDS 512
#define CERTIFICATE_FILE_BYTES (4l << 20) /* larger files are refused */

struct certificate {
    int64_t begins_ms,
        ends_ms; /* validity, wall ms; the instants themselves belong to it (RFC 5280, 4.1.2.5) */
    char subject[CERTIFICATE_SUBJECT]; /* "CN=broker,O=x" (RFC 2253), cut when longer */
};

/* All certificates of a file, in its order; the list is to be freed with free(). RG_ENOTFOUND: there is no such file; RG_EPERM: it may not
 * be read; RG_EIO: it cannot be, or is no regular file; RG_ERANGE: too large; RG_EINVAL: no certificate in it, or a damaged one; RG_ENOMEM. */
RG_NODISCARD enum rg_err certificate_load(const char *path, struct certificate **list, size_t *count,
                                          char why[CERTIFICATE_WORDS]);
/* The one that ends first. Of several with the same subject the one that ends last counts: a file that holds the old authority beside the
 * new one is good as long as the new one is. Pure; count is 1 or more. */
const struct certificate *certificate_first_to_end(const struct certificate *list, size_t count);
/* Whether the key is the one of the first certificate. RG_EINVAL also: the key is encrypted (nobody is there to be asked), is no key, or is
 * another one; the rest as above, of either file. */
RG_NODISCARD enum rg_err certificate_key_fits(const char *certificate_path, const char *key_path,
                                              char why[CERTIFICATE_WORDS]);

#endif
