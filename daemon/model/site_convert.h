/* Part of the site: how raw values become engineering values on the gateway, and how points are worked out from
 * other points. The formulas, with their sources, are convert/formula.h's. Included by model/site.h. */
#ifndef RG_MODEL_SITE_CONVERT_H
#define RG_MODEL_SITE_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number, or a point's value times a factor plus a summand.
 *
 * What is worked out from points forms an order: a point stands above those it is worked out from (operands of
 * `derived`, temperature and barometer of `convert`). There is no cycle in it, and at most SITE_DEPTH_MAX stand on one
 * another; config/ refuses the rest. */
#define SITE_DEPTH_MAX 16

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
    CONVERT_PRESSURE,       /* from one unit to another */
};

enum wire_input { WIRE_HERTZ, WIRE_PERIOD_US, WIRE_DIGITS };
/* Which way a rising reading counts: makers disagree, so it is always stated. */
enum wire_sign { WIRE_READING_MINUS_ZERO, WIRE_ZERO_MINUS_READING };

enum pressure_unit {
    PRESSURE_PA,
    PRESSURE_HPA,
    PRESSURE_KPA,
    PRESSURE_MPA,
    PRESSURE_BAR,
    PRESSURE_MH2O, /* metre of water */
    PRESSURE_MMHG, /* millimetre of mercury */
    PRESSURE_ATM,
};

struct convert_entry {
    double from, to;
};

/* It is given the reading as decoded, scale and offset included. What lies outside the domain of its formula, or outside
 * the table, is QUALITY_RANGE. The line through two points goes on beyond them: there the point's range decides. */
struct site_convert {
    enum convert_kind kind;
    /* TWO_POINT: two; TABLE: two or more, ascending in from. */
    const struct convert_entry *entries;
    size_t entry_count;
    /* THERMISTOR: 1/T = a + b ln R + c (ln R)^3 + d (ln R)^5. VIBRATING_WIRE with polynomial: a R^2 + b R + c. */
    double a, b, c, d;
    /* VIBRATING_WIRE */
    enum wire_input input;
    bool polynomial;     /* otherwise factor * (reading and zero by sign) */
    bool c_from_zero;    /* c is not given: it is what makes the polynomial 0 at zero */
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
    /* PRESSURE */
    enum pressure_unit from, to;
};

enum derive_kind {
    DERIVE_DIFFERENCE, /* the first operand less all others */
    DERIVE_SUM,
    DERIVE_MEAN,
    DERIVE_MIN,
    DERIVE_MAX,
    /* Dry beach length, (crest - level) / slope: operands crest, level, slope; or crest, level and the six of
     * BEACH_SLOPE. */
    DERIVE_BEACH,
    DERIVE_BEACH_SLOPE, /* slope between two gauges: operands h1, d1, h2, d2, x1, x2 */
    DERIVE_FREEBOARD,   /* crest - design flood level: operands crest, flood level */
    DERIVE_INCREASE,    /* of a counter since its last good reading; wrap and reset handled */
};

/* A good value has only what is worked out from good values; else it is bad with the reason of the first operand that is
 * bad. One that was never read is QUALITY_STALE, and so is the first INCREASE after a start: nobody saw the counter
 * before it. */
#define DERIVED_OPERANDS_MAX 64
struct site_derived {
    enum derive_kind kind;
    const struct site_operand *operands;
    size_t operand_count;
    double wrap; /* INCREASE: the counter goes from wrap - 1 to 0; 0: it does not wrap */
    double most; /* INCREASE: a larger one is a reset, never a wrap; 0: half of wrap */
};

/* As a configuration calls them: "two_point", "difference", "hertz", "reading - zero", "kPa". */
const char *convert_kind_name(enum convert_kind kind);
const char *derive_kind_name(enum derive_kind kind);
const char *wire_input_name(enum wire_input input);
const char *wire_sign_name(enum wire_sign sign);
const char *pressure_unit_name(enum pressure_unit unit);

#endif
