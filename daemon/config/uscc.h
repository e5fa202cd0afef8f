/* The unified social credit code of an enterprise (GB 32100-2015). Pure. */
#ifndef RG_CONFIG_USCC_H
#define RG_CONFIG_USCC_H

#define USCC_LENGTH 18

enum uscc_verdict {
    USCC_GOOD,
    USCC_BAD_LENGTH,    /* not 18 characters */
    USCC_BAD_CHARACTER, /* one that is not 0-9 or A-Z without I O Z S V */
    USCC_BAD_CHECK,     /* the last character does not fit the first 17 */
};

/* expected: the check character that the first 17 ask for, when the verdict is USCC_BAD_CHECK or
 * USCC_GOOD. */
enum uscc_verdict uscc_check(const char *code, char *expected);

#endif
