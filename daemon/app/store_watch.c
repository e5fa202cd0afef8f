#include "app/store_watch.h"

#include "app/event.h"
#include "app/pipeline.h"
#include "base/log.h"
#include "base/text.h"

void store_watch_health(void *arg, bool ok, const char *detail)
{
    struct pipeline *p = arg;
    struct store_watch *watch = &p->store_watch;
    bool was = watch->failing;

    watch->failing = !ok;
    if (!ok || was)
        say_store(p, ok, detail);
    else
        log_warning("store: %s", detail);
    if (!ok) {
        watch->since_ms = loop_wall_ms(p->loop);
        (void)text_format(watch->why, sizeof watch->why, "%s",
                          detail); /* for people: cut where it is longer */
    } else if (was) {
        event_store(p, watch->since_ms, loop_wall_ms(p->loop), watch->why);
    }
}

static void keep_cb(void *arg, const struct alarm *alarm)
{
    struct pipeline *p = arg;

    if (store_alarm_keep(p->store, alarm) != RG_OK)
        log_error("store: no room to keep the state of alarm %s for the next start", alarm->id);
}

/* A start that finds neither would forget latched alarms, and what was changed in the configuration before it. */
static void keep_what_is_in_force(struct pipeline *p)
{
    enum rg_err err;
    struct jsonw text;

    if (p->rules)
        rules_each(p->rules, keep_cb, p);
    jsonw_init(&text, 0);
    err = config_describe(p->site, &text);
    if (err == RG_OK)
        store_config_give(p->store, jsonw_take(&text));
    jsonw_free(&text);
    if (err != RG_OK)
        log_error("store: the configuration in force cannot be kept: %s", rg_err_text(err));
}

void store_watch_aside(void *arg, const char *file, const char *why)
{
    if (arg) {
        reports_duties(arg); /* in case the new one could not be told */
        keep_what_is_in_force(arg);
    }
    if (file[0])
        log_error("store: the database is damaged (%s); it is set aside as %s, and a new one goes on", why,
                  file);
    else
        log_error("store: %s; a new database goes on", why);
}

void store_watch_start(const struct store_start *start)
{
    if (start->damage[0])
        store_watch_aside(NULL, start->set_aside, start->damage);
}

void store_watch_status(struct jsonw *w, const struct pipeline *p)
{
    struct store_stats s;

    store_stats(p->store, &s);
    jsonw_key_string(w, "detail", s.detail[0] ? s.detail : NULL);
    jsonw_key_positive(w, "failing_since_ts", p->store_watch.failing ? p->store_watch.since_ms : 0);
    jsonw_key_int(w, "max_size", p->site->store.max_size);
    jsonw_key_int(w, "written_bytes", (int64_t)s.written_bytes);
    jsonw_key_int(w, "syncs", (int64_t)s.syncs);
    jsonw_key_positive(w, "written_per_day", s.written_per_day);
    jsonw_key_positive(w, "syncs_per_day", s.syncs_per_day);
    jsonw_key(w, "set_aside");
    jsonw_object_begin(w);
    jsonw_key_int(w, "count", (int64_t)s.aside_count);
    jsonw_key_int(w, "bytes", s.aside_bytes);
    jsonw_key_string(w, "last", store_aside(p->store));
    jsonw_object_end(w);
}
