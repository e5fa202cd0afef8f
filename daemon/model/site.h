/* The site as configured: plain, immutable, all parts refer to each other by index.
 *
 * config/ fills it from YAML and owns it; every stage reads the part it needs. Names are unique in their kind, NUL-terminated
 * and live as long as the site. Durations are milliseconds. `where` is "file:line" of the definition, for people. */
#ifndef RG_MODEL_SITE_H
#define RG_MODEL_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "model/level.h"

#define SITE_NONE UINT32_MAX /* no index */

struct site_gateway {
    const char *id;
    const char *ent_code; /* unified social credit code, 18 characters, checked */
    const char *ent_name;
    const char *ent_industry, *ent_region, *ent_grid, *contact_name, *contact_phone; /* or NULL */
    int64_t workers;                                                                 /* -1: not given */
};

struct site_store {
    /* Absolute, or relative to the process's folder: resolved against the configuration file. */
    const char *path;
    int64_t commit_ms;
    int64_t keep_telemetry_ms, keep_alarms_ms, keep_events_ms;
    int64_t max_size; /* bytes of the whole store */
};

struct site_uplink {
    const char *name;
    const char *url;  /* as written, without a password ever being in it */
    const char *host; /* without brackets */
    uint16_t port;
    bool tls;
    bool v311;             /* MQTT 3.1.1 instead of 5 */
    const char *client_id; /* never NULL: default riskgate-<gateway id>-<uplink name> */
    const char *username, *password_file, *ca, *cert, *key; /* or NULL */
    const char *topic_root; /* never NULL: default riskgate/v1/<ent>/<gateway>, no trailing slash */
    int64_t keepalive_ms;
    bool telemetry_send;
    bool *telemetry_devices; /* [device_count]: which devices' telemetry it gets */
    enum level alarms_from;
    double backfill_rate; /* records a second; 0: as fast as the broker takes them */
    const char *where;
};

enum bus_kind { BUS_TCP, BUS_RTU, BUS_RTU_OVER_TCP };
enum parity { PARITY_NONE, PARITY_EVEN, PARITY_ODD };

struct site_bus {
    const char *name;
    enum bus_kind kind;
    const char *host; /* TCP, RTU over TCP */
    uint16_t port;
    const char *path; /* RTU: the line's device file */
    uint32_t baud;    /* RTU; for RTU over TCP the far line's, 0 when not given */
    enum parity parity;
    uint8_t stop_bits;
    int64_t timeout_ms; /* for an answer, and for connecting; default 1 s */
    int64_t gap_ms;     /* silence between transactions, beside the 3.5 characters of RTU */
    const char *where;
};

enum point_space { SPACE_COIL, SPACE_DISCRETE, SPACE_INPUT, SPACE_HOLDING };
enum point_type {
    TYPE_BOOL,
    TYPE_U16,
    TYPE_I16,
    TYPE_U32,
    TYPE_I32,
    TYPE_U64,
    TYPE_I64,
    TYPE_F32,
    TYPE_F64,
    TYPE_BCD16,
    TYPE_BCD32,
    TYPE_BYTES8_8,
};
enum word_order { ORDER_NONE, ORDER_ABCD, ORDER_CDAB, ORDER_BADC, ORDER_DCBA };

/* value = (raw * num + add) / den, so that 123 * 0.1 is 12.3 and not 12.300000000000001: scale and offset are written in
 * decimal, and a decimal is an integer over a power of ten. */
struct scaling {
    double num, add, den; /* identity: 1, 0, 1 */
};

#define POINT_INVALID_MAX 8

struct site_point {
    const char *name;      /* within its device */
    const char *full_name; /* "device.point" */
    const char *label;     /* or NULL */
    const char *unit;      /* engineering unit, or NULL */
    uint32_t device;
    enum point_space space;
    uint16_t address; /* zero-based protocol address */
    enum point_type type;
    enum word_order order;
    int8_t bit; /* 0..15: that bit of the register; -1: not given */
    /* And-ed with the raw integer (16- and 32-bit integer types), then shifted right to its lowest one; 0: none. */
    uint32_t mask;
    struct scaling scaling;
    bool has_range;
    double range_min, range_max; /* engineering units, inclusive */
    size_t invalid_count;        /* sentinels: raw values, before bit, mask and scale */
    double invalid[POINT_INVALID_MAX];
    const char *where;
};

/* Registers (or bits) that the type takes: 1, 2 or 4. */
unsigned point_type_words(enum point_type type);
const char *point_type_name(enum point_type type);
const char *point_space_name(enum point_space space);
const char *word_order_name(enum word_order order);

struct site_device {
    const char *name, *label; /* label or NULL */
    uint32_t bus;
    uint8_t unit;
    int64_t poll_ms;
    uint32_t area;          /* or SITE_NONE */
    int64_t timeout_ms;     /* never 0: default the bus's */
    uint32_t retries;       /* further tries within one poll, default 0 */
    uint16_t max_registers; /* of one request, 1..125; default 125 */
    uint16_t max_gap;       /* unused registers read through to save a request; default 8 */
    int64_t offline_after_ms;
    enum level offline_level;
    uint32_t first_point, point_count; /* its points lie together in site.points */
    const char *where;
};

enum area_tier { TIER_NONE, TIER_COMPANY, TIER_WORKSHOP, TIER_TEAM, TIER_POST };
const char *area_tier_name(enum area_tier tier); /* "company" ...; NULL for TIER_NONE */

struct site_area {
    const char *name, *label;
    uint32_t parent; /* or SITE_NONE; never a cycle */
    enum area_tier tier;
    enum level inherent;
    const char *resp_unit, *resp_person, *resp_phone, *measure, *grid; /* or NULL */
    const char *where;
};

struct rule_is {
    double value;
    enum level level;
};

struct site_rule {
    const char *name;
    const char *message;    /* or NULL */
    const uint32_t *points; /* indices into site.points, ascending */
    size_t point_count;
    bool has_above[LEVEL_COUNT], has_below[LEVEL_COUNT]; /* [LEVEL_NONE] is never set */
    double above[LEVEL_COUNT], below[LEVEL_COUNT];
    const struct rule_is *is;
    size_t is_count;
    double deadband; /* >= 0, engineering units */
    int64_t on_delay_ms, off_delay_ms;
    const char *where;
};

struct site {
    struct site_gateway gateway;
    struct site_store store;
    struct site_uplink *uplinks;
    size_t uplink_count;
    struct site_bus *buses;
    size_t bus_count;
    struct site_device *devices;
    size_t device_count;
    struct site_point *points;
    size_t point_count;
    struct site_area *areas;
    size_t area_count;
    struct site_rule *rules;
    size_t rule_count;
    const char *control_socket; /* or NULL: no control socket */
    enum log_level log_level;
};

#endif
