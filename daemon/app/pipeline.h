/* The way of the data, joined: poll -> (decode) -> convert -> rules -> store -> uplink, and from the rules to the outputs
 * (actuate.h). Start reading here, in pipeline.c.
 *
 * All of it runs on the loop's thread. The parts that depend on the site (poll, convert, rules, outputs, evidence) are exchanged as a whole by a reload; the
 * store stays, and so do the uplinks that did not change. */
#ifndef RG_APP_PIPELINE_H
#define RG_APP_PIPELINE_H

#include "app/clock_watch.h"
#include "app/evidence.h"
#include "app/expiry.h"
#include "app/load.h"
#include "app/permits.h"
#include "app/recording.h"
#include "app/reports.h"
#include "app/request_desk.h"
#include "app/say.h"
#include "app/self_test.h"
#include "app/status_late.h"
#include "app/store_watch.h"
#include "base/json_write.h"
#include "config/diff.h"
#include "convert/convert.h"
#include "loop/loop.h"
#include "model/site.h"
#include "output/output.h"
#include "poll/poll.h"
#include "rules/rules.h"
#include "store/store.h"
#include "uplink/uplink.h"

/* A deadline is carried out this long after its instant, with its own instant as its time: an answer that arrived before the deadline
 * and still lies in the mailbox is then evaluated before it, as it would be in a replay. */
#define PIPELINE_TICK_LAG_MS 20
#define PIPELINE_RISK_EVERY_MS 60000
/* After an alarm's commit: the alarm itself goes first, and what changes meanwhile is one document. */
#define PIPELINE_RISK_LAG_MS 10
#define PIPELINE_SETTLED_MS 20000 /* after a start or a reload: uplinks have connected */

/* What a program (or a test) chooses for the outside. */
struct pipeline_env {
    const struct driver *driver;
    const struct transport_ops *transport;
    const char *version;
    uint64_t seed; /* of all jitter */
};

struct pipeline {
    struct loop *loop;
    struct pipeline_env env;
    const struct site *site;
    char config_sha256[65];
    int64_t boot;
    int64_t started_ms; /* monotonic: when the daemon was */
    int64_t primed_ms;  /* wall: as of when windows were filled at the start; 0: there are none */
    struct {
        struct moment at;
        int64_t turn; /* before all that the rules did then; 0: an event has taken it */
    } taken;          /* when the rules in force began: what the events `start` and `config` tell */
    struct poll *poll;
    struct convert *convert;
    struct rules *rules;
    struct outputs *outputs;
    struct evidence evidence;
    struct load load;
    struct recording recording;
    struct permits permits;
    struct store *store;
    struct expiry *expiry;     /* of the uplinks' certificates */
    struct request_desk *desk; /* where platforms' commands come in */
    /* [uplink_count], as the site's (uplinks.h). NULL: one that begins once those that are leaving have left; it is in uplinks_next. */
    struct uplink **uplinks;
    struct uplink **uplinks_next;
    size_t uplink_count;
    struct uplink **leaving; /* [leaving_count]: of the configuration before */
    size_t leaving_count;
    bool self_test_goes_on;      /* over the reload that is under way */
    bool exchanging;             /* the store goes by the next site already, the uplinks do not yet */
    struct loop_timer *deadline; /* the rules' next one */
    struct loop_timer *risk;     /* the document that is owed after an alarm */
    struct loop_timer *second;
    int64_t second_ms;          /* monotonic: when that was done last */
    int64_t settled_ms;         /* monotonic: then what a start or a reload took is over; INT64_MAX: it is */
    struct loop_timer *actuate; /* the outputs' next one, and the end of their release */
    void (*release_done)(void *arg); /* NULL: none is under way */
    void *release_arg;
    int64_t release_end_ms; /* monotonic */
    struct reports reports;
    struct self_test self_test;
    struct clock_watch clock;
    struct jsonw record, event,
        document; /* reused memory; event is apart because a lost record is told while one is in hand */
    uint64_t next_alarm;
    int64_t risk_due_ms;
    bool frame_unsynced; /* a frame is in hand that was taken while the clock was not synchronised */
    bool levels_changed; /* an alarm changed and the outputs were not told since */
    bool risk_changed;   /* an alarm changed and the risk document was not published since */
    bool risk_owed;      /* and that alarm has been committed */
    struct store_watch store_watch;
    struct say say;
    struct status_late late;
    uint64_t unrecorded; /* records that could not even be encoded or queued; told in status */
};

/* Opens the store and puts back what it holds; polls nothing yet. On an error *why says what and where. */
RG_NODISCARD enum rg_err pipeline_open(struct pipeline *p, struct loop *loop, const struct pipeline_env *env,
                                       const struct site *site, const char *config_sha256,
                                       struct store_start *start, char *why, size_t why_size);
/* Makes poll, convert, rules, outputs and evidence for the site and exchanges them for those in force (if any), whose active alarms go on in the new rules
 * and whose counters and last readings in the new convert; outputs that stay go on as they are, and so do buses and devices that are
 * configured as before (poll.h).
 * Whole or not at all: after an error what was in force still is. The old site is not referred to any more, except by
 * the uplinks. */
RG_NODISCARD enum rg_err pipeline_take(struct pipeline *p, const struct site *site, const char *config_sha256,
                                       const struct store_start *start);
/* The same with rules whose windows were filled ahead (prime.h), which are used up; prime may be NULL. */
struct prime;
RG_NODISCARD enum rg_err pipeline_take_primed(struct pipeline *p, const struct site *site,
                                              const char *config_sha256, const struct store_start *start,
                                              struct prime *prime);
/* At a start, once the rules began: the points that these changes since the last run gave another meaning begin with empty windows, which
 * the log tells. NULL: nobody knows what changed; then all of them. */
void pipeline_forget(struct pipeline *p, const struct config_diff *changes);
/* Makes and starts the uplinks of the site in force; there are none. uplinks.h has the reload. */
RG_NODISCARD enum rg_err pipeline_uplinks_start(struct pipeline *p);
/* Frees the uplinks at once, polite goodbyes or not; not from inside a callback of theirs. There may be none. */
void pipeline_uplinks_free(struct pipeline *p);
/* Stops polling, evaluating and switching: no record follows but what the caller appends. */
void pipeline_halt(struct pipeline *p);
/* Frees everything at once; takes a zeroed or half-built pipeline. RG_EIO: the store could not commit the last records. */
enum rg_err pipeline_close(struct pipeline *p);

struct moment pipeline_now(const struct pipeline *p);
/* Hands the record to the store; counts it when it cannot be taken. */
void pipeline_append_event(struct pipeline *p, const char *kind, int64_t wall_ms);
/* The same at another instant; turn: its place among all records, from store_turn, or 0: now. */
void pipeline_append_event_at(struct pipeline *p, const char *kind, struct moment at, int64_t turn);
/* The state document in p->document. */
void pipeline_write_state(struct pipeline *p, bool online);
void pipeline_publish_risk(struct pipeline *p);
/* What a person does to an alarm, as rules_ack, rules_shelve and rules_unshelve. Each is recorded as an event, too. */
RG_NODISCARD enum rg_err pipeline_ack(struct pipeline *p, const char *alarm, const char *by,
                                      const char *comment);
RG_NODISCARD enum rg_err pipeline_shelve(struct pipeline *p, const char *alarm, int64_t for_ms,
                                         const char *by, const char *comment);
RG_NODISCARD enum rg_err pipeline_unshelve(struct pipeline *p, const char *alarm, const char *by,
                                           const char *comment);
/* What a person does to a permit: opens it for so long from now on, or closes it (0). Recorded as an event, too. */
void pipeline_permit(struct pipeline *p, uint32_t permit, int64_t for_ms, const char *by);

#endif
