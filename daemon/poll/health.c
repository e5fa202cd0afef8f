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

static int64_t longest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct health_limits health_limits_of(const struct site_device *device)
{
    const int64_t cap = device->probe_ms > 0 ? device->probe_ms : POLL_PROBE_CAP_MS;
    const int64_t first = longest(POLL_PROBE_FIRST_MS, longest(device->poll_ms, 2 * device->timeout_ms));

    return (struct health_limits){
        .misses = device->misses > 0 ? device->misses : POLL_SUSPEND_AFTER,
        .probe_first_ms = first < cap ? first : cap,
        .probe_cap_ms = cap,
    };
}

int64_t health_rest_ms(const struct site_device *device, const struct site_bus *bus)
{
    if (bus->kind == BUS_TCP || device->max_registers > 1)
        return 0;
    return longest(POLL_REST_MIN_MS, 2 * device->timeout_ms);
}

void unit_health_init(struct unit_health *h, const struct health_limits *limits)
{
    *h = (struct unit_health){.state = UNIT_UNKNOWN, .limits = *limits};
    backoff_init(&h->backoff, limits->probe_first_ms, limits->probe_cap_ms);
}

unsigned unit_health_answered(const struct unit_health *h)
{
    return (unsigned)__builtin_popcount(h->history);
}

enum health_crossing unit_health_step(struct unit_health *h, bool answered, int64_t now_ms,
                                      struct rg_random *random)
{
    bool was_suspended = h->state == UNIT_SUSPENDED;

    h->history = h->history << 1 | (answered ? 1 : 0);
    if (h->known < UNIT_HISTORY_POLLS)
        h->known++;
    if (answered) {
        h->soft += was_suspended ? 0 : h->silent;
        h->silent = 0;
        h->state = UNIT_ONLINE;
        backoff_reset(&h->backoff);
        return was_suspended ? HEALTH_BACK : HEALTH_SAME;
    }
    h->silent += h->silent < UINT32_MAX ? 1 : 0;
    if (h->silent < h->limits.misses) {
        h->state = UNIT_DOUBTFUL;
        return HEALTH_SAME;
    }
    h->state = UNIT_SUSPENDED;
    h->probe_at_ms = now_ms + backoff_fail(&h->backoff, random);
    return was_suspended ? HEALTH_SAME : HEALTH_LOST;
}

void bus_health_init(struct bus_health *h, int64_t retry_ms)
{
    const int64_t cap = retry_ms > 0 ? retry_ms : POLL_BUS_CAP_MS;

    *h = (struct bus_health){.state = BUS_IDLE};
    backoff_init(&h->backoff, POLL_BUS_FIRST_MS < cap ? POLL_BUS_FIRST_MS : cap, cap);
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
