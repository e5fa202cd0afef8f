/* One gateway as the platform sees it: what its messages say, held against the contract as they come. */
#ifndef PLATFORM_GATEWAY_H
#define PLATFORM_GATEWAY_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ledger.h"

enum stream_kind { KIND_ALARM, KIND_TELEMETRY, KIND_EVENT, KIND_REPORT, KIND_COUNT };
extern const char *const stream_kinds[KIND_COUNT];

#define GATEWAY_NAME 80
#define GATEWAY_TEXT 160
#define GATEWAY_AREAS 256
#define GATEWAY_ALARMS 4096
#define GATEWAY_VIOLATIONS 200

enum platform_level { PL_NONE, PL_BLUE, PL_YELLOW, PL_ORANGE, PL_RED, PL_BAD = -1 };
enum platform_level platform_level(const char *name);
const char *platform_level_name(enum platform_level level);

struct area_view {
    char name[GATEWAY_NAME], label[GATEWAY_TEXT];
    int parent; /* index, or -1 */
    enum platform_level level;
    int alarms;
};

/* The newest state of one alarm, by its records. */
struct alarm_view {
    char id[GATEWAY_NAME], rule[GATEWAY_NAME], point[2 * GATEWAY_NAME], area[GATEWAY_NAME];
    char label[GATEWAY_TEXT], message[GATEWAY_TEXT], unit[32];
    enum platform_level level;
    bool acked, active, has_value;
    double value;
    int64_t raised_ts;
    int64_t seq; /* of the newest record */
    bool whole;  /* its raise was seen */
};

struct gateway {
    char ent[GATEWAY_NAME], id[GATEWAY_NAME], enterprise[GATEWAY_TEXT];
    struct ledger ledgers[KIND_COUNT];
    bool online, state_seen, about_seen, risk_seen;
    enum platform_level level;
    struct area_view areas[GATEWAY_AREAS];
    int area_count;
    struct alarm_view *alarms; /* [GATEWAY_ALARMS], oldest overwritten when cleared */
    int alarm_count;
    uint64_t readings, bad_readings, unstored;
    int64_t last_ts;
    char last_event[GATEWAY_TEXT];
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

struct gateway *gateway_create(const char *ent, const char *id);
void gateway_free(struct gateway *g);

struct platform_message {
    const char *topic; /* below the gateway's root: "state", "alarm", ... */
    const char *payload;
    size_t length;
    int qos;
    bool retained;
};
/* Checks and takes one message. records: each new record is written there as a line "stream seq text"; or NULL. */
void gateway_take(struct gateway *g, const struct platform_message *m, struct violations *v, FILE *records);
/* What can only be judged at the end: missing prev, the hash chain. */
void gateway_finish(struct gateway *g, bool require_complete, struct violations *v);

/* The parts, by what they check. json is the whole message. */
void check_state(struct gateway *g, const cJSON *json, struct violations *v);
void check_about(struct gateway *g, const cJSON *json, struct violations *v);
void check_risk(struct gateway *g, const cJSON *json, struct violations *v);
void check_alarm_record(struct gateway *g, const cJSON *record, int64_t seq, bool fresh,
                        struct violations *v);
void check_telemetry_record(struct gateway *g, const cJSON *record, bool fresh, struct violations *v);
void check_event_record(struct gateway *g, const cJSON *record, bool fresh, struct violations *v);

/* Small readers shared by the parts. */
const char *text_at(const cJSON *json, const char *key); /* NULL when missing or no string */
bool whole_at(const cJSON *json, const char *key, int64_t *out);
void name_copy(char *out, size_t size, const char *text); /* NULL text gives "" */

#endif
