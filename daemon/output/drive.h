/* One output and its way to the state it shall have: written, read back, watched. A state machine; pure: time is an
 * argument, what it wants done is handed out by drive_next, what came of it comes in by drive_answer.
 *
 *   WRITE -> WRITING -> READ -> READING -> READ (again after assert_ms) -> ...
 *
 * A change of the wanted state is to be written at once, whatever was going on. Each write is read back. After that the
 * state is read back every assert_ms: a module that lost its power, or somebody at its web page, is found out then, and
 * the wanted state written again. What fails leaves the state in doubt, and in doubt it is written again, after a gap:
 * - the module did not answer at all: the gap is the module's (see output.h), for the next output of it would not be
 *   answered either;
 * - it refused, or holds something else than was written: a gap of this output's own, that begins at DRIVE_RETRY_MS,
 *   doubles and ends at assert_ms (base/backoff.h).
 * DRIVE_TRIES failures in a row, or DRIVE_DOUBT_MS without a good word of it, are a fault. It is over when the state has
 * been read back as wanted.
 *
 * At its start nothing is known: the wanted state is written, whatever the module holds. */
#ifndef RG_OUTPUT_DRIVE_H
#define RG_OUTPUT_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "model/moment.h"
#include "model/site.h"

#define DRIVE_RETRY_MS 1000  /* the first gap after a failure, jittered down to its half */
#define DRIVE_TRIES 3        /* failures in a row that are a fault */
#define DRIVE_DOUBT_MS 10000 /* so long without knowing that it is as wanted is a fault too */
#define DRIVE_RELEASE_TRIES 2

enum drive_phase {
    DRIVE_WRITE,    /* to be written, from due_ms on */
    DRIVE_WRITING,  /* a write is under way */
    DRIVE_READ,     /* to be read back, from due_ms on */
    DRIVE_READING,  /* a read-back is under way */
    DRIVE_RELEASED, /* left alone: the daemon stops, or it is no longer configured */
};

enum drive_release {
    RELEASE_NONE,
    RELEASE_WRITE, /* `final` is to be written once more before it is left alone */
    RELEASE_LEAVE, /* it is as it shall stay: only what is under way is awaited */
};

/* What came of a write or a read-back. */
enum drive_answer {
    DRIVE_DONE,      /* the write was confirmed */
    DRIVE_READS_OFF, /* what was read back */
    DRIVE_READS_ON,
    DRIVE_READS_OTHER, /* a register that holds neither value */
    DRIVE_REFUSED,     /* answered with an exception */
    DRIVE_MUTE,        /* no answer, or none that can be trusted */
};

enum drive_news {
    DRIVE_NOTHING,
    DRIVE_CONFIRMED, /* read back as wanted for the first time since its start or since a fault, which is over */
    DRIVE_SWITCHED,        /* read back as wanted after it had been otherwise */
    DRIVE_FOUND_OTHERWISE, /* it did not hold any more what was written; it is written again */
    DRIVE_FAULT,           /* it cannot be brought to its state; it is tried on */
};

struct drive {
    enum drive_phase phase;
    enum drive_release release;
    int64_t assert_ms;
    int64_t ready_ms; /* monotonic: not asked before */
    int64_t due_ms;   /* in DRIVE_WRITE and DRIVE_READ */
    bool wanted;
    bool asked; /* what was written last */
    bool final; /* RELEASE_WRITE */
    bool begun;
    bool urgent; /* a write that waits for no gap and lets nothing go before it */
    bool fresh;  /* nothing was read since the last write */
    bool sure;   /* read back as wanted, and nothing happened since that casts doubt on it */
    bool told;   /* DRIVE_CONFIRMED was, since the start or the last fault */
    bool faulty;
    bool known, on;       /* as last read back */
    struct moment since;  /* when it was first read back as it is */
    struct moment read;   /* when it was last read back */
    int64_t doubt_ms;     /* monotonic: since when the state has not been sure; INT64_MAX: it is */
    uint32_t failures;    /* in a row */
    uint32_t tries;       /* of the release */
    struct backoff retry; /* this output's own gaps */
    uint64_t writes;      /* confirmed */
    uint64_t errors;      /* writes and read-backs that failed */
    uint64_t otherwise;   /* times it was found otherwise than written */
};

struct drive_action {
    bool write; /* or read back */
    bool on;    /* write */
    bool urgent;
};

/* Off is wanted; asked from ready_ms (monotonic) on. assert_ms > 0. */
void drive_init(struct drive *d, int64_t assert_ms, int64_t ready_ms);
/* It can be asked from now on, and is in doubt from now on at the earliest: how long the daemon took to come to it, or ran before there was
 * such an output, is no fault of its. Before anything else; what comes later changes nothing. */
void drive_begin(struct drive *d, struct moment now);
/* The same place goes on under another configuration, from its state there. What was under way there is answered here when
 * it is `passed`; otherwise it is unknown, and written again. */
void drive_inherit(struct drive *d, const struct drive *from, int64_t assert_ms, bool passed,
                   struct moment now);
/* Something is: exactly one drive_answer will follow. */
bool drive_is_under_way(const struct drive *d);

void drive_want(struct drive *d, bool on, struct moment now);
/* The monotonic instant from which drive_next has something to do, or INT64_MAX: something is under way, or it is
 * released. */
int64_t drive_due_ms(const struct drive *d);
/* True: *action is to be carried out, and exactly one drive_answer to follow. */
bool drive_next(struct drive *d, struct moment now, struct drive_action *action);
/* random: of the gaps. An answer that does not fit what is under way (a reading to a write) counts as DRIVE_MUTE. */
enum drive_news drive_answer(struct drive *d, enum drive_answer answer, struct moment now,
                             struct rg_random *random);
/* Its module did not answer another output: this one is in doubt as well. */
enum drive_news drive_doubt(struct drive *d, struct moment now);
/* When the doubt becomes a fault without any further word, monotonic, or INT64_MAX; and that it did. */
int64_t drive_fault_ms(const struct drive *d);
enum drive_news drive_tick(struct drive *d, struct moment now);

/* Brings it to its state for a stop (DRIVE_RELEASE_TRIES tries at once, one when it is faulty already) and leaves it
 * alone then. OUTPUT_STOP_KEEP: writes only what is not as wanted yet. */
void drive_release(struct drive *d, enum output_stop stop, struct moment now);
/* It is in use after all: the wanted state is written again. */
void drive_resume(struct drive *d, struct moment now);

#endif
