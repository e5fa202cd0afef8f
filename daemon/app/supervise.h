/* What the service manager is told of the daemon: that it is ready, reloads, stops, and how it is; and, as long as everything really gets on, that
 * it is alive. A daemon whose loop turns while its disk or one of its lines has stopped for good is not: then nothing is fed any more,
 * and the manager starts it anew (WatchdogSec=). What a restart cannot mend (a disk that is full or refuses, a device that is
 * mute, a platform that is away) is no reason for one. */
#ifndef RG_APP_SUPERVISE_H
#define RG_APP_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "loop/loop.h"

struct pipeline;

/* Without a manager that watches, what stands still is told in the log all the same. */
#define SUPERVISE_PATIENCE_MS 60000
/* For the store twice the manager's time: while a disk hangs, alarms still go out, which a restart would end. */
#define SUPERVISE_STORE_TIMES 2
#define SUPERVISE_STATUS_MS 1000 /* a status that changed is told at most so often */
#define SUPERVISE_AGAIN_MS 1000  /* what the manager has no room for is said so often, but for its status */

/* The manager: a message as notify_send takes it, and its answer: after RG_EAGAIN it is said again. */
struct supervise_manager {
    enum rg_err (*send)(void *arg, const char *state);
    void *arg;
    int64_t watchdog_ms; /* it wants to hear something so often; 0: it does not watch */
};

enum supervise_part { SUPERVISE_LOOP, SUPERVISE_BUSES, SUPERVISE_STORE, SUPERVISE_PARTS };

/* One part, as it was seen at the looks so far. */
struct supervise_progress {
    bool busy;
    uint64_t mark;
    int64_t stood_ms;
};
/* A look at one part, elapsed_ms after the one before: busy: it has something to do; mark: changes when it gets on. Returns for how long
 * it has been busy with nothing moving, ms. Pure. */
int64_t supervise_look(struct supervise_progress *p, bool busy, uint64_t mark, int64_t elapsed_ms);

struct supervise;
/* pipeline: opened before supervise_ready, and there until supervise_destroy. */
RG_NODISCARD enum rg_err supervise_create(struct loop *loop, const struct pipeline *pipeline,
                                          const struct supervise_manager *manager, struct supervise **out);
void supervise_destroy(struct supervise *s); /* takes NULL */

/* The first word; the looks begin. */
void supervise_ready(struct supervise *s);
/* A reload began, and ended, whatever came of it. */
void supervise_reloading(struct supervise *s);
void supervise_reloaded(struct supervise *s);
/* The looks end: how long a stop may take is the manager's to say. */
void supervise_stopping(struct supervise *s);

#endif
