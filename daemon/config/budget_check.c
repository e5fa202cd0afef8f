/* Warns of buses whose time budget does not fit, with the place. */
#include "base/text.h"
#include "config/budget.h"
#include "config/build.h"
#include "config/issue.h"

/* What all devices of a bus ask of it. */
struct load_of {
    double share;     /* of its time, 1: all */
    uint32_t fastest; /* device with the shortest period, and the one after it: the fastest among the others
                         of `fastest` */
    uint32_t second;
};

static void note_fast(const struct site *site, struct load_of *load, uint32_t device)
{
    int64_t poll = site->devices[device].poll_ms;

    if (load->fastest == SITE_NONE || poll < site->devices[load->fastest].poll_ms) {
        load->second = load->fastest;
        load->fastest = device;
    } else if (load->second == SITE_NONE || poll < site->devices[load->second].poll_ms) {
        load->second = device;
    }
}

static void check_poll(struct build *b, uint32_t device, double ms)
{
    const struct site_device *d = &b->site->devices[device];
    char period[32];

    if (ms > (double)d->poll_ms)
        issue_warning(b->ld, node_place(b->entries[SECTION_DEVICE].nodes[device]),
                      "one poll of `%s` takes about %.0f ms: %.0f ms longer than its period of %s", d->name,
                      ms, ms - (double)d->poll_ms, text_format_duration(d->poll_ms, period));
}

static void check_bus(struct build *b, uint32_t bus, const struct load_of *load)
{
    if (load->share > 1)
        issue_warning(b->ld, node_place(b->entries[SECTION_BUS].nodes[bus]),
                      "the polls asked of the bus `%s` need about %.0f %% of its time, %.0f %% too much: "
                      "make their periods %.2f times as long",
                      b->site->buses[bus].name, load->share * 100, load->share * 100 - 100, load->share);
}

/* A unit that does not answer holds the line for its time-outs. Once a bus; the poll's suspension of silent
 * units makes it rare. */
static bool check_mute(struct build *b, uint32_t device, const struct load_of *load)
{
    const struct site_device *d = &b->site->devices[device];
    uint32_t other = load->fastest == device ? load->second : load->fastest;
    int64_t mute = d->timeout_ms * (1 + (int64_t)d->retries);
    char held[32];
    char period[32];

    if (other == SITE_NONE || mute <= b->site->devices[other].poll_ms)
        return false;
    issue_warning(b->ld, node_place(b->entries[SECTION_DEVICE].nodes[device]),
                  "when `%s` is mute it holds its bus for %s, longer than the period of `%s`, %s", d->name,
                  text_format_duration(mute, held), b->site->devices[other].name,
                  text_format_duration(b->site->devices[other].poll_ms, period));
    return true;
}

void budget_check(struct build *b)
{
    const struct site *site = b->site;
    struct load_of *loads = load_scratch(b->ld, site->bus_count + 1, sizeof *loads);
    bool *told = load_scratch(b->ld, site->bus_count + 1, sizeof *told);

    if (!loads || !told)
        return;
    for (uint32_t i = 0; i < site->bus_count; i++)
        loads[i] = (struct load_of){.fastest = SITE_NONE, .second = SITE_NONE};
    for (uint32_t i = 0; i < site->device_count; i++) {
        const struct site_device *d = &site->devices[i];
        struct budget_device one;

        if (d->bus == SITE_NONE)
            continue;
        if (budget_device(site, i, &one) != RG_OK) {
            b->ld->oom = true;
            return;
        }
        b->site->devices[i].requests = one.requests;
        loads[d->bus].share += budget_share(site, i, &one);
        note_fast(site, &loads[d->bus], i);
        check_poll(b, i, one.requests_ms + one.trigger_ms);
    }
    for (uint32_t i = 0; i < site->bus_count; i++)
        check_bus(b, i, &loads[i]);
    for (uint32_t i = 0; i < site->device_count; i++) {
        uint32_t bus = site->devices[i].bus;

        if (bus != SITE_NONE && !told[bus])
            told[bus] = check_mute(b, i, &loads[bus]);
    }
}
