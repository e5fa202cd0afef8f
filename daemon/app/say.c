#include "app/say.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/event.h"
#include "app/message_id.h"
#include "app/pipeline.h"
#include "base/text.h"

#define MORE_MAX 96

/* What is behind a line, "" for nothing. */
struct more {
    char text[MORE_MAX];
};

/* ---- what has been told of whom ---- */

void say_destroy(struct say *s)
{
    free(s->faults);
    *s = (struct say){.count = 0};
}

static struct fault *find(struct say *s, enum say_kind kind, const char *name)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->faults[i].kind == kind && strcmp(s->faults[i].name, name) == 0)
            return &s->faults[i].fault;
    }
    return NULL;
}

/* NULL: no room; then it is told every time. */
static struct fault *find_or_add(struct say *s, enum say_kind kind, const char *name)
{
    struct fault *f = find(s, kind, name);

    if (f)
        return f;
    if (s->count == s->capacity) {
        size_t wanted = s->capacity ? 2 * s->capacity : 16;
        struct say_fault *grown =
            wanted <= SAY_FAULTS_MAX ? realloc(s->faults, wanted * sizeof *s->faults) : NULL;

        if (!grown)
            return NULL;
        s->faults = grown;
        s->capacity = wanted;
    }
    s->faults[s->count] = (struct say_fault){.kind = kind};
    (void)text_copy(s->faults[s->count].name, sizeof s->faults[s->count].name, name);
    return &s->faults[s->count++].fault;
}

/* "35s", "12m", "8h": as long as it was, as people say it. */
static const char *length_of(int64_t ms, char out[32])
{
    const int64_t second = 1000, minute = 60 * second, hour = 60 * minute;
    int64_t unit = ms >= 2 * hour ? hour : ms >= 2 * minute ? minute : second;

    return text_format_duration(ms / unit * unit, out);
}

static bool begins(struct pipeline *p, enum say_kind kind, const char *name, struct more *more)
{
    struct fault *f = find_or_add(&p->say, kind, name);
    uint32_t times = 0;

    more->text[0] = '\0';
    if (f && fault_begin(f, loop_mono_ms(p->loop), &times) == FAULT_NOTHING)
        return false;
    if (times > 0)
        (void)text_format(more->text, sizeof more->text, " (and %u more since this was last told)", times);
    return true;
}

/* True also of what nobody was told of as a fault: its good news are news. */
static bool ends(struct pipeline *p, enum say_kind kind, const char *name, struct more *more)
{
    struct fault *f = find(&p->say, kind, name);
    int64_t now_ms = loop_mono_ms(p->loop);
    char length[32];

    more->text[0] = '\0';
    if (!f || !f->bad)
        return true;
    if (fault_end(f, now_ms) != FAULT_END)
        return false;
    (void)text_format(more->text, sizeof more->text, " after %s", length_of(now_ms - f->since_ms, length));
    return true;
}

/* What has no length: there and over. */
static bool happens(struct pipeline *p, enum say_kind kind, const char *name, struct more *more)
{
    bool told = begins(p, kind, name, more);
    struct fault *f = find(&p->say, kind, name);

    if (f)
        (void)fault_end(f, loop_mono_ms(p->loop));
    return told;
}

/* ---- lines ---- */

static struct log_about about_device(const struct pipeline *p, const struct site_device *d, const char *id)
{
    return (struct log_about){.device = d->name, .bus = site_bus_name(p->site, d), .message_id = id};
}

/* How a line about it begins. */
static const char *bus_of(const struct log_about *about)
{
    return about->bus ? about->bus : "none";
}

void say_device(struct pipeline *p, const struct site_device *d, bool online, const char *detail)
{
    const struct log_about about = about_device(p, d, online ? MESSAGE_DEVICE_BACK : MESSAGE_DEVICE_SILENT);
    struct more more;

    if (online && ends(p, SAY_DEVICE, d->name, &more))
        log_tell(LOG_LEVEL_INFO, &about, "device %s (bus %s, unit %u): answers again%s", d->name,
                 bus_of(&about), d->unit, more.text);
    else if (!online && begins(p, SAY_DEVICE, d->name, &more))
        log_tell(LOG_LEVEL_WARNING, &about,
                 "device %s (bus %s, unit %u): %s; probed at growing gaps until it answers%s", d->name,
                 bus_of(&about), d->unit, detail, more.text);
}

void say_note(struct pipeline *p, const struct site_device *d, const char *text)
{
    const struct log_about about = about_device(p, d, NULL);

    log_tell(LOG_LEVEL_WARNING, &about, "device %s (bus %s, unit %u): %s", d->name, bus_of(&about), d->unit,
             text);
}

void say_bus(struct pipeline *p, const char *bus, bool up, const char *detail)
{
    const struct log_about about = {.bus = bus, .message_id = up ? MESSAGE_BUS_UP : MESSAGE_BUS_DOWN};
    struct more more;

    if (up && ends(p, SAY_BUS, bus, &more))
        log_tell(LOG_LEVEL_INFO, &about, "bus %s: up%s", bus, more.text);
    else if (!up && begins(p, SAY_BUS, bus, &more))
        log_tell(LOG_LEVEL_WARNING, &about, "bus %s: down: %s%s", bus, detail, more.text);
}

void say_uplink(struct pipeline *p, const char *uplink, bool up, const char *detail)
{
    const struct log_about about = {.uplink = uplink,
                                    .message_id = up ? MESSAGE_UPLINK_CONNECTED : MESSAGE_UPLINK_LOST};
    struct more more;

    if (up && ends(p, SAY_UPLINK, uplink, &more))
        log_tell(LOG_LEVEL_INFO, &about, "uplink %s: connected%s", uplink, more.text);
    else if (!up && begins(p, SAY_UPLINK, uplink, &more))
        log_tell(LOG_LEVEL_WARNING, &about, "uplink %s: lost: %s%s", uplink, detail, more.text);
}

void say_store(struct pipeline *p, bool ok, const char *detail)
{
    const struct log_about about = {.message_id = ok ? MESSAGE_STORE_BACK : MESSAGE_STORE_FAILS};
    struct more more;

    if (ok && ends(p, SAY_STORE, "", &more))
        log_tell(LOG_LEVEL_INFO, &about, "store: takes records again%s (%s)", more.text, detail);
    else if (!ok && begins(p, SAY_STORE, "", &more))
        log_tell(LOG_LEVEL_ERROR, &about, "store: does not take records: %s%s", detail, more.text);
}

void say_output(struct pipeline *p, uint32_t output, enum drive_news news, bool on, const char *detail)
{
    const struct site_output *o = &p->site->outputs[output];
    struct log_about about = {.output = o->name, .device = p->site->devices[o->device].name};
    struct more more;

    switch (news) {
    case DRIVE_CONFIRMED:
        if (ends(p, SAY_OUTPUT, o->name, &more))
            log_tell(LOG_LEVEL_INFO, &about, "output %s: %s, as it shall be%s", o->name, on ? "on" : "off",
                     more.text);
        break;
    case DRIVE_SWITCHED:
        log_tell(LOG_LEVEL_INFO, &about, "output %s: %s", o->name, on ? "on" : "off");
        break;
    case DRIVE_FOUND_OTHERWISE:
        if (happens(p, SAY_OTHERWISE, o->name, &more))
            log_tell(LOG_LEVEL_WARNING, &about, "output %s: %s, not what was written; it is written again%s",
                     o->name, detail, more.text);
        break;
    case DRIVE_FAULT:
        about.message_id = MESSAGE_OUTPUT_FAULT;
        if (begins(p, SAY_OUTPUT, o->name, &more))
            log_tell(LOG_LEVEL_ERROR, &about,
                     "output %s: cannot be brought to its state: %s; it is tried on%s", o->name,
                     detail[0] ? detail : "no word from it", more.text);
        break;
    case DRIVE_NOTHING:
        break;
    }
}

void say_lost(struct pipeline *p, enum stream stream, uint64_t count, const char *cause)
{
    const struct log_about about = {.message_id = MESSAGE_RECORDS_LOST};
    struct more more;

    if (happens(p, SAY_LOST, stream_name(stream), &more))
        log_tell(LOG_LEVEL_ERROR, &about, "%" PRIu64 " records of stream %s lost: %s%s", count,
                 stream_name(stream), cause, more.text);
}

void say_rollups(struct pipeline *p, size_t count)
{
    struct more more;

    if (happens(p, SAY_ROLLUPS, "", &more))
        log_error("store: %zu minute roll-ups have found no room: it does not take records%s", count,
                  more.text);
}

void say_alarm(const struct alarm_change *change)
{
    const struct alarm *a = change->alarm;
    const enum log_level severity =
        change->event == ALARM_RAISE || change->event == ALARM_ESCALATE ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
    const char *dot = strchr(a->point, '.');
    char device[TEXT_ID_MAX + 1] = "";
    const struct log_about about = {.alarm = a->id,
                                    .rule = a->rule,
                                    .area = a->area,
                                    .point = dot ? a->point : NULL,
                                    .device = device,
                                    .message_id = MESSAGE_ALARM};

    if (dot && (size_t)(dot - a->point) < sizeof device)
        memcpy(device, a->point, (size_t)(dot - a->point));
    else if (!dot && strcmp(a->rule, RULE_OFFLINE) == 0)
        (void)text_copy(device, sizeof device, a->point);
    log_tell(severity, &about, "alarm %s %s: rule %s, %s%s, %s -> %s%s%s", a->id,
             alarm_event_name(change->event), a->rule, a->point[0] ? "point " : "a vote", a->point,
             level_name(change->was), level_name(a->level), change->message ? ": " : "",
             change->message ? change->message : "");
}

/* ---- what goes on ---- */

/* SITE_NONE: it is not configured (any more). Of what has no name 0. */
static uint32_t index_of(const struct pipeline *p, const struct say_fault *f)
{
    const struct site *site = p->site;
    uint32_t i = 0;
    size_t count = 1;

    switch (f->kind) {
    case SAY_BUS:
        for (count = site->bus_count; i < count && strcmp(site->buses[i].name, f->name) != 0; i++)
            ;
        break;
    case SAY_DEVICE:
        for (count = site->device_count; i < count && strcmp(site->devices[i].name, f->name) != 0; i++)
            ;
        break;
    case SAY_UPLINK:
        for (count = p->uplink_count; i < count && strcmp(site->uplinks[i].name, f->name) != 0; i++)
            ;
        break;
    case SAY_OUTPUT:
    case SAY_OTHERWISE:
        for (count = site->output_count; i < count && strcmp(site->outputs[i].name, f->name) != 0; i++)
            ;
        break;
    case SAY_STORE:
    case SAY_LOST:
    case SAY_ROLLUPS:
        break;
    }
    return i < count ? i : SITE_NONE;
}

static void still_bus(struct pipeline *p, uint32_t bus, const char *length, const char *more)
{
    const char *name = p->site->buses[bus].name;
    const struct log_about about = {.bus = name, .message_id = MESSAGE_BUS_DOWN};
    struct poll_bus_stats s;

    poll_bus_stats(p->poll, bus, &s);
    if (s.state != BUS_DOWN)
        return; /* made anew, and not asked yet */
    log_tell(LOG_LEVEL_WARNING, &about, "bus %s: still down, for %s: %s%s", name, length, s.detail, more);
}

static void still_device(struct pipeline *p, uint32_t device, const char *length, const char *more)
{
    const struct site_device *d = &p->site->devices[device];
    const struct log_about about = about_device(p, d, MESSAGE_DEVICE_SILENT);
    struct poll_device_stats s;

    poll_device_stats(p->poll, device, &s);
    if (s.state == UNIT_UNKNOWN)
        return; /* made anew, and not asked yet */
    log_tell(LOG_LEVEL_WARNING, &about,
             "device %s (bus %s, unit %u): still silent, for %s, %u polls and probes in a row: %s%s", d->name,
             bus_of(&about), d->unit, length, s.misses, s.detail, more);
}

static void still_uplink(struct pipeline *p, uint32_t uplink, const char *length, const char *more)
{
    const char *name = p->site->uplinks[uplink].name;
    const struct log_about about = {.uplink = name, .message_id = MESSAGE_UPLINK_LOST};
    struct uplink_stats s;

    if (!p->uplinks[uplink])
        return;
    uplink_stats(p->uplinks[uplink], &s);
    log_tell(LOG_LEVEL_WARNING, &about, "uplink %s: still not connected, for %s: %s%s", name, length,
             s.detail, more);
}

static void still_output(struct pipeline *p, uint32_t output, const char *length, const char *more)
{
    const char *name = p->site->outputs[output].name;
    const struct log_about about = {.output = name, .message_id = MESSAGE_OUTPUT_FAULT};
    struct output_status s;

    outputs_status(p->outputs, output, &s);
    log_tell(LOG_LEVEL_ERROR, &about, "output %s: still not as it shall be, for %s: %s%s", name, length,
             s.detail ? s.detail : "no word from it", more);
}

/* What a reload made anew is well without a word: its end is told here, in the event stream, too, which was told of its beginning.
 * What it removed is no fault any more. */
static void look_whether_mended(struct pipeline *p, struct say_fault *f)
{
    const uint32_t index = index_of(p, f);
    struct poll_device_stats device;
    struct output_status output;
    struct uplink_stats uplink;
    struct poll_bus_stats bus;

    if (index == SITE_NONE) {
        f->fault = (struct fault){.known = false};
        return;
    }
    if (!f->fault.bad)
        return;
    if (f->kind == SAY_BUS) {
        poll_bus_stats(p->poll, index, &bus);
        if (bus.state == BUS_UP)
            event_bus(p, index, BUS_UP, "open since a reload");
    } else if (f->kind == SAY_DEVICE) {
        poll_device_stats(p->poll, index, &device);
        if (device.state == UNIT_ONLINE)
            event_device(p, index, UNIT_ONLINE, "answers since a reload");
    } else if (f->kind == SAY_UPLINK && p->uplinks[index]) {
        uplink_stats(p->uplinks[index], &uplink);
        if (uplink.connected)
            say_uplink(p, f->name, true, "");
    } else if (f->kind == SAY_OUTPUT) {
        outputs_status(p->outputs, index, &output);
        if (output.known && !output.faulty)
            say_output(p, index, DRIVE_CONFIRMED, output.on, "");
    }
}

static void still(struct pipeline *p, const struct say_fault *f, uint32_t times)
{
    const uint32_t index = index_of(p, f);
    const struct log_about store = {.message_id = MESSAGE_STORE_FAILS};
    char memory[32], more[MORE_MAX] = "";
    const char *length = length_of(loop_mono_ms(p->loop) - f->fault.since_ms, memory);

    if (times > 0)
        (void)text_format(more, sizeof more, " (and %u more since this was last told)", times);
    switch (f->kind) {
    case SAY_BUS:
        still_bus(p, index, length, more);
        break;
    case SAY_DEVICE:
        still_device(p, index, length, more);
        break;
    case SAY_UPLINK:
        still_uplink(p, index, length, more);
        break;
    case SAY_OUTPUT:
        still_output(p, index, length, more);
        break;
    case SAY_STORE:
        log_tell(LOG_LEVEL_ERROR, &store, "store: still does not take records, for %s: %s%s", length,
                 p->store_watch.why, more);
        break;
    case SAY_OTHERWISE:
    case SAY_LOST:
    case SAY_ROLLUPS:
        break; /* have no length */
    }
}

static void over(const struct say_fault *f, uint32_t times)
{
    static const char text[] = "%s %s: the same came and went, %u more since this was last told";
    struct log_about about = {.device = NULL};

    switch (f->kind) {
    case SAY_BUS:
        about.bus = f->name;
        log_tell(LOG_LEVEL_WARNING, &about, text, "bus", f->name, times);
        break;
    case SAY_DEVICE:
        about.device = f->name;
        log_tell(LOG_LEVEL_WARNING, &about, text, "device", f->name, times);
        break;
    case SAY_UPLINK:
        about.uplink = f->name;
        log_tell(LOG_LEVEL_WARNING, &about, text, "uplink", f->name, times);
        break;
    case SAY_OUTPUT:
    case SAY_OTHERWISE:
        about.output = f->name;
        log_tell(LOG_LEVEL_WARNING, &about, text, "output", f->name, times);
        break;
    case SAY_LOST:
        log_warning("records of stream %s: lost again, %u more since this was last told", f->name, times);
        break;
    case SAY_STORE:
    case SAY_ROLLUPS:
        log_warning("store: the same came and went, %u more since this was last told", times);
        break;
    }
}

/* It is no loss of a connection, so no event tells of it. */
static void look_at_uplinks(struct pipeline *p)
{
    for (size_t i = 0; i < p->uplink_count; i++) {
        const char *name = p->site->uplinks[i].name;
        const struct log_about about = {.uplink = name, .message_id = MESSAGE_UPLINK_LOST};
        const struct fault *f = find(&p->say, SAY_UPLINK, name);
        struct uplink_stats s;
        struct more more;

        if (!p->uplinks[i])
            continue;
        uplink_stats(p->uplinks[i], &s);
        if (s.connected || !s.detail[0] || (f && f->bad) || !begins(p, SAY_UPLINK, name, &more))
            continue;
        log_tell(LOG_LEVEL_WARNING, &about, "uplink %s: not connected: %s; tried at growing gaps%s", name,
                 s.detail, more.text);
    }
}

void say_look(struct pipeline *p)
{
    struct say *s = &p->say;
    int64_t now_ms = loop_mono_ms(p->loop);
    size_t kept = 0;

    look_at_uplinks(p);
    for (size_t i = 0; i < s->count; i++) {
        struct say_fault f;
        enum fault_line line;
        uint32_t times;

        look_whether_mended(p, &s->faults[i]);
        f = s->faults[i];
        line = fault_look(&f.fault, now_ms, &times);

        if (line == FAULT_STILL)
            still(p, &f, times);
        else if (line == FAULT_OVER)
            over(&f, times);
        if (f.fault.known)
            s->faults[kept++] = f;
    }
    s->count = kept;
}
