#include "drivers/modbus/raw.h"

#include <string.h>

#include "base/text.h"
#include "drivers/modbus/link.h"

static const char *write_of(const struct driver_raw *raw, struct ask *ask)
{
    const bool bits = raw->space == SPACE_COIL;

    if (!bits && raw->space != SPACE_HOLDING)
        return "only coils and holding registers can be written";
    if (raw->count > DRIVER_RAW_WRITE_MAX)
        return "too many to be written at once";
    for (unsigned i = 0; bits && i < raw->count; i++) {
        if (raw->values[i] > 1)
            return "a coil is 0 or 1";
    }
    if (raw->count == 1)
        ask->function = bits ? 5 : 6;
    else
        ask->function = bits ? 15 : 16;
    ask->values = raw->values;
    return NULL;
}

static const char *read_of(const struct driver_raw *raw, struct ask *ask)
{
    static const uint8_t functions[] = {
        [SPACE_COIL] = 1, [SPACE_DISCRETE] = 2, [SPACE_HOLDING] = 3, [SPACE_INPUT] = 4};

    if ((size_t)raw->space >= RG_COUNT(functions))
        return "no such space";
    if (raw->count > DRIVER_RAW_READ_MAX)
        return "too many to be read at once";
    ask->function = functions[raw->space];
    return NULL;
}

const char *raw_ask(const struct driver_raw *raw, struct ask *ask)
{
    *ask = (struct ask){.unit = raw->unit,
                        .address = raw->address,
                        .count = raw->count,
                        .limit = raw->count,
                        .gap_us = raw->gap_ms * 1000};
    if (raw->count == 0)
        return "nothing to be read or written";
    if ((uint32_t)raw->address + raw->count > 65536)
        return "beyond the last address";
    return raw->write ? write_of(raw, ask) : read_of(raw, ask);
}

static void unpack(const struct ask *ask, const uint8_t *data, uint16_t *values)
{
    for (unsigned i = 0; i < ask->count; i++) {
        if (ask_is_bits(ask))
            values[i] = (uint16_t)(data[i / 8] >> i % 8 & 1);
        else
            values[i] = (uint16_t)(data[2 * i] << 8 | data[2 * i + 1]);
    }
}

void raw_carry_out(struct driver_link *link, const struct driver_raw *raw, struct driver_raw_answer *answer)
{
    struct ask ask;
    struct link_answer got;
    const char *why = raw_ask(raw, &ask);

    memset(answer, 0, sizeof *answer);
    if (why) {
        answer->result = DRIVER_MALFORMED;
        (void)text_format(answer->detail, sizeof answer->detail, "not sent: %s", why);
        return;
    }
    link_ask(link, &ask, raw->timeout_ms, &got);
    answer->result = got.result;
    answer->exception = got.exception;
    answer->sent = got.sent;
    (void)text_copy(answer->detail, sizeof answer->detail, got.detail);
    if (got.result == DRIVER_OK && !raw->write) {
        answer->count = ask.count;
        unpack(&ask, got.data, answer->values);
    }
}
