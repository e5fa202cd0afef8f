/* One gateway as the platform sees it: what its messages say, held against the contract as they come. Little memory for each, since one
 * platform has thousands. */
#ifndef PLATFORM_GATEWAY_H
#define PLATFORM_GATEWAY_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "alarm.h"
#include "ledger.h"
#include "level.h"

enum stream_kind { KIND_ALARM, KIND_TELEMETRY, KIND_EVENT, KIND_REPORT, KIND_COUNT };
extern const char *const stream_kinds[KIND_COUNT];
enum stream_kind stream_kind_of(const char *name); /* KIND_COUNT: none; takes NULL */

#define GATEWAY_NAME 80
#define GATEWAY_TEXT 160
#define GATEWAY_AREAS 4096
#define GATEWAY_VIOLATIONS 200
#define GATEWAY_LOSSES 16
#define GATEWAY_MESSAGE_MAX (1u << 20) /* bytes */

struct area_view {
    char *name, *label;
    int parent; /* index, or -1 */
    enum platform_level level;
    int alarms;
};

/* What the gateway lost of a stream with its whole store: the hash chain may have begun anew after it. */
struct loss_told {
    enum stream_kind kind;
    int64_t first, last;
};

struct gateway {
    char ent[GATEWAY_NAME], id[GATEWAY_NAME], enterprise[GATEWAY_TEXT];
    struct ledger ledgers[KIND_COUNT];
    bool online, state_seen, about_seen, risk_seen;
    int64_t boot;
    enum platform_level level;
    struct area_view *areas;
    int area_count;
    struct alarm_book alarms;
    struct unstored_book unstored_alarms;
    struct loss_told losses[GATEWAY_LOSSES];
    size_t loss_count;
    int64_t
        anew[KIND_COUNT]; /* the last record that began a chain anew, not yet explained by a loss; 0: none */
    uint64_t readings, bad_readings, unstored, unsynced, self_tests, zero_reports, lost_unnumbered;
    uint64_t heard, heard_wrong; /* receipts and commands of platforms that came by */
    int64_t last_ts;
    char last_event[GATEWAY_TEXT];
    void *user; /* whoever has the gateway; not touched here */
    struct gateway *next;
};

/* Every breach of the contract, counted and the first ones kept. */
struct violations {
    uint64_t count;
    size_t kept;
    char text[GATEWAY_VIOLATIONS][320];
    FILE *tell; /* each is written here as it is found; or NULL */
};
void violation(struct violations *v, const struct gateway *g, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Where what is found goes. Each may be NULL. */
struct gateway_sink {
    void *arg;
    /* A record that had not come before. */
    void (*record)(void *arg, struct gateway *g, enum stream_kind kind, int64_t seq, const char *text,
                   size_t length);
    /* One that came again, as it was: its sender has not heard that it had arrived. */
    void (*again)(void *arg, struct gateway *g, enum stream_kind kind);
    void (*unstored)(void *arg, struct gateway *g, const char *text, size_t length);
    /* state, about or risk. */
    void (*document)(void *arg, struct gateway *g, const char *topic, const char *text, size_t length);
    void (*reply)(void *arg, struct gateway *g, const cJSON *reply);
    /* A record of long ago: malloc'ed text, or NULL when it never came. */
    char *(*recall)(void *arg, const struct gateway *g, enum stream_kind kind, int64_t seq, size_t *length);
};
extern const struct gateway_sink gateway_no_sink;

/* remember: records of each stream of which a fingerprint is kept in memory; 0: LEDGER_REMEMBER. */
struct gateway *gateway_create(const char *ent, const char *id, size_t remember);
void gateway_free(struct gateway *g);

struct platform_message {
    const char *topic; /* below the gateway's root: "state", "alarm", ... */
    const char *payload;
    size_t length;
    int qos;
    bool retained, expires;
};
/* Checks and takes one message. */
void gateway_take(struct gateway *g, const struct platform_message *m, struct violations *v,
                  const struct gateway_sink *sink);
/* What can only be judged at the end. require_complete: whatever is missing counts as a breach. */
void gateway_finish(struct gateway *g, bool require_complete, struct violations *v);

/* ---- the parts, by what they check. json is the whole message. ---- */

void check_state(struct gateway *g, const cJSON *json, struct violations *v);
void check_about(struct gateway *g, const cJSON *json, struct violations *v);
void check_risk(struct gateway *g, const cJSON *json, struct violations *v);
void check_reply(struct gateway *g, const cJSON *json, struct violations *v);
/* A receipt or a command of another platform, or of this one, that came by. json: NULL when it is none. */
void check_heard(struct gateway *g, const char *topic, const cJSON *json);
void check_alarm_record(struct gateway *g, const cJSON *record, int64_t seq, struct violations *v);
void check_telemetry_record(struct gateway *g, const cJSON *record, bool fresh, struct violations *v);
void check_event_record(struct gateway *g, const cJSON *record, bool fresh, struct violations *v);
void check_report_record(struct gateway *g, const cJSON *record, bool fresh, struct violations *v);

/* One message of a stream (stream.c). */
void stream_take(struct gateway *g, const struct platform_message *m, enum stream_kind kind,
                 const cJSON *json, struct violations *v, const struct gateway_sink *sink);
/* The hash chain (chain.c): a new record of a hashed stream. */
void chain_take(struct gateway *g, enum stream_kind kind, int64_t seq, const char *text, size_t length,
                struct violations *v, const struct gateway_sink *sink);
void chain_finish(struct gateway *g, enum stream_kind kind, struct violations *v);

#endif
