/* Errands: carried out when the bus is free, answered exactly once.
 *
 * What an errand finds wrong with the link is not held against the bus or its units: nobody else should wait because a
 * module that is not there was asked for. The next poll finds out for itself. An answer, though, shows that the bus
 * is up. */
#include <stdlib.h>

#include "base/text.h"
#include "poll/bus.h"

static void answer_errand(struct errand *e, const struct driver_raw_answer *answer)
{
    /* Freed first: what done does with the poll, it may do with all memory in its place. */
    const struct poll_errand what = e->what;

    free(e);
    if (what.done != NULL)
        what.done(what.arg, answer);
}

static void answer_all(struct errand *e, const struct driver_raw_answer *answer)
{
    while (e != NULL) {
        struct errand *next = e->next;

        answer_errand(e, answer);
        e = next;
    }
}

bool carry_begin(struct bus *b, bool poll_waits)
{
    struct errand *e = errands_take(&b->errands, poll_waits, loop_mono_ms(b->context->loop));

    if (e == NULL)
        return false;
    b->errand = e;
    b->raw = &e->what.ask;
    b->raw_answer = (struct driver_raw_answer){.result = DRIVER_BROKEN};
    bus_submit(b, BUS_WORK_ERRAND);
    return true;
}

void carry_result(struct bus *b, const struct moment *at, int64_t duration_us)
{
    struct errand *e = b->errand;
    const struct driver_raw_answer answer = b->raw_answer;
    const enum driver_result result = answer.result;
    const bool told = bus_nobody_answers(b, &e->what.ask);
    const bool answered = !told && (result == DRIVER_OK || result == DRIVER_EXCEPTION);

    b->errand = NULL;
    errands_ended(&b->errands, e->what.ask.unit, told ? result == DRIVER_OK : answered, at->mono_ms);
    bus_count(b, result, answered, duration_us);
    if (!health_is_bus_failure(result))
        notify_bus(b, bus_health_step(&b->health, told ? DRIVER_SILENT : result, at->mono_ms, &b->random));
    /* What could not be opened for one could not be for those that waited with it: they need not pay for it as well. */
    struct errand *others = result == DRIVER_UNREACHABLE ? errands_take_all(&b->errands) : NULL;
    answer_errand(e, &answer);
    answer_all(others, &answer);
}

bool carry_pass(struct bus *b, poll_done_cb done, const void *from, void *to)
{
    if (b->errand == NULL || b->errand->what.done != done || b->errand->what.arg != from)
        return errands_pass(&b->errands, done, from, to);
    b->errand->what.arg = to;
    return true;
}

bool carry_drop(struct bus *b, poll_done_cb done, const void *arg)
{
    if (b->errand == NULL || b->errand->what.done != done || b->errand->what.arg != arg)
        return errands_drop(&b->errands, done, arg);
    b->errand->what.done = NULL; /* it is being carried out: what comes of it is nobody's */
    return true;
}

void carry_end(struct bus *b)
{
    struct driver_raw_answer answer = {.result = DRIVER_BROKEN};

    (void)text_copy(answer.detail, sizeof(answer.detail), "not carried out: polling ends");
    if (b->errand != NULL) {
        struct errand *e = b->errand;

        b->errand = NULL;
        /* Its worker has ended: it was carried out after all, or cancelled. */
        answer_errand(e, &b->raw_answer);
    }
    answer_all(errands_take_all(&b->errands), &answer);
}
