#include "app/actuate.h"

#include "app/event.h"
#include "app/flow.h"

/* ---- output -> poll: what is to be written or read ---- */

static void errand_done_cb(void *arg, const struct driver_raw_answer *answer)
{
    struct output_slot *slot = arg;
    struct pipeline *p = outputs_port_arg(slot);
    enum output_result result = OUTPUT_SILENT;

    if (answer->result == DRIVER_OK)
        result = OUTPUT_GOOD;
    else if (answer->result == DRIVER_EXCEPTION)
        result = OUTPUT_REFUSED;
    outputs_answer(slot, result, answer->count > 0 ? answer->values[0] : 0, answer->detail, pipeline_now(p));
    actuate_run(p);
}

static enum rg_err ask_cb(void *arg, const struct output_ask *ask)
{
    struct pipeline *p = arg;
    const struct site_device *device = &p->site->devices[ask->device];
    const struct poll_errand errand = {
        .bus = device->bus,
        .ask = {.write = ask->write,
                .unit = device->unit,
                .space = ask->space,
                .address = ask->address,
                .count = 1,
                .values = {ask->value},
                .gap_ms = device->gap_ms,
                .timeout_ms = device->timeout_ms},
        .urgent = ask->urgent,
        .done = errand_done_cb,
        .arg = ask->slot,
    };

    return poll_errand(p->poll, &errand);
}

/* The pipeline has its new poll and site by then. */
static bool pass_cb(void *arg, uint32_t device, const struct output_slot *from, struct output_slot *to)
{
    const struct pipeline *p = arg;

    return poll_errand_pass(p->poll, p->site->devices[device].bus, errand_done_cb, from, to);
}

static void drop_cb(void *arg, const struct output_slot *slot)
{
    const struct pipeline *p = arg;

    poll_errand_drop(p->poll, errand_done_cb, slot);
}

/* ---- output -> rules: a fault is an alarm ---- */

static void news_cb(void *arg, uint32_t output, enum drive_news news, const char *detail)
{
    struct pipeline *p = arg;
    struct output_status status;

    outputs_status(p->outputs, output, &status);
    say_output(p, output, news, status.on, detail);
    if (news != DRIVE_FAULT && news != DRIVE_CONFIRMED)
        return;
    rules_output(p->rules, output, news == DRIVE_FAULT, pipeline_now(p));
    flow_schedule_deadline(p);
}

struct output_port actuate_port(struct pipeline *p)
{
    return (struct output_port){.arg = p, .ask = ask_cb, .pass = pass_cb, .drop = drop_cb, .news = news_cb};
}

void actuate_carry_faults(struct pipeline *p)
{
    for (uint32_t i = 0; i < p->site->output_count; i++) {
        struct output_status status;

        outputs_status(p->outputs, i, &status);
        if (status.faulty)
            rules_output(p->rules, i, true, pipeline_now(p));
    }
}

/* ---- rules -> output: levels ---- */

static void follow(struct pipeline *p)
{
    p->levels_changed = false;
    for (uint32_t i = 0; i < p->site->output_count; i++) {
        uint64_t announced;
        enum level level = rules_output_level(p->rules, i, &announced);

        outputs_follow(p->outputs, i, level, announced, pipeline_now(p));
    }
}

void actuate_run(struct pipeline *p)
{
    int64_t next;

    if (!p->outputs || p->site->output_count == 0)
        return;
    do { /* a fault that is told on the way is an alarm that others may follow */
        if (p->levels_changed)
            follow(p);
        outputs_tick(p->outputs, pipeline_now(p));
    } while (p->levels_changed);
    next = outputs_next_ms(p->outputs);
    if (p->release_done && (outputs_released(p->outputs) || loop_mono_ms(p->loop) >= p->release_end_ms))
        next = loop_mono_ms(p->loop); /* told by the timer: who asked may take the poll apart */
    else if (p->release_done && next > p->release_end_ms)
        next = p->release_end_ms;
    if (next == INT64_MAX)
        loop_timer_stop(p->actuate);
    else
        loop_timer_at(p->actuate, next);
}

void actuate_follow(struct pipeline *p)
{
    if (p->levels_changed)
        actuate_run(p);
}

void actuate_timer_cb(void *arg)
{
    struct pipeline *p = arg;
    void (*done)(void *arg) = p->release_done;

    if (done && (outputs_released(p->outputs) || loop_mono_ms(p->loop) >= p->release_end_ms)) {
        p->release_done = NULL;
        done(p->release_arg);
        return;
    }
    actuate_run(p);
}

/* ---- the end of outputs ---- */

void actuate_release(struct pipeline *p, const struct site *next, int64_t limit_ms, void (*done)(void *arg),
                     void *arg)
{
    p->release_done = done;
    p->release_arg = arg;
    p->release_end_ms = loop_mono_ms(p->loop) + limit_ms;
    outputs_release(p->outputs, next, pipeline_now(p));
    loop_timer_at(p->actuate, loop_mono_ms(p->loop));
}

void actuate_resume(struct pipeline *p)
{
    outputs_resume(p->outputs, pipeline_now(p));
    actuate_run(p);
}

/* ---- people ---- */

enum rg_err actuate_silence(struct pipeline *p, uint32_t output, const char *by)
{
    enum rg_err err = outputs_silence(p->outputs, output, pipeline_now(p));

    if (err != RG_OK)
        return err;
    event_command_output(p, "silence", output, 0, by);
    actuate_run(p);
    return RG_OK;
}

enum rg_err actuate_test(struct pipeline *p, uint32_t output, int64_t for_ms, const char *by)
{
    enum rg_err err = outputs_test(p->outputs, output, for_ms, pipeline_now(p));

    if (err != RG_OK)
        return err;
    event_command_output(p, "test", output, for_ms, by);
    actuate_run(p);
    return RG_OK;
}
