#include "ctl/probe_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define F32_DIGITS_MAX 9 /* as many tell any two floats apart */

uint32_t view_u32(uint16_t first, uint16_t second, enum word_order order)
{
    uint32_t swapped;

    if (order == ORDER_CDAB || order == ORDER_DCBA) {
        uint16_t t = first;

        first = second;
        second = t;
    }
    if (order == ORDER_ABCD || order == ORDER_CDAB)
        return (uint32_t)first << 16 | second;
    swapped = (uint32_t)first << 16 | second; /* the bytes of each register change places */
    return (swapped & 0x00ff00ffu) << 8 | (swapped >> 8 & 0x00ff00ffu);
}

float view_f32(uint16_t first, uint16_t second, enum word_order order)
{
    uint32_t bits = view_u32(first, second, order);
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

unsigned view_f32_digits(float value)
{
    char text[VIEW_TEXT_MAX];

    if (!isfinite(value))
        return F32_DIGITS_MAX;
    for (int digits = 1; digits < F32_DIGITS_MAX; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            return (unsigned)digits;
    }
    return F32_DIGITS_MAX;
}

const char *view_f32_text(float value, char out[VIEW_TEXT_MAX])
{
    int digits = (int)view_f32_digits(value);
    int whole = 1; /* digits before the point */

    if (isnan(value)) { /* whose sign says nothing */
        (void)text_copy(out, VIEW_TEXT_MAX, "nan");
        return out;
    }
    /* %g takes to exponents where a number has more digits before its point than are asked for. */
    if (fabs((double)value) < PLAUSIBLE_MOST) {
        for (long left = labs((long)value); left >= 10; left /= 10)
            whole++;
    }
    if (digits < whole)
        digits = whole;
    (void)snprintf(out, VIEW_TEXT_MAX, "%.*g", digits, (double)value);
    return out;
}

enum plausible plausible_f32(float value)
{
    double magnitude = fabs((double)value);

    if (value == 0.0f)
        return PLAUSIBLE_MAYBE;
    if (!isnormal(value) || magnitude < PLAUSIBLE_LEAST || magnitude > PLAUSIBLE_MOST)
        return PLAUSIBLE_NO;
    return view_f32_digits(value) <= PLAUSIBLE_DIGITS ? PLAUSIBLE_LIKELY : PLAUSIBLE_MAYBE;
}

enum plausible plausible_i32(int32_t value)
{
    int64_t magnitude = value < 0 ? -(int64_t)value : value;

    if (value >= INT16_MIN && value <= UINT16_MAX)
        return PLAUSIBLE_NO;
    return (double)magnitude < PLAUSIBLE_MOST ? PLAUSIBLE_MAYBE : PLAUSIBLE_NO;
}

const char *plausible_mark(enum plausible p)
{
    static const char *const marks[] = {
        [PLAUSIBLE_NO] = "", [PLAUSIBLE_MAYBE] = "?", [PLAUSIBLE_LIKELY] = "*"};

    return marks[p];
}

const char *view_bits(uint16_t value, char out[VIEW_TEXT_MAX])
{
    for (unsigned i = 0; i < 16; i++)
        out[i] = value >> (15 - i) & 1 ? '1' : '0';
    out[16] = '\0';
    return out;
}

const char *view_ascii(uint16_t value, char out[VIEW_TEXT_MAX])
{
    const unsigned char bytes[] = {(unsigned char)(value >> 8), (unsigned char)(value & 0xff)};

    for (size_t i = 0; i < sizeof bytes; i++)
        out[i] = bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '.';
    out[sizeof bytes] = '\0';
    return out;
}

const char *view_register(enum point_space space, uint16_t address, char out[VIEW_TEXT_MAX])
{
    static const unsigned leads[] = {
        [SPACE_COIL] = 0, [SPACE_DISCRETE] = 1, [SPACE_INPUT] = 3, [SPACE_HOLDING] = 4};
    unsigned number = address + 1u;

    (void)snprintf(out, VIEW_TEXT_MAX, number > 9999 ? "%u%05u" : "%u%04u", leads[space], number);
    return out;
}
