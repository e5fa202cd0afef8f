/* A parsed file as a tree of values, each with its place. Lives in the scratch memory of one load. */
#ifndef RG_CONFIG_NODE_H
#define RG_CONFIG_NODE_H

#include <stdbool.h>
#include <stdint.h>

/* A place in a file. line from 1; 0: the file as a whole. offset: bytes from the start of the file's text. */
struct place {
    uint32_t file; /* index into the sources of the load */
    uint32_t line;
    uint32_t offset;
};

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    struct node *next;  /* in the list or mapping it belongs to */
    struct node *first; /* child; NODE_LIST, NODE_MAP */
    const char *text;   /* NODE_SCALAR: as it is meant, quotes and escapes resolved */
    const char *key;    /* in a mapping; otherwise NULL */
    uint32_t count;     /* of children */
    uint32_t line, offset;
    uint32_t key_line, key_offset;
    uint32_t file;
    uint8_t kind;
    bool quoted; /* NODE_SCALAR: not a plain one, so never a number or null */
};

struct place node_place(const struct node *node);
struct place node_key_place(const struct node *node); /* of the value where there is no key */
/* The value of a key, or NULL; the first when there are several. map may be NULL. */
const struct node *node_get(const struct node *map, const char *key);
/* Nothing written: `key:` alone, `~` or `null`. */
bool node_is_null(const struct node *node);
const char *node_kind_words(const struct node *node); /* "a list", "a mapping", "a text", "nothing" */

#endif
