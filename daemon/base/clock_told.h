/* One word between two processes: whether the clock is synchronised, and when that was true. A file of CLOCK_TOLD_BYTES that both map, written
 * and read in one step. For a daemon that may not ask the kernel itself: see systemd/riskgate-clock.service.in. */
#ifndef RG_BASE_CLOCK_TOLD_H
#define RG_BASE_CLOCK_TOLD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define CLOCK_TOLD_BYTES 8
#define CLOCK_TOLD_EVERY_MS 1000
/* An older word counts for nothing: the clock is taken for unsynchronised then. Long enough for a machine that stands still, and for
 * a teller that is started anew. */
#define CLOCK_TOLD_GOOD_MS 30000

typedef _Atomic int64_t
    clock_told; /* native byte order: twice the monotonic ms, and one more when synchronised; 0: nothing yet */

/* The teller's side: makes the file where there is none, and goes on in the one there is. RG_EIO: errno says why. */
RG_NODISCARD enum rg_err clock_told_create(const char *path, clock_told **out);
/* The reader's side. RG_EIO: errno says why; RG_EINVAL: not such a file. */
RG_NODISCARD enum rg_err clock_told_open(const char *path, const clock_told **out);
void clock_told_close(const clock_told *told); /* takes NULL */

void clock_told_put(clock_told *told, int64_t mono_ms, bool synced);
bool clock_told_synced(const clock_told *told, int64_t mono_ms);

#endif
