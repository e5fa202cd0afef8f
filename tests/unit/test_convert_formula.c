/* LINK rg_convert m */
/* The formulas against published numbers. Where a manual gives a rounded number the tolerance is that of its last digit; no. N is the
 * golden vector of that number in the domain notes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "convert/formula.h"

#define UNTOUCHED (-12345.0)

static void near(double found, double wanted, double tolerance, const char *what)
{
    if (!(fabs(found - wanted) <= tolerance)) {
        print_error("%s: %.17g, wanted %.17g +- %g\n", what, found, wanted, tolerance);
        fail();
    }
}

/* A formula refuses what it has no value for, and leaves the outcome alone. */
#define REFUSED(call)                                                                                        \
    do {                                                                                                     \
        double out = UNTOUCHED;                                                                              \
        assert_int_equal(call, RG_ERANGE);                                                                   \
        assert_true(out == UNTOUCHED);                                                                       \
    } while (0)
#define GIVES(call, wanted, tolerance)                                                                       \
    do {                                                                                                     \
        double out = UNTOUCHED;                                                                              \
        assert_int_equal(call, RG_OK);                                                                       \
        near(out, wanted, tolerance, #call);                                                                 \
    } while (0)

/* No. 17; Geokon 4500, chapter 6: "8000 digits = 354 us = 2828 Hz", a rounded text: 0.3 %. */
static void digits_of_a_wire(void **state)
{
    (void)state;
    GIVES(formula_wire_digits(WIRE_HERTZ, 2828, &out), 7997.584, 1e-9);
    GIVES(formula_wire_digits(WIRE_PERIOD_US, 354, &out), 7979.83, 0.005);
    GIVES(formula_wire_digits(WIRE_HERTZ, 2828, &out), 8000, 8000 * 0.003);
    GIVES(formula_wire_digits(WIRE_PERIOD_US, 354, &out), 8000, 8000 * 0.003);
    GIVES(formula_wire_digits(WIRE_DIGITS, 8000, &out), 8000, 0);
    REFUSED(formula_wire_digits(WIRE_HERTZ, 0, &out));
    REFUSED(formula_wire_digits(WIRE_HERTZ, -2828, &out));
    REFUSED(formula_wire_digits(WIRE_PERIOD_US, 0, &out));
    REFUSED(formula_wire_digits(WIRE_DIGITS, 0, &out));
    REFUSED(formula_wire_digits(WIRE_HERTZ, (double)NAN, &out));
    REFUSED(formula_wire_digits(WIRE_HERTZ, (double)INFINITY, &out));
    REFUSED(formula_wire_digits(WIRE_HERTZ, 1e200, &out));
    REFUSED(formula_wire_digits(WIRE_PERIOD_US, 1e-200, &out));
}

/* No. 19: Geokon P = (R1 - R0) * G and G * (R0 - R1) of others mean the same gauge with G of the other sign. */
static void a_linear_wire_either_way_round(void **state)
{
    (void)state;
    GIVES(formula_wire_linear(7981, 8981, -0.12, WIRE_READING_MINUS_ZERO, &out), 120, 1e-9);
    GIVES(formula_wire_linear(7981, 8981, 0.12, WIRE_ZERO_MINUS_READING, &out), 120, 1e-9);
    GIVES(formula_wire_linear(7981, 8981, -0.12, WIRE_ZERO_MINUS_READING, &out), -120, 1e-9);
    REFUSED(formula_wire_linear((double)NAN, 8981, 0.12, WIRE_ZERO_MINUS_READING, &out));
}

/* No. 19: 0 = A R0^2 + B R0 + C; Geokon 4800: R0 = 8981 gives C = +1053 for that cell, so with its A (not readable in our copy) any
 * choice of A fixes B. The period form K (10^7/P0^2 - 10^7/P1^2) is the linear one on digits, because 10^7/P^2 with P in
 * units of 0.1 us is f^2 / 10^5. */
static void a_polynomial_through_the_field_zero(void **state)
{
    const double a = -1.5e-6, zero = 8981, b = (-1053 - a * zero * zero) / zero;
    double c = 0;

    (void)state;
    assert_int_equal(formula_wire_c(a, b, zero, &c), RG_OK);
    near(c, 1053, 1e-9, "C of the field zero");
    GIVES(formula_wire_polynomial(zero, a, b, c, &out), 0, 1e-9);
    GIVES(formula_wire_polynomial(7500, a, b, c, &out), a * 7500 * 7500 + b * 7500 + 1053, 1e-9);
    REFUSED(formula_wire_polynomial(1e200, 1, 1, 1, &out));
    REFUSED(formula_wire_c((double)INFINITY, 1, 8981, &out));
}

/* No. 19, the whole of Geokon's P = (R1 - R0) G + (T1 - T0) K - (S1 - S0). */
static void corrections_of_a_wire(void **state)
{
    (void)state;
    GIVES(formula_wire_temperature(120, 15, 20, 0.01, &out), 119.95, 1e-9);
    GIVES(formula_wire_temperature(120, 25, 20, -0.01, &out), 119.95, 1e-9);
    GIVES(formula_wire_barometer(120, 100.3, 101.3, &out), 121, 1e-9);
    GIVES(formula_wire_barometer(120, 102.3, 101.3, &out), 119, 1e-9);
    REFUSED(formula_wire_temperature(120, (double)NAN, 20, 0.01, &out));
    REFUSED(formula_wire_barometer(120, (double)INFINITY, 101.3, &out));
}

/* The a, b, c that go through three entries of a table (Steinhart and Hart's own way to find them). */
static void fit(const double ohms[3], const double celsius[3], double *a, double *b, double *c)
{
    double l[3], y[3], g2, g3;

    for (int i = 0; i < 3; i++) {
        l[i] = log(ohms[i]);
        y[i] = 1 / (celsius[i] + 273.15);
    }
    g2 = (y[1] - y[0]) / (l[1] - l[0]);
    g3 = (y[2] - y[0]) / (l[2] - l[0]);
    *c = (g3 - g2) / (l[2] - l[1]) / (l[0] + l[1] + l[2]);
    *b = g2 - *c * (l[0] * l[0] + l[0] * l[1] + l[1] * l[1]);
    *a = y[0] - (*b + l[0] * l[0] * *c) * l[0];
}

/* No. 21; Geokon 8002-4-1, table 16 (103JL1A): constants that are fitted to three entries of the table find the others. */
static void a_thermistor_fitted_to_its_table(void **state)
{
    static const double ohms[3] = {32650, 19901, 10000}, celsius[3] = {0, 10, 25};
    static const double others[][2] = {{55329, -10}, {25392, 5}, {15712, 15},
                                       {12493, 20},  {8057, 30}, {3602, 50}};
    double a, b, c;

    (void)state;
    fit(ohms, celsius, &a, &b, &c);
    for (int i = 0; i < 3; i++)
        GIVES(formula_thermistor(ohms[i], a, b, c, 0, &out), celsius[i], 1e-9);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        GIVES(formula_thermistor(others[i][0], a, b, c, 0, &out), others[i][1], 0.02);
}

/* No. 21 with the maker's own four constants (Geokon 8002-4-1, equation 7). */
static void a_thermistor_with_four_constants(void **state)
{
    static const double table[][2] = {{55329, -10}, {32650, 0}, {19901, 10},
                                      {10000, 25},  {3602, 50}, {678.6, 100}};

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        GIVES(formula_thermistor(table[i][0], 1.12766979300187e-3, 2.34444184128213e-4, 8.47692130592308e-8,
                                 1.17512193579615e-11, &out),
              table[i][1], 0.02);
}

/* Geokon GK-404, appendix B.1: constants and table of the 3 kOhm thermistor. */
static void the_thermistor_of_vibrating_wire_gauges(void **state)
{
    static const double table[][2] = {{9796, 0}, {7618, 5}, {3000, 25}, {2221, 32}, {1081, 50}, {474.7, 73}};

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        GIVES(formula_thermistor(table[i][0], 1.4051e-3, 2.369e-4, 1.019e-7, 0, &out), table[i][1], 0.03);
    REFUSED(formula_thermistor(0, 1.4051e-3, 2.369e-4, 1.019e-7, 0, &out));
    REFUSED(formula_thermistor(-3000, 1.4051e-3, 2.369e-4, 1.019e-7, 0, &out));
    REFUSED(formula_thermistor((double)NAN, 1.4051e-3, 2.369e-4, 1.019e-7, 0, &out));
    REFUSED(formula_thermistor((double)INFINITY, 1.4051e-3, 2.369e-4, 1.019e-7, 0, &out));
    REFUSED(formula_thermistor(0.001, 1.4051e-3, 2.369e-4, 1.019e-7, 0, &out)); /* below absolute zero */
    REFUSED(formula_thermistor(1, 0, 2.369e-4, 1.019e-7, 0, &out));             /* 1/T = 0 */
}

/* 4 to 20 mA: derived by hand. The ends are exact. */
static void lines(void **state)
{
    static const struct convert_entry loop[2] = {{4, 0}, {20, 100}}, back[2] = {{20, 0}, {4, 0.3}},
                                      nowhere[2] = {{4, 0}, {4, 100}};

    (void)state;
    GIVES(formula_line(4, loop, &out), 0, 0);
    GIVES(formula_line(20, loop, &out), 100, 0);
    GIVES(formula_line(12, loop, &out), 50, 1e-12);
    GIVES(formula_line(3.6, loop, &out), -2.5, 1e-12);
    GIVES(formula_line(21, loop, &out), 106.25, 1e-12);
    GIVES(formula_line(4, back, &out), 0.3, 0);
    GIVES(formula_line(12, back, &out), 0.15, 1e-12);
    REFUSED(formula_line(4, nowhere, &out));
    REFUSED(formula_line((double)NAN, loop, &out));
    REFUSED(formula_line((double)INFINITY, loop, &out));
}

static void tables(void **state)
{
    static const struct convert_entry t[] = {{0, 0}, {1.5, 12}, {2, 20}, {4, 10}};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        GIVES(formula_table(t[i].from, t, 4, &out), t[i].to, 0);
    GIVES(formula_table(0.75, t, 4, &out), 6, 1e-12);
    GIVES(formula_table(1.75, t, 4, &out), 16, 1e-12);
    GIVES(formula_table(3, t, 4, &out), 15, 1e-12);
    REFUSED(formula_table(-0.001, t, 4, &out));
    REFUSED(formula_table(4.001, t, 4, &out));
    REFUSED(formula_table((double)NAN, t, 4, &out));
    REFUSED(formula_table(0, t, 1, &out));
    REFUSED(formula_table(0, t, 0, &out));
}

/* No. 22, Geokon's table of factors, rounded to four or five digits. */
static void pressures(void **state)
{
    (void)state;
    GIVES(formula_pressure(1, PRESSURE_MH2O, PRESSURE_KPA, &out), 9.8068, 0.0002);
    GIVES(formula_pressure(49.034, PRESSURE_KPA, PRESSURE_MH2O, &out), 5.000, 0.0005);
    GIVES(formula_pressure(1, PRESSURE_MMHG, PRESSURE_KPA, &out), 0.13332, 0.000005);
    GIVES(formula_pressure(1, PRESSURE_ATM, PRESSURE_KPA, &out), 101.32, 0.0051);
    GIVES(formula_pressure(1, PRESSURE_ATM, PRESSURE_MMHG, &out), 760, 0.0005);
    GIVES(formula_pressure(1013.25, PRESSURE_HPA, PRESSURE_ATM, &out), 1, 1e-12);
    GIVES(formula_pressure(1, PRESSURE_BAR, PRESSURE_MPA, &out), 0.1, 1e-12);
    GIVES(formula_pressure(100, PRESSURE_PA, PRESSURE_HPA, &out), 1, 1e-12);
    REFUSED(formula_pressure((double)NAN, PRESSURE_PA, PRESSURE_HPA, &out));
    REFUSED(formula_pressure(1, (enum pressure_unit)99, PRESSURE_HPA, &out));
}

/* No. 26, derived with 22.414, 24.055, 24.465 L/mol; two decimals as given there. */
static void concentrations(void **state)
{
    static const struct {
        double mg, mass, ppm[3]; /* at 0, 20, 25 degrees */
    } to_ppm[] = {{30, 28.01, {24.01, 25.76, 26.20}},
                  {10, 34.08, {6.58, 7.06, 7.18}},
                  {30, 17.03, {39.48, 42.38, 43.10}},
                  {1, 70.906, {0.32, 0.34, 0.35}}};
    static const double celsius[3] = {0, 20, 25}, litres[3] = {22.414, 24.055, 24.465},
                        ammonia[3] = {76.0, 70.8, 69.6};

    (void)state;
    for (int t = 0; t < 3; t++) {
        GIVES(formula_molar_volume(celsius[t], &out), litres[t], 0.0006);
        for (size_t i = 0; i < sizeof to_ppm / sizeof to_ppm[0]; i++)
            GIVES(formula_ppm(to_ppm[i].mg, to_ppm[i].mass, celsius[t], &out), to_ppm[i].ppm[t], 0.0051);
        GIVES(formula_mg_m3(100, 17.03, celsius[t], &out), ammonia[t], 0.051);
    }
    GIVES(formula_ppm(-0.2, 28.01, 20, &out), -0.2 * 24.0551 / 28.01, 1e-5);
    REFUSED(formula_molar_volume(-273.15, &out));
    REFUSED(formula_ppm(30, 28.01, -300, &out));
    REFUSED(formula_ppm(30, 0, 20, &out));
    REFUSED(formula_mg_m3(30, -1, 20, &out));
    REFUSED(formula_mg_m3(30, 28.01, (double)NAN, &out));
    REFUSED(formula_ppm((double)NAN, 28.01, 20, &out));
}

/* No. 23; freeboard by GB 50863 4.2.1: beach crest less design flood level. */
static void tailings(void **state)
{
    double slope = 0;

    (void)state;
    GIVES(formula_beach_length(150.0, 148.2, 0.012, &out), 150.0, 1e-9);
    assert_int_equal(formula_beach_slope(155, 5.90, 155, 6.50, 10, 60, &slope), RG_OK);
    near(slope, 0.012, 1e-12, "slope from two gauges: (149.10 - 148.50) / 50");
    GIVES(formula_beach_slope(155, 6.50, 155, 5.90, 60, 10, &out), 0.012, 1e-12);
    GIVES(formula_beach_length(150.0, 148.2, slope, &out), 150.0, 1e-9);
    GIVES(formula_beach_length(150.0, 150.6, 0.012, &out), -50, 1e-9);
    GIVES(formula_freeboard(150.0, 148.9, &out), 1.1, 1e-9);
    GIVES(formula_freeboard(148.0, 148.9, &out), -0.9, 1e-9);
    REFUSED(formula_beach_length(150.0, 148.2, 0, &out));
    REFUSED(formula_beach_length(150.0, 148.2, -0.012, &out));
    REFUSED(formula_beach_length(150.0, 148.2, (double)NAN, &out));
    REFUSED(formula_beach_length((double)INFINITY, 148.2, 0.012, &out));
    REFUSED(formula_beach_slope(155, 5.9, 155, 6.5, 10, 10, &out));
    REFUSED(formula_beach_slope(155, 5.9, 155, (double)NAN, 10, 60, &out));
    REFUSED(formula_freeboard((double)NAN, 148.9, &out));
}

static void counters(void **state)
{
    (void)state;
    GIVES(formula_increase(100, 107, 65536, 0, &out), 7, 0);
    GIVES(formula_increase(107, 107, 65536, 0, &out), 0, 0);
    GIVES(formula_increase(65530, 4, 65536, 0, &out), 10, 0);
    GIVES(formula_increase(65535, 0, 65536, 0, &out), 1, 0);
    GIVES(formula_increase(32768, 0, 65536, 0, &out), 32768, 0); /* half of wrap: still a wrap */
    GIVES(formula_increase(32767, 5, 65536, 0, &out), 5, 0);     /* more than half: it began anew */
    GIVES(formula_increase(65530, 4, 65536, 9, &out), 4, 0);
    GIVES(formula_increase(65530, 3, 65536, 9, &out), 9, 0);
    GIVES(formula_increase(4294967290.0, 6, 4294967296.0, 0, &out), 12, 0);
    GIVES(formula_increase(500, 3, 0, 0, &out), 3, 0);
    GIVES(formula_increase(100, 60000, 65536, 0, &out), 59900, 0); /* it did not fall: neither */
    REFUSED(formula_increase(100, -1, 65536, 0, &out));
    REFUSED(formula_increase(100, 65536, 65536, 0, &out));
    REFUSED(formula_increase(100, (double)NAN, 65536, 0, &out));
    REFUSED(formula_increase(100, (double)INFINITY, 0, 0, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_of_a_wire),
        cmocka_unit_test(a_linear_wire_either_way_round),
        cmocka_unit_test(a_polynomial_through_the_field_zero),
        cmocka_unit_test(corrections_of_a_wire),
        cmocka_unit_test(a_thermistor_fitted_to_its_table),
        cmocka_unit_test(a_thermistor_with_four_constants),
        cmocka_unit_test(the_thermistor_of_vibrating_wire_gauges),
        cmocka_unit_test(lines),
        cmocka_unit_test(tables),
        cmocka_unit_test(pressures),
        cmocka_unit_test(concentrations),
        cmocka_unit_test(tailings),
        cmocka_unit_test(counters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
