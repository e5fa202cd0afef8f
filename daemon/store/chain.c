#include "store/chain.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

struct chain {
    EVP_MD_CTX *context;
    EVP_MD *sha256; /* fetched once: looking it up for each record costs more than hashing one */
};

enum rg_err chain_create(struct chain **out)
{
    *out = NULL;
    struct chain *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return RG_ENOMEM;
    c->context = EVP_MD_CTX_new();
    c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (c->context == NULL || c->sha256 == NULL) {
        chain_destroy(c);
        return RG_ENOMEM;
    }
    *out = c;
    return RG_OK;
}

void chain_destroy(struct chain *c)
{
    if (c == NULL)
        return;
    EVP_MD_CTX_free(c->context);
    EVP_MD_free(c->sha256);
    free(c);
}

enum rg_err chain_next(struct chain *c, const char *previous, const char *text, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_DigestInit_ex2(c->context, c->sha256, NULL) != 1 ||
        EVP_DigestUpdate(c->context, previous, strlen(previous)) != 1 ||
        EVP_DigestUpdate(c->context, text, length) != 1 ||
        EVP_DigestFinal_ex(c->context, digest, &size) != 1 || size * 2 != CHAIN_HEX)
        return RG_EIO;

    for (unsigned int i = 0; i < size; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[CHAIN_HEX] = '\0';
    return RG_OK;
}
