#include "base/memory.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* glibc gives each thread an arena of its own, up to eight a processor, in which what it freed stays; a hundred bus threads hardly
 * allocate at all, so that two are enough. Its threshold for blocks that are mapped, and go back at once, grows with each such block
 * that is freed, up to 32 MiB, unless it is set: then what a reload freed would stay for ever, in pieces. */
#define ARENAS 2
#define MAPPED_BYTES (128 << 10)

void memory_setup(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_ARENA_MAX, ARENAS); /* refused: as before, which works as well */
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, MAPPED_BYTES);
#endif
}

void memory_give_back(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}
