/* Characters of UTF-8 text: what may stand in a configuration, and how wide it is on a terminal. Pure. */
#ifndef RG_CONFIG_UTF8_H
#define RG_CONFIG_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at text (1..4) and its code point; 0 when it is not UTF-8 (RFC 3629: no surrogates,
 * no overlong forms). */
size_t utf8_decode(const char *text, size_t left, uint32_t *code);
/* May stand in a file: no control but tab and line ends, nothing that turns the direction of the text around
 * or breaks lines unseen (what a person reads must be what the gateway reads). */
bool utf8_is_allowed(uint32_t code);
/* Cells on a terminal: 0, 1 or 2 (East Asian wide). An approximation, for placing a caret. */
unsigned utf8_width(uint32_t code);

#endif
