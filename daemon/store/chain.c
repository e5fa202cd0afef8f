#include "store/chain.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"

struct chain {
    struct digest *digest;
};

_Static_assert(CHAIN_HEX == DIGEST_HEX, "a link of the chain is a digest");

enum rg_err chain_create(struct chain **out)
{
    struct chain *c = calloc(1, sizeof(*c));
    enum rg_err err;

    *out = NULL;
    if (c == NULL)
        return RG_ENOMEM;
    err = digest_create(&c->digest);
    if (err != RG_OK) {
        free(c);
        return err;
    }
    *out = c;
    return RG_OK;
}

void chain_destroy(struct chain *c)
{
    if (c == NULL)
        return;
    digest_destroy(c->digest);
    free(c);
}

enum rg_err chain_next(struct chain *c, const char *previous, const char *text, size_t length, char *out)
{
    enum rg_err err = digest_begin(c->digest);

    if (err == RG_OK)
        err = digest_add(c->digest, previous, strlen(previous));
    if (err == RG_OK)
        err = digest_add(c->digest, text, length);
    if (err == RG_OK)
        err = digest_end(c->digest, out);
    return err;
}
