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

#define LOOP_HEARD_BETWEEN 128 /* timers of one turn after which the loop hears its workers */

struct loop {
    uv_loop_t uv;
    uv_async_t wake; /* a worker has finished; and it keeps uv_run going while there is no other handle */
    _Atomic(struct loop_worker *) finished; /* by way of loop_worker.next, the last one first */
    struct loop_worker *heard; /* the loop's: of those the ones whose done_cb is still to come, in order */
    uint64_t turn_ms;          /* libuv's time of the turn that these are of: */
    unsigned turn_timers;      /* timers that fired */
    size_t alive;              /* handles that were created and not destroyed */
    int64_t late_max_ms;
    /* Whether the clock is synchronised: twice the monotonic ms of asking, and one more when it was; 0: never asked. */
    _Atomic int64_t synced_told;
};

/* The done_cb of all workers that have finished, in the order in which they have. Without a system call, and next to nothing when there is none. */
void loop_hear_workers(struct loop *loop);

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
