#include "app/reports.h"

#include <stdlib.h>
#include <string.h>

#include "app/pipeline.h"
#include "base/log.h"
#include "control/control.h"
#include "record/record.h"
#include "store/inquiry.h"

void reports_init(struct pipeline *p)
{
    p->reports = (struct reports){.state = REPORTS_IDLE};
    for (size_t i = 0; i < REPORTS_CALLS; i++)
        p->reports.calls[i].p = p;
}

static void failed(struct pipeline *p, const char *what, const char *why)
{
    p->reports.state = REPORTS_IDLE;
    p->reports.retry_ms = loop_mono_ms(p->loop) + REPORTS_RETRY_MS;
    if (p->reports.failures++ == 0) /* it is tried until it works: told once */
        log_error("report: %s, tried again: %s", what, why);
}

static enum rg_err ask_figures(struct pipeline *p, int64_t from, int64_t to, store_found_cb cb, void *arg)
{
    const char *names[STORE_INQUIRY_UPLINKS];
    struct store_inquiry ask = {.kind = INQUIRY_SUMMARY, .from = from, .to = to, .uplinks = names};

    for (; ask.uplink_count < p->site->uplink_count && ask.uplink_count < STORE_INQUIRY_UPLINKS;
         ask.uplink_count++)
        names[ask.uplink_count] = p->site->uplinks[ask.uplink_count].name;
    return store_inquire(p->store, &ask, cb, arg);
}

/* ---- one that is due ---- */

static void append(struct pipeline *p, const struct summary *summary)
{
    const struct report_frame frame = {.kind = p->reports.kind,
                                       .due_ms = p->reports.due.at,
                                       .late = p->reports.due.late,
                                       .gap_from = p->reports.due.gap_from};
    const struct past_report told = {summary->from, summary->to, !loop_clock_synced(p->loop)};
    struct store_record r = {.stream = STREAM_REPORT,
                             .ts = loop_wall_ms(p->loop),
                             .mono = loop_mono_ms(p->loop),
                             .device = SITE_NONE,
                             .unsynced = told.unsynced};
    struct jsonw w;
    enum rg_err err;

    jsonw_init(&w, 4 * REPORT_BODY_MAX);
    record_begin(&w, r.ts);
    report_write(&w, &frame, summary);
    err = record_end(&w, r.unsynced, &r.body, &r.length);
    if (err == RG_OK)
        err = store_append(p->store, &r);
    jsonw_free(&w);
    if (err != RG_OK) {
        failed(p, "it could not be recorded", rg_err_text(err));
        return;
    }
    schedule_add(&p->reports.past[p->reports.kind], told);
    p->reports.failures = 0;
    log_info("report: %s made%s%s", report_kind_name(frame.kind), frame.late ? ", late" : "",
             report_is_zero(summary) ? ", nothing happened" : "");
}

static void counted_cb(void *arg, const struct store_finding *finding)
{
    struct pipeline *p = arg;

    p->reports.state = REPORTS_IDLE;
    if (finding->summary)
        append(p, finding->summary);
    else
        failed(p, "its figures could not be read", finding->why);
}

static void flushed_cb(void *arg, bool ok)
{
    struct pipeline *p = arg;
    enum rg_err err;

    if (p->reports.state != REPORTS_FLUSHING)
        return;
    if (!ok) {
        failed(p, "the store takes no records", p->site->store.path);
        return;
    }
    p->reports.state = REPORTS_COUNTING;
    err = ask_figures(p, p->reports.due.from, p->reports.due.to, counted_cb, p);
    if (err != RG_OK)
        failed(p, "its figures cannot be asked for", rg_err_text(err));
}

/* ---- what was told ---- */

/* What was told in this run stays told, though a store that had to be set aside knows nothing of it. */
static void take_past(struct past_reports *past, const struct past_reports *found)
{
    struct past_reports had = *past;

    *past = *found;
    for (size_t i = 0; i < had.count; i++) {
        size_t k = 0;

        while (k < found->count && found->told[k].to != had.told[i].to)
            k++;
        if (k == found->count)
            schedule_add(past, had.told[i]);
    }
}

static void recalled_cb(void *arg, const struct store_finding *finding)
{
    struct pipeline *p = arg;

    p->reports.state = REPORTS_IDLE;
    if (!finding->past) {
        failed(p, "what was told before could not be read", finding->why);
        return;
    }
    p->reports.failures = 0;
    /* Not even this start: it is not committed yet. */
    p->reports.recalled = finding->past->reports[0].began_ms > 0;
    p->reports.retry_ms = p->reports.recalled ? 0 : loop_mono_ms(p->loop) + REPORTS_RETRY_MS;
    p->reports.next_ms = 0;
    for (int kind = 0; kind < REPORT_KINDS; kind++)
        take_past(&p->reports.past[kind], &finding->past->reports[kind]);
    if (!p->self_test.past_known)
        self_test_past(p, finding->past);
}

static void recall(struct pipeline *p)
{
    const struct store_inquiry ask = {.kind = INQUIRY_PAST, .to = loop_wall_ms(p->loop)};
    enum rg_err err = store_inquire(p->store, &ask, recalled_cb, p);

    p->reports.state = REPORTS_RECALLING;
    if (err != RG_OK)
        failed(p, "what was told before cannot be asked for", rg_err_text(err));
}

/* ---- when ---- */

void reports_stepped(struct pipeline *p)
{
    p->reports.recalled = false;
    reports_duties(p);
}

void reports_look(struct pipeline *p)
{
    struct reports *r = &p->reports;
    const struct site_reports *conf = &p->site->reports;
    const struct calendar_zone zone = calendar_system();
    const int minutes[REPORT_KINDS] = {conf->daily_minute, conf->monthly_minute};
    const int64_t now_ms = loop_wall_ms(p->loop);

    if (r->state != REPORTS_IDLE || loop_mono_ms(p->loop) < r->retry_ms ||
        (!conf->on && p->site->self_test.every_ms == 0))
        return;
    if (!r->recalled) {
        recall(p);
        return;
    }
    if (now_ms >= r->looked_ms && now_ms < r->next_ms) {
        r->looked_ms = now_ms;
        return;
    }
    r->looked_ms = now_ms;
    r->next_ms = INT64_MAX;
    for (int kind = 0; kind < REPORT_KINDS && conf->on; kind++) {
        if (!schedule_look((enum report_kind)kind, minutes[kind], &zone, &r->past[kind], now_ms, &r->due)) {
            r->next_ms = r->due.at < r->next_ms ? r->due.at : r->next_ms;
            continue;
        }
        r->next_ms = now_ms;
        r->kind = (enum report_kind)kind;
        r->state = REPORTS_FLUSHING;
        store_flush(p->store, flushed_cb, p);
        return;
    }
}

void reports_duties(struct pipeline *p)
{
    const struct site *site = p->site;
    struct store_duty *duties = calloc(site->device_count + 1, sizeof *duties);
    size_t count = 0;
    enum rg_err err = RG_ENOMEM;

    p->reports.next_ms = 0; /* times may be others now */
    for (size_t i = 0; duties && i < site->device_count; i++) {
        const struct site_device *d = &site->devices[i];

        if (!d->derived && d->point_count > 0 && d->poll_ms > 0)
            duties[count++] = (struct store_duty){d->name, d->point_count, d->poll_ms};
    }
    if (duties)
        err = store_duty_put(p->store, duties, count, loop_wall_ms(p->loop));
    free(duties);
    if (err != RG_OK)
        log_error("report: what is expected of the devices could not be noted: %s", rg_err_text(err));
}

/* ---- people ---- */

static void call_gone_cb(void *arg)
{
    ((struct reports_call *)arg)->call = NULL;
}

static void answer_now(const struct reports_call *c, const struct summary *summary)
{
    const struct report_frame frame = {.kind = c->kind};
    struct jsonw w;

    jsonw_init(&w, 4 * REPORT_BODY_MAX);
    record_begin(&w, loop_wall_ms(c->p->loop));
    report_write(&w, &frame, summary);
    if (!loop_clock_synced(c->p->loop))
        jsonw_key_string(&w, "clock", "unsynced");
    jsonw_object_end(&w);
    control_answer(c->call, &w);
    jsonw_free(&w);
}

static void call_found_cb(void *arg, const struct store_finding *finding)
{
    struct reports_call *c = arg;
    struct jsonw w;

    c->used = false;
    if (!c->call)
        return;
    if (finding->summary) {
        answer_now(c, finding->summary);
    } else if (finding->report) {
        jsonw_init(&w, 0);
        jsonw_raw(&w, finding->report, finding->report_length);
        control_answer(c->call, &w);
        jsonw_free(&w);
    } else {
        control_answer_error(c->call,
                             finding->err == RG_ENOTFOUND ? "no such report was made yet" : finding->why);
    }
}

static struct reports_call *free_call(struct reports *r)
{
    for (size_t i = 0; i < REPORTS_CALLS; i++) {
        if (!r->calls[i].used)
            return &r->calls[i];
    }
    return NULL;
}

enum rg_err reports_command(struct pipeline *p, struct control_call *call, const struct json *request,
                            char *error, size_t error_size)
{
    const char *last = json_string(json_get(request, "last"));
    const struct calendar_zone zone = calendar_system();
    const int64_t now_ms = loop_wall_ms(p->loop);
    struct store_inquiry ask = {.kind = INQUIRY_REPORT};
    struct reports_call *c = free_call(&p->reports);
    enum rg_err err;

    if (last && strcmp(last, report_kind_name(REPORT_MONTHLY)) == 0) {
        ask.report = REPORT_MONTHLY;
    } else if (last && strcmp(last, report_kind_name(REPORT_DAILY)) != 0) {
        (void)text_format(error, error_size, "there are daily and monthly reports, not %.32s", last);
        return RG_EINVAL;
    }
    if (!c) {
        (void)text_copy(error, error_size, "too many ask for reports just now");
        return RG_EAGAIN;
    }
    c->kind = ask.report;
    if (json_bool(json_get(request, "now"), false))
        err = ask_figures(p, schedule_current(c->kind, &zone, &p->reports.past[c->kind], now_ms), now_ms,
                          call_found_cb, c);
    else
        err = store_inquire(p->store, &ask, call_found_cb, c);
    if (err != RG_OK) {
        (void)text_format(error, error_size, "the store cannot be asked: %s", rg_err_text(err));
        return err;
    }
    c->used = true;
    c->call = call;
    control_defer(call, call_gone_cb, c);
    return RG_OK;
}
