#include "crypto/digest.h"

#include <stdlib.h>

#include <openssl/evp.h>

struct digest {
    EVP_MD_CTX *context;
    EVP_MD *sha256; /* fetched once: looking it up for each record costs more than hashing one */
};

enum rg_err digest_create(struct digest **out)
{
    struct digest *d = calloc(1, sizeof(*d));

    *out = NULL;
    if (!d)
        return RG_ENOMEM;
    d->context = EVP_MD_CTX_new();
    d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!d->context || !d->sha256) {
        digest_destroy(d);
        return RG_ENOMEM;
    }
    *out = d;
    return RG_OK;
}

void digest_destroy(struct digest *d)
{
    if (!d)
        return;
    EVP_MD_CTX_free(d->context);
    EVP_MD_free(d->sha256);
    free(d);
}

enum rg_err digest_begin(struct digest *d)
{
    return EVP_DigestInit_ex2(d->context, d->sha256, NULL) == 1 ? RG_OK : RG_EIO;
}

enum rg_err digest_add(struct digest *d, const void *bytes, size_t length)
{
    return EVP_DigestUpdate(d->context, bytes, length) == 1 ? RG_OK : RG_EIO;
}

enum rg_err digest_end(struct digest *d, char out[DIGEST_HEX + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;

    if (EVP_DigestFinal_ex(d->context, bytes, &size) != 1 || size * 2 != DIGEST_HEX)
        return RG_EIO;
    for (unsigned int i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[DIGEST_HEX] = '\0';
    return RG_OK;
}
