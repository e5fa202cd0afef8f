#include "config/uscc.h"

#include <stddef.h>
#include <string.h>

/* GB 32100-2015, table 2: the alphabet leaves out what is easily taken for another character. */
static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
#define USCC_MODULUS 31u

enum uscc_verdict uscc_check(const char *code, char *expected)
{
    unsigned sum = 0;
    unsigned weight = 1;
    unsigned check;

    *expected = '\0';
    if (strlen(code) != USCC_LENGTH)
        return USCC_BAD_LENGTH;
    for (size_t i = 0; i < USCC_LENGTH; i++)
        if (!strchr(alphabet, code[i]))
            return USCC_BAD_CHARACTER;
    for (size_t i = 0; i < USCC_LENGTH - 1; i++) {
        sum += weight * (unsigned)(strchr(alphabet, code[i]) - alphabet);
        weight = weight * 3 % USCC_MODULUS; /* 3^i mod 31, i from 0 */
    }
    check = (USCC_MODULUS - sum % USCC_MODULUS) % USCC_MODULUS;
    *expected = alphabet[check];
    return code[USCC_LENGTH - 1] == *expected ? USCC_GOOD : USCC_BAD_CHECK;
}
