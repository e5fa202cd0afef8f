#include "base/error.h"

const char *rg_err_name(enum rg_err err)
{
    switch (err) {
    case RG_OK:
        return "OK";
#define RG_ERR_NAME(name, value, text)                                                                       \
    case RG_##name:                                                                                          \
        return #name;
        RG_ERR_MAP(RG_ERR_NAME)
#undef RG_ERR_NAME
    }
    return "?";
}

const char *rg_err_text(enum rg_err err)
{
    switch (err) {
    case RG_OK:
        return "no error";
#define RG_ERR_TEXT(name, value, text)                                                                       \
    case RG_##name:                                                                                          \
        return text;
        RG_ERR_MAP(RG_ERR_TEXT)
#undef RG_ERR_TEXT
    }
    return "unknown error";
}
