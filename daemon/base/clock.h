/* The only file that reads a clock. Deciding code gets its time as an argument (struct moment, model/moment.h). */
#ifndef RG_BASE_CLOCK_H
#define RG_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

int64_t clock_mono_us(void); /* CLOCK_MONOTONIC, microseconds */
int64_t clock_mono_ms(void); /* the same, milliseconds */
int64_t clock_wall_ms(void); /* CLOCK_REALTIME, milliseconds since 1970-01-01 UTC */
/* True when the kernel says that the system clock is synchronised (adjtimex without STA_UNSYNC). */
bool clock_synced(void);
/* Where the kernel may not be asked (a filter of system calls), clock_synced goes by what is told in this file (clock_told.h) from now
 * on; otherwise this does nothing. Before any thread begins; the mapping stays for the life of the process. NULL: there is no such
 * file. RG_EPERM: neither is there, and clock_synced is false for ever; RG_EIO, RG_EINVAL: as clock_told_open. */
RG_NODISCARD enum rg_err clock_follow(const char *path);

/* "2026-11-22T05:46:09.123Z" for a wall time in ms; out needs 32 bytes. Returns out. */
const char *clock_format_utc(int64_t wall_ms, char *out);

#endif
