/* The event loop: timers, signals, work off the loop, worker threads, local sockets, and the mailbox.
 *
 * One thread, the loop's, owns all state of riskgate. This header has two bodies: loop/ (libuv, real time) and
 * tests/support/virtual_loop.c (a virtual clock: a day in seconds); a program links one of them. Unless a function says
 * "any thread", it may be called on the loop's thread only, and every callback runs there.
 *
 * Handles are closed asynchronously underneath, but *_destroy may be called at any time, in a callback of the handle
 * too: no callback follows it, and its memory is freed when that is safe. All destroy functions take NULL. */
#ifndef RG_LOOP_LOOP_H
#define RG_LOOP_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct loop;

/* Also has the process ignore SIGPIPE: a peer that goes away is an error of a write, not the end of the daemon. */
RG_NODISCARD enum rg_err loop_create(struct loop **out);
/* Every handle must have been destroyed. Runs what is left of closing them, then frees the loop. RG_ESTATE (and the loop
 * is kept) when a handle is still alive: a leak, which tests treat as a failure. */
enum rg_err loop_destroy(struct loop *loop);
/* Runs until loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Time as the rest of the program is to know it. Read afresh at each call. */
int64_t loop_mono_ms(const struct loop *loop);
int64_t loop_mono_us(const struct loop *loop);
int64_t loop_wall_ms(const struct loop *loop);
/* Any thread. Whether the wall clock is synchronised, asked of the system at most once in 100 ms for all: never later than the call, so that
 * a time which is read after it is no better than what this says of it. */
bool loop_clock_synced(struct loop *loop);

/* The longest time one turn of the loop took beyond what its timers asked for, ms, since the last call: lateness. */
int64_t loop_late_max_ms(struct loop *loop);

/* ---- timers: one shot, on the monotonic clock ----
 * Those of one instant fire in the order in which they were armed; between the first hundred of them done_cb of workers that have
 * finished is called. */
struct loop_timer;
typedef void (*loop_timer_cb)(void *arg);
RG_NODISCARD enum rg_err loop_timer_create(struct loop *loop, loop_timer_cb cb, void *arg,
                                           struct loop_timer **out);
void loop_timer_destroy(struct loop_timer *t);
/* Arms (or re-arms) it for the monotonic instant at_ms. An instant in the past fires after 1 ms, never at once: libuv 1.44
 * starves when a timer is re-armed with 0 inside its own callback. */
void loop_timer_at(struct loop_timer *t, int64_t at_ms);
void loop_timer_stop(struct loop_timer *t);

/* ---- signals ---- */
struct loop_signal;
typedef void (*loop_signal_cb)(void *arg, int signum);
RG_NODISCARD enum rg_err loop_signal_create(struct loop *loop, int signum, loop_signal_cb cb, void *arg,
                                            struct loop_signal **out);
void loop_signal_destroy(struct loop_signal *s);

/* ---- a worker: one thread of its own that does one job at a time ----
 * For what may block for long: a bus, the store's writer. run_cb runs on the worker's thread, done_cb afterwards on the loop. */
struct loop_worker;
struct loop_worker_time {
    int64_t started_us; /* monotonic */
    int64_t ended_us;   /* monotonic: when run_cb returned */
    int64_t ended_wall_ms;
    bool synced; /* the wall clock was synchronised when it showed that; asked at most 100 ms before */
};
typedef void (*loop_worker_run_cb)(void *arg);
typedef void (*loop_worker_done_cb)(void *arg, const struct loop_worker_time *time);
/* name: at most 15 bytes are shown in ps and gdb. */
RG_NODISCARD enum rg_err loop_worker_create(struct loop *loop, const char *name, loop_worker_run_cb run,
                                            loop_worker_done_cb done, void *arg, struct loop_worker **out);
/* What it does is little, and somebody waits for it: its thread goes before those in the middle of a long turn, where the system can do that
 * (base/slice.h). Before the first job. */
void loop_worker_prompt(struct loop_worker *w);
/* Starts the job. RG_EAGAIN while the last one has not reached done_cb; in done_cb the worker is free again. */
RG_NODISCARD enum rg_err loop_worker_submit(struct loop_worker *w);
bool loop_worker_busy(const struct loop_worker *w);
/* Waits for a job that was submitted (so whoever blocks must have been told to stop before), drops its done_cb, ends the
 * thread. A submitted job always runs. */
void loop_worker_destroy(struct loop_worker *w);

/* ---- mailbox: the door from other threads ---- */
struct mailbox;
/* Called on the loop for each message, in the order of posting from each thread. */
typedef void (*mailbox_cb)(void *arg, void *message);
/* element: bytes of a message, copied in and out; capacity: messages that may wait. */
RG_NODISCARD enum rg_err mailbox_create(struct loop *loop, size_t element, size_t capacity, mailbox_cb cb,
                                        void *arg, struct mailbox **out);
/* Any thread. RG_EFULL, and counted, when it is full: the message was not taken. */
RG_NODISCARD enum rg_err mailbox_post(struct mailbox *m, const void *message);
uint64_t mailbox_refused(const struct mailbox *m); /* any thread */
/* Whoever posts must have stopped before. Messages that wait are dropped. */
void mailbox_destroy(struct mailbox *m);

/* ---- local (Unix) stream sockets, for control/ ---- */
#define LOOP_PEER_WAITING_MAX ((size_t)4 << 20) /* bytes */
struct loop_listener;
struct loop_peer;
struct loop_peer_cbs {
    /* A new peer; returns its context, NULL to refuse it. uid: of the process that connected (SO_PEERCRED). */
    void *(*open)(void *arg, struct loop_peer *peer, uint32_t uid);
    void (*read)(void *context, const char *bytes, size_t length);
    /* Gone, for whatever reason; the peer is not to be used again. Never called from inside loop_peer_write or loop_peer_close,
     * but from the loop afterwards (or from loop_listener_destroy). */
    void (*closed)(void *context);
};
/* Listens at path with the given mode (0660) and group (a gid, or LOOP_GROUP_OWN: as the process makes files): a stale socket
 * file is replaced, a live one gives RG_EEXIST (another instance answers there); the parent folder must exist. RG_EINVAL: the
 * path is too long; RG_EIO: *reason (may be NULL) gets an errno (EEXIST: a file that is no socket is in the way; EPERM: the
 * process may not give the file that group). */
#define LOOP_GROUP_OWN UINT32_MAX
RG_NODISCARD enum rg_err loop_listen_local(struct loop *loop, const char *path, unsigned mode, uint32_t group,
                                           unsigned max_peers, const struct loop_peer_cbs *cbs, void *arg,
                                           struct loop_listener **out, int *reason);
/* Another group for the socket file; who is connected stays. RG_EIO: *reason gets an errno, and nothing has changed. */
RG_NODISCARD enum rg_err loop_listener_grant(struct loop_listener *l, uint32_t group, int *reason);
/* Closes all its peers (closed is called for each) and removes the socket file. */
void loop_listener_destroy(struct loop_listener *l);
/* Copies the bytes. RG_EFULL when more than LOOP_PEER_WAITING_MAX would wait for a peer that does not read: then it is
 * closed. RG_ESTATE: it is closed or closing; RG_EIO, RG_ENOMEM: then it is closed too. */
RG_NODISCARD enum rg_err loop_peer_write(struct loop_peer *peer, const char *bytes, size_t length);
/* Whether the process that connected was in that group then, as its own or one of its supplementary ones; false once it is
 * closing. Never asks the name service. */
bool loop_peer_in_group(const struct loop_peer *peer, uint32_t group);
/* Bytes written that the peer has not taken yet; 0 once it is closing. */
size_t loop_peer_waiting(const struct loop_peer *peer);
/* After what was written has gone out (bounded: a peer that does not read is cut after a few seconds). No read follows. */
void loop_peer_close(struct loop_peer *peer);
/* At once, whatever was written. */
void loop_peer_drop(struct loop_peer *peer);

#endif
