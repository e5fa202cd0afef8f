/* How the C library's allocator deals with memory: for a program that runs for years on a box with little of it. */
#ifndef RG_BASE_MEMORY_H
#define RG_BASE_MEMORY_H

#include <stddef.h>

/* Once, before the first thread. Freed memory is then kept by few, and large blocks go back when they are freed. Without effect where the
 * C library knows no such settings. */
void memory_setup(void);
/* What was freed goes back to the system: after a configuration was read or thrown away. Any thread; takes about a millisecond for 10 MiB,
 * during which others may wait that allocate. */
void memory_give_back(void);
/* The program's and its libraries' own pages are no longer counted as in use until they are used again: once the start is over, nearly half of
 * them never are. They stay in the system's cache, where they come from at the price of a page fault; only what cannot have been written is
 * let go. Any thread. */
void memory_leave_start(void);
/* What lies in this stretch is not needed any more, but the stretch itself is, later: its pages go back to the system, so that it costs nothing until it
 * is written again. Its contents are lost. It is static, on the heap or of memory_reserve. A system call: for what is used now and then. */
void memory_release(void *memory, size_t bytes);
/* Zeroed memory in pages of its own, of which only those count that are written: for what is large and mostly empty. (calloc may find room among
 * what was used before, and then writes all of it.) NULL: out of memory. */
void *memory_reserve(size_t bytes);
void memory_unreserve(void *memory, size_t bytes); /* takes NULL */

#endif
