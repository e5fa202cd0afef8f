/* How long a thread's turns on a processor are. */
#ifndef RG_BASE_SLICE_H
#define RG_BASE_SLICE_H

#include <stdint.h>

#define SLICE_SHORT_NS 100000u /* the least that Linux takes */

/* The calling thread, and those that it makes from here on, ask for turns of SLICE_SHORT_NS: when it wakes it goes before threads of the same
 * priority that are in the middle of a longer one (EEVDF, Linux 6.12 and later). It gets no larger share for it, and takes no privilege. Where the
 * kernel does not know of this (or a filter forbids it) nothing changes: for threads that do little and should not wait to do it. */
void slice_short(void);
/* What the calling thread's turns are, ns; 0: the kernel does not tell. */
uint64_t slice_now(void);

#endif
