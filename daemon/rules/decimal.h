/* Arithmetic of configured numbers. Limits, dead-bands and factors are decimals: 1.1 - 0.2 must be 0.9, not
 * 0.9000000000000001, or a value of exactly 0.9 would leave a band it is still in. So a result is rounded to the last
 * place that its larger term surely has (a double keeps DBL_DIG significant digits of any decimal). What is not finite,
 * or beyond 1e15, is left as it is. */
#ifndef RG_RULES_DECIMAL_H
#define RG_RULES_DECIMAL_H

#include <stdbool.h>

double decimal_sum(double a, double b);
/* value * times + plus, with which a limit follows another point. */
double decimal_follow(double value, double times, double plus);
/* To so many significant digits or one more; beyond 22 places either way it stays as it is. */
double decimal_digits(double value, int digits);
/* As it is compared: single: rounded to a float, for points whose readings are floats (one beyond their range stays). */
double decimal_precise(double value, bool single);

#endif
