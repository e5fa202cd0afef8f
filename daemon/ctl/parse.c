#include "ctl/parse.h"

#include <string.h>

#include "base/text.h"
#include "config/value.h"

#define SPAN_TEXT_MAX 64
#define ADDRESS_LAST 65535

bool parse_number(const char *text, long least, long most, long *out)
{
    int64_t value = 0;

    if (value_int(text, &value) != VALUE_GOOD || value < least || value > most)
        return false;
    *out = (long)value;
    return true;
}

/* "a-b" into a and b; "a" into a and a. */
static bool split(const char *text, char first[SPAN_TEXT_MAX], char last[SPAN_TEXT_MAX])
{
    char *dash;

    if (!text_copy(first, SPAN_TEXT_MAX, text))
        return false;
    dash = strchr(first, '-');
    if (dash)
        *dash = '\0';
    return text_copy(last, SPAN_TEXT_MAX, dash ? dash + 1 : first);
}

bool parse_span(const char *text, long least, long most, long *first, long *last)
{
    char a[SPAN_TEXT_MAX], b[SPAN_TEXT_MAX];

    return split(text, a, b) && parse_number(a, least, most, first) && parse_number(b, *first, most, last);
}

static bool range_of(enum point_space space, long first, long last, struct probe_range *out)
{
    if (first > last || last - first >= PROBE_COUNT_MAX)
        return false;
    *out = (struct probe_range){space, (uint16_t)first, (uint16_t)(last - first + 1)};
    return true;
}

bool parse_range(const char *text, enum point_space space, struct probe_range *out)
{
    long first = 0, last = 0;

    return parse_span(text, 0, ADDRESS_LAST, &first, &last) && range_of(space, first, last, out);
}

bool parse_register_range(const char *text, struct probe_range *out)
{
    enum point_space space = SPACE_HOLDING, other = SPACE_HOLDING;
    char a[SPAN_TEXT_MAX], b[SPAN_TEXT_MAX];
    uint16_t first = 0, last = 0;

    return split(text, a, b) && value_register(a, &space, &first) && value_register(b, &other, &last) &&
           space == other && range_of(space, first, last, out);
}

bool parse_word(enum point_space space, const char *text, uint16_t *out)
{
    long value = 0;

    if (space == SPACE_COIL) {
        bool on = strcmp(text, "on") == 0 || strcmp(text, "1") == 0;

        *out = on;
        return on || strcmp(text, "off") == 0 || strcmp(text, "0") == 0;
    }
    if (!parse_number(text, INT16_MIN, UINT16_MAX, &value))
        return false;
    *out = (uint16_t)value;
    return true;
}

bool parse_parity(const char *text, enum parity *out)
{
    static const char *const names[] = {[PARITY_NONE] = "none", [PARITY_EVEN] = "even", [PARITY_ODD] = "odd"};

    for (size_t i = 0; i < RG_COUNT(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum parity)i;
            return true;
        }
    }
    return false;
}
