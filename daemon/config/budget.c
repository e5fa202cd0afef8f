/* The time budget of each bus: do the polls asked for fit their periods?
 *
 * An estimate, made before anything is asked. Requests are counted by a simple rule of this file: neighbouring
 * points of one address space are read together while the gap and the length of a request allow. The drivers
 * plan by the same limits, so the count is theirs or very near it. Then, for each request:
 * - RTU: 8 characters and those of the answer, 3.5 characters of silence before and after, the unit's turnaround;
 * - TCP: a flat time;
 * - RTU over TCP: both;
 * - on every bus its own gap, or the device's when that is longer.
 * Status, heartbeat and decimals registers are read like points; a trigger is one write more for each poll (its wait
 * leaves the bus free), and a broadcast one is counted for each device, though devices share it.
 * A character is 1 start, 8 data, parity and stop bits (Modbus over serial line V1.02, 2.5.1); the silence is
 * 1.75 ms above 19200 baud (2.5.1.1). Turnaround and TCP time are what common devices need, not measured here. */
#include <stdlib.h>

#include "base/text.h"
#include "config/build.h"
#include "config/issue.h"

#define TURNAROUND_MS 20.0
#define TCP_MS 5.0
#define REQUEST_CHARS 8u /* unit, function, address, count, CRC */
#define ANSWER_CHARS 5u  /* unit, function, length, CRC */
#define WRITE_CHARS 8u   /* of one coil or register, and of its answer: unit, function, address, value, CRC */
#define SILENCE_CHARS 3.5
#define SILENCE_FAST_MS 1.75
#define SILENCE_FAST_BAUD 19200u
#define BITS_MAX 2000u /* of one request for coils or discrete inputs */

/* What one point takes of an address space. */
struct stretch {
    uint32_t begin; /* space, then address */
    uint32_t end;   /* after the last */
};

static int by_begin(const void *left, const void *right)
{
    const struct stretch *a = left;
    const struct stretch *b = right;

    return a->begin < b->begin ? -1 : a->begin > b->begin;
}

/* One request and its answer, in characters of a serial line. */
static double request_ms(const struct site_bus *bus, const struct site_device *d, unsigned chars)
{
    double ms = (double)(d->gap_ms > bus->gap_ms ? d->gap_ms : bus->gap_ms);
    double character;

    if (bus->kind != BUS_RTU)
        ms += TCP_MS;
    if (bus->kind == BUS_TCP)
        return ms;
    ms += TURNAROUND_MS;
    if (bus->baud == 0)
        return ms;
    character = (9.0 + (bus->parity != PARITY_NONE) + bus->stop_bits) * 1000 / bus->baud;
    ms += chars * character;
    return ms + 2 * (bus->baud > SILENCE_FAST_BAUD ? SILENCE_FAST_MS : SILENCE_CHARS * character);
}

static struct stretch stretch_of(enum point_space space, uint16_t address, unsigned words)
{
    uint32_t begin = (uint32_t)space << 17 | address; /* 17: the spaces never touch */

    return (struct stretch){.begin = begin, .end = begin + words};
}

/* All that a poll of the device reads, sorted. stretches: room for two a point and one a gate. */
static size_t list_stretches(const struct site *site, const struct site_device *d, struct stretch *stretches)
{
    size_t count = 0;

    for (uint32_t i = 0; i < d->point_count; i++) {
        const struct site_point *p = &site->points[d->first_point + i];

        stretches[count++] = stretch_of(p->space, p->address, point_type_words(p->type));
        if (p->has_decimals)
            stretches[count++] = stretch_of(p->decimals.space, p->decimals.address, 1);
    }
    for (size_t i = 0; i < d->gate_count; i++)
        stretches[count++] = stretch_of(d->gates[i].at.space, d->gates[i].at.address, 1);
    qsort(stretches, count, sizeof *stretches, by_begin);
    return count;
}

/* One poll of a device. */
static double device_ms(const struct site *site, const struct site_device *d, struct stretch *stretches)
{
    const struct site_bus *bus = &site->buses[d->bus];
    const size_t count = list_stretches(site, d, stretches);
    double ms = d->trigger.enabled ? request_ms(bus, d, 2 * WRITE_CHARS) : 0;

    for (size_t i = 0; i < count;) {
        struct stretch request = stretches[i];
        bool bits = request.begin >> 17 <= SPACE_DISCRETE;
        uint32_t longest = bits && d->max_registers > 1 ? BITS_MAX : d->max_registers;
        unsigned length;

        for (i++; i < count; i++) {
            uint32_t end = stretches[i].end > request.end ? stretches[i].end : request.end;

            if (stretches[i].begin > request.end + d->max_gap || end - request.begin > longest)
                break;
            request.end = end;
        }
        length = request.end - request.begin;
        ms += request_ms(bus, d, REQUEST_CHARS + ANSWER_CHARS + (bits ? (length + 7) / 8 : 2 * length));
    }
    return ms;
}

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

static size_t most_stretches(const struct site *site)
{
    size_t most = 1;

    for (size_t i = 0; i < site->device_count; i++) {
        size_t needed = 2 * (size_t)site->devices[i].point_count + site->devices[i].gate_count;

        most = needed > most ? needed : most;
    }
    return most;
}

void budget_check(struct build *b)
{
    const struct site *site = b->site;
    struct stretch *stretches = load_scratch(b->ld, most_stretches(site), sizeof *stretches);
    struct load_of *loads = load_scratch(b->ld, site->bus_count + 1, sizeof *loads);
    bool *told = load_scratch(b->ld, site->bus_count + 1, sizeof *told);

    if (!stretches || !loads || !told)
        return;
    for (uint32_t i = 0; i < site->bus_count; i++)
        loads[i] = (struct load_of){.fastest = SITE_NONE, .second = SITE_NONE};
    for (uint32_t i = 0; i < site->device_count; i++) {
        const struct site_device *d = &site->devices[i];
        double ms;

        if (d->bus == SITE_NONE)
            continue; /* worked out here: it costs no bus anything */
        ms = device_ms(site, d, stretches);
        loads[d->bus].share += ms / (double)d->poll_ms;
        note_fast(site, &loads[d->bus], i);
        check_poll(b, i, ms);
    }
    for (uint32_t i = 0; i < site->bus_count; i++)
        check_bus(b, i, &loads[i]);
    for (uint32_t i = 0; i < site->device_count; i++) {
        uint32_t bus = site->devices[i].bus;

        if (bus != SITE_NONE && !told[bus])
            told[bus] = check_mute(b, i, &loads[bus]);
    }
}
