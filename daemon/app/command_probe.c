#include "app/command_probe.h"

#include <stdlib.h>
#include <string.h>

#include "app/event.h"
#include "base/text.h"
#include "model/alarm.h"

/* ---- what there is on a bus ---- */

static void write_devices(const struct site *site, uint32_t bus, struct jsonw *w)
{
    jsonw_array_begin(w);
    for (size_t i = 0; i < site->device_count; i++) {
        if (site->devices[i].bus != bus)
            continue;
        jsonw_object_begin(w);
        jsonw_key_string(w, "name", site->devices[i].name);
        jsonw_key_int(w, "unit", site->devices[i].unit);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_outputs(const struct site *site, uint32_t bus, struct jsonw *w)
{
    jsonw_array_begin(w);
    for (size_t i = 0; i < site->output_count; i++) {
        const struct site_output *o = &site->outputs[i];

        if (site->devices[o->device].bus != bus)
            continue;
        jsonw_object_begin(w);
        jsonw_key_string(w, "name", o->name);
        jsonw_key_int(w, "unit", site->devices[o->device].unit);
        jsonw_key_string(w, "space", point_space_name(o->space));
        jsonw_key_int(w, "address", o->address);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

enum rg_err command_bus(const struct pipeline *p, const struct json *request, struct jsonw *w, char *error,
                        size_t error_size)
{
    char place[SITE_BUS_PLACE_MAX];
    const struct site_bus *bus;
    uint32_t index = 0;
    enum rg_err err = raw_request_bus(p->site, request, &index, error, error_size);

    if (err != RG_OK)
        return err;
    bus = &p->site->buses[index];
    jsonw_object_begin(w);
    jsonw_key_string(w, "name", bus->name);
    jsonw_key_string(w, "kind", bus_kind_name(bus->kind));
    jsonw_key_string(w, "place", site_bus_place(bus, place));
    jsonw_key_int(w, "timeout_ms", bus->timeout_ms);
    jsonw_key(w, "devices");
    write_devices(p->site, index, w);
    jsonw_key(w, "outputs");
    write_outputs(p->site, index, w);
    jsonw_object_end(w);
    return RG_OK;
}

/* ---- a read or a write that is under way ---- */

enum job_step {
    JOB_READ,   /* all that is to be done */
    JOB_BEFORE, /* a write: what is there */
    JOB_WRITE,  /* it itself */
    JOB_AFTER,  /* what is there now */
};

struct job {
    struct pipeline *pipeline;
    struct control_call *call; /* NULL: who asked is gone */
    enum job_step step;
    /* Names, not indices: a reload may come between two steps. */
    char bus[TEXT_ID_MAX + 1];
    uint64_t bus_id; /* a bus of that name may be another one then */
    char by[ALARM_WHO_MAX];
    uint32_t uid;
    struct driver_raw ask;
    struct driver_raw_answer answer; /* of the read, or of the write itself */
    bool has_old, has_now;
    uint16_t old[DRIVER_RAW_WRITE_MAX], now[DRIVER_RAW_WRITE_MAX];
};

static void job_answer(const struct job *j)
{
    const struct driver_raw_answer *a = &j->answer;
    struct jsonw w;

    if (!j->call)
        return;
    jsonw_init(&w, 0);
    jsonw_object_begin(&w);
    jsonw_key_string(&w, "result", driver_result_name(a->result));
    jsonw_key_positive(&w, "exception", a->exception);
    jsonw_key_string(&w, "detail", a->detail[0] ? a->detail : NULL);
    if (j->ask.write) {
        event_words(&w, "old", j->has_old ? j->old : NULL, j->ask.count);
        event_words(&w, "new", j->has_now ? j->now : NULL, j->ask.count);
    } else {
        event_words(&w, "values", a->result == DRIVER_OK ? a->values : NULL, a->count);
    }
    jsonw_object_end(&w);
    control_answer(j->call, &w);
    jsonw_free(&w);
}

static uint32_t job_bus(const struct job *j)
{
    const struct site *site = j->pipeline->site;

    for (uint32_t i = 0; i < site->bus_count; i++) {
        if (strcmp(site->buses[i].name, j->bus) == 0)
            return i;
    }
    return SITE_NONE;
}

static void job_tell(const struct job *j)
{
    const struct site_device *device = raw_request_device(j->pipeline->site, job_bus(j), j->ask.unit);
    const struct event_write event = {
        .by = j->by,
        .uid = j->uid,
        .bus = j->bus,
        .device = device ? device->name : NULL,
        .ask = &j->ask,
        .answer = &j->answer,
        .old = j->has_old ? j->old : NULL,
        .now = j->has_now ? j->now : NULL,
    };

    event_command_write(j->pipeline, &event);
}

static void job_done_cb(void *arg, const struct driver_raw_answer *answer);

/* Hands the step's transaction over. */
static enum rg_err job_submit(struct job *j, enum job_step step)
{
    struct poll_errand errand = {.bus = job_bus(j), .ask = j->ask, .done = job_done_cb, .arg = j};

    if (errand.bus == SITE_NONE || !j->pipeline->poll ||
        poll_bus_id(j->pipeline->poll, errand.bus) != j->bus_id)
        return RG_ESTATE;
    j->step = step;
    errand.ask.write = step == JOB_WRITE;
    return poll_errand(j->pipeline->poll, &errand);
}

/* Whatever came of the write: it is told, then answered. */
static void job_written(struct job *j)
{
    job_tell(j);
    job_answer(j);
    free(j);
}

static bool keep(const struct job *j, const struct driver_raw_answer *answer, uint16_t *words)
{
    if (answer->result != DRIVER_OK || answer->count != j->ask.count)
        return false;
    memcpy(words, answer->values, j->ask.count * sizeof *words);
    return true;
}

static void job_before(struct job *j, const struct driver_raw_answer *answer)
{
    enum rg_err err;

    j->has_old = keep(j, answer, j->old);
    if (!j->call) { /* nobody stands for it any more */
        free(j);
        return;
    }
    err = job_submit(j, JOB_WRITE);
    if (err == RG_OK)
        return;
    control_answer_error(j->call, err == RG_EFULL ? "too much waits for this bus: nothing was written"
                                                  : "the bus was taken away meanwhile: nothing was written");
    free(j);
}

static void job_done_cb(void *arg, const struct driver_raw_answer *answer)
{
    struct job *j = arg;

    switch (j->step) {
    case JOB_READ:
        j->answer = *answer;
        job_answer(j);
        free(j);
        break;
    case JOB_BEFORE:
        job_before(j, answer);
        break;
    case JOB_WRITE:
        j->answer = *answer;
        if (answer->result != DRIVER_OK || j->ask.unit == 0 || job_submit(j, JOB_AFTER) != RG_OK)
            job_written(j);
        break;
    case JOB_AFTER:
        j->has_now = keep(j, answer, j->now);
        job_written(j);
        break;
    }
}

static void job_gone_cb(void *arg)
{
    struct job *j = arg;

    j->call = NULL;
}

static enum rg_err job_start(struct pipeline *p, struct probe_peer peer, const struct raw_request *r,
                             enum job_step step, char *error, size_t error_size)
{
    struct job *j = calloc(1, sizeof *j);
    enum rg_err err;

    if (!j)
        return RG_ENOMEM;
    j->pipeline = p;
    j->call = peer.call;
    j->uid = peer.uid;
    j->ask = r->ask;
    j->bus_id = p->poll ? poll_bus_id(p->poll, r->bus) : 0;
    (void)text_copy(j->bus, sizeof j->bus, p->site->buses[r->bus].name);
    (void)text_copy(j->by, sizeof j->by, r->by ? r->by : "");
    err = job_submit(j, step);
    if (err == RG_OK) {
        control_defer(peer.call, job_gone_cb, j);
        return RG_OK;
    }
    if (err == RG_EFULL)
        (void)text_copy(error, error_size, "too much waits for this bus, try again later");
    free(j);
    return err;
}

enum rg_err command_raw(struct pipeline *p, struct probe_peer peer, const struct json *request, char *error,
                        size_t error_size)
{
    struct raw_request r;
    enum rg_err err = raw_request_read(p->site, request, &r, error, error_size);

    return err == RG_OK ? job_start(p, peer, &r, JOB_READ, error, error_size) : err;
}

enum rg_err command_write(struct pipeline *p, struct probe_peer peer, const struct json *request, char *error,
                          size_t error_size)
{
    struct raw_request r;
    enum rg_err err = raw_request_write(p->site, request, &r, error, error_size);

    if (err != RG_OK)
        return err;
    /* All units at once answer nothing: there is nothing to be read before. */
    return job_start(p, peer, &r, r.ask.unit == 0 ? JOB_WRITE : JOB_BEFORE, error, error_size);
}
