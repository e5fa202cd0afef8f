/* Typed, checked access to a YAML document; every error is reported with its place and counted. */
#ifndef RG_PLANT_READER_H
#define RG_PLANT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libfyaml.h>

#include "plant/pool.h"

struct reader {
    struct fy_diag *diag;
    struct fy_document *document;
    struct pool *pool;
    size_t errors;
};

/* Opens the file; false (reported) when it can't be read or is no YAML. Close it in any case. */
bool reader_open(struct reader *reader, const char *file, struct pool *pool);
void reader_close(struct reader *reader);

void reader_error(struct reader *reader, struct fy_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void reader_no_memory(struct reader *reader, struct fy_node *at);

/* The node is a mapping with no other keys than those (NULL-terminated). */
bool reader_mapping(struct reader *reader, struct fy_node *node, const char *const *keys);
/* The node is a sequence; its length. False for anything else. */
bool reader_sequence(struct reader *reader, struct fy_node *node, size_t *count);
struct fy_node *reader_child(struct fy_node *map, const char *key); /* or NULL */
struct fy_node *reader_item(struct fy_node *sequence, size_t index);

/* Each reads one scalar of that kind; false (reported) leaves *out alone. Numbers may be 0x hexadecimal, durations are
 * 250ms 3s 15m 8h 30d. */
bool reader_int(struct reader *reader, struct fy_node *node, int64_t least, int64_t most, int64_t *out);
bool reader_u64(struct reader *reader, struct fy_node *node, uint64_t *out);
bool reader_number(struct reader *reader, struct fy_node *node, double *out);
bool reader_duration(struct reader *reader, struct fy_node *node, int64_t *out_us);
bool reader_bool(struct reader *reader, struct fy_node *node, bool *out);
bool reader_choice(struct reader *reader, struct fy_node *node, const char *const *names, size_t count,
                   size_t *out);
/* A copy from the pool; at least one character. */
bool reader_text(struct reader *reader, struct fy_node *node, const char **out);

#endif
