#include "plant/fault.h"

#include <string.h>

#include "plant/wave.h"

const char *const fault_kind_names[FAULT_KIND_COUNT] = {
    "mute", "late", "exception", "wrong_unit", "wrong_crc", "wrong_tid",
    "cut",  "drop", "refuse",    "garbage",    "foreign",   "wrong_length"};

const char *fault_argument_name(enum fault_kind kind)
{
    switch (kind) {
    case FAULT_LATE:
        return "by";
    case FAULT_EXCEPTION:
        return "code";
    case FAULT_CUT:
    case FAULT_GARBAGE:
        return "bytes";
    default:
        return NULL;
    }
}

struct fault_argument fault_argument(enum fault_kind kind)
{
    switch (kind) {
    case FAULT_LATE:
        return (struct fault_argument){.least = 1, .most = 600000, .needed = true};
    case FAULT_EXCEPTION:
        return (struct fault_argument){.least = 1, .most = 255, .usual = 4};
    case FAULT_CUT:
    case FAULT_GARBAGE:
        return (struct fault_argument){.least = 1, .most = CODEC_RTU_MAX, .usual = 0};
    default:
        return (struct fault_argument){.least = 1, .most = 0};
    }
}

bool fault_active(const struct fault *fault, int64_t t_us)
{
    if (fault->loop_us > 0)
        t_us %= fault->loop_us;
    return t_us >= fault->from_us && t_us < fault->to_us && (fault->times == 0 || fault->hits < fault->times);
}

bool fault_hit(struct fault *fault, int64_t t_us)
{
    if (fault->kind == FAULT_REFUSE || !fault_active(fault, t_us))
        return false;
    fault->seen++;
    if (fault->every > 1 && fault->seen % fault->every != 0)
        return false;
    fault->hits++;
    return true;
}

static size_t garbage(const struct fault *fault, uint64_t random, size_t usual, uint8_t *out)
{
    size_t length = fault->argument > 0 ? (size_t)fault->argument : usual;
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)wave_hash(random, i);
    return length;
}

static size_t wrong_length(const struct fault_context *context, const uint8_t *pdu, size_t length,
                           uint8_t *out)
{
    uint8_t changed[CODEC_PDU_MAX + 2];
    memcpy(changed, pdu, length);
    if (pdu[0] <= CODEC_READ_INPUT && length >= 2) {
        size_t step = pdu[0] >= CODEC_READ_HOLDING ? 2 : 1;
        bool more = length + step <= CODEC_PDU_MAX;
        memset(changed + length, 0, step);
        length = more ? length + step : length - step;
        changed[1] = (uint8_t)(length - 2);
    } else {
        length--;
    }
    return codec_wrap(context->framing, context->transaction, context->unit, changed, length, out);
}

/* The same function and quantity, all values 0xAA: what does harm when it is taken for the answer. */
static size_t foreign(const struct fault_context *context, const uint8_t *pdu, size_t length, uint8_t *out)
{
    uint8_t changed[CODEC_PDU_MAX];
    memcpy(changed, pdu, length);
    if (length > 2)
        memset(changed + 2, 0xAA, length - 2);
    return codec_wrap(context->framing, (uint16_t)(context->transaction + 0x5555u),
                      (uint8_t)(context->unit + 1), changed, length, out);
}

size_t fault_frame(const struct fault *fault, const struct fault_context *context, const uint8_t *pdu,
                   size_t length, uint8_t *out)
{
    struct fault_context told = *context;
    size_t before = 0;
    if (fault != NULL && fault->kind == FAULT_WRONG_UNIT)
        told.unit = (uint8_t)(told.unit + 1);
    if (fault != NULL && fault->kind == FAULT_WRONG_TID)
        told.transaction = (uint16_t)(told.transaction - 1);
    if (fault != NULL && fault->kind == FAULT_FOREIGN)
        before = foreign(context, pdu, length, out);
    if (fault != NULL && fault->kind == FAULT_WRONG_LENGTH)
        return wrong_length(context, pdu, length, out);
    size_t whole = codec_wrap(told.framing, told.transaction, told.unit, pdu, length, out + before);
    if (fault == NULL)
        return whole;
    if (fault->kind == FAULT_WRONG_CRC) {
        out[whole - 2] ^= 0xFF;
        out[whole - 1] ^= 0xFF;
    }
    if (fault->kind == FAULT_GARBAGE)
        return garbage(fault, context->random, whole, out);
    if (fault->kind == FAULT_CUT) {
        size_t kept = fault->argument > 0 ? (size_t)fault->argument : whole / 2;
        return kept < whole ? kept : whole;
    }
    return before + whole;
}

struct fault *fault_set_pick(struct fault_set *set, int64_t t_us)
{
    for (size_t i = 0; i < set->manual_count; i++) {
        if (fault_hit(&set->manual[i], t_us))
            return &set->manual[i];
    }
    for (size_t i = 0; i < set->timed_count; i++) {
        if (fault_hit(&set->timed[i], t_us))
            return &set->timed[i];
    }
    return NULL;
}

bool fault_set_refuses(const struct fault_set *set, int64_t t_us)
{
    for (size_t i = 0; i < set->manual_count; i++) {
        if (set->manual[i].kind == FAULT_REFUSE)
            return true;
    }
    for (size_t i = 0; i < set->timed_count; i++) {
        if (set->timed[i].kind == FAULT_REFUSE && fault_active(&set->timed[i], t_us))
            return true;
    }
    return false;
}

bool fault_set_add(struct fault_set *set, const struct fault *fault)
{
    for (size_t i = 0; i < set->manual_count; i++) {
        if (set->manual[i].kind == fault->kind) {
            set->manual[i] = *fault;
            return true;
        }
    }
    if (set->manual_count == FAULT_MANUAL_MAX)
        return false;
    set->manual[set->manual_count++] = *fault;
    return true;
}
