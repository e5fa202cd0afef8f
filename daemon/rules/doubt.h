/* Whether the readings of one point are to be believed: the state machine of its alarm of rule `doubt`. Pure: time is an
 * argument, nothing is allocated. What is looked for says model/site_rule.h, struct site_doubt.
 *
 * Signs of doubt:
 *   - quality: the reading is bad by sensor, range or stale;
 *   - flat: good readings that differ from each other by at most flat_band have gone on for flat_ms. A reading that does
 *     not fit begins a new run. Time counts from a good reading to the next of any quality, three poll periods at most:
 *     what is not known does not make a run longer, nor does it end one;
 *   - rate: two good readings in a row differ by more than rate_per_s allows for the time between them;
 *   - twin: the reading and that of its twin, both good, differ by more than twin_within. Looked at when either comes.
 * The level is raised when signs have shown for after_ms without a break, whichever they were; an implausible rate raises
 * at once, since two readings are all there is of it. A good reading (of the point, or of its twin while the point's last
 * one is good) without any sign clears it, or ends the delay.
 * Not known is neither yes nor no: a reading bad by comm, device or inhibited freezes a delay that runs, as a bad reading
 * does with any rule (slot.h), and clears nothing; a sign that showed stays until its contrary is known: rate until a
 * plausible pair, twin until both are good again. So does, after a restart, every sign that may have been behind the
 * alarm. */
#ifndef RG_RULES_DOUBT_H
#define RG_RULES_DOUBT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/level.h"
#include "model/moment.h"
#include "model/sample.h"
#include "model/site_rule.h"
#include "rules/move.h"

#define DOUBT_QUALITY 1u
#define DOUBT_FLAT 2u
#define DOUBT_RATE 4u
#define DOUBT_TWIN 8u

enum doubt_phase {
    DOUBT_STEADY, /* no delay runs */
    DOUBT_RISING, /* signs show: the delay runs */
    DOUBT_FROZEN, /* it ran, and now nothing is known */
};

struct doubt {
    struct moment last;  /* of the last reading or move; time never goes back before it */
    int64_t read_ms;     /* monotonic: of the last reading */
    int64_t thinned_ms;  /* what the rule said of it */
    struct moment since; /* signs show since then */
    double value;        /* the last good reading */
    double low, high;    /* of the run of readings that are alike */
    int64_t run_ms;      /* how long it is known to have gone on */
    bool has_value;      /* there was a good reading */
    bool running;        /* there is a run */
    uint8_t quality;     /* enum quality: of the last reading; at first QUALITY_STALE */
    uint8_t bad;         /* enum quality: what DOUBT_QUALITY is of */
    uint8_t signs;       /* DOUBT_*: showing, or not known to have ended */
    uint8_t phase;       /* enum doubt_phase */
    uint8_t level;       /* enum level: of the alarm */
};

/* What goes with the point. */
struct doubt_rule {
    const struct site_doubt *conf;
    int64_t hold_ms; /* a good reading is known to hold that long at most */
    int64_t
        thinned_ms; /* and one from now on so much longer: those after it were not recorded (rules_thinned) */
    bool single;    /* an unscaled f32: differences are compared with its precision */
    bool
        plain; /* neither flat nor rate nor twin is looked for: the last reading and `signs` are all that counts */
};

/* The last reading of the twin; without one it is not known. */
struct doubt_twin {
    bool known; /* it is good */
    double value;
};

void doubt_init(struct doubt *d);
/* An alarm that stood at its level before the start. */
void doubt_restore(struct doubt *d, const struct doubt_rule *rule);
/* A reading from before the start, for the run of readings that are alike; never older than the one before. */
void doubt_prime(struct doubt *d, const struct doubt_rule *rule, const struct sample *sample,
                 int64_t mono_ms);
/* Time begins: what was read before is no reading of this run, and what was read later makes none. */
void doubt_start(struct doubt *d, int64_t now_ms);

/* The next reading is compared with none before it. */
void doubt_forget(struct doubt *d);

/* A reading that nothing follows from, of a point that is not doubted and not looked at for flat, rate or twin (a plain one). */
static inline bool doubt_believes(enum quality quality)
{
    return quality == QUALITY_GOOD || quality == QUALITY_COMM || quality == QUALITY_DEVICE ||
           quality == QUALITY_INHIBITED;
}
/* Takes a reading of the point; the delay that ended until its instant must have been carried out. One older than the last
 * reading or move is taken at the instant of that. A good value that is not finite counts as bad by sensor. True: *move
 * says how the level changed. */
bool doubt_sample(struct doubt *d, const struct doubt_rule *rule, const struct sample *sample,
                  struct moment at, const struct doubt_twin *twin, struct level_move *move);
/* The twin has a new reading; as above. */
bool doubt_twin(struct doubt *d, const struct doubt_rule *rule, struct moment at,
                const struct doubt_twin *twin, struct level_move *move);
/* Monotonic instant at which the delay ends, or INT64_MAX. */
int64_t doubt_deadline(const struct doubt *d, const struct doubt_rule *rule);
/* Raises at the end of the delay. False: none runs. */
bool doubt_expire(struct doubt *d, const struct doubt_rule *rule, struct level_move *move);

/* The signs for people: "range", "flat, twin gas-2.co"; empty when there are none. twin: its full name, or NULL. */
#define DOUBT_TEXT_MAX 192
void doubt_text(const struct doubt *d, const char *twin, char out[DOUBT_TEXT_MAX]);
/* True when the two look for the same; the twin's index is not compared. */
bool doubt_same(const struct site_doubt *a, const struct site_doubt *b);

#endif
