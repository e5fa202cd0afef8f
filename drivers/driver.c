#include "drivers/driver.h"

const char *driver_result_name(enum driver_result result)
{
    static const char *const names[] = {"ok", "exception", "silent", "malformed", "broken", "unreachable"};

    return (size_t)result < RG_COUNT(names) ? names[result] : "?";
}
