#include "rules/decimal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/text.h"

#define EXACT_POWER 22 /* the highest power of ten that a double holds exactly */

/* x to so many places; slow, for numbers so small that the power of ten is no exact double. */
static double round_text(double x, int places)
{
    char text[64];

    return text_format(text, sizeof text, "%.*f", places, x) ? strtod(text, NULL) : x;
}

/* To so many places, EXACT_POWER either way at most. An integer and an exact power of ten: what comes out is the very double that
 * the decimal is written as. */
static double round_places(double x, int places)
{
    static const double power[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

    if (places >= 0)
        return nearbyint(x * power[places]) / power[places];
    return nearbyint(x / power[-places]) * power[-places];
}

/* Rounds a sum whose larger term is that large (its absolute value). */
static double round_like(double x, double larger)
{
    int places;

    if (!isfinite(x) || larger < 1e-20 || larger > 1e15)
        return x;
    places = DBL_DIG - 1 - (int)floor(log10(larger));
    if (places < 0)
        places = 0;
    return places <= EXACT_POWER ? round_places(x, places) : round_text(x, places);
}

double decimal_digits(double value, int digits)
{
    int exponent, places;

    if (value == 0 || !isfinite(value))
        return value;
    (void)frexp(value, &exponent);
    places = digits - 1 - (int)floor((exponent - 1) * 0.30102999566398120); /* log10(2) */
    return places > EXACT_POWER || places < -EXACT_POWER ? value : round_places(value, places);
}

double decimal_sum(double a, double b)
{
    return round_like(a + b, fmax(fabs(a), fabs(b)));
}

double decimal_follow(double value, double times, double plus)
{
    double product = value * times;

    return round_like(product + plus, fmax(fabs(product), fabs(plus)));
}

double decimal_precise(double value, bool single)
{
    return single && fabs(value) <= (double)FLT_MAX ? (double)(float)value : value;
}
