/* The inside of an uplink, for its own files only: uplink.c (the heart), life.c, pump.c (what goes when), lane.c (one
 * stream), intake.c (what comes in), ask.c (what the program asks for others).
 *
 * A lane is one stream in one direction of time: live (from the cursor to the head) or back-fill (the
 * cursor's ranges). Each asks the store for one chunk, makes its message, holds it until there is room, sends
 * it, and moves the cursor when it is acknowledged. */
#ifndef RG_UPLINK_CORE_H
#define RG_UPLINK_CORE_H

#include "base/backoff.h"
#include "base/json_write.h"
#include "uplink/pace.h"
#include "uplink/receipt.h"
#include "uplink/reply.h"
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
    OWNER_REPLY,
    OWNER_FINAL,
};

#define NO_HOLE INT64_MAX
#define NEVER INT64_MAX
#define FETCH_AGAIN_MS 50  /* after the store said that it is busy */
#define CURSOR_PUT_MS 1000 /* a cursor is kept at most this often while only its end moves */
#define SUBACK_MS 30000    /* for a subscription to be answered */
#define NOTE_EVERY_MS 60000
/* Missed alarms, events and reports go beside live telemetry, not before all of it. */
#define FILL_IN_FLIGHT 2
#define REPLIES_IN_FLIGHT 2 /* of the places that are kept for what is urgent */
#define ASKS 4              /* requests for back-fill of one stream that are remembered */

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
    int64_t last;         /* the highest record in the held message */
    size_t records;       /* in the held message */
    struct jsonw message; /* the held message; its memory is used again */
    int64_t hole; /* the lowest record that the broker refused: nothing from here on counts; NO_HOLE */
    struct retry retry;
};

struct document {
    char *text; /* owned; NULL: never given, or made when it is sent */
    size_t length;
    bool made; /* about: of the site, each time it is sent; it is long, and needed once for a connection */
    uint64_t stamp; /* of the one that was sent last (about_stamp), 0: none */
    bool due;       /* to be published */
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
    char *in[TRANSPORT_SUBSCRIPTIONS];
    char *reply;
};

struct subscription {
    bool wanted;
    bool held;        /* granted, on this connection */
    int64_t until_ms; /* asked for: its answer is awaited so long; 0: not asked for */
    struct retry retry;
};

/* What an operator is told of, each at most once in NOTE_EVERY_MS. */
enum note { NOTE_COMMANDS, NOTE_RECEIPTS, NOTE_BAD_RECEIPT, NOTE_NO_RECEIPT, NOTE_FLOOD };
#define NOTE_COUNT 5

struct intake {
    struct subscription subscriptions[TRANSPORT_SUBSCRIPTIONS];
    int64_t noted_ms[NOTE_COUNT];
    bool noted[NOTE_COUNT];
    char detail[TRANSPORT_SUBSCRIPTIONS][160]; /* why a subscription is not held */
    char silence[160];                         /* receipts that do not come */
};

/* Back-fill that was asked for: so that a request that is repeated while it is being answered is not served twice. */
struct asked {
    struct seq_range ranges[ASKS]; /* empty: last is 0 */
    size_t next;                   /* the place that is taken over next */
};

struct watch {
    void (*cb)(void *arg); /* NULL: a free place */
    void *arg;
    enum stream stream;
    int64_t seq;
};

/* What uplink_send is told of a message beside its text. */
struct outgoing {
    const char *topic;
    unsigned alias;
    bool retained;
    const struct transport_answer *answer;
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

    /* What to send next. Where receipts are waited for, the cursor that counts (is kept, is shown) is receipts[].held. */
    struct cursor cursors[STREAM_COUNT];
    struct receipt receipts[STREAM_COUNT];
    struct keep keeps[STREAM_COUNT];
    int64_t head[STREAM_COUNT];
    int64_t up_head[STREAM_COUNT]; /* head when the connection came up: what is not above it was missed */
    int64_t gone[STREAM_COUNT];    /* up to here the store has nothing any more, as far as it said */
    int64_t paced_upto
        [STREAM_COUNT]; /* back-fill up to here was asked for, and keeps to the pace whatever its stream */
    struct asked asked[STREAM_COUNT];
    struct watch watches[UPLINK_WATCHES];
    struct intake intake;
    struct stream_filter filter;
    struct lane lanes[LANE_COUNT];
    struct window window;
    struct pace pace;
    struct unstored unstored;
    struct retry unstored_retry;
    struct replies replies;
    struct retry replies_retry;
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
uint64_t uplink_send(struct uplink *u, unsigned owner, bool bulk, const struct outgoing *o,
                     const struct jsonw *message, int64_t from, int64_t to);
/* The cursor that counts. */
const struct cursor *uplink_kept(const struct uplink *u, enum stream stream);
/* Whether anything of this stream is meant for it. */
bool uplink_gets(const struct uplink *u, enum stream stream);
/* Nothing up to here is owed any more. */
void uplink_forgo(struct uplink *u, enum stream stream, int64_t upto);
void uplink_forgo_unsent(struct uplink *u); /* of a stream that it does not get */
extern const struct transport_cbs uplink_transport_cbs;
void uplink_timer_cb(void *arg);

/* ---- intake.c ---- */
void intake_init(struct uplink *u);
/* The connection came up, or is gone. */
void intake_reset(struct uplink *u);
/* Subscribes; looks for receipts that do not come. */
void intake_run(struct uplink *u, int64_t now_ms);
void intake_subscribed(struct uplink *u, enum transport_subscription id, const char *refused);
void intake_take(struct uplink *u, const struct transport_message *message, size_t dropped);

/* ---- ask.c ---- */
/* Takes out a watch that has come true; false: there is none. */
bool ask_watch_due(struct uplink *u, struct watch *out);
bool ask_watch_waits(const struct uplink *u); /* one has come true */

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
/* Its cursor has moved on by other means: it goes on behind that. */
void lane_catch_up(struct lane *l);
/* Back-fill below what comes next is owed now. */
void lane_go_back(struct lane *l, int64_t seq);
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
