#include "convert/formula.h"

#include <math.h>
#include <stdbool.h>

#define ZERO_CELSIUS 273.15      /* K */
#define MOLAR_VOLUME_ZERO 22.414 /* L/mol at 0 degrees Celsius and 1 atm */
#define HERTZ_OF_ONE_MICROSECOND 1e6
#define DIGITS_PER_HERTZ2 1e-3

/* Every outcome goes through here. */
static enum rg_err give(double value, double *out)
{
    if (!isfinite(value))
        return RG_ERANGE;
    *out = value;
    return RG_OK;
}

enum rg_err formula_wire_digits(enum wire_input input, double reading, double *digits)
{
    double hertz = reading;

    if (!(reading > 0))
        return RG_ERANGE;
    if (input == WIRE_DIGITS)
        return give(reading, digits);
    if (input == WIRE_PERIOD_US)
        hertz = HERTZ_OF_ONE_MICROSECOND / reading;
    return give(hertz * hertz * DIGITS_PER_HERTZ2, digits);
}

enum rg_err formula_wire_linear(double digits, double zero, double factor, enum wire_sign sign, double *out)
{
    return give(factor * (sign == WIRE_READING_MINUS_ZERO ? digits - zero : zero - digits), out);
}

enum rg_err formula_wire_polynomial(double digits, double a, double b, double c, double *out)
{
    return give((a * digits + b) * digits + c, out);
}

enum rg_err formula_wire_c(double a, double b, double zero, double *c)
{
    return give(-(a * zero + b) * zero, c);
}

enum rg_err formula_wire_temperature(double value, double celsius, double zero, double factor, double *out)
{
    return give(value + factor * (celsius - zero), out);
}

enum rg_err formula_wire_barometer(double value, double pressure, double zero, double *out)
{
    return give(value - (pressure - zero), out);
}

enum rg_err formula_thermistor(double ohms, double a, double b, double c, double d, double *celsius)
{
    double ln, ln2, inverse;

    if (!(ohms > 0))
        return RG_ERANGE;
    ln = log(ohms);
    ln2 = ln * ln;
    inverse = a + ln * (b + ln2 * (c + ln2 * d));
    if (!(inverse > 0)) /* not a temperature above absolute zero */
        return RG_ERANGE;
    return give(1 / inverse - ZERO_CELSIUS, celsius);
}

static enum rg_err between(double value, const struct convert_entry *low, const struct convert_entry *high,
                           double *out)
{
    double span = high->from - low->from;

    if (span == 0)
        return RG_ERANGE;
    /* From the nearer end, so that each end gives exactly its own value. */
    if (fabs(value - low->from) <= fabs(high->from - value))
        return give(low->to + (value - low->from) * (high->to - low->to) / span, out);
    return give(high->to + (value - high->from) * (high->to - low->to) / span, out);
}

enum rg_err formula_line(double value, const struct convert_entry points[2], double *out)
{
    return between(value, &points[0], &points[1], out);
}

enum rg_err formula_table(double value, const struct convert_entry *entries, size_t count, double *out)
{
    size_t low = 0, high = count;

    if (count < 2 || !(value >= entries[0].from) || !(value <= entries[count - 1].from))
        return RG_ERANGE;
    while (high - low > 1) { /* entries[low].from <= value, and below what stands at high */
        size_t middle = low + (high - low) / 2;

        if (entries[middle].from <= value)
            low = middle;
        else
            high = middle;
    }
    if (low + 1 == count)
        low--;
    return between(value, &entries[low], &entries[low + 1], out);
}

static double pascals_of(enum pressure_unit unit)
{
    switch (unit) {
    case PRESSURE_PA:
        return 1;
    case PRESSURE_HPA:
        return 100;
    case PRESSURE_KPA:
        return 1e3;
    case PRESSURE_MPA:
        return 1e6;
    case PRESSURE_BAR:
        return 1e5;
    case PRESSURE_MH2O:
        return 9806.65;
    case PRESSURE_MMHG:
        return 133.3224;
    case PRESSURE_ATM:
        return 101325;
    }
    return NAN;
}

enum rg_err formula_pressure(double value, enum pressure_unit from, enum pressure_unit to, double *out)
{
    return give(value * pascals_of(from) / pascals_of(to), out);
}

enum rg_err formula_molar_volume(double celsius, double *litres)
{
    if (!(celsius > -ZERO_CELSIUS))
        return RG_ERANGE;
    return give(MOLAR_VOLUME_ZERO * (celsius + ZERO_CELSIUS) / ZERO_CELSIUS, litres);
}

enum rg_err formula_ppm(double mg_m3, double molar_mass, double celsius, double *ppm)
{
    double litres = 0;
    enum rg_err err = formula_molar_volume(celsius, &litres);

    if (err != RG_OK || !(molar_mass > 0))
        return RG_ERANGE;
    return give(mg_m3 * litres / molar_mass, ppm);
}

enum rg_err formula_mg_m3(double ppm, double molar_mass, double celsius, double *mg_m3)
{
    double litres = 0;
    enum rg_err err = formula_molar_volume(celsius, &litres);

    if (err != RG_OK || !(molar_mass > 0))
        return RG_ERANGE;
    return give(ppm * molar_mass / litres, mg_m3);
}

enum rg_err formula_beach_length(double crest, double level, double slope, double *metres)
{
    if (!(slope > 0))
        return RG_ERANGE;
    return give((crest - level) / slope, metres);
}

enum rg_err formula_beach_slope(double h1, double d1, double h2, double d2, double x1, double x2,
                                double *slope)
{
    if (x1 == x2)
        return RG_ERANGE;
    return give(fabs((h1 - d1) - (h2 - d2)) / fabs(x1 - x2), slope);
}

enum rg_err formula_freeboard(double crest, double flood_level, double *metres)
{
    return give(crest - flood_level, metres);
}

enum rg_err formula_increase(double before, double now, double wrap, double most, double *out)
{
    double wrapped = now + (wrap - before);

    if (!(now >= 0) || (wrap > 0 && now >= wrap))
        return RG_ERANGE;
    if (now >= before)
        return give(now - before, out);
    if (wrap > 0 && wrapped <= (most > 0 ? most : wrap / 2))
        return give(wrapped, out);
    return give(now, out);
}
