/* The store: SQLite in WAL with synchronous=FULL; durable before told. All on the loop's thread; callbacks run
 * there, later, never inside the call that led to them, and may call anything here but store_close.
 *
 * Records are handed over on the loop, gather in a bounded batch, and are committed on the store's own worker
 * thread, one batch in flight while the next one gathers: one commit and one fsync for all that came meanwhile. A
 * record gets its sequence number inside the transaction; a batch that fails leaves no number used. An alarm or an
 * event starts a commit at once; telemetry waits at most commit_ms, and
 * not once it fills a transaction. Alarm records go into the transaction first.
 *
 * body: the record's JSON object without its braces and without seq and hash: "ts":1,"device":"gas-1",... The
 * store makes {"seq":N,<body>} of it and, for all streams but telemetry, ,"hash":"<hex>" at the end (contract §3). */
#ifndef RG_STORE_STORE_H
#define RG_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "loop/loop.h"
#include "model/alarm.h"
#include "model/rollup.h"
#include "model/site.h"
#include "model/stream.h"

#define STORE_BATCH_BYTES (8u << 20)       /* telemetry that may gather, and as much again in flight */
#define STORE_BATCH_ALARM_BYTES (4u << 20) /* alarms' and events' own share beside it */
#define STORE_BATCH_ALARM_OWN (2u << 20)   /* of that: only alarms may take it */
/* Alarm numbers left out after an unclean end: more than could have gone out unstored, even if a chattering site raised
 * a hundred a second for hours on a disk that refuses. */
#define STORE_ALARM_MARGIN 1000000

struct store;

struct store_record {
    enum stream stream;
    int64_t ts;   /* wall ms */
    int64_t mono; /* monotonic ms of the same instant; kept for a replay, not part of the record */
    /* Its place in the order in which everything was taken in, from store_turn; 0: now. Of telemetry: it was held back, and
     * history.h gives it in its place all the same. */
    int64_t turn;
    int64_t
        every_ms; /* telemetry: readings of its device are thinned: a record so often at least; 0: all are recorded */
    const char *body;
    size_t length;
    uint32_t device;         /* telemetry: index into site.devices (for filters), else SITE_NONE */
    const char *device_name; /* telemetry, else NULL */
    bool unsynced;           /* taken while the clock was not synchronised */
    enum level level, was;   /* alarm: for filters */
    bool test;               /* alarm: of a self test, which passes every filter; alarm is NULL then */
    const char *kind;        /* event: its kind, else NULL */
    const struct alarm
        *alarm; /* alarm: the occurrence after the transition, kept in the same transaction; else NULL */
    uint64_t
        next_alarm; /* alarm: number of the next occurrence after this one, kept in the same transaction */
};

/* A record that could not be committed (a full or failing disk): for the one exception to "durable before told". */
struct store_failed_record {
    enum stream stream;
    const char *body;
    size_t length;
    enum level level, was;
    bool unsynced;
    bool test; /* of a self test: it has failed then, and is not to be sent */
};

/* Any may be NULL. */
struct store_cbs {
    /* A batch is durable. head[s]: the last sequence number of each stream; changed[s]: it moved. */
    void (*committed)(void *arg, const int64_t head[STREAM_COUNT], const bool changed[STREAM_COUNT]);
    /* A commit failed; it is tried again with the same records, at growing gaps. Called for each alarm record at
     * its first failure only. */
    void (*alarm_not_stored)(void *arg, const struct store_failed_record *record);
    /* The store stopped taking records, or takes them again (crossings only). detail: SQLite's words and the path.
     * ok without a false before it is a warning in detail's words: the log grows because an outside reader holds
     * it, or the retention fails. */
    void (*health)(void *arg, bool ok, const char *detail);
    /* Records were dropped, by a bound (cause "memory", while the disk is stuck: first and last are 0), by the
     * retention before every uplink had them ("age", "size"; "disk": to make room on a full disk), or with a damaged database
     * ("corrupt"; "missing": it was not there any more, or was an older copy). The receiver
     * makes a record of it, at once: a loss by the retention is kept in the store and, after a crash, told again
     * until the records appended inside this call are durable. Told at most once a minute, with what came
     * together: count records between first and last. */
    void (*lost)(void *arg, enum stream stream, int64_t first, int64_t last, uint64_t count,
                 const char *cause);
    /* While running the database was found damaged, or taken away: it was set aside under this name in its folder ("": there
     * was nothing to set aside), and a new one goes on, with the numbers that follow. `lost` (cause "corrupt" or "missing")
     * tells of what is not in the new one, right after. The receiver gives it what is in force (store_alarm_keep,
     * store_config_put): of the old one not all may have been readable. */
    void (*set_aside)(void *arg, const char *file, const char *why);
};

/* What was found at the start. */
/* What was last done to a permit. */
struct store_permit {
    char name[TEXT_ID_MAX + 1];
    char by[ALARM_WHO_MAX];
    int64_t opened_ms; /* wall */
    int64_t until_ms;  /* wall; 0: closed */
};

/* What came of a platform's command, as its event says. */
#define STORE_COMMANDS 1024 /* of each uplink, the newest ones */
struct store_command {
    char uplink[TEXT_ID_MAX + 1];
    char id[TEXT_ID_MAX + 1];
    bool ok;
    char error[128]; /* cut where it was longer; empty: none */
    int64_t ts;      /* wall ms, of the event */
};

struct store_start {
    bool fresh;   /* the file was made now */
    bool clean;   /* the last run closed it properly */
    int64_t boot; /* counts the starts on this store: 1, 2, ... */
    uint64_t
        next_alarm; /* number of the next occurrence; after an unclean end a margin is added, so that none is used twice */
    size_t alarm_count;
    struct alarm *alarms; /* active occurrences; freed by store_start_free */
    size_t permit_count;
    struct store_permit *permits; /* as the events say that were recorded; freed by store_start_free */
    size_t command_count;
    struct store_command *commands; /* oldest first; freed by store_start_free */
    int64_t head[STREAM_COUNT];
    /* The database was damaged (or gone, or an older copy): it was set aside under this name, in the same folder, and a new
     * one begun, with numbers above all of before; `lost` tells of what is missing. Empty: nothing of the kind. */
    char set_aside[320];
    char damage[512]; /* why, with the path; empty: nothing */
    char *config;     /* what store_config_put kept last, NULL: nothing yet; freed by store_start_free */
    size_t config_length;
};
void store_start_free(struct store_start *start);

/* Opens or makes the file, brings its schema up to date (numbered migrations, each in a transaction), checks it
 * (quick_check after an unclean end), begins a boot. Blocking: at start-up only. On an error *why (room for
 * why_size) says what and where. A damaged database is set aside and a new one begun (see struct store_start); so is one
 * that is an older copy, or not there though there was one. A database that can be read while the disk
 * takes nothing is opened all the same: the store begins by refusing records (health), and takes them once the disk does.
 * RG_EINVAL: some other program's database, or a text, or no file;
 * RG_EEXIST: another process has it open (<path>.lock); RG_EUNSUPPORTED: made by a newer version; RG_EIO;
 * RG_ENOMEM. *out and *start are only set on RG_OK. */
RG_NODISCARD enum rg_err store_open(struct loop *loop, const struct site_store *conf,
                                    const struct store_cbs *cbs, void *arg, struct store **out,
                                    struct store_start *start, char *why, size_t why_size);
/* At the start and after a reload: another site, other limits; the file stays the same one. uplinks: names, which
 * bound what retention may take in silence; cursors of uplinks no longer named are removed, new ones begin as
 * store_cursor_get says. RG_EINVAL: a name; RG_EFULL: more than 64. */
RG_NODISCARD enum rg_err store_configure(struct store *s, const struct site_store *conf,
                                         const char *const *uplinks, size_t uplink_count);

/* Then, when a filter by device is used: the names of the site's devices by index, so that it fits records taken
 * before this start too. Without it a device passes a filter only from its first record on. Names are copied.
 * RG_EFULL: over 65536 names in the store's life. */
RG_NODISCARD enum rg_err store_devices(struct store *s, const char *const *names, size_t count);

/* The configuration in force, as a text for the next start to compare with: kept with the next commit that leaves no
 * record behind which was appended before, so a change that is kept has been recorded. Copied. RG_ENOMEM. */
RG_NODISCARD enum rg_err store_config_put(struct store *s, const char *text, size_t length);
/* The same for a text on the heap, of 20 MB for a large site, which is the store's from now on. */
void store_config_give(struct store *s, char *text);

/* Takes a place in the order of all records, for one that is appended later (an event whose consequences come first). */
int64_t store_turn(struct store *s);

/* Copies the record. RG_EFULL: the stream's share of memory is full (RG_ERANGE: longer than all of it); it is
 * counted and reported by `lost`. */
RG_NODISCARD enum rg_err store_append(struct store *s, const struct store_record *record);
/* Minute roll-ups, which go with the next telemetry, a slice each time when they are many; rows of one minute and point add up. The part's turn is
 * from store_turn, taken after all frames that are in it or in earlier ones, and before all others: after a crash what was recorded
 * after it is put into the roll-ups at the next store_open. Copies. RG_EFULL, RG_ENOMEM: the disk has not answered for long; counted in
 * stats. */
RG_NODISCARD enum rg_err store_rollup(struct store *s, const struct rollup_piece *piece);
/* What is appended in between belongs together: it is not committed apart, but for a backlog that fills a transaction. Pairs may stand inside
 * each other; no callback returns to the loop with one open. */
void store_together(struct store *s);
void store_together_end(struct store *s);
/* An active occurrence as it stands, without a record: what a new database has to know of it, where the old one cannot be read.
 * Copied; goes with the next commit. RG_EFULL: the alarms' share of memory is full. */
RG_NODISCARD enum rg_err store_alarm_keep(struct store *s, const struct alarm *alarm);
/* While the store takes no records: alarm_not_stored is called again, later, for each alarm that waits. For receivers that came
 * anew. */
void store_unstored_again(struct store *s);
/* Calls cb once everything appended before is durable, or with false when a commit failed meanwhile (its records
 * are still tried). At most 32 may wait: a further one gets false at once. */
void store_flush(struct store *s, void (*cb)(void *arg, bool ok), void *arg);

/* Reads records of one stream from `from` on, up to `upto` (inclusive; 0: the head), at most max_count and about
 * max_bytes of bodies, and calls cb on the loop with a chunk borrowed for the length of the call. Reads run on a
 * thread of their own with a connection of their own, in the order asked, alarms first. At most STORE_FETCH_MAX
 * wait: RG_EAGAIN. One record comes even when it is longer than max_bytes. A selective filter looks at no more
 * than some thousand records for one chunk, so that count may be 0 with scanned_to moved on. prev is right for a
 * record that the retention has removed, too. A filter leaves out devices that are no longer configured, unless
 * every device passes it. */
#define STORE_FETCH_MAX 64
typedef void (*store_chunk_cb)(void *arg, const struct chunk *chunk);
RG_NODISCARD enum rg_err store_fetch(struct store *s, enum stream stream, int64_t from, int64_t upto,
                                     size_t max_count, size_t max_bytes, const struct stream_filter *filter,
                                     store_chunk_cb cb, void *arg);
/* Forgets all fetches asked with this arg: their cb is not called. */
void store_fetch_cancel(struct store *s, void *arg);

/* An uplink's cursors: found at start (all zero when it is new: it gets what is committed from now on, and what is
 * in the store already as back-fill; the records of the other streams in order from the oldest on), kept with the
 * next commit, within a second at the latest, of telemetry within commit_ms where that is longer. acked INT64_MAX: the stream is not meant for this uplink, and
 * retention owes it nothing. RG_EINVAL: not as struct cursor says. */
void store_cursor_get(const struct store *s, const char *uplink, struct cursor out[STREAM_COUNT]);
/* What it says of a new uplink. */
void store_cursor_new(const struct store *s, struct cursor out[STREAM_COUNT]);
RG_NODISCARD enum rg_err store_cursor_put(struct store *s, const char *uplink, enum stream stream,
                                          const struct cursor *cursor);

struct store_stats {
    bool ok;
    int64_t size, free;     /* bytes of the store's files; free on its file system */
    int64_t last_commit_ms; /* how long the last commit took */
    uint64_t commits, failures, lost;
    int64_t head[STREAM_COUNT];
    int64_t gone[STREAM_COUNT]; /* up to here the retention has removed them */
    uint64_t rollups_lost;      /* rows */
    size_t waiting_bytes;       /* gathered, not yet durable */
    /* Wear: what was handed to the system since the start (every page counts when it is logged and when it is copied
     * back), and a day's worth of it by the last 24 hours; -1 in the first minute. */
    uint64_t written_bytes, syncs;
    int64_t written_per_day, syncs_per_day;
    unsigned
        aside_count; /* damaged databases that lie beside the store, and their bytes: nobody but a person removes them */
    int64_t aside_bytes;
    char detail[512]; /* while not ok: why */
};
void store_stats(const struct store *s, struct store_stats *out);

/* True when there is something for the writing side to do, now: then *mark is another one as soon as it gets on with it by
 * anything, be it a page that was read. A mark that stays is a disk that does not answer, or work that nobody takes up. */
bool store_working(const struct store *s, uint64_t *mark);

/* The name of the file that was set aside last, as long as the store remembers; NULL: none. Valid until the next call of
 * the store. */
const char *store_aside(const struct store *s);

/* Commits what has gathered (blocking, at most ~5 s), marks a clean end, checkpoints, closes. Takes NULL. RG_EIO
 * when the last commit failed. */
enum rg_err store_close(struct store *s);

#endif
