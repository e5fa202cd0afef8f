#include "ctl/parse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

bool parse_seconds(const char *text, int64_t *out_ms)
{
    char *end;
    double seconds;

    if (text[0] < '0' || text[0] > '9')
        return false;
    seconds = strtod(text, &end);
    if (end[0] == 's')
        end++;
    if (*end != '\0' || !(seconds >= 0.1) || !(seconds <= 3600))
        return false;
    *out_ms = lround(seconds * 1000);
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

/* "Z", "+08:00", "-0330", or nothing: local time. */
static bool parse_zone(const char *text, bool *local, long *east_s)
{
    unsigned hours, minutes;
    int end = 0;

    *local = text[0] == '\0';
    *east_s = 0;
    if (*local || strcmp(text, "Z") == 0)
        return true;
    if (text[0] != '+' && text[0] != '-')
        return false;
    if (sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &end) != 2 || text[1 + end] != '\0' || hours > 14 ||
        minutes > 59)
        return false;
    *east_s = (long)(hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
    return true;
}

static bool day_is_real(const struct tm *t)
{
    struct tm same = *t;

    return timegm(&same) != (time_t)-1 && same.tm_mday == t->tm_mday && same.tm_mon == t->tm_mon;
}

bool parse_time(const char *text, int64_t *out)
{
    struct tm t = {.tm_isdst = -1};
    bool local;
    long east_s;
    time_t seconds;
    int end = 0, more = 0;

    if (value_int(text, out) == VALUE_GOOD)
        return *out > 0;
    if (sscanf(text, "%4d-%2d-%2d%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &end) != 3)
        return false;
    text += end;
    if (*text == ' ' || *text == 'T') {
        if (sscanf(text + 1, "%2d:%2d%n", &t.tm_hour, &t.tm_min, &end) != 2)
            return false;
        text += 1 + end;
        if (sscanf(text, ":%2d%n", &t.tm_sec, &more) == 1)
            text += more;
    }
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    if (!parse_zone(text, &local, &east_s) || t.tm_year < 70 || t.tm_mon < 0 || t.tm_hour < 0 ||
        t.tm_hour > 23 || t.tm_min < 0 || t.tm_min > 59 || t.tm_sec < 0 || t.tm_sec > 60 || !day_is_real(&t))
        return false;
    seconds = local ? mktime(&t) : timegm(&t) - east_s;
    *out = (int64_t)seconds * 1000;
    return seconds > 0;
}

bool parse_time_or_tell(const char *text, int64_t *out_ms)
{
    if (parse_time(text, out_ms))
        return true;
    (void)fprintf(
        stderr,
        "riskgatectl: %s is no time; a time is 2025-11-22, '2025-11-22 10:00:00', ...Z, or ms since 1970\n",
        text);
    return false;
}
