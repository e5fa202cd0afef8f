#include "poll/trigger.h"

bool trigger_first(const struct trigger *t, const struct site_trigger *what, int64_t now_ms)
{
    return what->enabled && (t->phase == TRIGGER_OPEN || now_ms < t->ready_ms);
}

void trigger_written(struct trigger *t, const struct site_trigger *what, int64_t at_ms)
{
    *t = (struct trigger){.phase = TRIGGER_WAITING, .ready_ms = at_ms + what->wait_ms};
}

void trigger_end(struct trigger *t)
{
    *t = (struct trigger){.phase = TRIGGER_OPEN};
}

void trigger_ask(const struct site_device *device, struct driver_raw *out)
{
    const struct site_trigger *what = &device->trigger;

    *out = (struct driver_raw){
        .write = true,
        .unit = what->broadcast ? 0 : device->unit,
        .space = what->space,
        .address = what->address,
        .count = 1,
        .values = {what->value},
        .gap_ms = device->gap_ms,
        .timeout_ms = device->timeout_ms,
    };
}
