/* Part of the site: how raw values become engineering values on the gateway, and how points are worked out from
 * other points. The formulas, with their sources, are convert/formula.h's. Included by model/site.h. */
#ifndef RG_MODEL_SITE_CONVERT_H
#define RG_MODEL_SITE_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number, or a point's value times a factor plus a summand. */
struct site_operand {
    uint32_t point; /* index into site.points; SITE_NONE: the number in plus */
    double times, plus;
};

enum convert_kind {
    CONVERT_NONE,
    CONVERT_TWO_POINT,      /* the straight line through two points */
    CONVERT_TABLE,          /* straight lines between the entries of a table */
    CONVERT_THERMISTOR,     /* Steinhart-Hart: ohms to degrees Celsius */
    CONVERT_VIBRATING_WIRE, /* frequency, period or digits to an engineering value */
    CONVERT_CONCENTRATION,  /* ppm to mg/m3 or back at a stated temperature */
};

enum wire_input { WIRE_HERTZ, WIRE_PERIOD_US, WIRE_DIGITS };
/* Which way a rising reading counts: makers disagree, so it is always stated. */
enum wire_sign { WIRE_READING_MINUS_ZERO, WIRE_ZERO_MINUS_READING };

struct convert_entry {
    double from, to;
};

struct site_convert {
    enum convert_kind kind;
    /* TWO_POINT: two; TABLE: two or more, ascending in from. A value outside the table is QUALITY_RANGE. */
    const struct convert_entry *entries;
    size_t entry_count;
    /* THERMISTOR: 1/T = a + b ln R + c (ln R)^3. VIBRATING_WIRE with polynomial: a R^2 + b R + c. */
    double a, b, c;
    /* VIBRATING_WIRE */
    enum wire_input input;
    bool polynomial;     /* otherwise factor * (reading and zero by sign) */
    enum wire_sign sign; /* of the linear form */
    double zero;         /* reading in digits when there is no load */
    double factor;       /* engineering units a digit */
    bool has_temperature, has_barometer;
    struct site_operand temperature;             /* degrees Celsius */
    double temperature_zero, temperature_factor; /* + factor * (T - zero) */
    struct site_operand barometer;               /* in the unit of the outcome */
    double barometer_zero;                       /* - (S - zero) */
    /* CONCENTRATION */
    bool to_ppm;          /* otherwise to mg/m3 */
    double molar_mass;    /* g/mol */
    double temperature_c; /* the reference */
};

enum derive_kind {
    DERIVE_DIFFERENCE, /* the first operand less all others */
    DERIVE_SUM,
    DERIVE_MEAN,
    DERIVE_MIN,
    DERIVE_MAX,
    DERIVE_BEACH,       /* dry beach length: (crest - level) / slope; operands crest, level, slope */
    DERIVE_BEACH_SLOPE, /* slope between two gauges: operands h1, d1, h2, d2, x1, x2 */
    DERIVE_FREEBOARD,   /* crest - design flood level: operands crest, flood level */
    DERIVE_INCREASE,    /* of a counter since its last good reading; wrap and reset handled */
};

struct site_derived {
    enum derive_kind kind;
    const struct site_operand *operands;
    size_t operand_count;
    double wrap; /* INCREASE: the counter goes from wrap - 1 to 0; 0: it does not wrap */
    double most; /* INCREASE: a larger one is a reset, never a wrap; 0: half of wrap */
};

#endif
