/* Inside poll/: one bus, its units, its thread, and the one poll that is under way on it.
 *
 * All of it belongs to the loop's thread. While the worker is busy, work, job, link and answer (with its
 * samples), raw and raw_answer are the worker's and the loop leaves them alone; submit and done_cb hand them over. */
#ifndef RG_POLL_BUS_H
#define RG_POLL_BUS_H

#include "base/random.h"
#include "drivers/driver.h"
#include "loop/loop.h"
#include "model/site.h"
#include "poll/durations.h"
#include "poll/errands.h"
#include "poll/health.h"
#include "poll/meter.h"
#include "poll/poll.h"
#include "poll/requests.h"
#include "poll/schedule.h"
#include "poll/trigger.h"

/* What a transaction may take, in its time-outs: to connect, to clear the line of what came late, to send, to hear. */
#define BUS_LONGEST_TIMEOUTS 4
/* Silence because the bus is down is told at most once in this time. */
#define BUS_TELL_GAP_MS 10000
#define BUS_TOLD_NEVER INT64_MIN
#define BUS_NEVER_BROKE UINT64_MAX

struct unit {
    const struct site_device *device;
    uint32_t index; /* into site.devices */
    struct driver_plan *plan;
    uint32_t plan_first;          /* the index of its first point in the site that plan was made for */
    struct driver_memory *memory; /* the worker's while it is busy; NULL when the driver has none */
    struct driver_plan *whole;    /* while a division is on trial: the plan without it; else NULL */
    struct requests requests;     /* of plan */
    struct grid grid;
    struct trigger trigger;
    struct unit_health health;
    size_t probe;     /* the request that the last probe asked */
    int64_t begun_ms; /* when its last poll began; -1: never asked */
    /* bus.answers when the link last broke under it; BUS_NEVER_BROKE: not since it answered. */
    uint64_t broke_at;
    int64_t silent_since;   /* monotonic ms: when it was suspended */
    int64_t silent_wall_ms; /* when the first of its unanswered polls in a row ended */
    int64_t rest_until_ms;  /* after a silent poll: see health_rest_ms */
    int64_t ask_from_ms;    /* its start-up ends */
    int64_t asked_ms;       /* since when a poll out of turn is wanted; SCHEDULE_NEVER: none is */
    /* When its points were last told bad for the bus's sake; BUS_TOLD_NEVER: not since it was asked. */
    int64_t told_ms;
    struct poll_device_stats stats; /* but for state */
};

/* The poll under way. */
struct turn {
    size_t unit; /* index into bus.units */
    size_t request;
    uint32_t retries; /* left */
    bool probe;       /* one request of a suspended unit */
    bool triggering;  /* the poll begins with a write; what else there is to it comes in a turn of its own */
    bool trying;      /* requests that are left out are asked as well */
    bool answered;    /* some request was */
    bool failed;      /* some request was not */
    bool in_vain;     /* a division was undone: one a poll is enough */
    bool wanted;      /* by poll_now */
    size_t silent;    /* the last request that was not answered, or TURN_NONE */
    size_t first_part, parts; /* while a division is on trial: its first request, and how many */
};
#define TURN_NONE SIZE_MAX

/* What the bus's thread is doing. */
enum bus_work {
    BUS_WORK_NONE,
    BUS_WORK_REQUEST, /* a request of the poll under way */
    BUS_WORK_TRIGGER, /* the write it begins with */
    BUS_WORK_ERRAND,
    BUS_WORK_CLOSE, /* the end of its link: it was removed */
};

/* What all buses share. */
struct bus_context {
    struct poll *owner;
    struct loop *loop;
    const struct site *site;
    const struct driver *driver;
    struct poll_cbs cbs;
    void *arg;
    int64_t booted_ms;    /* monotonic: when the daemon started, or BUS_BOOTED_NOW: when polling does */
    int64_t way_until_ms; /* monotonic: poll_give_way */
};
#define BUS_BOOTED_NOW INT64_MIN

/* What of a bus depends on its units. */
struct bus_room {
    struct unit **units;
    struct due *dues;
    size_t count;
    struct sample *samples; /* room for the largest request and for the largest device */
    bool *read;
};

struct bus {
    const struct bus_context *context;
    const struct driver *driver; /* the context's: constant, for the thread */
    uint64_t id;                 /* poll_bus_id */
    uint64_t end;        /* the same for buses that may be at the other end of one line or connection */
    uint32_t index;      /* into site.buses */
    bool line;           /* unit 0 is all units, and nobody answers */
    struct unit **units; /* in the order of the site's devices; borrowed */
    struct due *dues;    /* of the unit with the same index */
    size_t count;
    struct driver_link *link;
    struct loop_worker *worker;
    struct loop_timer *timer;
    struct rg_random random;
    bool started;
    bool held;        /* begins nothing: what it opens is still in use by one that was removed */
    bool giving_way;  /* it would begin something, and waits for the end of poll_give_way */
    bool leaving;     /* removed: what is under way is awaited, and then its end */
    struct bus *next; /* of those that are leaving */
    struct unit
        *orphan; /* what is under way was asked of it, and it was removed, or changed: nobody is told */
    enum bus_work work;
    int64_t handed_ms; /* monotonic: when the worker was given it */
    bool polling;      /* a poll is under way: its next request is turn.request */
    enum schedule_before before;
    uint64_t answers; /* transactions that were answered */
    struct turn turn;
    struct driver_ask job;       /* constant while the worker is busy */
    struct driver_answer answer; /* its samples: room for the largest request and for the largest device */
    struct sample *next_samples; /* take their place when the request under way has ended; or NULL */
    struct errands errands;
    struct errand *errand;        /* under way, or NULL */
    struct driver_raw trigger;    /* under way */
    const struct driver_raw *raw; /* of the errand or trigger; constant while the worker is busy */
    struct driver_raw_answer raw_answer;
    bool *read; /* by point of the unit under way: it got a frame in this poll; room for the largest device */
    struct bus_health health;
    struct durations durations;
    struct meter meter;
    bool unsynced;               /* the wall clock, when what is told of was taken */
    int64_t silence_us;          /* that has to follow each transaction */
    struct poll_bus_stats stats; /* but for state and percentiles */
};

/* ---- unit.c ---- */

/* Plans the device. *out is NULL or to be destroyed on an error, too. */
RG_NODISCARD enum rg_err unit_create(const struct bus_context *context, uint32_t index, struct unit **out);
void unit_destroy(struct unit *u, const struct driver *driver); /* takes NULL */

/* ---- the life of a bus ---- */

/* units: all of the poll, by device index, already planned. A bus without devices has a thread and a link, too:
 * an empty line is what a commissioner asks first. *out is NULL or to be destroyed on an error, too. */
RG_NODISCARD enum rg_err bus_create(const struct bus_context *context, uint32_t index, uint64_t id,
                                    struct unit *const *units, uint64_t seed, struct bus **out);
/* Starts the bus, and those of its units that are not at work yet. */
void bus_start(struct bus *b);
/* Nothing begins any more; a transaction under way is told to return. First for all buses, so that they
 * end together. */
void bus_cancel(struct bus *b);
void bus_destroy(struct bus *b); /* waits for its thread, and answers its errands; takes NULL */
void bus_let_go(struct bus *b);  /* of one that was held */

/* ---- renew.c: over a reload ---- */

/* units: as bus_create; the bus's own may be planned for another site. RG_ENOMEM; destroyed in any case. */
RG_NODISCARD enum rg_err bus_room_create(struct bus_room *room, const struct bus_context *context,
                                         uint32_t index, struct unit *const *units);
void bus_room_destroy(struct bus_room *room); /* takes a zeroed one */
/* The bus goes on with the units of that room, which is empty then: those that were its before as they are, the others
 * once it is started again. Returns the unit that is the bus's to destroy from now on, or NULL. */
struct unit *bus_follow(struct bus *b, const struct bus_context *context, uint32_t index,
                        struct bus_room *room);
/* It was removed: poll_bus_left follows, never from inside, as soon as its thread is done. Returns like bus_follow. */
struct unit *bus_leave(struct bus *b, const struct bus_context *context);
/* What its thread did has ended, or its timer has come. */
void bus_leave_on(struct bus *b);
/* What was under way for a unit that is configured no more has ended. */
void bus_orphan_result(struct bus *b, enum bus_work work, const struct moment *at, int64_t duration_us);
/* The thread does not fill the samples of the answer: larger ones, if there are, take their place. */
void bus_swap_samples(struct bus *b);
/* follow.c: one that was leaving is done; destroys it. */
void poll_bus_left(struct poll *p, struct bus *b);

/* poll_errand for a bus that is there. */
RG_NODISCARD enum rg_err bus_errand(struct bus *b, const struct poll_errand *what);

/* poll_standing_ms of this bus. */
int64_t bus_standing_ms(const struct bus *b, int64_t now_ms);

/* poll_now for a device of this bus from which something is read. */
RG_NODISCARD enum rg_err bus_now(struct bus *b, uint32_t device);

/* ---- bus.c, for the files below ---- */

/* Has the worker do it; *_result follows, always. */
void bus_submit(struct bus *b, enum bus_work work);
/* A transaction ended. */
void bus_count(struct bus *b, enum driver_result result, bool answered, int64_t duration_us);
/* The unit's place among those due follows from its health and its grid. */
void bus_settle(struct bus *b, size_t unit);

/* ---- turn.c: a poll ---- */

/* It is units[unit]'s turn; turn_ask follows. */
void turn_begin(struct bus *b, size_t unit, int64_t now_ms);
/* Asks the request that the turn is at. */
void turn_ask(struct bus *b);
/* What the turn asked is over: the turn is at another request, or at the same once more, or ended (no longer polling). */
void turn_result(struct bus *b, const struct moment *at, int64_t duration_us);

/* Over TCP unit 0 is one device like any other; on lines it is all of them, and nobody answers. */
bool bus_nobody_answers(const struct bus *b, const struct driver_raw *ask);

/* ---- carry.c: errands ---- */

/* Begins the errand that goes now; false when none does. */
bool carry_begin(struct bus *b, bool poll_waits);
void carry_result(struct bus *b, const struct moment *at, int64_t duration_us);
/* poll_errand_pass and poll_errand_drop for this bus. False: the errand is not one of its. */
bool carry_pass(struct bus *b, poll_done_cb done, const void *from, void *to);
bool carry_drop(struct bus *b, poll_done_cb done, const void *arg);
/* The worker has ended: answers all that are left. */
void carry_end(struct bus *b);

/* ---- divide.c: a request that the unit refuses as a whole ---- */

/* The request under way was refused. True: it has been divided, and the turn is at its first part. */
bool divide_begin(struct bus *b, int64_t now_ms);
/* A part was read: the division stays. */
void divide_keep(struct bus *b);
/* None of the parts was: they are one request again, and the turn is at it. in_vain: all were tried. Does
 * nothing when no division is on trial. */
void divide_undo(struct bus *b, bool in_vain, int64_t now_ms);

/* ---- tell.c: frames ---- */

/* One frame with the answer of the request under way: good as decoded, or bad with that quality. */
void tell_answer(struct bus *b, const struct moment *at, enum quality quality);
/* One bad frame (comm) with all points of the unit under way that this poll has not told yet; none when
 * all were. Uses the answer's samples. */
void tell_rest(struct bus *b, const struct moment *at);
/* One bad frame (comm) with all points of units[unit]; not while a poll is under way. */
void tell_all(struct bus *b, size_t unit, const struct moment *at);
/* Its points were told bad for the bus's sake within gap_ms. */
bool tell_was_told(const struct unit *u, int64_t now_ms, int64_t gap_ms);

/* ---- notify.c: what an operator is told ---- */

/* The answer's detail, or the name of its result. */
const char *notify_text(const struct driver_answer *answer);
void notify_bus(struct bus *b, enum health_crossing crossing);
void notify_device(struct bus *b, struct unit *u, enum health_crossing crossing, int64_t now_ms);
/* What poll_now asked for is over. */
void notify_polled(const struct bus *b, const struct unit *u, bool answered);
/* About a request of the unit under way. */
void notify_left_out(struct bus *b, size_t request);
void notify_asked_again(struct bus *b, size_t request);
void notify_divided(struct bus *b, size_t first_part, size_t parts);

#endif
