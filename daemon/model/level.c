#include "model/level.h"

#include <stddef.h>
#include <string.h>

static const char *const names[LEVEL_COUNT] = {
    [LEVEL_NONE] = "none",     [LEVEL_BLUE] = "blue", [LEVEL_YELLOW] = "yellow",
    [LEVEL_ORANGE] = "orange", [LEVEL_RED] = "red",
};

const char *level_name(enum level level)
{
    return (size_t)level < RG_COUNT(names) ? names[level] : "?";
}

enum rg_err level_parse(const char *name, enum level *out)
{
    for (size_t i = 0; i < RG_COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum level)i;
            return RG_OK;
        }
    }
    return RG_ENOTFOUND;
}
