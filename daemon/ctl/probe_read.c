#include "ctl/probe_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct run {
    struct probe_reading *out;
    const struct driver_raw *model;
    probe_ask_cb ask;
    void *arg;
};

static bool is_of_range(uint8_t exception)
{
    return exception >= 2 && exception <= 4;
}

/* False: nothing more is to be asked. */
static bool ask_part(struct run *r, size_t first, size_t count, struct driver_raw_answer *answer)
{
    struct driver_raw ask = *r->model;

    ask.write = false;
    ask.space = r->out->range.space;
    ask.address = (uint16_t)(r->out->range.first + first);
    ask.count = (uint16_t)count;
    for (int try = 0; try < 2; try++) {
        r->out->requests++;
        if (!r->ask(r->arg, &ask, answer)) {
            r->out->failed = true;
            return false;
        }
        if (answer->result == DRIVER_OK && answer->count != count)
            answer->result = DRIVER_MALFORMED;
        if (answer->result == DRIVER_OK || answer->result == DRIVER_EXCEPTION)
            return true;
        if (answer->result == DRIVER_UNREACHABLE)
            break;
    }
    r->out->result = answer->result;
    (void)text_copy(r->out->detail, sizeof r->out->detail, answer->detail);
    return false;
}

static bool read_part(struct run *r, size_t first, size_t count)
{
    struct driver_raw_answer answer = {0};
    size_t half;

    if (!ask_part(r, first, count, &answer))
        return false;
    if (answer.result == DRIVER_EXCEPTION && count > 1 && is_of_range(answer.exception)) {
        half = count / 2;
        half += half % 2; /* 2 of 2 would be no part */
        if (half == count)
            half = count / 2;
        return read_part(r, first, half) && read_part(r, first + half, count - half);
    }
    for (size_t i = 0; i < count; i++) {
        struct probe_cell *cell = &r->out->cells[first + i];

        if (answer.result == DRIVER_EXCEPTION) {
            cell->state = CELL_REFUSED;
            cell->exception = answer.exception;
        } else {
            cell->state = CELL_READ;
            cell->value = answer.values[i];
            r->out->read++;
        }
    }
    return true;
}

enum rg_err probe_read(const struct probe_range *range, uint16_t max, const struct driver_raw *model,
                       probe_ask_cb ask, void *arg, struct probe_reading *out)
{
    struct run r = {out, model, ask, arg};
    bool go_on = true;

    memset(out, 0, sizeof *out);
    out->range = *range;
    out->cells = calloc(range->count ? range->count : 1, sizeof *out->cells);
    if (!out->cells)
        return RG_ENOMEM;
    for (size_t first = 0; first < range->count && go_on; first += max) {
        size_t left = range->count - first;

        go_on = read_part(&r, first, left < max ? left : max);
    }
    return RG_OK;
}

void probe_reading_free(struct probe_reading *r)
{
    free(r->cells);
    r->cells = NULL;
}
