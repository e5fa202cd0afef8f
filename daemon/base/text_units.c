/* Durations and sizes as people write them. */
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define SECOND_MS ((int64_t)1000)
#define DAY_MS (86400 * SECOND_MS)
#define YEAR_MS (365 * DAY_MS)
#define DURATION_MAX_MS (100 * YEAR_MS)

struct text_unit {
    const char *name;
    int64_t factor;
};

static const struct text_unit durations[] = {
    {"ms", 1},     {"s", SECOND_MS}, {"m", 60 * SECOND_MS}, {"h", 3600 * SECOND_MS},
    {"d", DAY_MS}, {"y", YEAR_MS},
};

static const struct text_unit sizes[] = {
    {"", 1},
    {"KiB", (int64_t)1 << 10},
    {"MiB", (int64_t)1 << 20},
    {"GiB", (int64_t)1 << 30},
};

static enum rg_err text_quantity(const char *text, const struct text_unit *units, size_t count, int64_t max,
                                 int64_t *out)
{
    int64_t number = 0;
    bool beyond = false;
    const char *at = text;

    for (; *at >= '0' && *at <= '9'; at++) {
        /* Read on when it is too large already: a wrong unit is the graver error. */
        beyond = beyond || number > (max - (*at - '0')) / 10;
        if (!beyond)
            number = number * 10 + (*at - '0');
    }
    if (at == text)
        return RG_EINVAL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(at, units[i].name) != 0)
            continue;
        if (beyond || number > max / units[i].factor)
            return RG_ERANGE;
        *out = number * units[i].factor;
        return RG_OK;
    }
    return RG_EINVAL;
}

enum rg_err text_duration(const char *text, int64_t *ms)
{
    return text_quantity(text, durations, RG_COUNT(durations), DURATION_MAX_MS, ms);
}

enum rg_err text_size(const char *text, int64_t *bytes)
{
    return text_quantity(text, sizes, RG_COUNT(sizes), INT64_MAX, bytes);
}

const char *text_format_duration(int64_t ms, char *out)
{
    size_t unit = RG_COUNT(durations) - 1;

    /* Nothing is nothing in every unit: "0s" is how people write it. */
    if (ms == 0)
        unit = 1;
    while (ms % durations[unit].factor != 0)
        unit--;
    (void)text_format(out, 32, "%" PRId64 "%s", ms / durations[unit].factor, durations[unit].name);
    return out;
}
