#include "plant/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pool_block {
    struct pool_block *next;
    max_align_t data[];
};

void *pool_alloc(struct pool *pool, size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX - sizeof(struct pool_block)) / size)
        return NULL;
    struct pool_block *block = calloc(1, sizeof(*block) + count * size);
    if (block == NULL)
        return NULL;
    block->next = pool->blocks;
    pool->blocks = block;
    return block->data;
}

char *pool_text(struct pool *pool, const char *text, size_t length)
{
    char *copy = pool_alloc(pool, length + 1, 1);
    if (copy != NULL)
        memcpy(copy, text, length);
    return copy;
}

void pool_free(struct pool *pool)
{
    while (pool->blocks != NULL) {
        struct pool_block *block = pool->blocks;
        pool->blocks = block->next;
        free(block);
    }
}
