/* Small readers of parsed messages, and tables of what members they must have. */
#ifndef PLATFORM_JSON_H
#define PLATFORM_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

const char *text_at(const cJSON *json, const char *key); /* NULL when missing or no string */
bool whole_at(const cJSON *json, const char *key, int64_t *out);
bool true_at(const cJSON *json, const char *key);
void name_copy(char *out, size_t size, const char *text); /* NULL text gives ""; never cuts a character */
bool is_one_of(const char *const *list, size_t count, const char *text); /* takes NULL: false */
#define IN(list, text) is_one_of(list, sizeof(list) / sizeof(list)[0], text)

/* What a member may be; several together. */
enum {
    M_TEXT = 1,
    M_WHOLE = 2, /* a whole number, not negative */
    M_NUMBER = 4,
    M_BOOL = 8,
    M_NULL = 16,
    M_OBJECT = 32,
    M_ARRAY = 64,
    M_LEVEL = 128,
    M_OPTIONAL = 256, /* may be missing */
};
struct member {
    const char *name;
    unsigned is;
};
/* The first member that is missing or of another kind, or NULL. Members that no table names are left to the future. */
const char *members_misfit(const cJSON *json, const struct member *members, size_t count);

#endif
