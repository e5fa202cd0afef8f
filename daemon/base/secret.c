#include "base/secret.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"

static bool is_word(char c)
{
    return (unsigned char)c > ' ' && !strchr("\"'<>,", c);
}

struct secret_span secret_word(const char *line, size_t length, size_t at)
{
    struct secret_span word = {at, at};

    while (word.from > 0 && is_word(line[word.from - 1]))
        word.from--;
    while (word.upto < length && is_word(line[word.upto]))
        word.upto++;
    return word;
}

struct secret_span secret_of_key(const char *line, size_t length)
{
    static const char *const keys[] = {"password", "passwd", "passphrase", "secret", "pwd"};

    for (size_t i = 0; i < RG_COUNT(keys); i++) {
        const size_t size = strlen(keys[i]);

        for (const char *at = line; (at = strcasestr(at, keys[i])) != NULL; at += size) {
            const char *colon = at + size + strspn(at + size, "\"' \t");

            if (*colon == ':' || *colon == '=')
                return (struct secret_span){(size_t)(colon + 1 - line), length};
        }
    }
    return (struct secret_span){0, 0};
}

struct secret_span secret_of_url(const char *line, struct secret_span word)
{
    const char *scheme = memmem(line + word.from, word.upto - word.from, "://", 3);
    const char *from = scheme ? scheme + 3 : NULL;
    const char *at = from ? memrchr(from, '@', (size_t)(line + word.upto - from)) : NULL;

    return at ? (struct secret_span){(size_t)(from - line), (size_t)(at - line)} : (struct secret_span){0, 0};
}

static void cover(char *line, struct secret_span span)
{
    if (span.upto > span.from)
        memset(line + span.from, '*', span.upto - span.from);
}

void secret_hide(char *line)
{
    const size_t length = strlen(line);

    cover(line, secret_of_key(line, length));
    for (const char *scheme = line; (scheme = strstr(scheme, "://")) != NULL; scheme += 3)
        cover(line, secret_of_url(line, secret_word(line, length, (size_t)(scheme - line))));
}
