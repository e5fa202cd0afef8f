#include "uplink/session.h"

#define NEVER INT64_MAX

const char *session_state_name(enum session_state state)
{
    switch (state) {
    case SESSION_IDLE:
        return "idle";
    case SESSION_CONNECTING:
        return "connecting";
    case SESSION_FRESH:
        return "fresh";
    case SESSION_STABLE:
        return "stable";
    case SESSION_WAITING:
        return "waiting";
    case SESSION_FLUSHING:
        return "flushing";
    case SESSION_PARTING:
        return "parting";
    case SESSION_CLOSING:
        return "closing";
    case SESSION_CLOSED:
        return "closed";
    }
    return "?";
}

void session_init(struct session *s, int64_t first_ms, int64_t cap_ms, int64_t stable_ms, uint64_t seed)
{
    *s = (struct session){.state = SESSION_IDLE, .deadline_ms = NEVER, .stable_ms = stable_ms};
    backoff_init(&s->backoff, first_ms, cap_ms);
    random_seed(&s->random, seed);
}

static unsigned enter(struct session *s, enum session_state state, int64_t deadline_ms, unsigned actions)
{
    s->state = state;
    s->deadline_ms = deadline_ms;
    return actions;
}

static unsigned wait_for_next(struct session *s, int64_t now_ms, unsigned actions)
{
    return enter(s, SESSION_WAITING, now_ms + backoff_fail(&s->backoff, &s->random), actions);
}

static unsigned step_connecting(struct session *s, enum session_input input, int64_t now_ms, bool due)
{
    if (input == SESSION_CONNECTED)
        return enter(s, SESSION_FRESH, now_ms + s->stable_ms, SESSION_DO_UP);
    if (input == SESSION_FAILED || input == SESSION_LOST || due)
        return wait_for_next(s, now_ms, 0);
    if (input == SESSION_STOP)
        return enter(s, SESSION_CLOSED, NEVER, SESSION_DO_DONE);
    return 0;
}

static unsigned step_waiting(struct session *s, enum session_input input, int64_t now_ms, bool due)
{
    /* A try that was given up for its silence may still come about: a late connection is a connection. */
    if (input == SESSION_CONNECTED)
        return enter(s, SESSION_FRESH, now_ms + s->stable_ms, SESSION_DO_UP);
    if (due)
        return enter(s, SESSION_CONNECTING, now_ms + SESSION_CONNECT_MS, SESSION_DO_CONNECT);
    if (input == SESSION_STOP)
        return enter(s, SESSION_CLOSED, NEVER, SESSION_DO_DONE);
    return 0;
}

static unsigned step_up(struct session *s, enum session_input input, int64_t now_ms, bool due)
{
    if (input == SESSION_LOST)
        return wait_for_next(s, now_ms, SESSION_DO_DOWN);
    if (input == SESSION_STOP)
        return enter(s, SESSION_FLUSHING, now_ms + s->stop_ms, 0);
    if (due) {
        backoff_reset(&s->backoff);
        return enter(s, SESSION_STABLE, NEVER, 0);
    }
    return 0;
}

static unsigned step_ending(struct session *s, enum session_input input, int64_t now_ms, bool due)
{
    if (input == SESSION_LOST)
        return enter(s, SESSION_CLOSED, NEVER, SESSION_DO_DOWN | SESSION_DO_DONE);
    if (s->state == SESSION_FLUSHING && (input == SESSION_FLUSHED || due))
        return enter(s, SESSION_PARTING, now_ms + SESSION_PART_MS, SESSION_DO_FINAL);
    if (s->state == SESSION_PARTING && (input == SESSION_PARTED || due))
        return enter(s, SESSION_CLOSING, now_ms + SESSION_CLOSE_MS, SESSION_DO_DISCONNECT);
    if (s->state == SESSION_CLOSING && (input == SESSION_DISCONNECTED || due))
        return enter(s, SESSION_CLOSED, NEVER, SESSION_DO_DOWN | SESSION_DO_DONE);
    return 0;
}

unsigned session_step(struct session *s, enum session_input input, int64_t now_ms)
{
    const bool due = input == SESSION_TICK && now_ms >= s->deadline_ms;

    switch (s->state) {
    case SESSION_IDLE:
        if (input == SESSION_START)
            return enter(s, SESSION_CONNECTING, now_ms + SESSION_CONNECT_MS, SESSION_DO_CONNECT);
        if (input == SESSION_STOP)
            return enter(s, SESSION_CLOSED, NEVER, SESSION_DO_DONE);
        return 0;
    case SESSION_CONNECTING:
        return step_connecting(s, input, now_ms, due);
    case SESSION_WAITING:
        return step_waiting(s, input, now_ms, due);
    case SESSION_FRESH:
    case SESSION_STABLE:
        return step_up(s, input, now_ms, due);
    case SESSION_FLUSHING:
    case SESSION_PARTING:
    case SESSION_CLOSING:
        return step_ending(s, input, now_ms, due);
    case SESSION_CLOSED:
        return 0;
    }
    return 0;
}

bool session_is_up(const struct session *s)
{
    return s->state == SESSION_FRESH || s->state == SESSION_STABLE || s->state == SESSION_FLUSHING ||
           s->state == SESSION_PARTING;
}

bool session_is_ending(const struct session *s)
{
    return s->state >= SESSION_FLUSHING;
}
