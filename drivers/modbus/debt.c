#include "drivers/modbus/debt.h"

static int64_t at_least(int64_t value, int64_t floor)
{
    return value > floor ? value : floor;
}

bool debt_owes_any(const struct debt *d)
{
    return d->count > 0 || d->many;
}

bool debt_owes(const struct debt *d, uint8_t function, uint32_t shape)
{
    for (unsigned i = 0; i < d->count; i++) {
        if (d->shapes[i].function == function && d->shapes[i].shape == shape)
            return true;
    }
    return d->many;
}

bool debt_owes_function(const struct debt *d, uint8_t function)
{
    for (unsigned i = 0; i < d->count; i++) {
        if (d->shapes[i].function == function)
            return true;
    }
    return d->many;
}

void debt_note(struct debt *d, const struct ask *ask, int64_t now_us)
{
    const uint32_t shape = ask_shape(ask);

    d->since_us = now_us;
    if (debt_owes(d, ask->function, shape))
        return;
    if (d->count == DEBT_SHAPES) {
        d->many = true;
        return;
    }
    d->shapes[d->count].function = ask->function;
    d->shapes[d->count].shape = shape;
    d->count++;
}

void debt_clear(struct debt *d)
{
    d->count = 0;
    d->many = false;
}

static bool debt_has_own_shape(const struct debt *d, const struct ask *probe)
{
    return !debt_owes(d, probe->function, ask_shape(probe));
}

/* A request like this one whose answer has a shape of its own. Shorter ones first: they stay within what
 * the device is known to have. Longer ones only within the device's limit, and several of them, because probes
 * stay unanswered too. */
static bool debt_find_probe(const struct debt *d, const struct ask *ask, struct ask *probe)
{
    const uint32_t step = ask_is_bits(ask) ? 8 : 1; /* bits in one byte of the answer */
    const uint32_t unit_limit = ask_is_bits(ask) ? (ask->limit > 1 ? 16u * ask->limit : 1) : ask->limit;
    const uint32_t last = d->refuses_longer ? 0 : ask->count + step * DEBT_LONGER;

    *probe = *ask;
    if (ask_is_write(ask)) {
        ask_beside(ask, probe);
        if (d->refuses_beside)
            return false;
        if (debt_has_own_shape(d, probe))
            return true;
    }
    for (uint32_t less = step; !d->refuses_shorter && less < ask->count; less += step) {
        probe->count = (uint16_t)(ask->count - less);
        if (debt_has_own_shape(d, probe))
            return true;
    }
    for (uint32_t count = ask->count + step; count <= last && count <= unit_limit; count += step) {
        probe->count = (uint16_t)count;
        if (ask->address + count > 65536 || ask_data_bytes(probe) > ASK_DATA_MAX)
            return false;
        if (debt_has_own_shape(d, probe))
            return true;
    }
    return false;
}

void debt_refuse(struct debt *d, const struct ask *ask, const struct ask *probe)
{
    if (ask_is_write(ask))
        d->refuses_beside = true;
    else if (probe->count > ask->count)
        d->refuses_longer = true;
    else
        d->refuses_shorter = true;
}

/* Whether a probe for this request could be had if nothing were owed but the request itself. */
static bool debt_has_probes(const struct debt *d, const struct ask *ask)
{
    struct debt only = {.refuses_shorter = d->refuses_shorter,
                        .refuses_longer = d->refuses_longer,
                        .refuses_beside = d->refuses_beside};
    struct ask probe;

    debt_note(&only, ask, 0);
    return debt_find_probe(&only, ask, &probe);
}

enum debt_advice debt_advise(struct debt *d, const struct ask *ask, int64_t now_us, int64_t timeout_us,
                             struct ask *probe, int64_t *until_us)
{
    const int64_t age = now_us - d->since_us;
    bool rest;
    int64_t patience;

    if (d->count > 0 && age >= at_least(10 * timeout_us, DEBT_FORGET_MIN_US))
        debt_clear(d);
    if (!debt_owes(d, ask->function, ask_shape(ask)))
        return DEBT_ASK;
    if (debt_find_probe(d, ask, probe))
        return DEBT_PROBE;
    rest = debt_has_probes(d, ask);
    patience =
        rest ? at_least(10 * timeout_us, DEBT_REST_MIN_US) : at_least(2 * timeout_us, DEBT_GRACE_MIN_US);
    if (age >= patience) {
        debt_clear(d);
        return DEBT_ASK;
    }
    *until_us = d->since_us + patience;
    return rest ? DEBT_REST : DEBT_LISTEN;
}
