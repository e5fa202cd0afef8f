#include "drivers/modbus/link_judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void link_end(struct link_answer *answer, enum driver_result result, const char *format, ...)
{
    va_list args;

    answer->result = result;
    answer->length = 0;
    va_start(args, format);
    (void)vsnprintf(answer->detail, sizeof answer->detail, format, args);
    va_end(args);
}

static void take_data(const struct ask *ask, struct link_answer *answer, const uint8_t *body)
{
    answer->result = DRIVER_OK;
    answer->detail[0] = '\0';
    answer->length = ask_data_bytes(ask); /* 0 for a write: then body[2] is part of its address */
    memcpy(answer->data, body + 3, answer->length);
}

static void take_exception(struct link_answer *answer, uint8_t code)
{
    /* These two come from a gateway and speak of its target: nobody answered. */
    const bool nobody = code == EXCEPTION_GATEWAY_PATH || code == EXCEPTION_GATEWAY_TARGET;

    link_end(answer, nobody ? DRIVER_SILENT : DRIVER_EXCEPTION, "%s", exception_text(code));
    answer->exception = code;
}

bool judge_tcp(const struct ask *ask, uint16_t current, unsigned issued, const uint8_t *frame, size_t length,
               struct link_answer *answer)
{
    uint16_t transaction = 0;
    unsigned behind;
    enum answer_kind kind;

    if (!answer_transaction(frame, length, &transaction)) {
        link_end(answer, DRIVER_MALFORMED, "answer whose header contradicts itself");
        return true;
    }
    behind = (uint16_t)(current - transaction);
    if (behind > 0 && behind < issued)
        return false; /* late, and known by its number: whole, so the next frame begins right after it */
    if (behind > 0) {
        link_end(answer, DRIVER_MALFORMED, "answer with a foreign transaction id");
        return true;
    }
    kind = answer_judge(ask, frame + MBAP_BYTES - 1, length - (MBAP_BYTES - 1));
    if (kind == ANSWER_DATA)
        take_data(ask, answer, frame + MBAP_BYTES - 1);
    else if (kind == ANSWER_EXCEPTION)
        take_exception(answer, frame[MBAP_BYTES + 1]);
    else
        link_end(answer, DRIVER_MALFORMED, "%s", answer_kind_text(kind));
    return true;
}

/* frame is owed by the unit that it names: a late answer, recognised. Its CRC may not have been looked at
 * (libmodbus does not for other units), which does not matter for a frame that is thrown away. */
static bool is_late_rtu(const struct debt *debts, const uint8_t *frame)
{
    const struct debt *d = &debts[frame[0]];

    if (frame[1] & 0x80)
        return debt_owes_function(d, frame[1] & 0x7f);
    return debt_owes(d, frame[1], answer_shape(frame));
}

bool judge_rtu(const struct ask *ask, const struct debt *debts, const uint8_t *frame, size_t length,
               struct link_answer *answer)
{
    /* For a unit other than the one set libmodbus says 0, not having looked at the CRC. */
    const enum answer_kind kind = frame[0] != ask->unit ? ANSWER_WRONG_UNIT
                                  : length < 5          ? ANSWER_WRONG_LENGTH
                                                        : answer_judge(ask, frame, length - 2);

    if (kind == ANSWER_DATA) {
        take_data(ask, answer, frame);
    } else if (kind == ANSWER_EXCEPTION && !debt_owes_function(&debts[ask->unit], ask->function)) {
        take_exception(answer, frame[2]);
    } else if (kind == ANSWER_EXCEPTION) {
        link_end(answer, DRIVER_MALFORMED, "exception (%s) that may belong to an earlier request",
                 exception_text(frame[2]));
        answer->exception = frame[2];
    } else if (is_late_rtu(debts, frame)) {
        return false;
    } else {
        link_end(answer, DRIVER_MALFORMED, "%s", answer_kind_text(kind));
    }
    return true;
}
