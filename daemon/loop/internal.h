/* What the files of loop/ share. */
#ifndef RG_LOOP_INTERNAL_H
#define RG_LOOP_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "loop/loop.h"

/* Behind a pointer, because asking for the time leaves the loop itself const. */
struct loop_clock {
    int64_t synced_asked_ms;
    bool asked;
    bool synced;
};

struct loop {
    uv_loop_t uv;
    uv_async_t keep; /* never sent: keeps uv_run going while there is no other handle */
    struct loop_clock clock;
    struct loop_clock *clock_ref; /* &clock */
    size_t alive;                 /* handles that were created and not destroyed */
    int64_t late_max_ms;
    _Atomic int64_t
        synced_told; /* to the workers: twice the monotonic ms of asking, and one more when synchronised; 0: never asked */
};

/* Any thread. Whether the wall clock is synchronised, asked of the system at most once in 100 ms for all workers together: never later than
 * the call, so that a time which is read after it is no better than what this says of it. */
bool loop_synced_for_worker(struct loop *loop);

/* The riskgate error of a libuv one. */
enum rg_err loop_error(int uv_error);

/* ---- local_bind.c ---- */

/* Which file a listener made, so that it removes no other's. */
struct local_file {
    dev_t device;
    ino_t inode;
};

/* A socket bound to path, not listening yet. Errors as for loop_listen_local; *reason is set for RG_EIO only. */
RG_NODISCARD enum rg_err local_bind(const char *path, unsigned mode, uint32_t group, int *out,
                                    struct local_file *file, int *reason);
/* Gives the file that group, if it is still that one. RG_EIO: *reason gets an errno. */
RG_NODISCARD enum rg_err local_grant(const char *path, const struct local_file *file, uint32_t group,
                                     int *reason);
/* Removes the file if it is still that one. */
void local_unlink(const char *path, const struct local_file *file);
/* Who connected. */
bool local_peer_uid(int fd, uint32_t *uid);
bool local_peer_in_group(int fd, uint32_t group);

#endif
