/* The registers of one unit: answers request PDUs from its signals and takes what is written. Pure. */
#ifndef RG_PLANT_BANK_H
#define RG_PLANT_BANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plant/codec.h"
#include "plant/value.h"
#include "plant/wave.h"

enum bank_space { BANK_COIL, BANK_DISCRETE, BANK_INPUT, BANK_HOLDING, BANK_SPACE_COUNT };
extern const char *const bank_space_names[BANK_SPACE_COUNT];

struct bank_register {
    uint16_t address;
    uint8_t type, order; /* enum value_type, enum value_order */
    bool writable;
    bool held; /* words stand for the signal: written by a client or by the control socket */
    uint16_t words[VALUE_WORDS_MAX];
    double scale, offset; /* raw = (value - offset) / scale */
    const struct wave *wave;
    struct wave_state state;
};

struct bank_span {
    struct bank_register *registers; /* ascending by address, without overlap */
    size_t count;
};

struct bank {
    struct bank_span spaces[BANK_SPACE_COUNT];
    bool fill; /* addresses between the first and the last register read as 0 instead of exception 2 */
};

/* Answers a request that codec_parse found good, at the moment t_us of the plant's time; out holds CODEC_PDU_MAX bytes.
 * Returns the length of the answer. Never fails: an address that is not there, or not writable, is exception 2. */
size_t bank_answer(struct bank *bank, int64_t t_us, const struct codec_request *request, uint8_t *out);

/* Holds the register that begins at the address at an engineering value, or gives it back to its signal. False when no
 * register begins there. */
bool bank_hold(struct bank *bank, enum bank_space space, uint16_t address, double value);
bool bank_release(struct bank *bank, enum bank_space space, uint16_t address);

/* The first register of a span that overlaps the one before it, or NULL. Sorts the span. */
const struct bank_register *bank_sort(struct bank_span *span);

#endif
