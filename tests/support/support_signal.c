#include "support_signal.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static bool number(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && !*end;
}

bool support_signal_word(struct site_signal *signal, const char *key, const char *value)
{
    double percent;

    if (strcmp(key, "band") == 0)
        return number(value, &signal->band);
    if (strcmp(key, "wrap") == 0)
        return number(value, &signal->wrap);
    if (strcmp(key, "coverage") == 0) {
        if (!number(value, &percent))
            return false;
        signal->coverage = percent / 100;
        return true;
    }
    for (enum signal_kind kind = SIGNAL_RATE; kind <= SIGNAL_FLAT; kind++) {
        if (strcmp(key, signal_name(kind)) != 0)
            continue;
        signal->kind = kind;
        if (signal->coverage <= 0)
            signal->coverage = SIGNAL_COVERAGE_STANDARD;
        return text_duration(value, &signal->window_ms) == RG_OK;
    }
    return false;
}
