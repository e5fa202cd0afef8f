/* The inside of an uplink, for uplink.c, pump.c and lane.c only.
 *
 * A lane is one stream in one direction of time: live (from the cursor to the head) or back-fill (the
 * cursor's ranges). Each asks the store for one chunk, makes its message, holds it until there is room, sends
 * it, and moves the cursor when it is acknowledged. */
#ifndef RG_UPLINK_CORE_H
#define RG_UPLINK_CORE_H

#include "base/backoff.h"
#include "base/json_write.h"
#include "uplink/pace.h"
#include "uplink/session.h"
#include "uplink/unstored.h"
#include "uplink/uplink.h"
#include "uplink/window.h"

/* In order of urgency. */
enum lane_id {
    LANE_ALARM,
    LANE_EVENT,
    LANE_REPORT,
    LANE_TELEMETRY,
    LANE_FILL_ALARM,
    LANE_FILL_EVENT,
    LANE_FILL_REPORT,
    LANE_FILL_TELEMETRY,
};
#define LANE_COUNT 8

/* Owners of window entries beside the lanes. */
enum {
    OWNER_DOC = LANE_COUNT, /* + enum uplink_doc */
    OWNER_UNSTORED = OWNER_DOC + UPLINK_DOC_COUNT,
    OWNER_FINAL,
};

#define NO_HOLE INT64_MAX
#define NEVER INT64_MAX
#define FETCH_AGAIN_MS 50  /* after the store said that it is busy */
#define CURSOR_PUT_MS 1000 /* a cursor is kept at most this often while only its end moves */

/* When something that did not work may be tried again. */
struct retry {
    struct backoff backoff;
    int64_t until_ms;
};

enum lane_state {
    LANE_IDLE,     /* nothing asked for, nothing held */
    LANE_FETCHING, /* the store was asked for a chunk */
    LANE_READY,    /* a message is held and waits for room */
};

struct lane {
    struct uplink *u;
    enum lane_id id;
    enum stream stream;
    bool fill;
    bool bulk;
    enum lane_state state;
    int64_t next;         /* the record from which to go on */
    int64_t from, upto;   /* what was asked for; then what the held message settles */
    size_t records;       /* in the held message */
    struct jsonw message; /* the held message; its memory is used again */
    int64_t hole; /* the lowest record that the broker refused: nothing from here on counts; NO_HOLE */
    struct retry retry;
};

struct document {
    char *text; /* owned; NULL: never given */
    size_t length;
    bool due; /* to be published */
    struct retry retry;
};

struct keep {
    bool dirty;        /* the cursor differs from what was handed to the store */
    size_t put_ranges; /* ranges in what was handed to the store */
    int64_t put_ms;    /* when */
};

struct topics {
    char *stream[STREAM_COUNT];
    char *doc[UPLINK_DOC_COUNT];
};

struct uplink {
    struct loop *loop;
    const struct site *site;
    const struct site_uplink *conf;
    const struct transport_ops *ops;
    struct uplink_port port;
    struct transport *transport;
    struct loop_timer *timer;
    struct topics topics;

    struct session session;
    struct rg_random random; /* jitter of retries */
    bool serving, again;     /* a call from inside a callback is served when that one is through */
    int64_t wake_ms;         /* when to be served again */

    struct cursor cursors[STREAM_COUNT];
    struct keep keeps[STREAM_COUNT];
    int64_t head[STREAM_COUNT];
    int64_t up_head[STREAM_COUNT]; /* head when the connection came up: what is not above it was missed */
    struct stream_filter filter;
    struct lane lanes[LANE_COUNT];
    struct window window;
    struct pace pace;
    struct unstored unstored;
    struct retry unstored_retry;
    struct jsonw scratch; /* for messages that are not held */

    char *will;
    size_t will_length;
    struct document docs[UPLINK_DOC_COUNT];
    char *final;
    size_t final_length;
    void (*done)(void *arg);
    void *done_arg;
    bool done_due;

    struct uplink_stats stats;
};

/* ---- uplink.c ---- */
/* Does what is due and arms the timer. Every entry point ends here. */
void uplink_serve(struct uplink *u);
void uplink_wake_by(struct uplink *u, int64_t at_ms);
void uplink_detail(struct uplink *u, const char *what, const char *reason);
void retry_init(struct retry *r);
void retry_failed(struct uplink *u, struct retry *r);
void retry_worked(struct uplink *u, struct retry *r);
/* Hands a message to the transport and takes a place in the window; the token, or 0 when the transport did
 * not take it. */
uint64_t uplink_send(struct uplink *u, unsigned owner, bool bulk, const char *topic,
                     const struct jsonw *message, bool retained, int64_t from, int64_t to);

/* ---- pump.c ---- */
/* Sends what may go now, the most urgent first. */
void pump_run(struct uplink *u, int64_t now_ms);
/* Nothing is left of what a stop waits for. */
bool pump_flushed(const struct uplink *u);
void pump_acked(struct uplink *u, uint64_t token);
void pump_refused(struct uplink *u, uint64_t token, const char *reason);
/* The connection came up: what was missed is sorted out. Or it is gone: what was in flight goes back. */
void pump_up(struct uplink *u, size_t receive_max);
void pump_down(struct uplink *u);
/* Hands changed cursors to the store; at_once: without regard to how often. */
void pump_keep_cursors(struct uplink *u, int64_t now_ms, bool at_once);

/* ---- lane.c ---- */
void lane_init(struct lane *l, struct uplink *u, enum lane_id id);
void lane_free(struct lane *l);
/* Begins anew from the cursor: what was asked for or held is dropped. */
void lane_reset(struct lane *l);
/* Whether there is something to fetch, and what. */
bool lane_wants(const struct lane *l, struct seq_range *out);
/* Fetches, and sends when it may. False: something of this lane is on its way or waits for room, so nothing
 * less urgent may go. */
bool lane_serve(struct lane *l, int64_t now_ms, bool may_send);
void lane_acked(struct lane *l, struct window_entry *e);
void lane_refused(struct lane *l, struct window_entry *e);
/* Nothing to send, nothing held, nothing in flight. */
bool lane_is_empty(const struct lane *l);

#endif
