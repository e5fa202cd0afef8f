#include "plant/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool reader_open(struct reader *reader, const char *file, struct pool *pool)
{
    *reader = (struct reader){.pool = pool};
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "%s: error: %s\n", file, strerror(errno));
        return false;
    }
    (void)close(fd);
    struct fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = stderr;
    diag_config.colorize = false;
    diag_config.show_source = diag_config.show_position = diag_config.show_module = false;
    reader->diag = fy_diag_create(&diag_config);
    if (reader->diag == NULL) {
        reader_no_memory(reader, NULL);
        return false;
    }
    struct fy_parse_cfg config = {.flags = FYPCF_RESOLVE_DOCUMENT, .diag = reader->diag};
    reader->document = fy_document_build_from_file(&config, file);
    if (reader->document == NULL || fy_document_root(reader->document) == NULL) {
        if (!fy_diag_got_error(reader->diag)) /* else it has been told */
            fprintf(stderr, "%s: error: holds no YAML document\n", file);
        return false;
    }
    return true;
}

void reader_close(struct reader *reader)
{
    if (reader->document != NULL)
        fy_document_destroy(reader->document);
    if (reader->diag != NULL)
        fy_diag_destroy(reader->diag);
    *reader = (struct reader){0};
}

void reader_error(struct reader *reader, struct fy_node *at, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    reader->errors++;
    fy_node_report(at, FYET_ERROR, "%s", text);
}

void reader_no_memory(struct reader *reader, struct fy_node *at)
{
    reader->errors++;
    (void)at; /* a report would need memory */
    fputs("error: out of memory\n", stderr);
}

static bool key_known(const char *key, size_t length, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (strlen(*keys) == length && memcmp(*keys, key, length) == 0)
            return true;
    }
    return false;
}

static void report_key(struct reader *reader, struct fy_node *at, const char *key, size_t length,
                       const char *const *keys)
{
    char known[320] = "";
    size_t used = 0;
    for (; *keys != NULL && used < sizeof(known); keys++)
        used += (size_t)snprintf(known + used, sizeof(known) - used, " %s", *keys);
    reader_error(reader, at, "unknown key '%.*s'; known here:%s", (int)(length > 64 ? 64 : length), key,
                 known);
}

bool reader_mapping(struct reader *reader, struct fy_node *node, const char *const *keys)
{
    if (!fy_node_is_mapping(node)) {
        reader_error(reader, node, "expected a mapping");
        return false;
    }
    size_t before = reader->errors;
    void *at = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(node, &at)) != NULL) {
        struct fy_node *key = fy_node_pair_key(pair);
        size_t length = 0;
        const char *text = fy_node_get_scalar(key, &length);
        if (text == NULL || !key_known(text, length, keys))
            report_key(reader, key != NULL ? key : node, text != NULL ? text : "?", text != NULL ? length : 1,
                       keys);
    }
    return reader->errors == before;
}

bool reader_sequence(struct reader *reader, struct fy_node *node, size_t *count)
{
    if (!fy_node_is_sequence(node)) {
        reader_error(reader, node, "expected a list");
        return false;
    }
    *count = (size_t)fy_node_sequence_item_count(node);
    return true;
}

struct fy_node *reader_child(struct fy_node *map, const char *key)
{
    return fy_node_mapping_lookup_by_string(map, key, FY_NT);
}

struct fy_node *reader_item(struct fy_node *sequence, size_t index)
{
    return fy_node_sequence_get_by_index(sequence, (int)index);
}

/* The scalar's text in a buffer; false (reported) when it is none, or longer than any number or word can be. */
static bool scalar(struct reader *reader, struct fy_node *node, char *out, size_t size, const char *expected)
{
    size_t length = 0;
    const char *text = node != NULL && fy_node_is_scalar(node) ? fy_node_get_scalar(node, &length) : NULL;
    if (text == NULL || length == 0 || length >= size) {
        reader_error(reader, node, "expected %s", expected);
        return false;
    }
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

bool reader_int(struct reader *reader, struct fy_node *node, int64_t least, int64_t most, int64_t *out)
{
    char text[64];
    char *end = NULL;
    if (!scalar(reader, node, text, sizeof(text), "an integer"))
        return false;
    errno = 0;
    long long value = strtoll(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    if (*end != '\0' || errno != 0 || value < least || value > most) {
        reader_error(reader, node, "expected an integer from %lld to %lld", (long long)least,
                     (long long)most);
        return false;
    }
    *out = value;
    return true;
}

bool reader_u64(struct reader *reader, struct fy_node *node, uint64_t *out)
{
    char text[64];
    char *end = NULL;
    if (!scalar(reader, node, text, sizeof(text), "an unsigned integer"))
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    if (*end != '\0' || errno != 0 || text[0] == '-') {
        reader_error(reader, node, "expected an unsigned integer of at most 64 bits");
        return false;
    }
    *out = value;
    return true;
}

bool reader_number(struct reader *reader, struct fy_node *node, double *out)
{
    char text[64];
    char *end = NULL;
    if (!scalar(reader, node, text, sizeof(text), "a number"))
        return false;
    if (strcmp(text, ".nan") == 0 || strcmp(text, ".inf") == 0 || strcmp(text, "-.inf") == 0) {
        *out = text[1] == 'n' ? NAN : text[0] == '-' ? -INFINITY : INFINITY;
        return true;
    }
    double value = strtod(text, &end);
    if (*end != '\0' || !isfinite(value)) {
        reader_error(reader, node, "expected a number (or .nan, .inf, -.inf)");
        return false;
    }
    *out = value;
    return true;
}

bool reader_duration(struct reader *reader, struct fy_node *node, int64_t *out_us)
{
    static const struct {
        const char *name;
        int64_t us;
    } units[] = {{"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"h", 3600000000}, {"d", 86400000000}};
    char text[64];
    char *end = NULL;
    if (!scalar(reader, node, text, sizeof(text), "a duration such as 250ms or 3s"))
        return false;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].name) != 0 || end == text || errno != 0 || value < 0 ||
            value > INT64_C(3153600000000000) / units[i].us)
            continue;
        *out_us = value * units[i].us;
        return true;
    }
    reader_error(reader, node, "expected a duration such as 250ms, 3s, 15m, 8h or 30d");
    return false;
}

bool reader_bool(struct reader *reader, struct fy_node *node, bool *out)
{
    char text[16];
    if (!scalar(reader, node, text, sizeof(text), "true or false"))
        return false;
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        reader_error(reader, node, "expected true or false");
        return false;
    }
    *out = text[0] == 't';
    return true;
}

bool reader_choice(struct reader *reader, struct fy_node *node, const char *const *names, size_t count,
                   size_t *out)
{
    char text[64];
    char known[256] = "";
    size_t used = 0;
    if (!scalar(reader, node, text, sizeof(text), "a word"))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return true;
        }
        if (used < sizeof(known))
            used += (size_t)snprintf(known + used, sizeof(known) - used, " %s", names[i]);
    }
    reader_error(reader, node, "'%s' is none of:%s", text, known);
    return false;
}

bool reader_text(struct reader *reader, struct fy_node *node, const char **out)
{
    char text[PATH_MAX];
    if (!scalar(reader, node, text, sizeof(text), "a text"))
        return false;
    *out = pool_text(reader->pool, text, strlen(text));
    if (*out == NULL)
        reader_no_memory(reader, node);
    return *out != NULL;
}
