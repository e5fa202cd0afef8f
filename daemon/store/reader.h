/* The queue of fetches, and the worker that carries them out. */
#ifndef RG_STORE_READER_H
#define RG_STORE_READER_H

#include "loop/loop.h"
#include "store/fetch.h"
#include "store/store.h"

struct reader;

/* Opens a connection of its own; held: not before reader_reopen, and until then every fetch gets RG_EIO. damaged: on the loop, when the database was found damaged, twice in a row. *why: words
 * with the path. */
RG_NODISCARD enum rg_err reader_create(struct loop *loop, const char *path, bool held,
                                       void (*damaged)(void *arg, const char *words), void *arg,
                                       struct reader **out, char *why, size_t why_size);
/* Another file is at the path now: the next fetch opens it. One that runs ends with what it reads of the old one. */
void reader_reopen(struct reader *r);
/* Fetches that wait are dropped, one that runs is broken off. Takes NULL. */
void reader_destroy(struct reader *r);
/* A place for a request, to be filled and then given to reader_ask; NULL: too many wait. */
struct fetch_request *reader_place(struct reader *r);
void reader_ask(struct reader *r, struct fetch_request *request, store_chunk_cb cb, void *arg);
void reader_cancel(struct reader *r, const void *arg);

#endif
