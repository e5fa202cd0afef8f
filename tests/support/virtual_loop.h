/* The body of loop/loop.h for simulations: a clock that stands still while anything happens and jumps to the next event when
 * nothing does, so that a day passes in seconds and every run is the same.
 *
 * - Events are: timers, jobs of workers, messages of mailboxes, raised signals. Those of one instant fire in the order in
 *   which they were armed.
 * - There are no threads. A worker's run_cb is called at the instant of loop_worker_submit, by the loop, after what was armed
 *   for that instant before; inside it virtual_loop_spend says how long the job takes, and done_cb follows at that later
 *   instant. So many workers are busy at the same time, each for its own virtual while. Inside run_cb the loop's clocks show
 *   the job's own time (its start and what it spent so far), and a mailbox message posted then is delivered at that time.
 * - mailbox_post may be called from this one thread only.
 * - loop_listen_local gives RG_EUNSUPPORTED.
 * The monotonic clock begins at VIRTUAL_MONO_MS, the wall clock at VIRTUAL_WALL_MS, synchronised. */
#ifndef RG_TESTS_VIRTUAL_LOOP_H
#define RG_TESTS_VIRTUAL_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

#define VIRTUAL_MONO_MS 1000000
#define VIRTUAL_WALL_MS INT64_C(1763780000000)

/* loop_run runs until loop_stop, or until nothing is armed any more: then nothing would ever happen again. */

/* Fires every event up to and at mono_ms, then leaves the clock there. False when loop_stop ended it before. */
bool virtual_loop_run_until(struct loop *loop, int64_t mono_ms);
/* The same, for so many ms from now. */
bool virtual_loop_run_for(struct loop *loop, int64_t ms);
/* Fires the next event, the clock jumping there. False when nothing is armed. */
bool virtual_loop_step(struct loop *loop);

/* The monotonic instant of the next event, ms; INT64_MAX: none. */
int64_t virtual_loop_next_ms(const struct loop *loop);
/* Events that are armed. */
size_t virtual_loop_armed(const struct loop *loop);
/* Handles created and not destroyed. */
size_t virtual_loop_alive(const struct loop *loop);
/* Events fired so far. */
uint64_t virtual_loop_fired(const struct loop *loop);

/* The wall clock jumps to wall_ms; the monotonic one does not notice. */
void virtual_loop_set_wall(struct loop *loop, int64_t wall_ms);
void virtual_loop_set_synced(struct loop *loop, bool synced);
/* In a worker's run_cb: the job takes so long. Elsewhere: the loop itself is held up that long, and what is due meanwhile
 * fires late. */
void virtual_loop_spend(struct loop *loop, int64_t ms);
void virtual_loop_spend_us(struct loop *loop, int64_t us);
/* Delivers the signal to its handles at this instant. As with real ones, several raised before delivery are one. */
void virtual_loop_raise(struct loop *loop, int signum);

#endif
