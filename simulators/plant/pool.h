/* Memory that lives as long as the scenario and is freed at one blow. */
#ifndef RG_PLANT_POOL_H
#define RG_PLANT_POOL_H

#include <stddef.h>

struct pool_block;
struct pool {
    struct pool_block *blocks;
};

/* Zeroed; NULL when memory is out. Zero is an empty pool. */
void *pool_alloc(struct pool *pool, size_t count, size_t size);
char *pool_text(struct pool *pool, const char *text, size_t length); /* a copy that ends in a NUL */
void pool_free(struct pool *pool);

#endif
