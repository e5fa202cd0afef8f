/* The formulas of conversions and derived points. Pure, one function each, with the source of each.
 *
 * RG_ERANGE: what is given, or what comes out, is not finite or outside the domain of the formula (the logarithm of 0, a slope
 * of 0, a value outside the table); then *out is as it was. A number that was made up for want of a better one would
 * look like a reading.
 *
 * Sources:
 * [4500]  Geokon, Model 4500 VW Piezometer, manual, chapter 6 "Data Reduction" and conversion table.
 * [4800]  Geokon, Model 4800 VW Earth Pressure Cell, manual, p. 42 (polynomial, its constant from the field zero).
 * [404]   Geokon, GK-404 VW Readout, manual revision O, appendix B.1 (3 kOhm thermistor: constants and table).
 * [8002]  Geokon, Model 8002-4-1 datalogger, manual, p. 52, equation 7 and table 16 (10 kOhm thermistor 103JL1A).
 * [811]   NIST Special Publication 811 (2008), appendix B.8 (factors of pressure units).
 * [50863] GB 50863-2013, Code for design of tailings facilities, 4.2.1. */
#ifndef RG_CONVERT_FORMULA_H
#define RG_CONVERT_FORMULA_H

#include "base/error.h"
#include "model/site_convert.h"

/* ---- vibrating wire ---- */

/* Frequency (Hz), period (us) or digits to digits: f^2 / 1000 with f = 1e6 / period ([4500]: "digits" are Hz^2 * 10^-3;
 * 8000 digits, 354 us, 2828 Hz). A wire that does not vibrate has no reading: 0 and less is refused. */
RG_NODISCARD enum rg_err formula_wire_digits(enum wire_input input, double reading, double *digits);
/* factor * (digits - zero), or factor * (zero - digits). Geokon writes P = (R1 - R0) * G, others G * (R0 - R1), and both mean a
 * gauge whose digits fall under load: only the sign of G differs. factor: engineering units a digit. */
RG_NODISCARD enum rg_err formula_wire_linear(double digits, double zero, double factor, enum wire_sign sign,
                                             double *out);
/* A R^2 + B R + C, R in digits ([4500], [4800]). */
RG_NODISCARD enum rg_err formula_wire_polynomial(double digits, double a, double b, double c, double *out);
/* The C with which the polynomial is 0 at the reading taken in the field without load: the sheet's C holds for the barometer
 * of the day of calibration ([4800]). */
RG_NODISCARD enum rg_err formula_wire_c(double a, double b, double zero, double *c);
/* value + factor * (celsius - zero): zero is the temperature of the zero reading ([4500]: (T1 - T0) * K). */
RG_NODISCARD enum rg_err formula_wire_temperature(double value, double celsius, double zero, double factor,
                                                  double *out);
/* value - (pressure - zero): for gauges that are not vented; all in the unit of value ([4500]: - (S1 - S0)). */
RG_NODISCARD enum rg_err formula_wire_barometer(double value, double pressure, double zero, double *out);

/* ---- resistance, lines, tables ---- */

/* Ohms to degrees Celsius: 1 / (a + b ln R + c (ln R)^3 + d (ln R)^5) - 273.15; Steinhart and Hart (Deep-Sea Research 15, 1968) with
 * d = 0, with a fourth constant as makers give it for wider spans [8002]. [404] for the 3 kOhm thermistor in Geokon's gauges:
 * a = 1.4051e-3, b = 2.369e-4, c = 1.019e-7. Refused: R <= 0, and what is not above absolute zero. */
RG_NODISCARD enum rg_err formula_thermistor(double ohms, double a, double b, double c, double d,
                                            double *celsius);
/* The straight line through two points, beyond them too. Refused: both at one place. */
RG_NODISCARD enum rg_err formula_line(double value, const struct convert_entry points[2], double *out);
/* Straight lines between the entries (ascending in from); nothing beyond the first and the last. */
RG_NODISCARD enum rg_err formula_table(double value, const struct convert_entry *entries, size_t count,
                                       double *out);
/* From one unit to another [811]: the conventional metre of water is 9.80665 kPa, the conventional millimetre of mercury
 * 133.3224 Pa, the standard atmosphere 101.325 kPa. ([4500] has them rounded: 9.8068, 0.13332, 101.32 kPa.) */
RG_NODISCARD enum rg_err formula_pressure(double value, enum pressure_unit from, enum pressure_unit to,
                                          double *out);

/* ---- concentration ---- */

/* Litres of ideal gas a mole at that temperature and 1 atm: 22.414 * T / 273.15. The reference is never assumed: CO at 30 mg/m3 is
 * 24.0 ppm at 0, 25.8 at 20 and 26.2 at 25 degrees. */
RG_NODISCARD enum rg_err formula_molar_volume(double celsius, double *litres);
/* ppm = mg/m3 * molar volume / molar mass (g/mol), and back. A reading a little below 0 is a sensor's zero drift and stays one. */
RG_NODISCARD enum rg_err formula_ppm(double mg_m3, double molar_mass, double celsius, double *ppm);
RG_NODISCARD enum rg_err formula_mg_m3(double ppm, double molar_mass, double celsius, double *mg_m3);

/* ---- tailings dams (lengths and levels in m, slope as a ratio) ---- */

/* Length of the dry beach: (crest - level) / slope. Negative once the water stands above the crest: the most dangerous value must
 * not be the one that is missing. Refused: a slope that is not above 0. */
RG_NODISCARD enum rg_err formula_beach_length(double crest, double level, double slope, double *metres);
/* Slope of the beach between two downward-looking gauges that hang at h1 and h2, see the beach at d1 and d2 below them, and stand at
 * x1 and x2: |(h1 - d1) - (h2 - d2)| / |x1 - x2|. Refused: both at one place. */
RG_NODISCARD enum rg_err formula_beach_slope(double h1, double d1, double h2, double d2, double x1, double x2,
                                             double *slope);
/* Height of the beach's crest above the design flood level [50863]; negative when it lies below. */
RG_NODISCARD enum rg_err formula_freeboard(double crest, double flood_level, double *metres);

/* ---- counters ---- */

/* What a counter has counted from one reading to the next. It goes from wrap - 1 to 0 (wrap 0: it does not wrap); one that stands lower
 * than before has wrapped if that means an increase of at most `most` (0: half of wrap), and began anew at 0 otherwise:
 * then what it counted before that is not known, and not made up. Refused: a reading below 0, or at wrap and more. */
RG_NODISCARD enum rg_err formula_increase(double before, double now, double wrap, double most, double *out);

#endif
