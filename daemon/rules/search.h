/* Looking things up among numbers in order. */
#ifndef RG_RULES_SEARCH_H
#define RG_RULES_SEARCH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The last of count numbers, which do not fall, that is at most wanted; 0 when none is. first is where the first of them
 * lies, stride how many bytes on the next one does: they may be a member of larger things. */
static inline uint32_t search_last(const void *first, size_t stride, size_t count, uint32_t wanted)
{
    size_t low = 0, high = count;

    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        uint32_t at = 0;

        memcpy(&at, (const unsigned char *)first + middle * stride, sizeof at);
        if (at <= wanted)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

#endif
