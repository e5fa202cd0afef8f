/* What a register may mean: it alone, and it with the next one. Pure.
 *
 * Manuals leave out the word order, count registers from 1 or from 0, and an address that is off by one gives, in
 * another order, numbers that look right: the first word of one value and the second of the one before it. So
 * every reading is shown in every order beside its neighbours, and those that can be measurements are marked.
 *
 * A float is possible (PLAUSIBLE_MAYBE) when it is zero, or finite, not denormal, and its magnitude lies between
 * 1e-4 and 1e7: what detectors, counters and levels give in their units. It is likely when its shortest decimal has at most
 * PLAUSIBLE_DIGITS significant digits besides: of all floats 1 to 6 in 100 have so few (there are 9 * 10^5
 * decimals of six digits in a decade, and 2^23 floats from one power of two to the next), but values that a device
 * has rounded and limits that people have set do. A value with all the noise of its sensor is possible, not likely, in any
 * order. A mark is a hint, no more: the halves of two rounded values of one size may make a third (those of 230.4 and
 * 229.8 make 230.8). Only the device's own display, and a value that is seen to change, tell for certain.
 *
 * A 32-bit integer is possible when it does not fit 16 bits and its magnitude is below 1e7; never likely, since any
 * two small numbers side by side make one. */
#ifndef RG_CTL_PROBE_VIEW_H
#define RG_CTL_PROBE_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "model/site.h"

#define PLAUSIBLE_LEAST 1e-4
#define PLAUSIBLE_MOST 1e7
#define PLAUSIBLE_DIGITS 6

enum plausible { PLAUSIBLE_NO, PLAUSIBLE_MAYBE, PLAUSIBLE_LIKELY };
enum plausible plausible_f32(float value);
enum plausible plausible_i32(int32_t value);
/* "" "?" "*" */
const char *plausible_mark(enum plausible p);

/* The 32 bits of two registers, first the one with the lower address. order: ABCD, CDAB, BADC or DCBA (codec.h). */
uint32_t view_u32(uint16_t first, uint16_t second, enum word_order order);
float view_f32(uint16_t first, uint16_t second, enum word_order order);

#define VIEW_TEXT_MAX 32
/* The shortest decimal that reads back as the same float, without an exponent below 1e7: "230.4", "100"; "nan", "inf",
 * "-inf". Returns out. */
const char *view_f32_text(float value, char out[VIEW_TEXT_MAX]);
/* Significant digits of that: 1 for 0, 4 for 230.4, 1 for 100. */
unsigned view_f32_digits(float value);
/* "0000000100101100", the highest bit first. Returns out. */
const char *view_bits(uint16_t value, char out[VIEW_TEXT_MAX]);
/* Its two bytes as ASCII; '.' for what cannot be shown. Returns out. */
const char *view_ascii(uint16_t value, char out[VIEW_TEXT_MAX]);
/* An address in the manuals' one-based notation: holding 0 is "40001", 9999 and above have six digits. Returns out. */
const char *view_register(enum point_space space, uint16_t address, char out[VIEW_TEXT_MAX]);

#endif
