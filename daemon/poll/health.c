#include "poll/health.h"

const char *unit_state_name(enum unit_state state)
{
    static const char *const names[] = {"unknown", "online", "doubtful", "suspended"};

    return (size_t)state < RG_COUNT(names) ? names[state] : "?";
}

const char *bus_state_name(enum bus_state state)
{
    static const char *const names[] = {"idle", "up", "down"};

    return (size_t)state < RG_COUNT(names) ? names[state] : "?";
}

bool health_is_bus_failure(enum driver_result result)
{
    return result == DRIVER_BROKEN || result == DRIVER_UNREACHABLE;
}

int64_t health_probe_first_ms(int64_t period_ms)
{
    if (period_ms <= POLL_PROBE_FIRST_MS)
        return POLL_PROBE_FIRST_MS;
    return period_ms < POLL_PROBE_CAP_MS ? period_ms : POLL_PROBE_CAP_MS;
}

void unit_health_init(struct unit_health *h, int64_t period_ms)
{
    *h = (struct unit_health){.state = UNIT_UNKNOWN};
    backoff_init(&h->backoff, health_probe_first_ms(period_ms), POLL_PROBE_CAP_MS);
}

unsigned unit_health_silent(const struct unit_health *h)
{
    unsigned silent = 0;

    while (silent < h->known && (h->history >> silent & 1) == 0)
        silent++;
    return silent;
}

enum health_crossing unit_health_step(struct unit_health *h, bool answered, int64_t now_ms,
                                      struct rg_random *random)
{
    bool was_suspended = h->state == UNIT_SUSPENDED;

    h->history = (uint8_t)(h->history << 1 | (answered ? 1 : 0));
    if (h->known < UNIT_HISTORY_POLLS)
        h->known++;
    if (answered) {
        h->state = UNIT_ONLINE;
        backoff_reset(&h->backoff);
        return was_suspended ? HEALTH_BACK : HEALTH_SAME;
    }
    if (unit_health_silent(h) < POLL_SUSPEND_AFTER) {
        h->state = UNIT_DOUBTFUL;
        return HEALTH_SAME;
    }
    h->state = UNIT_SUSPENDED;
    h->probe_at_ms = now_ms + backoff_fail(&h->backoff, random);
    return was_suspended ? HEALTH_SAME : HEALTH_LOST;
}

void bus_health_init(struct bus_health *h)
{
    *h = (struct bus_health){.state = BUS_IDLE};
    backoff_init(&h->backoff, POLL_BUS_FIRST_MS, POLL_BUS_CAP_MS);
}

enum health_crossing bus_health_step(struct bus_health *h, enum driver_result result, int64_t now_ms,
                                     struct rg_random *random)
{
    bool was_down = h->state == BUS_DOWN;

    if (health_is_bus_failure(result)) {
        h->state = BUS_DOWN;
        h->retry_at_ms = now_ms + backoff_fail(&h->backoff, random);
        return was_down ? HEALTH_SAME : HEALTH_LOST;
    }
    h->state = BUS_UP;
    if (result != DRIVER_SILENT)
        backoff_reset(&h->backoff);
    return was_down ? HEALTH_BACK : HEALTH_SAME;
}
