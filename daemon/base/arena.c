#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_BYTES ((size_t)64 << 10)
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

static struct arena_block *arena_grow(struct arena *a, size_t bytes)
{
    size_t size = bytes > ARENA_LARGE_BYTES ? bytes : ARENA_BLOCK_BYTES;
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

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct arena_block *block = a->blocks;
    size_t bytes;
    void *piece;

    if (size != 0 && count > ARENA_PIECE_MAX / size)
        return NULL;
    /* A piece of no bytes still gets an address of its own. */
    bytes = (count * size + align - 1) / align * align;
    if (bytes == 0)
        bytes = align;
    if (a->limit != 0 && (a->used > a->limit || bytes > a->limit - a->used))
        return NULL;
    if (!block || block->size - block->used < bytes) {
        block = arena_grow(a, bytes);
        if (!block)
            return NULL;
    }
    piece = block->bytes + block->used;
    block->used += bytes;
    a->used += bytes;
    return piece;
}

char *arena_strndup(struct arena *a, const char *text, size_t length)
{
    char *copy;

    if (length >= ARENA_PIECE_MAX)
        return NULL;
    copy = arena_alloc(a, length + 1, 1);
    if (copy && length)
        memcpy(copy, text, length);
    return copy;
}

char *arena_strdup(struct arena *a, const char *text)
{
    return text ? arena_strndup(a, text, strlen(text)) : NULL;
}
