/* How the C library's allocator deals with memory: for a program that runs for years on a box with little of it. */
#ifndef RG_BASE_MEMORY_H
#define RG_BASE_MEMORY_H

/* Once, before the first thread. Freed memory is then kept by few, and large blocks go back when they are freed. Without effect where the
 * C library knows no such settings. */
void memory_setup(void);
/* What was freed goes back to the system: after a configuration was read or thrown away. Any thread; takes about a millisecond for 10 MiB,
 * during which others may wait that allocate. */
void memory_give_back(void);

#endif
