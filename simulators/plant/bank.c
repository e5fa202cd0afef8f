#include "plant/bank.h"

#include <stdlib.h>
#include <string.h>

const char *const bank_space_names[BANK_SPACE_COUNT] = {"coil", "discrete", "input", "holding"};

static unsigned register_end(const struct bank_register *reg)
{
    return reg->address + value_words((enum value_type)reg->type);
}

static int by_address(const void *a, const void *b)
{
    const struct bank_register *left = a;
    const struct bank_register *right = b;
    return (left->address > right->address) - (left->address < right->address);
}

const struct bank_register *bank_sort(struct bank_span *span)
{
    if (span->count > 1)
        qsort(span->registers, span->count, sizeof(*span->registers), by_address);
    for (size_t i = 1; i < span->count; i++) {
        if (register_end(&span->registers[i - 1]) > span->registers[i].address)
            return &span->registers[i];
    }
    return NULL;
}

/* Index of the first register that ends behind the address. */
static size_t span_find(const struct bank_span *span, unsigned address)
{
    size_t low = 0;
    size_t high = span->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (register_end(&span->registers[middle]) <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void register_words(struct bank_register *reg, int64_t t_us, uint16_t *words)
{
    if (reg->held) {
        memcpy(words, reg->words, sizeof(reg->words));
        return;
    }
    uint64_t bits = reg->wave->raw;
    if (reg->wave->kind != WAVE_RAW) {
        double value = wave_value(reg->wave, &reg->state, t_us);
        bits = value_bits((enum value_type)reg->type, (value - reg->offset) / reg->scale);
    }
    value_encode((enum value_type)reg->type, (enum value_order)reg->order, bits, words);
}

/* False when an address of the range is nobody's. */
static bool span_read(const struct bank *bank, enum bank_space space, int64_t t_us, unsigned address,
                      unsigned quantity, uint16_t *out)
{
    const struct bank_span *span = &bank->spaces[space];
    size_t at = span_find(span, address);
    for (unsigned done = 0; done < quantity;) {
        unsigned here = address + done;
        if (at == span->count || (at == 0 && here < span->registers[0].address))
            return false;
        struct bank_register *reg = &span->registers[at];
        if (here < reg->address) {
            if (!bank->fill)
                return false;
            out[done++] = 0;
            continue;
        }
        uint16_t words[VALUE_WORDS_MAX];
        register_words(reg, t_us, words);
        for (; here < register_end(reg) && done < quantity; here++)
            out[done++] = words[here - reg->address];
        at++;
    }
    return true;
}

static bool span_writable(const struct bank_span *span, unsigned address, unsigned quantity)
{
    unsigned here = address;
    for (size_t at = span_find(span, address); here < address + quantity; at++) {
        if (at == span->count || here < span->registers[at].address || !span->registers[at].writable)
            return false;
        here = register_end(&span->registers[at]);
    }
    return true;
}

static void span_write(const struct bank_span *span, int64_t t_us, unsigned address, unsigned quantity,
                       const uint16_t *words)
{
    unsigned here = address;
    for (size_t at = span_find(span, address); here < address + quantity; at++) {
        struct bank_register *reg = &span->registers[at];
        uint16_t now[VALUE_WORDS_MAX]; /* a part of a longer value may be written: keep the rest */
        register_words(reg, t_us, now);
        for (; here < register_end(reg) && here < address + quantity; here++)
            now[here - reg->address] = words[here - address];
        memcpy(reg->words, now, value_words((enum value_type)reg->type) * sizeof(now[0]));
        reg->held = true;
    }
}

static enum bank_space space_of(uint8_t function)
{
    switch (function) {
    case CODEC_READ_COILS:
    case CODEC_WRITE_COIL:
    case CODEC_WRITE_COILS:
        return BANK_COIL;
    case CODEC_READ_DISCRETE:
        return BANK_DISCRETE;
    case CODEC_READ_INPUT:
        return BANK_INPUT;
    default:
        return BANK_HOLDING;
    }
}

size_t bank_answer(struct bank *bank, int64_t t_us, const struct codec_request *request, uint8_t *out)
{
    uint16_t words[CODEC_READ_BITS];
    enum bank_space space = space_of(request->function);
    unsigned address = request->address;
    unsigned quantity = request->quantity;
    bool within = address + quantity <= UINT16_MAX + 1u;
    if (request->data == NULL) {
        if (!within || !span_read(bank, space, t_us, address, quantity, words))
            return codec_answer_exception(request->function, CODEC_ILLEGAL_ADDRESS, out);
        return codec_answer_read(request->function, words, request->quantity, out);
    }
    if (!within || !span_writable(&bank->spaces[space], address, quantity))
        return codec_answer_exception(request->function, CODEC_ILLEGAL_ADDRESS, out);
    codec_written(request, words);
    span_write(&bank->spaces[space], t_us, address, quantity, words);
    return codec_answer_write(request, out);
}

static struct bank_register *register_at(struct bank *bank, enum bank_space space, uint16_t address)
{
    struct bank_span *span = &bank->spaces[space];
    size_t at = span_find(span, address);
    return at < span->count && span->registers[at].address == address ? &span->registers[at] : NULL;
}

bool bank_hold(struct bank *bank, enum bank_space space, uint16_t address, double value)
{
    struct bank_register *reg = register_at(bank, space, address);
    if (reg == NULL)
        return false;
    uint64_t bits = value_bits((enum value_type)reg->type, (value - reg->offset) / reg->scale);
    value_encode((enum value_type)reg->type, (enum value_order)reg->order, bits, reg->words);
    reg->held = true;
    return true;
}

bool bank_release(struct bank *bank, enum bank_space space, uint16_t address)
{
    struct bank_register *reg = register_at(bank, space, address);
    if (reg == NULL)
        return false;
    reg->held = false;
    return true;
}
