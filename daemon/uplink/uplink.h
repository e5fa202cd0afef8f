/* One uplink: a session with one platform's broker, cursors on the streams, a bounded window of messages in
 * flight.
 *
 * - Alarms first, then events and reports, then live telemetry, then back-fill at its rate. Telemetry and
 * back-fill never take the last UPLINK_WINDOW_RESERVE places of the window, and one message holds at most
 * UPLINK_MESSAGE_BYTES of bodies, so an alarm waits for little.
 * - A cursor moves only on PUBACK; where receipts are waited for, the one that is kept and counted moves only on the platform's
 * receipt (receipt.h), and PUBACK does no more than make room in the window. What was in flight when the connection ended is sent again.
 * - On (re)connecting, what was missed is turned into a back-fill range when it is more than UPLINK_LIVE_LAG records
 * (UPLINK_RECORD_LAG of alarms, events or reports), and live goes on from the head. Fewer alarms, events and reports are sent
 * in order before anything else, marked as back-fill when they were committed before the connection came up. Of back-fill,
 * alarms go first, beside live telemetry; telemetry, and what a platform asked for, keeps to the pace.
 * - Subscribes to what may come in after every connect, and again, with a back-off, when that is refused.
 * - Reconnects: capped, jittered back-off, reset only after the connection has held UPLINK_STABLE_MS.
 * - A message that the broker refuses (PUBACK with a reason of 0x80 or more) is counted, told in stats.detail
 * and sent again after a back-off, with all of its stream that follows it; other streams go on.
 * - Memory: one message held for each stream and direction, 64 unstored alarms, the documents; nothing grows
 * with an outage.
 * - state, about and risk are retained documents: only the newest text of each is kept (of `about` none: it is made when it
 * is sent), and published anew after each connect. */
#ifndef RG_UPLINK_UPLINK_H
#define RG_UPLINK_UPLINK_H

#include "base/error.h"
#include "loop/loop.h"
#include "model/site.h"
#include "model/stream.h"
#include "uplink/transport.h"

#define UPLINK_WINDOW 32 /* messages; fewer where the broker's Receive Maximum (MQTT 5) says so */
#define UPLINK_WINDOW_RESERVE 4
/* Bytes of telemetry and back-fill in flight: at 10 kB/s (2G) an alarm has at worst 26 s of them in front of
 * it. */
#define UPLINK_WINDOW_BYTES (256u << 10)
#define UPLINK_MESSAGE_BYTES (64u << 10)
#define UPLINK_MESSAGE_RECORDS 500
#define UPLINK_LIVE_LAG 1000
#define UPLINK_STABLE_MS 30000
#define UPLINK_BACKOFF_FIRST_MS 1000
#define UPLINK_BACKOFF_CAP_MS 60000
#define UPLINK_COMMAND_BYTES (16u << 10) /* of what a platform sends; more is not taken in */
#define UPLINK_REPLIES 64                /* that may wait; more are dropped and counted */
#define UPLINK_REPLY_BYTES (16u << 10)
#define UPLINK_WATCHES 4
#define UPLINK_TOPIC_BYTES 256        /* of a response topic */
#define UPLINK_CORRELATION_BYTES 1024 /* of correlation data; more is not passed on */
#define UPLINK_RECORD_LAG 200         /* as UPLINK_LIVE_LAG, of alarms, events and reports */

struct uplink;

typedef void (*uplink_chunk_cb)(void *arg, const struct chunk *chunk);

/* What a platform asks on the topic `command`, as it came: nothing of it is checked. All is borrowed. */
struct uplink_request {
    const char
        *text; /* not NUL-terminated; NULL: longer than UPLINK_COMMAND_BYTES, then length tells how long */
    size_t length;
    bool retained;              /* kept by the broker from whenever: never to be carried out */
    const char *response_topic; /* MQTT 5, one that may be published to; or NULL: the topic `reply` */
    const void *correlation;    /* MQTT 5; or NULL */
    size_t correlation_length;
};

/* What the uplink asks of the rest of the program (app/ joins it to the store). */
struct uplink_port {
    void *arg;
    /* As store_fetch: cb is called on the loop later, never from inside; chunk borrowed. RG_EAGAIN: ask again
     * later. */
    enum rg_err (*fetch)(void *arg, enum stream stream, int64_t from, int64_t upto, size_t max_count,
                         size_t max_bytes, const struct stream_filter *filter, uplink_chunk_cb cb,
                         void *cb_arg);
    void (*fetch_cancel)(void *arg, void *cb_arg);
    enum rg_err (*cursor_put)(void *arg, const char *uplink, enum stream stream, const struct cursor *cursor);
    /* Up to which number the store holds nothing of a stream any more. NULL: only uplink_gone tells. */
    int64_t (*gone)(void *arg, enum stream stream);
    /* The connection came up, or was lost after having been up (crossings only). */
    void (*link)(void *arg, const char *uplink, bool up, const char *detail);
    /* A platform that may ask for something (conf->commands) asks; answer with uplink_reply, now or later. NULL: nobody
     * listens. */
    void (*request)(void *arg, const char *uplink, const struct uplink_request *request);
    /* Something an operator should know (a subscription refused, receipts that make no sense or do not come), at most one a
     * minute of each kind. NULL: nobody listens. */
    void (*note)(void *arg, const char *uplink, const char *text);
};

enum uplink_doc { UPLINK_DOC_STATE, UPLINK_DOC_ABOUT, UPLINK_DOC_RISK };
#define UPLINK_DOC_COUNT 3

/* cursors: as found in the store. head: of each stream now. seed: of the jitter. site (with conf inside it)
 * must outlive it. */
RG_NODISCARD enum rg_err uplink_create(struct loop *loop, const struct site *site,
                                       const struct site_uplink *conf, const struct transport_ops *transport,
                                       const struct uplink_port *port,
                                       const struct cursor cursors[STREAM_COUNT],
                                       const int64_t head[STREAM_COUNT], uint64_t seed, struct uplink **out);
/* Other cursors and heads than it was made with, for one that was made ahead of its start. */
void uplink_resume(struct uplink *u, const struct cursor cursors[STREAM_COUNT],
                   const int64_t head[STREAM_COUNT]);
/* Another site takes the place of the one it was made of, which is not referred to any more. conf is inside it and says the same, but that
 * devices may have come and gone in telemetry_devices. All else goes on: the connection, what is in flight, what waits. */
void uplink_follow(struct uplink *u, const struct site *site, const struct site_uplink *conf);
/* Of the site that it was made of, or follows now. */
const struct site_uplink *uplink_conf(const struct uplink *u);
/* The last will must be known before: text of the state document that says online: false. NULL: uplink_give_will has said it. */
RG_NODISCARD enum rg_err uplink_start(struct uplink *u, const char *will, size_t will_length);
/* Takes over the text (on the heap), as the will of every connection from the next one on. */
void uplink_give_will(struct uplink *u, char *text, size_t length);
/* Replaces a retained document and publishes it when connected. Copies the text. */
RG_NODISCARD enum rg_err uplink_doc(struct uplink *u, enum uplink_doc doc, const char *text, size_t length);
/* The same with a text (on the heap) that it takes over; one that is no other than before is not published again. */
void uplink_give_doc(struct uplink *u, enum uplink_doc doc, char *text, size_t length);
/* `about` is made of the site (the one it follows) each time that it is published, and not kept. stamp: of its text (about_stamp): one that is no
 * other than before is not published again; 0: not known. */
void uplink_about(struct uplink *u, uint64_t stamp);
/* New records are durable. */
void uplink_head(struct uplink *u, const int64_t head[STREAM_COUNT]);
/* An alarm that the store could not take: sent at once as a message with "stored": false (contract §3). body:
 * as for store_append. A bounded few (64) are kept while there is no connection. */
void uplink_unstored_alarm(struct uplink *u, const char *body, size_t length, enum level level,
                           enum level was, bool unsynced);
/* The records of a stream up to and including `upto` are gone from the store (retention): nothing below is
 * asked for any more. */
void uplink_gone(struct uplink *u, enum stream stream, int64_t upto);
/* Answers a request: on its response topic with its correlation data, or on the topic `reply`. All is copied. It is sent until
 * the broker has acknowledged it. RG_EFULL: UPLINK_REPLIES wait already; RG_ERANGE: longer than UPLINK_REPLY_BYTES; RG_ENOMEM; all counted.
 * RG_ESTATE: it is leaving and sends nothing more. */
RG_NODISCARD enum rg_err uplink_reply(struct uplink *u, const char *response_topic, const void *correlation,
                                      size_t correlation_length, const char *text, size_t length);
/* The platform wants these records (again): they become back-fill, whatever was acknowledged. Clipped to what exists; *out gets
 * what will be sent. RG_ENOTFOUND: nothing of it exists or is meant for this uplink; RG_EINVAL. */
RG_NODISCARD enum rg_err uplink_backfill(struct uplink *u, enum stream stream, int64_t first, int64_t last,
                                         struct seq_range *out);
/* Calls cb once, on the loop, never from inside, when this record is done with (PUBACK, or the platform's own receipt where the
 * uplink waits for receipts), or is not meant for it. Back-fill of what came before may still be under way. RG_EFULL: UPLINK_WATCHES wait already. uplink_unwatch forgets those with this arg. */
RG_NODISCARD enum rg_err uplink_watch(struct uplink *u, enum stream stream, int64_t seq,
                                      void (*cb)(void *arg), void *arg);
void uplink_unwatch(struct uplink *u, void *arg);
/* Sends what waits (alarms and events; at most timeout_ms), then the final state document (its
 * acknowledgement is awaited 2 s at most; NULL: none is sent), disconnects politely (3 s at most), hands the
 * cursors to the port and calls done on the loop, never from inside. */
void uplink_stop(struct uplink *u, const char *final_state, size_t length, int64_t timeout_ms,
                 void (*done)(void *arg), void *arg);
void uplink_destroy(struct uplink *u); /* at once; takes NULL */

struct uplink_stats {
    bool connected;
    uint64_t connects, messages, acked_messages, resent;
    int64_t pending[STREAM_COUNT]; /* records not yet acknowledged (an upper bound where a filter leaves some
                                      out) */
    int64_t last_ack_wall_ms;      /* 0: never */
    int64_t since_wall_ms;         /* since when it is connected, or not */
    size_t in_flight;
    uint64_t refused;          /* messages that the broker said no to; they are sent again */
    uint64_t unstored_dropped; /* unstored alarms given up for want of room */
    uint64_t requests;         /* commands that came */
    uint64_t requests_dropped; /* commands not taken in for want of room, and not answered */
    size_t replies_waiting;
    uint64_t replies_dropped;            /* answers given up for want of room */
    uint64_t receipts, receipts_refused; /* that moved something; that made no sense */
    char
        detail[320]; /* why it is not connected, or the last refusal or store error since it is; else empty */
};
void uplink_stats(const struct uplink *u, struct uplink_stats *out);

#endif
