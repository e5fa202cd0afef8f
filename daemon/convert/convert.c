/* The stage at work: a frame in, frames out. What one point becomes is worked out in derive.c. */
#include "convert/stage.h"

static bool is_new(struct convert *c, uint32_t point)
{
    if (c->links[point].generation == c->generation)
        return false;
    c->links[point].generation = c->generation;
    return true;
}

static void list_add(struct convert *c, struct point_list *list, uint32_t point)
{
    c->links[point].next = SITE_NONE;
    if (list->first == SITE_NONE)
        list->first = point;
    else
        c->links[list->last].next = point;
    list->last = point;
}

static uint32_t list_take(struct convert *c, struct point_list *list)
{
    uint32_t point = list->first;

    if (point != SITE_NONE)
        list->first = c->links[point].next;
    return point;
}

/* The device's own samples, each point once; those that matter to others, or are made of others, wait for their turn. */
static void take_samples(struct convert *c, const struct frame *frame)
{
    const struct site_device *device = &c->site->devices[frame->device];

    c->own_count = 0;
    for (size_t i = 0; i < frame->count; i++) {
        const struct sample *s = &frame->samples[i];

        if (s->point - device->first_point >= device->point_count) /* unsigned: those before it too */
            continue;
        if (!is_new(c, s->point)) {
            c->own[c->links[s->point].sample] = *s;
            continue;
        }
        c->links[s->point].sample = (uint32_t)c->own_count;
        c->own[c->own_count++] = *s;
        if (c->matters[s->point])
            list_add(c, &c->waiting[c->levels[s->point]], s->point);
    }
}

static void work_out(struct convert *c, uint32_t point)
{
    const struct site_point *p = &c->site->points[point];

    if (p->derived) {
        derive_point(c, point);
        if (c->derived[p->device].first == SITE_NONE)
            c->touched[c->touched_count++] = p->device;
        list_add(c, &c->derived[p->device], point);
    } else {
        convert_point(c, point, &c->own[c->links[point].sample]);
    }
    for (uint32_t i = c->users_begin[point]; i < c->users_begin[point + 1]; i++) {
        uint32_t user = c->users[i];

        if (is_new(c, user))
            list_add(c, &c->waiting[c->levels[user]], user);
    }
}

static void tell_derived(struct convert *c, uint32_t device, const struct frame *cause, convert_frame_cb cb,
                         void *arg)
{
    struct frame frame = {.device = device,
                          .at = cause->at,
                          .clock_unsynced = cause->clock_unsynced,
                          .heard = true,
                          .samples = c->out};
    uint32_t point;

    while ((point = list_take(c, &c->derived[device])) != SITE_NONE) {
        const struct state *s = &c->states[point];

        c->out[frame.count++] = (struct sample){.point = point, .quality = s->quality, .value = s->value};
    }
    cb(arg, &frame);
}

void convert_frame(struct convert *c, const struct frame *frame, convert_frame_cb cb, void *arg)
{
    struct frame own = *frame;
    uint32_t point;

    if (c->idle || frame->device >= c->site->device_count || c->site->devices[frame->device].derived) {
        cb(arg, frame);
        return;
    }
    c->generation++;
    take_samples(c, frame);
    /* What is worked out from a point stands in a higher list than the point. */
    for (uint32_t level = 0; level <= SITE_DEPTH_MAX; level++) {
        while ((point = list_take(c, &c->waiting[level])) != SITE_NONE)
            work_out(c, point);
    }
    own.samples = c->own;
    own.count = c->own_count;
    cb(arg, &own);
    for (size_t i = 0; i < c->touched_count; i++)
        tell_derived(c, c->touched[i], frame, cb, arg);
    c->touched_count = 0;
}
