/* A world for simulations of the whole gateway in virtual time: a plant that does as planned, a configuration in a file, the app
 * with a real SQLite store in a folder of its own, and platforms that judge every message as riskgate-platform does.
 *
 * Whatever fails prints the seed and the place in virtual time, and ends the program with status 1. */
#ifndef RG_SIM_WORLD_H
#define RG_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/app.h"
#include "base/random.h"
#include "platform/gateway.h"
#include "support_tmp.h"
#include "support_transport.h"
#include "virtual_loop.h"

#define WORLD_DEVICES 96
#define WORLD_POINTS 12
#define WORLD_RULED 3 /* points 0 to 2 of each device have rules and may have excursions */
#define WORLD_BUSES 4
#define WORLD_COILS 16
#define WORLD_UPLINKS 2
#define WORLD_PORT 1883 /* of the first platform's broker */
#define WORLD_GATEWAY "gw-sim"
#define WORLD_ENTERPRISE "91350100M000100Y43"

#define WORLD_SECOND INT64_C(1000)
#define WORLD_MINUTE INT64_C(60000)
#define WORLD_HOUR INT64_C(3600000)
#define WORLD_DAY INT64_C(86400000)

/* The rules of world_config.c: p0 has four levels and both delays, p1 is red at once, p2 is too low with an off-delay. */
#define WORLD_HIGH_ON_MS 45000
#define WORLD_DOUBT_ON_MS 7000
#define WORLD_HIGH_OFF_MS 60000
#define WORLD_LOW_OFF_MS 30000

enum world_fault {
    WORLD_FINE,
    WORLD_SENSOR,      /* answers, and all its readings say that the sensor is faulty */
    WORLD_EXCEPTION,   /* answers with an exception */
    WORLD_MALFORMED,   /* answers with nonsense */
    WORLD_SILENT,      /* does not answer */
    WORLD_BROKEN,      /* the link breaks (of a bus or a device) */
    WORLD_UNREACHABLE, /* the link does not open (of a bus) */
};

/* From from_ms up to, not including, to_ms, monotonic. */
struct world_window {
    int64_t from_ms, to_ms;
    double value;           /* excursions */
    enum world_fault fault; /* faults */
};

struct world_windows { /* in order, not overlapping */
    struct world_window *windows;
    size_t count, capacity;
};

/* One transaction, as the plant saw it. */
struct world_poll {
    int64_t begun_ms, ended_ms; /* monotonic */
    uint32_t run;               /* which link asked: another one after each start and reload */
    uint32_t life;              /* another one after each start */
    bool heard;                 /* a valid answer that is no exception */
    bool good;                  /* and its values are good */
    bool sensor;                /* or all bad by the sensor */
    bool broken;                /* the link failed */
};

struct world_device {
    struct world_windows faults;
    struct world_windows excursions[WORLD_RULED];
    struct world_poll *polls;
    size_t poll_count, poll_capacity;
    bool coils[WORLD_COILS]; /* as written */
};

/* What the configuration says; a reload writes a changed one. */
struct world_plan {
    unsigned devices, points, buses,
        uplinks; /* the second uplink gets alarms from orange on, and d0 and d1 only */
    int64_t poll_ms, commit_ms, offline_ms;
    unsigned backfill_rate; /* records a second */
    double red;             /* limit of red on p0 */
    const char *record;     /* of each device, as in the configuration; NULL: every poll is recorded */
    bool
        commands; /* the first platform may ask for everything, the second one to acknowledge and to read; sim_commands.c */
    bool features; /* rules of every kind beside the plain ones: sim_rules.c */
    bool derived;  /* the group `calc` and its rule `loss` are there; sim_derived.c */
    bool memory; /* rules that look back, follow, vote, latch and wait for an acknowledgement; sim_replay.c */
    const char *more;    /* further sections, as in the configuration; NULL: none; sim_reports.c */
    int64_t duration_ms; /* of the simulation, for the room of what is written down */
};

struct world;

/* All records of a stream that a platform got, by number - 1; text NULL: did not come. */
struct world_archive {
    struct world_text {
        char *text;
        size_t length;
    } * entries;
    size_t capacity;
};

struct world_platform {
    struct world *world;
    struct world_archive archives[KIND_COUNT];
    struct support_broker *broker;
    struct gateway *gateway;
    struct violations *violations;
    int64_t bytes; /* of memory that it uses itself */
    unsigned risk_connection;
    int64_t risk_ms, risk_gap_ms; /* last one on this connection, and the longest time between two */
    unsigned risks;
    /* A further look at each message, or NULL. topic: below the root. */
    void (*look)(struct world_platform *p, const char *topic, const struct support_message *m);
};

struct world {
    uint64_t seed;
    struct rg_random random;
    struct world_plan plan;
    char folder[SUPPORT_TMP_SIZE];
    char config_file[SUPPORT_TMP_SIZE + 32];
    char store_file[SUPPORT_TMP_SIZE + 32];
    struct loop *loop;
    struct app *app; /* NULL: not running */
    bool stopped;
    struct world_platform platforms[WORLD_UPLINKS];
    struct world_device devices[WORLD_DEVICES];
    struct world_windows bus_faults[WORLD_BUSES];
    int64_t takes_ms; /* an answer */
    uint32_t runs, lives;
    uint64_t overlaps; /* transactions of one bus that began before the one before had ended */
    int64_t bus_ended_ms[WORLD_BUSES];
};

/* ---- life ---- */
/* For the seeds on the command line (1 2 3 when there are none): prints each, runs it. */
int world_main(int argc, char **argv, void (*run)(uint64_t seed));
void world_create(struct world *w, uint64_t seed, const struct world_plan *plan);
/* The app must have been ended. Fails when anything is left of it. */
void world_destroy(struct world *w);
void world_start(struct world *w);
void world_stop(struct world *w); /* cleanly: as SIGTERM */
/* As a power cut: what the store's files hold at this instant is all that is left. */
void world_crash(struct world *w);
/* Writes the plan as it is now and has the app read it again. Returns at once. */
void world_reload(struct world *w);
void world_run_for(struct world *w, int64_t ms);
int64_t world_now(const struct world *w); /* monotonic */

/* ---- chance ---- */
int64_t world_between(struct world *w, int64_t low, int64_t high); /* both inclusive */
void world_window_add(struct world *w, struct world_windows *list, struct world_window window);

/* ---- judgement ---- */
void world_fail(const struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
#define WORLD_CHECK(w, condition, ...)                                                                       \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            world_fail(w, __VA_ARGS__);                                                                      \
    } while (0)
/* Bytes of memory in use by all but the platforms and SQLite, whose caches fill up to a bound of their own: world_page_cache. */
int64_t world_memory(const struct world *w);
int64_t world_page_cache(void);
#define WORLD_PAGE_CACHE_MAX                                                                                 \
    (16 << 20) /* bytes: 8 MiB of the writer, 2 MiB of the reader, statements, and some room */
/* Fails when more than that, or growth bytes beyond `before`, are in use. */
void world_check_memory(const struct world *w, int64_t before, int64_t growth);
unsigned world_descriptors(void);
/* Runs until both platforms have everything, at most so long. */
void world_settle(struct world *w, int64_t most_ms);
/* While the app runs and nothing waits: every record of the store is at the platform, byte for byte, and nothing else; the second
 * platform has all that is meant for it; the contract held. */
void world_check_platforms(struct world *w);
/* The active alarms of the rules, of the alarm stream and of the risk document are the same. */
void world_check_active(struct world *w);

/* ---- world_config.c ---- */
void world_write_config(const struct world *w);
/* ---- world_plant.c ---- */
extern const struct driver world_driver;
void world_plant_begin(struct world *w);
double world_value(const struct world *w, unsigned device, unsigned point, int64_t mono_ms);
/* ---- world_platform.c ---- */
void world_platform_create(struct world *w, struct world_platform *p, uint16_t port);
void world_platform_destroy(struct world_platform *p);
/* A record as the platform got it, or NULL. */
const struct world_text *world_platform_text(const struct world_platform *p, enum stream_kind kind,
                                             int64_t seq);
size_t world_allocated(void);

/* ---- world_oracle.c ---- */
/* Holds the whole alarm stream that the first platform has against what the plant did: every alarm that had to be raised was, none
 * was raised, lowered or cleared without the readings for it, each at exactly the instant that the rules give, and every id
 * once. The wall clock must not have been stepped. */
void world_check_alarms(struct world *w);

#endif
