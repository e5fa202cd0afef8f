/* The inside of a store, shared by store.c (the public functions), open.c (start and end) and pump.c (what the
 * worker does next). All is the loop's, but for what job_run touches while it runs: the writer, the retention, the
 * job, and the slices it was given. */
#ifndef RG_STORE_STORE_IMPL_H
#define RG_STORE_STORE_IMPL_H

#include "base/backoff.h"
#include "base/random.h"
#include "store/batch.h"
#include "store/count_vfs.h"
#include "store/cursors.h"
#include "store/devices.h"
#include "store/duty.h"
#include "store/loss.h"
#include "store/marks.h"
#include "store/reader.h"
#include "store/renew.h"
#include "store/retention.h"
#include "store/side_files.h"
#include "store/store.h"
#include "store/wear.h"
#include "store/writer.h"

#define STORE_SLICE_BYTES                                                                                    \
    (1u << 20)                     /* of one lane in one transaction: an alarm waits for no more than that */
#define STORE_ROUND_EVERY_MS 10000 /* maintenance when nothing calls for it sooner */
#define STORE_COMMITS_IN_A_ROW 8   /* then maintenance that is wanted has its turn */
#define STORE_ROLLUPS_MS                                                                                     \
    1000 /* a slice of roll-ups goes with telemetry; when none comes, so long after the one before (commit_ms, if that is shorter) */
#define STORE_CURSORS_MS                                                                                     \
    1000                    /* cursors are kept at the latest after that long, of telemetry after commit_ms */
#define STORE_STUCK_MS 3000 /* a job that runs longer while alarms wait counts as a failure */
#define STORE_LOSS_EVERY_MS 60000 /* losses that go on are told at most so often */
#define STORE_RETRY_FIRST_MS 100
#define STORE_RETRY_CAP_MS 5000
/* Telemetry goes by this part of commit_ms sooner: periods of devices divide it as a rule, and the burst of all answers, with the alarms in it, is
 * not to find the disk at work on what came in the last one. */
#define STORE_BEFORE 20
#define STORE_FLUSHES 32
#define STORE_TELL_ROOM (64u << 10) /* for the records that tell of losses */
#define STORE_CLOSE_MS 3000         /* for the last commits */
#define STORE_CLOSE_BUSY_MS 1000
#define STORE_RENEW_EVERY_MS 60000 /* a disk that damages one file after the other is not filled with them */

enum lane_kind { LANE_ALARMS, LANE_TELEMETRY };
#define LANE_COUNT 2

enum job_kind {
    JOB_NONE,   /* the worker is free */
    JOB_COMMIT, /* one transaction of records */
    JOB_ROUND,  /* one round of maintenance */
    JOB_RENEW,  /* the damaged database is set aside, and a new one made */
};

struct job {
    enum job_kind kind;
    bool ran; /* the worker has been through it */
    struct writer_batch batch;
    struct retention_round round;
    struct retention_size size;
    size_t ends[LANE_COUNT], counts[LANE_COUNT]; /* the slices of the batch */
    uint64_t next_alarm;                         /* at a commit: of the next occurrence, for the marks */
    unsigned aside_count;
    int64_t aside_bytes;
    bool released; /* the reserve was given up */
    bool opened;   /* it stood by, and is open for writing now */
    bool gone;     /* somebody took the file away */
    struct renew renew;
    enum rg_err renewed;
};

struct flush {
    void (*cb)(void *arg, bool ok);
    void *arg;
    uint64_t upto[LANE_COUNT]; /* records of each lane that must be durable, */
    uint64_t rollups;          /* and roll-ups */
};

struct store {
    struct loop *loop;
    struct store_cbs cbs;
    void *arg;
    char *path;
    int lock;
    int64_t commit_ms;
    int64_t gather_ms; /* telemetry, from the first record on */
    int64_t turn;      /* of the last record taken in */
    struct retention_limits limits;

    struct count_vfs *count;
    struct marks marks;
    struct marks_state found; /* of the marks, at the start */
    struct wear wear;
    sqlite3 *db; /* NULL: set aside, and no new one yet */
    struct writer writer;
    struct retention retention;
    struct loop_worker *worker;
    struct reader *reader;
    struct job job;

    struct loop_timer *timer;
    struct lane lanes[LANE_COUNT];
    struct devices *devices;
    bool new_devices; /* records that wait bring names the store does not have */
    struct cursor_set cursors;
    struct flush flushes[STORE_FLUSHES];
    size_t flush_count;
    int64_t flush_ms; /* when the first of them was asked for */

    int64_t job_begun_ms;
    int64_t telemetry_due_ms, cursors_due_ms; /* INT64_MAX: nothing waits */
    int64_t retry_at_ms, round_at_ms, loss_at_ms;
    unsigned commits_in_a_row;
    bool calling;       /* inside a callback's caller: the next step comes after it */
    unsigned together;  /* store_together that has not ended: likewise, */
    bool step_wanted;   /* if there was one to be made */
    bool failing;       /* the store does not take records */
    bool damaged;       /* the database is, and is to be set aside */
    bool standby;       /* it could only be read at the start, and waits to be opened */
    bool parted, moved; /* how far the worker is with that: closed, renamed */
    uint64_t inode;     /* of the file that is open */
    int64_t boot;
    unsigned renewals;
    int64_t renewed_at_ms;      /* when that was done last */
    char aside[SET_ASIDE_NAME]; /* the newest file that was set aside; "": none */
    bool make_room;             /* because the disk is full: telemetry goes first */
    bool log_told, round_told;  /* warnings given, until they are over */
    struct backoff backoff;
    struct rg_random random;

    uint64_t next_alarm;                       /* number of the next occurrence, of refused records too */
    uint64_t next_alarm_kept;                  /* what the store knows of it */
    struct rollups rollups;                    /* what waits of them */
    int64_t rollups_due_ms;                    /* INT64_MAX: none waits */
    char *config_next;                         /* owned; to be kept; NULL: nothing new */
    char *config_flying;                       /* owned; in the batch that the worker has */
    struct duty_list *duty_next, *duty_flying; /* likewise */
    struct inquirer *inquirer;                 /* NULL: nothing was asked yet */
    uint64_t dropped[STREAM_COUNT];            /* no memory left for them; not told yet */
    struct loss_book losses;                   /* in the store's table, not told yet */
    struct loss_book told;                     /* told, still in the table */
    int64_t gone[STREAM_COUNT];
    struct store_stats stats;
};

void store_limits(struct store *s, const struct site_store *conf);
/* Fills cursors, devices, losses and the active alarms. *err RG_ECORRUPT with SQLITE_OK: a row makes no sense. */
int load_state(struct store *s, struct store_start *start, enum rg_err *err);

/* The parts of a start that a renewal needs, too (open.c). *why: words with the path. */
struct words {
    char *text;
    size_t size;
};
enum rg_err store_sqlite_failed(const struct store *s, int rc, struct words why);
/* Connects, and brings the schema up to date. */
RG_NODISCARD enum rg_err store_connect(struct store *s, struct words why);
RG_NODISCARD enum rg_err store_engine(struct store *s, struct words why);
/* Closes the database and what works on it. leave: the log stays as it is. */
void store_disconnect(struct store *s, bool leave);

/* How the last run ended; after an unclean end the database is checked. */
RG_NODISCARD enum rg_err store_check_end(struct store *s, struct store_start *start, struct words why);
/* What run this is, which occurrence is next, and the turn of the newest record. */
RG_NODISCARD enum rg_err store_read_run(struct store *s, struct store_start *start, struct words why);
/* Numbers that were committed, and that the database does not know: it is not the one that it was. */
RG_NODISCARD enum rg_err store_check_marks(struct store *s, struct words why);
RG_NODISCARD enum rg_err store_take_state(struct store *s, struct store_start *start, struct words why);
/* The state of an attempt that failed goes before the next one. */
RG_NODISCARD enum rg_err store_forget_state(struct store *s, struct store_start *start);

/* A start on a disk that can be read, but takes nothing (standby.c): it is watched all the same, as on a disk that begins to
 * refuse later. At the start, after store_open's own attempt failed with RG_EIO, and why has its words: what is there is read, nothing is
 * written. An error: those words stay. */
RG_NODISCARD enum rg_err standby_open(struct store *s, struct store_start *start, struct words why);
/* On the worker, before a commit: the store is opened as at a start. SQLITE_OK: it takes records now; otherwise a result code for the batch, with
 * the words. */
int standby_end(struct store *s, struct words why);

/* A damaged database is replaced (replace.c). At a start, with what it was opened with at first: */
RG_NODISCARD enum rg_err replace_at_start(struct store *s, enum loss_cause cause, bool salvage,
                                          struct words why);
/* While running: what was found, on the loop; then the job, and what follows from it. */
void replace_wanted(struct store *s, enum loss_cause cause, const char *words);
/* On the worker: the file that the store writes to is not the one at its path any more. */
bool replace_gone(const struct store *s);
void replace_fill(struct store *s);
void replace_run(struct store *s);
void replace_done(struct store *s);

/* Decides what the worker does next, and when to look again. To be called after anything changed. */
void pump_step(struct store *s);
void pump_timer(void *arg);
void pump_done(void *arg, const struct loop_worker_time *time);
void job_run(void *arg);
/* Fills the job with what waits. */
void job_fill_batch(struct store *s, bool telemetry, bool rollups);
/* The batch did not become durable: what is not in the lanes waits again. */
void job_take_back(struct store *s);
/* Takes over what a batch that ran has done: lanes, heads, cursors; no callbacks. True when it was committed. */
bool job_absorb(struct store *s);

/* After a commit, when the store takes records. */
void tell_recovered(struct store *s);
void tell_losses(struct store *s);
void tell_flushes(struct store *s, bool failed);
/* Each alarm record that waits is told once as not stored. */
void tell_unstored(struct store *s);
bool tell_unstored_due(const struct store *s);
void tell_failing(struct store *s, const char *words);
void tell_warnings(struct store *s);
/* Why the store does not take records, in newer words. */
void tell_reason(struct store *s, const char *words);

#endif
