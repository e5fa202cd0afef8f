/* Every key of a configuration, one row each. The loader, the defaults and the JSON Schema all come from
 * these rows. */
#ifndef RG_CONFIG_TABLE_H
#define RG_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum section {
    SECTION_ROOT,
    SECTION_GATEWAY,
    SECTION_ENTERPRISE,
    SECTION_CONTACT,
    SECTION_STORE,
    SECTION_RETENTION,
    SECTION_UPLINK,
    SECTION_TLS,
    SECTION_TELEMETRY,
    SECTION_ALARMS,
    SECTION_BACKFILL,
    SECTION_BUS,
    SECTION_DEVICE,
    SECTION_OFFLINE,
    SECTION_RECORD,
    SECTION_POINT,
    SECTION_AREA,
    SECTION_RESPONSIBLE,
    SECTION_RULE,
    SECTION_LIMITS,
    SECTION_LIMIT,
    SECTION_SIGNAL,
    SECTION_VOTE,
    SECTION_GUARD,
    SECTION_SITE_LIMIT,
    SECTION_SHELVING,
    SECTION_PERMIT,
    SECTION_DOUBTS,
    SECTION_DOUBT,
    SECTION_DOUBT_RATE,
    SECTION_TWIN,
    SECTION_CONTROL,
    SECTION_REPORTS,
    SECTION_SELF_TEST,
    SECTION_LOG,
    SECTION_METRICS,
    SECTION_RS485,
    SECTION_LINE,
    SECTION_STATUS,
    SECTION_HEARTBEAT,
    SECTION_TRIGGER,
    SECTION_DECIMALS,
    SECTION_CONVERT,
    SECTION_TWO_POINT,
    SECTION_THERMISTOR,
    SECTION_WIRE,
    SECTION_POLYNOMIAL,
    SECTION_TEMPERATURE,
    SECTION_BAROMETER,
    SECTION_CONCENTRATION,
    SECTION_PRESSURE,
    SECTION_DERIVED,
    SECTION_DERIVED_POINT,
    SECTION_OPERAND,
    SECTION_BEACH,
    SECTION_GAUGES,
    SECTION_FREEBOARD,
    SECTION_INCREASE,
    SECTION_OUTPUT,
    SECTION_WHEN,
    SECTION_PROFILE,
    SECTION_UNIT_CODES,
    SECTION_VECTOR,
    SECTION_COUNT,
};

/* What a value is, and what the row's field holds after fill_map. */
enum key_kind {
    KIND_BOOL,   /* bool */
    KIND_INT,    /* a signed integer of row.size bytes, or an unsigned one wide enough for row.max; decimal or
                    0x... */
    KIND_NUMBER, /* double */
    KIND_TEXT,   /* const char *; at most row.max bytes */
    KIND_DIGITS, /* const char *; a text that may be written without quotes though it looks like a number */
    KIND_ID,     /* const char *; an identifier of the contract */
    KIND_NAME,   /* const char *; an identifier without '.': half of a full point name */
    KIND_PATH,   /* const char *; relative to the folder of the file that holds it */
    KIND_SECRET, /* const char *; a path, or `credential:NAME`: the path of what the service manager hands over by that name */
    KIND_DURATION, /* int64_t, milliseconds */
    KIND_SIZE,     /* int64_t, bytes */
    KIND_RATE,     /* double, per second; 0: unlimited */
    KIND_TIME,     /* int16_t, minute of the day of HH:MM; -1: none */
    KIND_CHOICE,   /* an enum or integer of row.size bytes, by name */
    KIND_MAP, /* a mapping of section row.of, filled into the field (or, at offset 0, into the same struct) */

    /* Left to the builder of the section: the field is a const struct node *, NULL when not given. */
    KIND_PART,     /* a mapping of section row.of */
    KIND_PARTS,    /* one such mapping, or a list of them */
    KIND_STATES,   /* {number: quality} */
    KIND_WORDS,    /* {number: text} */
    KIND_ITEMS,    /* a list of mappings of section row.of */
    KIND_PATHS,    /* one path or a list */
    KIND_PATTERNS, /* one name or glob, or a list */
    KIND_ENDPOINT, /* host:port */
    KIND_REGISTER, /* 40001 and the like */
    KIND_DECIMAL,  /* a number whose decimal text matters */
    KIND_RANGE,    /* [least, most] */
    KIND_RAWS,     /* a list of raw values */
    KIND_LIMIT,    /* a number, or a mapping of section row.of */
    KIND_LEVELS,   /* {value: level} */
    KIND_PAIR,     /* [number, number] */
    KIND_PAIRS,    /* [[number, number], ...] */
    KIND_POINT,    /* device.point, or the name of a point beside it */
    KIND_OPERAND,  /* a number, a point as above, or a mapping of section row.of or SECTION_OPERAND */
    KIND_OPERANDS, /* a list of them */
    KIND_NOTHING,  /* an empty list */
    KIND_CHOICES,  /* a list of different names of row.choices */
    KIND_LIKE,    /* as the key of the same name in section row.of, where it is taken and checked; no field */
    KIND_TEXTS,   /* {key: text} */
    KIND_VALUES,  /* {key: anything} */
    KIND_OPEN,    /* a number, or a mapping of section row.of, which names a value of the site */
    KIND_NUMBERS, /* {name: number} */
    KIND_SIGNAL,  /* `value`, or a mapping of section row.of */
    KIND_IS,      /* a number, true or false, or a list of them */
    KIND_LATCH,   /* true, false, or a level */
    KIND_BASIS,   /* a text, or {level: text} */
};

#define KEY_REQUIRED 1u
#define KEY_LATER                                                                                            \
    2u /* of the contract, but not carried out yet: refused, because to ignore it would be dangerous */
#define KEY_ONE_OF 4u /* exactly one of the section's keys with this flag */
#define KEY_ANY_OF 8u /* at least one of them */

struct choice {
    const char *name; /* NULL ends the list */
    int64_t value;
};

struct key_row {
    enum section section;
    const char *name;
    enum key_kind kind;
    unsigned flags;
    double min, max; /* KIND_INT, KIND_NUMBER, KIND_DURATION (ms), KIND_SIZE (bytes), KIND_RATE; KIND_TEXT:
                        max bytes */
    const char *standard; /* the default, as it would be written; NULL: none */
    const struct choice *choices;
    enum section of;     /* KIND_MAP, KIND_ITEMS, KIND_PART, KIND_PARTS, KIND_OPERAND, KIND_LIKE,
                            KIND_LIMIT, KIND_SIGNAL */
    size_t offset, size; /* of the field in the section's struct */
    const char *doc;
};

#define RULE_VALUES_MAX 64 /* of `is` */
#define TABLE_KEYS_MAX 32  /* rows of one section at most */

extern const struct choice table_levels[]; /* without `none` */
extern const struct choice table_levels_or_none[];
extern const struct choice table_qualities[]; /* what a device can say of itself */
extern const struct choice table_commands[];  /* SITE_MAY_*: what a platform may ask for */

struct table_rows {
    const struct key_row *rows;
    size_t count;
};

/* Those of all sections at once, for who asks again and again: to look for a section's passes all rows before it. */
void table_index(struct table_rows rows[SECTION_COUNT]);
const struct key_row *table_key_of(const struct table_rows *rows, const char *name);

/* The rows of a section, which lie together. */
const struct key_row *table_rows(enum section section, size_t *count);
const struct key_row *table_key(enum section section, const char *name); /* NULL: no such key */
const char *table_title(enum section section);                           /* "a rule", for messages */
const struct choice *table_choice(const struct choice *choices, const char *name); /* NULL: no such name */

#endif
