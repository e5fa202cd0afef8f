/* What an operator is told: crossings, and what is worth knowing once. */
#include "base/text.h"
#include "poll/bus.h"

#define NOTE_MAX 256
#define REQUEST_TEXT_MAX 64

const char *notify_text(const struct driver_answer *answer)
{
    return answer->detail[0] != '\0' ? answer->detail : driver_result_name(answer->result);
}

void notify_bus(struct bus *b, enum health_crossing crossing)
{
    const struct bus_context *context = b->context;

    if (crossing == HEALTH_LOST)
        (void)text_copy(b->stats.detail, sizeof(b->stats.detail), notify_text(&b->answer));
    else if (b->health.state == BUS_UP)
        b->stats.detail[0] = '\0';
    if (crossing != HEALTH_SAME && context->cbs.bus != NULL)
        context->cbs.bus(context->arg, b->index, b->health.state,
                         crossing == HEALTH_LOST ? b->stats.detail : "open again");
}

void notify_device(struct bus *b, struct unit *u, enum health_crossing crossing, int64_t now_ms)
{
    const struct bus_context *context = b->context;
    char detail[DRIVER_DETAIL_MAX + 64];

    if (crossing == HEALTH_SAME)
        return;
    if (crossing == HEALTH_LOST) {
        u->silent_since = now_ms;
        (void)text_format(detail, sizeof(detail), "%u polls in a row without an answer: %s", u->health.silent,
                          u->stats.detail);
    } else {
        (void)text_format(detail, sizeof(detail), "answers again after %lld s",
                          (long long)((now_ms - u->silent_since) / 1000));
    }
    if (context->cbs.device != NULL)
        context->cbs.device(context->arg, u->index, u->health.state, detail);
}

void notify_polled(const struct bus *b, const struct unit *u, bool answered)
{
    if (b->context->cbs.polled != NULL)
        b->context->cbs.polled(b->context->arg, u->index, answered);
}

static void note(const struct bus *b, const char *text)
{
    const struct bus_context *context = b->context;

    if (context->cbs.note != NULL)
        context->cbs.note(context->arg, b->units[b->turn.unit]->index, text);
}

static const char *describe(const struct bus *b, const struct driver_plan *plan, size_t request,
                            char out[REQUEST_TEXT_MAX])
{
    if (b->context->driver->plan_describe != NULL)
        b->context->driver->plan_describe(plan, request, out, REQUEST_TEXT_MAX);
    else
        (void)text_format(out, REQUEST_TEXT_MAX, "request %zu", request + 1);
    return out;
}

void notify_left_out(struct bus *b, size_t request)
{
    const struct unit *u = b->units[b->turn.unit];
    char text[NOTE_MAX], what[REQUEST_TEXT_MAX];

    (void)text_format(text, sizeof(text),
                      "answers, but not to %s (%s): left out of its polls and tried again at growing gaps",
                      describe(b, u->plan, request, what), u->stats.detail);
    note(b, text);
}

void notify_asked_again(struct bus *b, size_t request)
{
    char text[NOTE_MAX], what[REQUEST_TEXT_MAX];

    (void)text_format(text, sizeof(text), "answers to %s again",
                      describe(b, b->units[b->turn.unit]->plan, request, what));
    note(b, text);
}

void notify_divided(struct bus *b, size_t first_part, size_t parts)
{
    char text[NOTE_MAX], what[REQUEST_TEXT_MAX];

    (void)text_format(
        text, sizeof(text),
        "refuses %s as a whole (it may lack addresses in between that no point uses): read in %zu "
        "%s from now on",
        describe(b, b->units[b->turn.unit]->whole, first_part, what), parts,
        parts == 1 ? "smaller request" : "requests");
    note(b, text);
}
