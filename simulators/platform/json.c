#include "json.h"

#include <math.h>
#include <string.h>

#include "level.h"

static const char *const level_names[] = {"none", "blue", "yellow", "orange", "red"};

enum platform_level platform_level(const char *name)
{
    for (int i = PL_NONE; name && i <= PL_RED; i++) {
        if (strcmp(level_names[i], name) == 0)
            return (enum platform_level)i;
    }
    return PL_BAD;
}

const char *platform_level_name(enum platform_level level)
{
    return level == PL_BAD ? "?" : level_names[level];
}

const char *text_at(const cJSON *json, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

    return cJSON_IsString(item) ? item->valuestring : NULL;
}

static bool is_whole(const cJSON *item)
{
    return cJSON_IsNumber(item) && item->valuedouble == floor(item->valuedouble) &&
           fabs(item->valuedouble) <= 9e15;
}

bool whole_at(const cJSON *json, const char *key, int64_t *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

    if (!is_whole(item))
        return false;
    *out = (int64_t)item->valuedouble;
    return true;
}

bool true_at(const cJSON *json, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, key));
}

void name_copy(char *out, size_t size, const char *text)
{
    size_t n;

    if (size == 0)
        return;
    n = text ? strnlen(text, size) : 0;
    if (n == size) {
        n--;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    }
    if (n > 0)
        memcpy(out, text, n);
    out[n] = '\0';
}

bool is_one_of(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; text && i < count; i++) {
        if (strcmp(list[i], text) == 0)
            return true;
    }
    return false;
}

static bool fits(const cJSON *item, unsigned is)
{
    return ((is & M_TEXT) && cJSON_IsString(item)) ||
           ((is & M_WHOLE) && is_whole(item) && item->valuedouble >= 0) ||
           ((is & M_NUMBER) && cJSON_IsNumber(item)) || ((is & M_BOOL) && cJSON_IsBool(item)) ||
           ((is & M_NULL) && cJSON_IsNull(item)) || ((is & M_OBJECT) && cJSON_IsObject(item)) ||
           ((is & M_ARRAY) && cJSON_IsArray(item)) ||
           ((is & M_LEVEL) && platform_level(cJSON_GetStringValue(item)) != PL_BAD);
}

const char *members_misfit(const cJSON *json, const struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, members[i].name);

        if (item ? !fits(item, members[i].is) : !(members[i].is & M_OPTIONAL))
            return members[i].name;
    }
    return NULL;
}
