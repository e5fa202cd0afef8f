#include "app/act.h"

#include <string.h>

#include "app/actuate.h"
#include "app/event.h"
#include "app/flow.h"

const char *act_kind_name(enum act_kind kind)
{
    static const char *const names[] = {"ack", "shelve", "unshelve"};

    return (size_t)kind < RG_COUNT(names) ? names[kind] : "?";
}

static enum rg_err decide(struct pipeline *p, const struct act *act)
{
    const struct moment now = pipeline_now(p);

    switch (act->kind) {
    case ACT_ACK:
        return rules_ack(p->rules, act->alarm, act->by, act->comment, now);
    case ACT_SHELVE:
        return rules_shelve(p->rules, act->alarm, act->for_ms, act->by, act->comment, now);
    case ACT_UNSHELVE:
        return rules_unshelve(p->rules, act->alarm, act->by, act->comment, now);
    }
    return RG_EINVAL;
}

static void say(const struct pipeline *p, const struct act *act, enum rg_err err, char *error,
                size_t error_size)
{
    static const char *const exists[] = {[ACT_ACK] = "acknowledged already",
                                         [ACT_SHELVE] = "shelved already: unshelve it first",
                                         [ACT_UNSHELVE] = "not shelved"};
    char longest[32];

    if (error_size == 0)
        return;
    error[0] = '\0';
    if (err == RG_ENOTFOUND)
        (void)text_format(error, error_size, "there is no active alarm %.96s", act->alarm);
    else if (err == RG_EEXIST)
        (void)text_format(error, error_size, "alarm %.96s is %s", act->alarm, exists[act->kind]);
    else if (err == RG_ERANGE)
        (void)text_format(error, error_size, "an alarm is shelved for at least 1ms and at most %s",
                          text_format_duration(rules_shelve_max_ms(p->site), longest));
    else if (err != RG_OK)
        (void)text_copy(error, error_size, rg_err_text(err));
}

enum rg_err act_run(struct pipeline *p, const struct act *act, char *error, size_t error_size)
{
    enum rg_err err;

    store_together(p->store);
    err = decide(p, act);
    if (err == RG_OK)
        event_command_alarm(p, act);
    store_together_end(p->store);
    /* Whatever came of it: the deadlines up to now have been carried out. */
    flow_schedule_deadline(p);
    actuate_follow(p);
    say(p, act, err, error, error_size);
    return err;
}

struct until {
    const char *alarm;
    int64_t wall_ms;
};

static void until_cb(void *arg, const struct alarm *a)
{
    struct until *until = arg;

    if (a->shelved && strcmp(a->id, until->alarm) == 0)
        until->wall_ms = a->shelved_until_ms;
}

int64_t act_shelved_until(const struct pipeline *p, const char *alarm)
{
    struct until until = {.alarm = alarm};

    rules_each(p->rules, until_cb, &until);
    return until.wall_ms;
}

enum rg_err pipeline_ack(struct pipeline *p, const char *alarm, const char *by, const char *comment)
{
    return act_run(p, &(struct act){.kind = ACT_ACK, .alarm = alarm, .by = by, .comment = comment}, NULL, 0);
}

enum rg_err pipeline_shelve(struct pipeline *p, const char *alarm, int64_t for_ms, const char *by,
                            const char *comment)
{
    const struct act act = {
        .kind = ACT_SHELVE, .alarm = alarm, .for_ms = for_ms, .by = by, .comment = comment};

    return act_run(p, &act, NULL, 0);
}

enum rg_err pipeline_unshelve(struct pipeline *p, const char *alarm, const char *by, const char *comment)
{
    return act_run(p, &(struct act){.kind = ACT_UNSHELVE, .alarm = alarm, .by = by, .comment = comment}, NULL,
                   0);
}
