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
#include "model/site_convert.h"
#include "model/site_gate.h"
#include "model/site_rule.h"

#define SITE_NONE UINT32_MAX /* no index */
#define SITE_RULE_SELF_TEST                                                                                  \
    (UINT32_MAX - 1) /* what an output may follow that is no rule of the site: failed self tests */

struct site_gateway {
    const char *id;
    const char *ent_code; /* unified social credit code, 18 characters, checked */
    const char *ent_name;
    const char *ent_industry, *ent_region, *ent_grid, *contact_name, *contact_phone; /* or NULL */
    int64_t workers;                                                                 /* -1: not given */
};

#define STORE_ROLLUPS_STANDARD_MS (365 * 24 * 3600 * INT64_C(1000))

struct site_store {
    /* Absolute, or relative to the process's folder: resolved against the configuration file. */
    const char *path;
    int64_t commit_ms;
    int64_t keep_telemetry_ms, keep_alarms_ms, keep_events_ms;
    int64_t keep_rollups_ms; /* minute roll-ups; 0: as long as STORE_ROLLUPS_STANDARD_MS */
    int64_t max_size;        /* bytes of the whole store */
};

/* What a platform may be allowed to ask for: bits. */
#define SITE_MAY_ACK 0x01u
#define SITE_MAY_SHELVE 0x02u /* and to end it */
#define SITE_MAY_BACKFILL 0x04u
#define SITE_MAY_READ 0x08u

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
    bool receipts;        /* a record is done with only when the platform says so on the topic `receipt` */
    unsigned may;         /* SITE_MAY_*: what the platform may ask for on the topic `command`; 0: nothing */
    bool insecure;        /* a password may go over mqtt:// to another machine */
    const char *where;
};

enum bus_kind { BUS_TCP, BUS_RTU, BUS_RTU_OVER_TCP };
const char *bus_kind_name(enum bus_kind kind); /* as in the configuration: "tcp" "rtu" "rtu_over_tcp" */
enum parity { PARITY_NONE, PARITY_EVEN, PARITY_ODD };
const char *parity_name(enum parity parity); /* "none" "even" "odd" */

/* Direction control of an RS-485 transceiver by the kernel (TIOCSRS485), RTU only. */
struct site_rs485 {
    bool enabled;
    bool send_low;               /* RTS is low while sending; otherwise high */
    int64_t before_ms, after_ms; /* delays of RTS before and after sending */
};

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
    int64_t retry_ms;   /* longest gap between attempts at a bus that is down; 0: POLL_BUS_CAP_MS */
    bool spread;        /* its devices do not share instants but where they ask for it: see site_device */
    bool echo; /* RTU kinds: what is sent comes back first (two-wire adapters without echo suppression) */
    struct site_rs485 rs485;
    const char *where;
};

#define SITE_BUS_PLACE_MAX 320
/* For people: "rtu /dev/ttyS1 9600 even", "tcp 10.0.0.7:502". Returns out. */
const char *site_bus_place(const struct site_bus *bus, char out[SITE_BUS_PLACE_MAX]);

/* The silence of 3.5 characters between two frames of a line, microseconds: characters of 11 bits, 1750 above 19200 baud
 * (Modbus over Serial Line V1.02, 2.5.1.1); 0 for TCP, and for a far line whose speed is not known. */
int64_t site_bus_silence_us(const struct site_bus *bus);

/* value = (raw * num + add) / den, so that 123 * 0.1 is 12.3 and not 12.300000000000001: scale and offset are written in
 * decimal, and a decimal is an integer over a power of ten. */
struct scaling {
    double num, add, den; /* identity: 1, 0, 1 */
};

#define POINT_INVALID_MAX 8

/* One value of an enumeration and what it is called. */
struct point_word {
    double value;
    const char *text;
};

/* Of a site with 100,000 points there are as many of these, and every reading passes its own: what few points have lies elsewhere,
 * shared by those that have the same. */
struct site_point {
    const char *name;      /* within its device: the end of full_name */
    const char *full_name; /* "device.point" */
    const char *label;     /* or NULL */
    const char *unit;      /* engineering unit, or NULL */
    uint32_t device;
    uint16_t address; /* zero-based protocol address */
    enum point_space space : 8;
    enum point_type type : 8;
    enum word_order order : 8;
    int8_t bit; /* 0..15: that bit of the register; -1: not given */
    bool has_range;
    bool has_decimals;
    uint8_t invalid_count;
    uint16_t word_count;
    /* And-ed with the raw integer (16- and 32-bit integer types), then shifted right to its lowest one; 0: none. */
    uint32_t mask;
    /* decimals: the value is divided by ten to the power of what that register holds (0 to 9). */
    struct site_register decimals;
    uint32_t line; /* of file, where it is defined */
    const char *file;
    struct scaling scaling;
    double range_min, range_max; /* engineering units, inclusive */
    /* Where the device's readings are thinned: a value that differs from the one recorded last by more than this is
     * recorded. 0: not given; then of a state (site_record.h) every change is, of a quantity none. */
    double change;
    const double *invalid; /* [invalid_count] sentinels: raw values, before bit, mask and scale */
    /* [word_count] An enumeration: any other value is QUALITY_SENSOR. */
    const struct point_word *words;
    /* What makes a reading of this raw value, and the range is that of its outcome; NULL: nothing. */
    const struct site_convert *convert;
    /* SPACE_DERIVED: how it is worked out; NULL for what is read. */
    const struct site_derived *derived;
    const struct site_doubt *doubt; /* its level is not LEVEL_NONE; NULL: its readings are never doubted */
};

/* Registers (or bits) that the type takes: 1, 2 or 4. */
unsigned point_type_words(enum point_type type);
const char *point_type_name(enum point_type type);
const char *point_space_name(enum point_space space);
const char *word_order_name(enum word_order order);
/* Its values are floats as the device sent them, so that they are compared and written as such: what is scaled,
 * converted or worked out is a double like any other. */
bool point_is_single(const struct site_point *point);

/* What an enumeration calls a value; NULL: nothing, or it is no enumeration. */
const char *point_word(const struct site_point *point, double value);

/* A write that makes a device take its readings, before each poll. */
struct site_trigger {
    bool enabled;
    enum point_space space; /* SPACE_COIL or SPACE_HOLDING */
    uint16_t address;
    uint16_t value; /* coil: 0 or 1 */
    bool
        broadcast; /* to unit 0: once for all devices of the bus that have this very trigger and are due together */
    int64_t wait_ms; /* from the write to the first request of the poll; the bus is free meanwhile */
};

/* Whether one write serves both: a broadcast of the same value to the same address. The waits may differ. */
bool site_trigger_shared(const struct site_trigger *a, const struct site_trigger *b);

/* Which of a device's readings are recorded; the rules see all of them. */
struct site_record {
    int64_t every_ms;  /* so often at least; 0: all of them */
    int64_t around_ms; /* all of them so long before an alarm's raise and after its clear; 0: no such thing */
};

/* Units that a device's polls may miss in a row before it counts as silent; see poll.h. */
#define DEVICE_MISSES_STANDARD 3
#define DEVICE_PROBE_STANDARD_MS 60000

struct site_device {
    const char *name, *label; /* label or NULL */
    const char *profile;      /* the profile that its points came from, or NULL */
    /* A device that is none: its points are worked out on the gateway. bus is SITE_NONE; it is never asked and never
     * silent. */
    bool derived;
    uint32_t bus; /* or SITE_NONE */
    uint8_t unit;
    int64_t poll_ms;
    int64_t poll_offset_ms; /* its instants are that long after the multiples of poll_ms; shorter than it */
    bool spread;            /* by its bus, which gave it that offset: the configuration gives none */
    uint32_t area;          /* or SITE_NONE */
    int64_t timeout_ms;     /* never 0: default the bus's */
    uint32_t retries;       /* further tries within one poll, default 0 */
    uint16_t max_registers; /* of one request, 1..125; default 125 */
    uint16_t max_gap;       /* unused registers read through to save a request; default 8 */
    int64_t gap_ms;         /* silence before each request to it, when longer than the bus's; default 0 */
    int64_t start_up_ms;    /* not asked for that long after the daemon's start; default 0 */
    uint32_t
        misses; /* polls in a row without an answer before it is only probed; 0: DEVICE_MISSES_STANDARD */
    int64_t probe_ms; /* longest gap between probes then; 0: DEVICE_PROBE_STANDARD_MS */
    struct site_trigger trigger;
    const struct site_gate
        *gates; /* registers that decide on the quality of all its points; the first bad one wins */
    size_t gate_count;
    int64_t offline_after_ms;
    enum level offline_level;
    struct site_record record;
    uint32_t requests; /* answers that a poll takes, as far as it can be told beforehand; 0: nobody told */
    uint32_t first_point,
        point_count; /* its points lie together in site.points; none for a module with outputs only */
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
    enum area_aggregate aggregate;
    const char *where;
};

/* What a sounder, a beacon or a fan follows: the highest level of an area, or of the alarms of one rule. */
enum output_stop { OUTPUT_STOP_OFF, OUTPUT_STOP_ON, OUTPUT_STOP_KEEP };

struct site_output {
    const char *name, *label; /* label or NULL */
    uint32_t device;
    enum point_space space; /* SPACE_COIL or SPACE_HOLDING */
    uint16_t address;
    uint16_t on, off;         /* what is written; coil: 1 and 0, or the other way round when inverted */
    uint32_t area, rule;      /* one of them; the other SITE_NONE. rule: or SITE_RULE_SELF_TEST */
    enum level from;          /* the lowest level at which it is on */
    bool silenceable;         /* `silence` switches it off until the next announcement */
    enum output_stop on_stop; /* what is written when the daemon stops */
    int64_t assert_ms;        /* it is read back, and written again if need be, this often */
    enum level fault_level;   /* of the alarm while it cannot be brought to its state */
    const char *where;
};

/* When reports are made, local time of the machine. */
struct site_reports {
    bool on;
    int16_t daily_minute, monthly_minute; /* of the day; -1: never */
};

/* The figures of status as a file, for those who gather them. */
struct site_metrics {
    const char *file; /* or NULL: none is written */
    int64_t every_ms;
};

/* A group of this machine's users. */
#define SITE_NO_GROUP UINT32_MAX
struct site_door {
    const char *name; /* or NULL: none is named */
    uint32_t gid;     /* SITE_NO_GROUP: there is none of that name */
};

/* A marked test alarm that goes the whole way, now and then. */
struct site_self_test {
    int64_t every_ms; /* 0: never */
    int64_t limit_ms; /* for its round trip */
    enum level level; /* of the alarm when it failed */
    bool *uplinks;    /* [uplink_count]: which it has to come through; NULL: there is no test */
};

struct site;
/* True when two outputs, of one site or of two, are the same coil or register of the same unit on the same line. */
bool site_output_same_place(const struct site *a, const struct site_output *x, const struct site *b,
                            const struct site_output *y);

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
    struct site_permit *permits;
    size_t permit_count;
    struct site_output *outputs;
    size_t output_count;
    struct site_reports reports;
    struct site_self_test self_test;
    int64_t shelve_max_ms;      /* the longest an alarm can be shelved for; 0: SHELVE_MAX_STANDARD_MS */
    const char *control_socket; /* or NULL: no control socket */
    struct site_door control_group, control_act_group;
    struct site_metrics metrics;
    enum log_level log_level;
};

/* Of the bus that a device of the site is on; NULL for a derived one. */
const char *site_bus_name(const struct site *site, const struct site_device *device);

#endif
