/* Part of the site: registers beside a point's own, and what they decide about it. Included by model/site.h. */
#ifndef RG_MODEL_SITE_GATE_H
#define RG_MODEL_SITE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/quality.h"

enum point_space {
    SPACE_COIL,
    SPACE_DISCRETE,
    SPACE_INPUT,
    SPACE_HOLDING,
    SPACE_DERIVED, /* not read: worked out on the gateway; has no address */
};
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

/* One register (or bit) as an unsigned number: and-ed with mask, then shifted right to the mask's lowest bit. */
struct site_register {
    enum point_space space;
    uint16_t address; /* zero-based */
    uint16_t mask;    /* 0: all 16 bits */
};

enum gate_kind {
    GATE_VALUES,    /* its value names a quality */
    GATE_BITS,      /* each set bit names a quality */
    GATE_HEARTBEAT, /* its value must change within a time, else QUALITY_STALE */
};

struct gate_case {
    uint32_t value; /* GATE_VALUES: that value; GATE_BITS: that bit, 0 to 15 */
    enum quality quality;
};

/* A register that is read with the device and decides on the quality of all its points: status words, states,
 * heartbeats. One that could not be read makes them bad with the reason why it could not. */
struct site_gate {
    enum gate_kind kind;
    struct site_register at;
    const struct gate_case *cases; /* GATE_BITS: the first set one wins; GATE_VALUES: the one that is equal */
    size_t case_count;
    enum quality otherwise; /* GATE_VALUES: of a value that is not named; QUALITY_GOOD unless given */
    int64_t within_ms;      /* GATE_HEARTBEAT */
};

#endif
