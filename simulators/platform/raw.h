/* The records of a stream message as the bytes that came, since their hash is over bytes and not over a parsed tree. */
#ifndef PLATFORM_RAW_H
#define PLATFORM_RAW_H

#include <stdbool.h>
#include <stddef.h>

struct raw_record {
    const char *text;
    size_t length;
};

/* Finds the elements of the member "records" at the top of a JSON object that a parser accepted already. At most max are written to
 * out; returns how many there are, or -1 when there is no such array. */
int raw_records(const char *message, size_t length, struct raw_record *out, int max);

/* Where ,"hash":" begins in a record that ends with it; length when it does not. */
size_t raw_before_hash(const char *text, size_t length);

#endif
