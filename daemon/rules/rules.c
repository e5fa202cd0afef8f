/* The engine at work: readings, deadlines and people's acts become moves. */
#include "rules/engine.h"

/* At rest there is no delay. */
static int64_t due_doubt(const struct rules *r, uint32_t doubt)
{
    const struct doubted *one = doubts_state(&r->doubts, doubt);

    return one ? doubt_deadline(&one->state, &one->rule) : INT64_MAX;
}

/* Neither has what rests, nor a fault: output/ counts the failures. */
void engine_schedule(struct rules *r, uint32_t owner)
{
    const struct slot_rule *rule;
    const struct slot *slot = engine_slot(r, owner, &rule);
    uint32_t index;

    if (slot)
        deadlines_set(&r->deadlines, owner, slot_deadline(slot, rule));
    else if (engine_kind(r, owner, &index) == OWNER_DEVICE)
        deadlines_set(&r->deadlines, owner, offline_deadline(&r->offline[index]));
    else
        deadlines_set(&r->deadlines, owner,
                      engine_kind(r, owner, &index) == OWNER_DOUBT ? due_doubt(r, index) : INT64_MAX);
}

static bool expire(struct rules *r, uint32_t owner, struct level_move *move)
{
    const struct slot_rule *rule;
    struct slot *slot = engine_slot(r, owner, &rule);
    struct doubted *one;
    uint32_t index;

    if (slot)
        return slot_expire(slot, rule, move);
    switch (engine_kind(r, owner, &index)) {
    case OWNER_DEVICE:
        return offline_expire(&r->offline[index], move);
    case OWNER_DOUBT:
        one = doubts_state(&r->doubts, index);
        return one && doubt_expire(&one->state, &one->rule, move);
    case OWNER_WATCHED:
    case OWNER_VOTE:
    case OWNER_OUTPUT:
    case OWNER_UPLINK:
        break;
    }
    return false;
}

void engine_until(struct rules *r, int64_t mono_ms)
{
    uint32_t owner = 0;

    while (r->deadlines.count > 0 && deadlines_first(&r->deadlines, &owner) <= mono_ms) {
        struct level_move move;
        bool moved;

        if (owner == ENGINE_SHELVES(r)) {
            shelves_expire(r);
            continue;
        }
        if (owner >= ENGINE_PERMITS(r)) {
            armed_expire(r, owner - ENGINE_PERMITS(r));
            continue;
        }
        moved = expire(r, owner, &move);
        engine_schedule(r, owner);
        if (moved)
            engine_carry_out(r, owner, &move);
    }
}

void engine_take(struct rules *r, struct moment now)
{
    const bool set = moment_told(r->now, now).wall_ms != r->now.wall_ms;

    r->now = now;
    if (set)
        shelves_clock_set(r);
    engine_until(r, now.mono_ms);
}

/* A frame's good readings first, then its bad ones, as its record has them (contract §3). */
static inline void each_sample(struct rules *r, const struct frame *frame,
                               void (*take)(struct rules *r, const struct sample *sample, struct moment at))
{
    for (size_t i = 0; i < frame->count; i++) {
        if (frame->samples[i].quality == QUALITY_GOOD && frame->samples[i].point < r->site->point_count)
            take(r, &frame->samples[i], frame->at);
    }
    for (size_t i = 0; i < frame->count; i++) {
        if (frame->samples[i].quality != QUALITY_GOOD && frame->samples[i].point < r->site->point_count)
            take(r, &frame->samples[i], frame->at);
    }
}

void rules_frame(struct rules *r, const struct frame *frame)
{
    struct level_move move;

    if (!r->started)
        return;
    engine_take(r, frame->at);
    if (frame->heard && frame->device < r->site->device_count) {
        uint32_t owner = engine_owner(r, OWNER_DEVICE, frame->device);
        bool back = offline_heard(&r->offline[frame->device], frame->at, &move);

        engine_schedule(r, owner);
        if (back)
            engine_carry_out(r, owner, &move);
    } else if (frame->device < r->site->device_count &&
               offline_unheard(&r->offline[frame->device], frame->at,
                               r->site->devices[frame->device].poll_ms)) {
        engine_schedule(r, engine_owner(r, OWNER_DEVICE, frame->device));
    }
    if (r->known)
        each_sample(r, frame, refer_note);
    r->doubting = false;
    each_sample(r, frame, engine_watch);
    if (r->known)
        each_sample(r, frame, refer_judge);
    votes_judge(r, frame->at);
    if (r->doubts.count == 0)
        return;
    doubts_note_twins(&r->doubts, frame);
    if (r->doubting)
        each_sample(r, frame, engine_doubt);
    if (r->doubts.twins.count > 0)
        each_sample(r, frame, engine_doubt_twins);
}

/* What is told from outside holds at once: there is no delay. */
static void tell_fault(struct rules *r, uint32_t owner, enum level raises, bool faulty, struct moment now)
{
    struct level_move move = {.at = now};

    engine_take(r, now);
    if (engine_open(r, owner) != ALARMS_NONE)
        move.was = r->alarms.pool[engine_open(r, owner)].alarm.level;
    move.now = faulty ? raises : LEVEL_NONE;
    if (move.was != move.now)
        engine_carry_out(r, owner, &move);
}

void rules_output(struct rules *r, uint32_t output, bool faulty, struct moment now)
{
    if (r->started && output < r->site->output_count)
        tell_fault(r, engine_owner(r, OWNER_OUTPUT, output), r->site->outputs[output].fault_level, faulty,
                   now);
}

void rules_self_test(struct rules *r, uint32_t uplink, bool failed, struct moment now)
{
    if (r->started && uplink < r->site->uplink_count && engine_tests(r->site, uplink))
        tell_fault(r, engine_owner(r, OWNER_UPLINK, uplink), r->site->self_test.level, failed, now);
}

void rules_tick(struct rules *r, struct moment now)
{
    if (r->started)
        engine_take(r, now);
}

int64_t rules_next_ms(const struct rules *r)
{
    return deadlines_first(&r->deadlines, NULL);
}

void rules_number(struct rules *r, uint64_t next_alarm)
{
    r->alarms.next = next_alarm;
}

uint64_t rules_next_alarm(const struct rules *r)
{
    return r->alarms.next;
}
