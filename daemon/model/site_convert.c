#include "model/site_convert.h"

#include "base/error.h"

const char *convert_kind_name(enum convert_kind kind)
{
    static const char *const names[] = {
        [CONVERT_NONE] = "none",
        [CONVERT_TWO_POINT] = "two_point",
        [CONVERT_TABLE] = "table",
        [CONVERT_THERMISTOR] = "thermistor",
        [CONVERT_VIBRATING_WIRE] = "vibrating_wire",
        [CONVERT_CONCENTRATION] = "concentration",
        [CONVERT_PRESSURE] = "pressure",
    };

    return (size_t)kind < RG_COUNT(names) ? names[kind] : "?";
}

const char *derive_kind_name(enum derive_kind kind)
{
    static const char *const names[] = {
        [DERIVE_DIFFERENCE] = "difference",
        [DERIVE_SUM] = "sum",
        [DERIVE_MEAN] = "mean",
        [DERIVE_MIN] = "min",
        [DERIVE_MAX] = "max",
        [DERIVE_BEACH] = "beach",
        [DERIVE_BEACH_SLOPE] = "beach_slope",
        [DERIVE_FREEBOARD] = "freeboard",
        [DERIVE_INCREASE] = "increase",
    };

    return (size_t)kind < RG_COUNT(names) ? names[kind] : "?";
}

const char *wire_input_name(enum wire_input input)
{
    static const char *const names[] = {
        [WIRE_HERTZ] = "hertz",
        [WIRE_PERIOD_US] = "period_us",
        [WIRE_DIGITS] = "digits",
    };

    return (size_t)input < RG_COUNT(names) ? names[input] : "?";
}

const char *wire_sign_name(enum wire_sign sign)
{
    static const char *const names[] = {
        [WIRE_READING_MINUS_ZERO] = "reading - zero",
        [WIRE_ZERO_MINUS_READING] = "zero - reading",
    };

    return (size_t)sign < RG_COUNT(names) ? names[sign] : "?";
}

const char *pressure_unit_name(enum pressure_unit unit)
{
    static const char *const names[] = {
        [PRESSURE_PA] = "Pa",   [PRESSURE_HPA] = "hPa",   [PRESSURE_KPA] = "kPa",   [PRESSURE_MPA] = "MPa",
        [PRESSURE_BAR] = "bar", [PRESSURE_MH2O] = "mH2O", [PRESSURE_MMHG] = "mmHg", [PRESSURE_ATM] = "atm",
    };

    return (size_t)unit < RG_COUNT(names) ? names[unit] : "?";
}
