#include "support_driver.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By path: the test support library is below the layers and links none that has drivers in it. */
#include "../../drivers/driver.h"

struct driver_plan {
    uint32_t device;
    uint32_t first_point;
    size_t count;    /* requests */
    size_t starts[]; /* [count + 1]: where each one's points begin, from first_point */
};

struct driver_link {
    uint32_t bus;
    bool stray; /* a late answer is on its way */
    bool cancelled;
    bool in_use;
    int64_t ended_ms; /* when its last transaction did */
    pthread_cond_t cancel;
};

struct fake {
    const struct site *site;
    struct fake_hooks hooks;
    struct fake_device *devices;
    struct fake_bus *buses;
    atomic_size_t alive; /* a removed bus lets go of its link on its own thread */
    size_t fail_after;
    pthread_mutex_t lock;
};

static struct fake *current;

/* ---- the test's side ---- */

struct fake *fake_create(const struct site *site, const struct fake_hooks *hooks)
{
    struct fake *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return NULL;
    f->site = site;
    f->hooks = *hooks;
    f->devices = calloc(site->device_count + 1, sizeof(*f->devices));
    f->buses = calloc(site->bus_count + 1, sizeof(*f->buses));
    if (f->devices == NULL || f->buses == NULL || pthread_mutex_init(&f->lock, NULL) != 0) {
        free(f->devices);
        free(f->buses);
        free(f);
        return NULL;
    }
    for (size_t i = 0; i < site->device_count; i++)
        f->devices[i] = (struct fake_device){.takes_ms = 10, .exception = 2};
    for (size_t i = 0; i < site->bus_count; i++)
        f->buses[i] = (struct fake_bus){.refused_ms = 1};
    current = f;
    return f;
}

void fake_destroy(struct fake *f)
{
    if (f == NULL)
        return;
    if (current == f)
        current = NULL;
    (void)pthread_mutex_destroy(&f->lock);
    free(f->devices);
    free(f->buses);
    free(f);
}

struct fake_device *fake_device(struct fake *f, uint32_t device)
{
    return &f->devices[device];
}

struct fake_bus *fake_bus(struct fake *f, uint32_t bus)
{
    return &f->buses[bus];
}

size_t fake_alive(const struct fake *f)
{
    return f->alive;
}

void fake_fail_after(struct fake *f, size_t calls)
{
    f->fail_after = calls;
}

void fake_lock(struct fake *f)
{
    (void)pthread_mutex_lock(&f->lock);
}

void fake_unlock(struct fake *f)
{
    (void)pthread_mutex_unlock(&f->lock);
}

/* ---- devices and buses of other sites: those of the same name ---- */

static uint32_t index_of_device(const struct fake *f, const struct site_device *device)
{
    const struct site_device *all = f->site->devices;
    uint32_t i = 0;

    if (device >= all && device < all + f->site->device_count)
        return (uint32_t)(device - all);
    while (i < f->site->device_count && strcmp(all[i].name, device->name) != 0)
        i++;
    return i;
}

static uint32_t index_of_bus(const struct fake *f, const struct site_bus *bus)
{
    const struct site_bus *all = f->site->buses;
    uint32_t i = 0;

    if (bus >= all && bus < all + f->site->bus_count)
        return (uint32_t)(bus - all);
    while (i < f->site->bus_count && strcmp(all[i].name, bus->name) != 0)
        i++;
    return i;
}

/* ---- the driver's side: plans ---- */

static bool fails_now(struct fake *f)
{
    return f->fail_after > 0 && --f->fail_after == 0;
}

static struct driver_plan *plan_new(struct fake *f, size_t count)
{
    struct driver_plan *p = fails_now(f) ? NULL : calloc(1, sizeof(*p) + (count + 1) * sizeof(p->starts[0]));

    if (p != NULL) {
        f->alive++;
        p->count = count;
    }
    return p;
}

static enum rg_err plan(const struct site_device *device, const struct site_point *points, size_t count,
                        uint32_t first_point, struct driver_plan **out)
{
    struct fake *f = current;
    uint32_t index = index_of_device(f, device);
    size_t each = f->devices[index].per_request == 0 ? count : f->devices[index].per_request;
    size_t requests = count == 0 ? 0 : (count + each - 1) / each;
    struct driver_plan *p = plan_new(f, requests);

    (void)points;
    *out = p;
    if (p == NULL)
        return RG_ENOMEM;
    p->device = index;
    p->first_point = first_point;
    for (size_t i = 0; i < requests; i++)
        p->starts[i] = i * each;
    p->starts[requests] = count;
    return RG_OK;
}

static void plan_destroy(struct driver_plan *p)
{
    if (p == NULL)
        return;
    current->alive--;
    free(p);
}

static size_t plan_requests(const struct driver_plan *p)
{
    return p->count;
}

static size_t plan_points(const struct driver_plan *p, size_t request)
{
    return p->starts[request + 1] - p->starts[request];
}

static enum rg_err plan_divide(const struct driver_plan *p, size_t request, uint8_t exception,
                               struct driver_plan **out)
{
    struct fake *f = current;
    size_t parts = plan_points(p, request);
    struct driver_plan *divided;

    *out = NULL;
    if (exception != 2 || parts < 2 || f->devices[p->device].hole == 0)
        return RG_ENOTFOUND;
    divided = plan_new(f, p->count + parts - 1);
    if (divided == NULL)
        return RG_ENOMEM;
    divided->device = p->device;
    divided->first_point = p->first_point;
    for (size_t i = 0; i <= divided->count; i++)
        divided->starts[i] = i < request           ? p->starts[i]
                             : i < request + parts ? p->starts[request] + i - request
                                                   : p->starts[i - parts + 1];
    *out = divided;
    return RG_OK;
}

static void plan_bytes(const struct driver_plan *p, size_t request, enum bus_kind kind, size_t *sent,
                       size_t *received)
{
    (void)kind;
    *sent = 12;
    *received = 9 + 2 * plan_points(p, request);
}

/* ---- links ---- */

static enum rg_err link_create(const struct site_bus *bus, struct driver_link **out)
{
    struct fake *f = current;
    struct driver_link *link = fails_now(f) ? NULL : calloc(1, sizeof(*link));

    *out = NULL;
    if (link == NULL)
        return RG_ENOMEM;
    if (pthread_cond_init(&link->cancel, NULL) != 0) {
        free(link);
        return RG_ENOMEM;
    }
    link->bus = index_of_bus(f, bus);
    f->alive++;
    *out = link;
    return RG_OK;
}

static void link_cancel(struct driver_link *link)
{
    struct fake *f = current;

    fake_lock(f);
    link->cancelled = true;
    f->buses[link->bus].cancelled++;
    (void)pthread_cond_broadcast(&link->cancel);
    fake_unlock(f);
}

static void link_destroy(struct driver_link *link)
{
    if (link == NULL)
        return;
    current->alive--;
    (void)pthread_cond_destroy(&link->cancel);
    free(link);
}

static int64_t fake_now(const struct fake *f)
{
    return f->hooks.now_ms != NULL ? f->hooks.now_ms(f->hooks.arg) : 0;
}

/* What the link makes of a behaviour. */
static enum fake_behaviour on_link(struct fake *f, struct driver_link *link, enum fake_behaviour behaviour)
{
    if (f->buses[link->bus].behaviour != FAKE_OK)
        behaviour = f->buses[link->bus].behaviour;
    if (link->cancelled)
        return FAKE_BROKEN;
    if (link->stray && behaviour != FAKE_BROKEN && behaviour != FAKE_UNREACHABLE)
        behaviour = FAKE_MALFORMED;
    link->stray = false;
    return behaviour;
}

static enum fake_behaviour decide(struct fake *f, struct driver_link *link, const struct driver_plan *p,
                                  size_t request, int64_t now_ms)
{
    const struct fake_device *device = &f->devices[p->device];
    enum fake_behaviour behaviour = device->behaviour;

    if (f->hooks.decide != NULL)
        behaviour = f->hooks.decide(f->hooks.arg, p->device, request, now_ms);
    if (behaviour == FAKE_OK && p->starts[request] < device->hole && p->starts[request + 1] > device->hole)
        behaviour = FAKE_EXCEPTION;
    return on_link(f, link, behaviour);
}

static int64_t duration(const struct fake *f, const struct driver_link *link, uint32_t device,
                        enum fake_behaviour behaviour, int64_t timeout_ms)
{
    if (behaviour == FAKE_SILENT || behaviour == FAKE_LATE)
        return timeout_ms;
    if (behaviour == FAKE_UNREACHABLE)
        return f->buses[link->bus].refused_ms;
    return device == SITE_NONE ? 10 : f->devices[device].takes_ms;
}

static void fill(const struct fake *f, const struct driver_plan *p, size_t request, int64_t now_ms,
                 struct driver_answer *answer)
{
    answer->count = plan_points(p, request);
    for (size_t i = 0; i < answer->count; i++) {
        struct sample *sample = &answer->samples[i];

        sample->point = p->first_point + (uint32_t)(p->starts[request] + i);
        sample->quality = answer->result == DRIVER_OK          ? QUALITY_GOOD
                          : answer->result == DRIVER_EXCEPTION ? QUALITY_DEVICE
                                                               : QUALITY_COMM;
        sample->value = answer->result == DRIVER_OK ? sample->point : 0;
        if (answer->result == DRIVER_OK && f->hooks.read != NULL)
            f->hooks.read(f->hooks.arg, now_ms, sample);
    }
}

static const struct {
    enum driver_result result;
    const char *detail;
} outcomes[] = {
    [FAKE_OK] = {DRIVER_OK, ""},
    [FAKE_EXCEPTION] = {DRIVER_EXCEPTION, "exception"},
    [FAKE_SILENT] = {DRIVER_SILENT, "no answer"},
    [FAKE_MALFORMED] = {DRIVER_MALFORMED, "wrong length"},
    [FAKE_BROKEN] = {DRIVER_BROKEN, "connection reset"},
    [FAKE_UNREACHABLE] = {DRIVER_UNREACHABLE, "connection refused"},
    [FAKE_LATE] = {DRIVER_SILENT, "no answer in time"},
    [FAKE_BLOCKED] = {DRIVER_BROKEN, "cancelled"},
};

static void judge(enum fake_behaviour behaviour, const struct fake_device *device,
                  struct driver_answer *answer)
{
    answer->result = outcomes[behaviour].result;
    answer->exception = answer->result == DRIVER_EXCEPTION ? device->exception : 0;
    (void)snprintf(answer->detail, sizeof(answer->detail), "%s", outcomes[behaviour].detail);
}

/* The time that a transaction of this behaviour takes passes. */
static void carry_out(struct fake *f, struct driver_link *link, struct fake_call *call, int64_t timeout_ms)
{
    if (link->in_use || call->begun_ms < link->ended_ms)
        f->buses[link->bus].overlaps++;
    link->in_use = true;
    if (f->hooks.spend != NULL)
        f->hooks.spend(f->hooks.arg, duration(f, link, call->device, call->behaviour, timeout_ms));
    while (f->hooks.spend == NULL && call->behaviour == FAKE_BLOCKED && !link->cancelled)
        (void)pthread_cond_wait(&link->cancel, &f->lock);
    call->ended_ms = fake_now(f);
    link->ended_ms = call->ended_ms;
    link->in_use = false;
    link->stray = call->behaviour == FAKE_LATE;
}

static void transact(struct driver_link *link, const struct driver_ask *ask, struct driver_answer *answer)
{
    const struct driver_plan *p = ask->plan;
    const size_t request = ask->request;
    struct fake *f = current;

    fake_lock(f);
    struct fake_call call = {
        .bus = link->bus, .device = p->device, .request = request, .begun_ms = fake_now(f)};
    call.behaviour = decide(f, link, p, request, call.begun_ms);
    f->devices[p->device].asked++;
    carry_out(f, link, &call, ask->timeout_ms);
    judge(call.behaviour, &f->devices[p->device], answer);
    fill(f, p, request, call.ended_ms, answer);
    if (f->hooks.called != NULL)
        f->hooks.called(f->hooks.arg, &call);
    fake_unlock(f);
}

static void raw(struct driver_link *link, const struct driver_raw *ask, struct driver_raw_answer *answer)
{
    struct fake *f = current;

    fake_lock(f);
    struct fake_call call = {.bus = link->bus,
                             .device = SITE_NONE,
                             .raw = true,
                             .write = ask->write,
                             .unit = ask->unit,
                             .address = ask->address,
                             .value = ask->write ? ask->values[0] : 0,
                             .begun_ms = fake_now(f)};
    for (uint32_t i = 0; ask->unit != 0 && i < f->site->device_count; i++)
        if (!f->site->devices[i].derived && f->site->devices[i].bus == link->bus &&
            f->site->devices[i].unit == ask->unit)
            call.device = i;
    call.behaviour = ask->unit == 0 || f->hooks.raw != NULL ? FAKE_OK : FAKE_SILENT;
    if (call.device != SITE_NONE)
        call.behaviour = f->devices[call.device].behaviour;
    call.behaviour = on_link(f, link, call.behaviour);
    carry_out(f, link, &call, ask->timeout_ms);
    *answer = (struct driver_raw_answer){.result = outcomes[call.behaviour].result};
    (void)snprintf(answer->detail, sizeof(answer->detail), "%s", outcomes[call.behaviour].detail);
    if (answer->result == DRIVER_EXCEPTION)
        answer->exception = call.device != SITE_NONE ? f->devices[call.device].exception : 2;
    if (answer->result == DRIVER_OK && f->hooks.raw != NULL)
        f->hooks.raw(f->hooks.arg, link->bus, ask, answer);
    answer->count = answer->result == DRIVER_OK && !ask->write ? ask->count : 0;
    if (f->hooks.called != NULL)
        f->hooks.called(f->hooks.arg, &call);
    fake_unlock(f);
}

const struct driver *fake_driver(void)
{
    static const struct driver table = {
        .name = "fake",
        .plan = plan,
        .plan_destroy = plan_destroy,
        .plan_requests = plan_requests,
        .plan_points = plan_points,
        .plan_divide = plan_divide,
        .plan_bytes = plan_bytes,
        .link_create = link_create,
        .transact = transact,
        .raw = raw,
        .link_cancel = link_cancel,
        .link_destroy = link_destroy,
    };

    return &table;
}

/* ---- sites ---- */

struct site *fake_site_create(size_t buses, size_t devices_per_bus, uint32_t points_per_device,
                              int64_t poll_ms)
{
    struct site *site = calloc(1, sizeof(*site));
    size_t devices = buses * devices_per_bus;

    if (site == NULL)
        return NULL;
    *site = (struct site){
        .bus_count = buses, .device_count = devices, .point_count = devices * points_per_device};
    site->buses = calloc(buses + 1, sizeof(*site->buses));
    site->devices = calloc(devices + 1, sizeof(*site->devices));
    site->points = calloc(site->point_count + 1, sizeof(*site->points));
    if (site->buses == NULL || site->devices == NULL || site->points == NULL) {
        fake_site_free(site);
        return NULL;
    }
    for (size_t i = 0; i < buses; i++)
        site->buses[i] =
            (struct site_bus){.name = "bus", .kind = BUS_TCP, .host = "127.0.0.1", .timeout_ms = 500};
    for (size_t i = 0; i < devices; i++)
        site->devices[i] = (struct site_device){
            .name = "device",
            .bus = (uint32_t)(i / devices_per_bus),
            .unit = (uint8_t)(i % devices_per_bus + 1),
            .poll_ms = poll_ms,
            .area = SITE_NONE,
            .timeout_ms = 500,
            .max_registers = 125,
            .first_point = (uint32_t)i * points_per_device,
            .point_count = points_per_device,
        };
    for (size_t i = 0; i < site->point_count; i++)
        site->points[i] = (struct site_point){.name = "point",
                                              .device = (uint32_t)(i / points_per_device),
                                              .type = TYPE_U16,
                                              .scaling = {1, 0, 1}};
    return site;
}

void fake_site_free(struct site *site)
{
    if (site == NULL)
        return;
    free(site->points);
    free(site->devices);
    free(site->buses);
    free(site);
}
