#include "ctl/field.h"

#include <time.h>

const char *field_text(const struct json *json, const char *key)
{
    const char *text = json_string(json_get(json, key));

    return text ? text : "-";
}

int64_t field_int(const struct json *json, const char *key)
{
    return json_int(json_get(json, key), 0);
}

const char *field_time(const struct json *json, const char *key, char *out)
{
    int64_t ms = field_int(json, key);
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;

    if (ms <= 0 || !localtime_r(&seconds, &local) ||
        strftime(out, FIELD_TIME, "%Y-%m-%d %H:%M:%S", &local) == 0)
        return "never";
    return out;
}
