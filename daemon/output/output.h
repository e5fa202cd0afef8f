/* Sounders, beacons and fans: they follow the level of their area or rule. The stage: all outputs of a site, and the
 * modules (devices) they are on.
 *
 * It knows no bus and no uplink: what it wants written or read goes to a port, what came of it comes back by
 * outputs_answer. So an output works as long as its module answers, whatever else does not. Pure but for the port: time
 * is an argument. It allocates nothing after outputs_create.
 *
 * Wanted (output_wanted): on while it is being tested, and while the level of what it follows is at or above its `from`,
 * unless it is silenced. Silencing lasts until the next announcement: an alarm raised or escalated to `from` or higher
 * in what it follows (ISA-18.2-2016 §11: silence stops the sound, not the alarm), or until nothing there keeps it on.
 *
 * Modules. One transaction at a time on each. A module that does not answer is asked again after a growing, jittered gap
 * that begins at DRIVE_RETRY_MS and ends at the shortest assert_ms of its outputs; its outputs take turns, so one with
 * eight relays costs its line one time-out for each gap and not eight. Its silence counts as a failure of all of them.
 * Only a change of a wanted state does not wait for the gap. */
#ifndef RG_OUTPUT_OUTPUT_H
#define RG_OUTPUT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/level.h"
#include "model/moment.h"
#include "model/site.h"
#include "output/drive.h"

#define OUTPUT_TEST_MAX_MS 300000

struct output_wish {
    enum level level; /* the highest of what it follows; shelved alarms are left out by whoever gives it */
    enum level from;
    bool silenced;
    bool tested;
};
bool output_wanted(const struct output_wish *wish);

struct output_slot;                                     /* one output, for its answer to find back */
void *outputs_port_arg(const struct output_slot *slot); /* the arg of its port */

struct output_ask {
    uint32_t device;
    enum point_space space; /* SPACE_COIL or SPACE_HOLDING */
    uint16_t address;
    bool write;
    uint16_t value; /* write */
    bool urgent;    /* before the polls */
    struct output_slot *slot;
};

enum output_result {
    OUTPUT_GOOD,    /* the write was confirmed, or the value read */
    OUTPUT_REFUSED, /* the module answered with an exception */
    OUTPUT_SILENT,  /* everything else: no answer, a wrong one, no connection */
};

struct output_port {
    void *arg;
    /* Carries it out; exactly one outputs_answer follows, never from inside. An error: it could not be handed over, which
     * counts as no answer. */
    enum rg_err (*ask)(void *arg, const struct output_ask *ask);
    /* Over a reload, of what was handed over and is not answered yet. pass: its outputs_answer comes for `to` from now on,
     * on that device of the new site; false: it will not. drop: no answer comes, and it is not carried out if it has not
     * begun. Both may be NULL: then nothing is passed, and what is answered to a slot that is gone is the port's affair. */
    bool (*pass)(void *arg, uint32_t device, const struct output_slot *from, struct output_slot *to);
    void (*drop)(void *arg, const struct output_slot *slot);
    /* news is never DRIVE_NOTHING. detail: the last thing that went wrong, for people; borrowed. */
    void (*news)(void *arg, uint32_t output, enum drive_news news, const char *detail);
};

struct outputs;
/* site must outlive it. ready_ms: monotonic, of the daemon's start; a device's start_up_ms counts from there. seed: of the
 * jitter. RG_ENOMEM. */
RG_NODISCARD enum rg_err outputs_create(const struct site *site, const struct output_port *port,
                                        int64_t ready_ms, uint64_t seed, struct outputs **out);
void outputs_destroy(struct outputs *o); /* takes NULL */
/* Nothing is handed over or told any more; answers that still come are dropped. */
void outputs_halt(struct outputs *o); /* takes NULL */

/* Goes on from the outputs that were at work until now (another site, which must still be there): what is wired to the
 * same place (line, unit, address, values) keeps its state, its silence and its test, and what is under way to it, so that no
 * reload switches a sounder off and on. Before the first tick; no answer may come to `from` any more. */
void outputs_inherit(struct outputs *o, const struct outputs *from, struct moment now);
/* What it follows: the level, and how many times something was announced there so far. */
void outputs_follow(struct outputs *o, uint32_t output, enum level level, uint64_t announced,
                    struct moment now);
/* Hands over what is due; tells of faults that time alone makes. To be called at outputs_next_ms and after every call that
 * changes something. */
void outputs_tick(struct outputs *o, struct moment now);
/* Monotonic instant of the next thing to do, or INT64_MAX. */
int64_t outputs_next_ms(const struct outputs *o);
/* value: of a good read. detail: why not, for people; borrowed; may be NULL. */
void outputs_answer(struct output_slot *slot, enum output_result result, uint16_t value, const char *detail,
                    struct moment now);

/* RG_EPERM: it is not silenceable; RG_ESTATE: nothing to silence, it is off or silenced already. Ends a test. */
RG_NODISCARD enum rg_err outputs_silence(struct outputs *o, uint32_t output, struct moment now);
/* On for so long, then back to what is wanted; once more: from now on. RG_ERANGE: not 1 to OUTPUT_TEST_MAX_MS. */
RG_NODISCARD enum rg_err outputs_test(struct outputs *o, uint32_t output, int64_t for_ms, struct moment now);

/* Brings outputs to their on_stop states and leaves them alone: all, or those that another site has no output at the
 * place of. */
void outputs_release(struct outputs *o, const struct site *next, struct moment now);
bool outputs_released(const struct outputs *o); /* all that were let go are done with, one way or the other */
/* They are in use after all. */
void outputs_resume(struct outputs *o, struct moment now);

struct output_status {
    enum level level; /* of what it follows */
    bool wanted;
    bool known, on;   /* as last read back; not known: never, or neither on nor off */
    int64_t since_ms; /* wall: first read back so; 0: never */
    int64_t read_ms;  /* wall: last read back; 0: never */
    bool faulty;
    bool silenced;
    bool tested;
    uint64_t writes, errors, otherwise; /* see struct drive */
    const char *detail; /* the last thing that went wrong since it was as wanted, or NULL; borrowed */
};
void outputs_status(const struct outputs *o, uint32_t output, struct output_status *out);

#endif
