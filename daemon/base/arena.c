#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_BYTES ((size_t)64 << 10)
#define ARENA_BLOCK_MOST ((size_t)1 << 20)           /* of an arena that has grown large */
#define ARENA_LARGE_BYTES (ARENA_BLOCK_BYTES / 4)    /* a piece over this gets a block of its own */
#define ARENA_PIECE_MAX ((size_t)PTRDIFF_MAX - 1024) /* no object is larger, its block included */

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

void arena_init(struct arena *a, size_t limit)
{
    *a = (struct arena){.limit = limit};
}

void arena_destroy(struct arena *a)
{
    struct arena_block *block = a->blocks;

    while (block) {
        struct arena_block *next = block->next;

        free(block);
        block = next;
    }
    *a = (struct arena){.limit = a->limit};
}

/* A quarter of what there is: the many blocks of a large site are then large enough to be mapped each by itself (base/memory.h), and
 * go back to the system as soon as they are freed. Of the last one only what is used is ever touched. */
static size_t arena_block_bytes(const struct arena *a)
{
    size_t size = a->used / 4;

    if (size < ARENA_BLOCK_BYTES)
        return ARENA_BLOCK_BYTES;
    return size < ARENA_BLOCK_MOST ? size : ARENA_BLOCK_MOST;
}

static struct arena_block *arena_grow(struct arena *a, size_t bytes)
{
    size_t size = bytes > ARENA_LARGE_BYTES ? bytes : arena_block_bytes(a);
    struct arena_block *block;

    block = calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    block->size = size;
    /* A large piece's block is full at once: it goes behind the one that still has room. */
    if (bytes > ARENA_LARGE_BYTES && a->blocks) {
        block->next = a->blocks->next;
        a->blocks->next = block;
    } else {
        block->next = a->blocks;
        a->blocks = block;
    }
    return block;
}

/* bytes: not 0. align: a power of 2, at most max_align_t's. */
static void *arena_take(struct arena *a, size_t bytes, size_t align)
{
    struct arena_block *block = a->blocks;
    size_t at = block ? (block->used + align - 1) / align * align : 0;

    if (a->limit != 0 && (a->used > a->limit || bytes > a->limit - a->used))
        return NULL;
    if (!block || at > block->size || block->size - at < bytes) {
        block = arena_grow(a, bytes);
        if (!block)
            return NULL;
        at = block->used;
    }
    block->used = at + bytes;
    a->used += bytes;
    return block->bytes + at;
}

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
    const size_t align = alignof(max_align_t);
    size_t bytes;

    if (size != 0 && count > ARENA_PIECE_MAX / size)
        return NULL;
    /* A piece of no bytes still gets an address of its own. */
    bytes = (count * size + align - 1) / align * align;
    return arena_take(a, bytes ? bytes : align, align);
}

/* Texts lie close together: a site of 2,000 points has 40,000 of them, short ones. */
char *arena_strndup(struct arena *a, const char *text, size_t length)
{
    char *copy;

    if (length >= ARENA_PIECE_MAX)
        return NULL;
    copy = arena_take(a, length + 1, 1);
    if (!copy)
        return NULL;
    if (length)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *arena_strdup(struct arena *a, const char *text)
{
    return text ? arena_strndup(a, text, strlen(text)) : NULL;
}
