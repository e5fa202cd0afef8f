/* Buses and their units. A bus that is down, or on which nobody answers, is told once and not for each of its units. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/field.h"
#include "ctl/judge_part.h"

/* Our own choices. */
#define RECENT_LEAST 16 /* polls, before their share says anything */
#define RECENT_SHARE_PERCENT 90
#define POLL_LATE_MS 1000

/* ---- what to try ---- */

static const struct judge_advice serial_down[] = {
    {"no such file",
     "The adapter is not there: plug it in, look at `dmesg` and /dev/serial/by-id; the path in the "
     "configuration should be one that stays (by-id)."},
    {"no such device", "The adapter is gone: its plug, its cable, its power; `dmesg` tells when it went."},
    {"not permitted",
     "The daemon may not open it: does the unit allow this kind of port (`DeviceAllow=` in a drop-in)?"},
    {"permission", "The daemon may not open it: is its user in the group dialout (`id riskgate`), does the "
                   "unit allow this kind of "
                   "port (`DeviceAllow=`)?"},
    {"busy",
     "Another program holds the line (a getty, a modem manager): `fuser -v` on the path says which; end it."},
    {"in use", "Another program holds the line: `fuser` on the path says which; end it."},
    {"rs485", "Take `rs485` out of the configuration when the adapter switches its direction by itself."},
    {"baud", "Take a baud rate that this port knows, and set the units to it."},
    {NULL, NULL},
};

static const struct judge_advice tcp_down[] = {
    {"refused", "The device is on, but takes no connection at this port: is the port right, is Modbus TCP "
                "switched on, does "
                "another master hold its only connection?"},
    {"no route",
     "Nobody has this address: power and network cable of the device, the address, the gateway's own "
     "netmask (`ip addr`)."},
    {"unreachable",
     "There is no way to this address: network cable, switch, the gateway's own address and netmask "
     "(`ip addr`, `ip route`)."},
    {"timed out",
     "Nobody answers at this address: power and network cable of the device, `ping` it; a firewall between?"},
    {"name",
     "The name cannot be resolved: use the address instead, or look at the name server (`resolvectl`)."},
    {"reset",
     "The device ends the connection: it may allow too few of them, or have started anew; restart it."},
    {"closed",
     "The device ends the connection: it may allow too few of them, or have started anew; restart it."},
    {NULL, NULL},
};

/* A unit's own fault, of a poll that failed. */
static const struct judge_advice unit_fault[] = {
    {"data address",
     "The device has no such register: hold the points' addresses against its manual (zero-based, or "
     "`register:` one-based?), look with `riskgatectl probe`."},
    {"illegal function",
     "The device does not know this kind of register: should the points be `input` instead of "
     "`holding`, `discrete` instead of `coil`, or the other way round?"},
    {"data value",
     "The device does not take a request of this size: try `max_registers: 1`, or fewer than now."},
    {"device failure", "The device says that it is faulty: look at its display, restart it."},
    {"busy", "The device is busy: poll it less often, or give it a longer `timeout`."},
    {"gateway", "The converter answers, the unit behind it does not: its power, its address, its wires; "
                "speed and parity "
                "set at the converter."},
    {"crc",
     "Answers arrive damaged: wires, shield and termination of the line, two units with one address, speed "
     "and parity."},
    {"cut short",
     "Answers arrive damaged: wires, shield and termination of the line, two units with one address, a "
     "`timeout` that is too short."},
    {"another unit",
     "Two units or two masters on one line? Look for a second one with this address, and for another "
     "program that asks."},
    {"echo", "The adapter repeats what is sent: set `echo: true` at the bus."},
    {"begin no frame", "Something else talks on the line: another master, or noise; termination, shield."},
    {NULL, NULL},
};

static const char *const unit_mute_serial =
    "Is the unit powered, is its address the one above, are its speed and parity the line's? Wires A and B; "
    "`riskgatectl probe --scan --bus {bus}` shows who answers.";
static const char *const unit_mute_tcp = "Is the unit number right (many devices want 1 or 255)? Behind a "
                                         "converter: power, address and wires of the unit; "
                                         "`riskgatectl probe --scan --bus {bus}` shows who answers.";

/* ---- a bus and its units, seen together ---- */

struct bus_view {
    const struct json *bus;
    const char *name, *place;
    bool serial, down;
    int64_t devices, asked, silent; /* asked: at least once */
    int64_t last_ok_ms, silent_since_ms, skipped;
};

static bool is_state(const struct json *json, const char *state)
{
    return strcmp(field_text(json, "state"), state) == 0;
}

static bool is_silent(const struct json *device)
{
    return is_state(device, "suspended");
}

static struct bus_view view(const struct json *bus, const struct json *devices)
{
    struct bus_view v = {.bus = bus, .name = field_text(bus, "name"), .place = field_text(bus, "place")};

    v.serial = strncmp(v.place, "rtu ", 4) == 0;
    v.down = is_state(bus, "down");
    for (const struct json *d = json_first(devices); d; d = json_next(d)) {
        int64_t ok, since;

        if (strcmp(field_text(d, "bus"), v.name) != 0)
            continue;
        ok = field_int(d, "last_ok_ts");
        since = field_int(d, "silent_since_ts");
        v.devices++;
        v.asked += !is_state(d, "unknown");
        v.silent += is_silent(d);
        v.skipped += field_int(d, "skipped");
        v.last_ok_ms = ok > v.last_ok_ms ? ok : v.last_ok_ms;
        if (is_silent(d) && since > 0 && (v.silent_since_ms == 0 || since < v.silent_since_ms))
            v.silent_since_ms = since;
    }
    return v;
}

/* Nobody on a line of several answers: then it is the line. */
static bool is_mute(const struct bus_view *v)
{
    return !v->down && v->asked > 1 && v->silent == v->asked;
}

static struct judge_place place_of(struct judgement *j, const struct bus_view *v)
{
    return (struct judge_place){.j = j,
                                .part = "bus",
                                .name = v->name,
                                .unit = -1,
                                .where = strcmp(v->place, "-") == 0 ? NULL : v->place};
}

/* "its only device is not", "none of its 4 devices is" */
static const char *none_of(int64_t devices, char out[64])
{
    if (devices == 1)
        (void)text_copy(out, 64, "its only device is not");
    else
        (void)text_format(out, 64, "none of its %" PRId64 " devices is", devices);
    return out;
}

static void judge_bus(struct judgement *j, const struct bus_view *v, int64_t start_ms)
{
    struct judge_place at = place_of(j, v);
    const struct json *load = json_get(v->bus, "load");
    const char *detail = field_text(v->bus, "detail");
    const double measured = 100 * json_double(json_get(load, "measured"), 0);
    char none[64];

    if (v->down) {
        at.since_ms = v->last_ok_ms > 0 ? v->last_ok_ms : start_ms;
        judge_tell(&at, JUDGE_FAULT,
                   v->serial ? judge_advise(serial_down, detail,
                                            "The adapter, its plug and its cable; `dmesg` tells more.")
                             : judge_advise(
                                   tcp_down, detail,
                                   "Power and network cable of the device, its address and port; `ping` it."),
                   "cannot be used: %s; %s read", detail, none_of(v->devices, none));
    } else if (is_mute(v)) {
        at.since_ms = v->silent_since_ms;
        judge_tell(&at, JUDGE_FAULT,
                   v->serial ? "The line as a whole: its supply, A and B (swapped, cut), its termination, "
                               "speed and parity; then "
                               "unplug unit by unit: one that is broken can hold all of it."
                             : "The other side takes the connection, and nobody behind it answers: power of "
                               "the units, wires of "
                               "the line behind the converter, its speed and parity.",
                   "open, but none of its %" PRId64 " units answers", v->asked);
    }
    at.since_ms = 0;
    if (is_state(load, "full"))
        judge_tell(&at, JUDGE_WARNING,
                   "The polls do not fit the line: longer `poll` periods, a higher baud rate, fewer devices "
                   "on it, or a "
                   "shorter `timeout` for those that are silent; `riskgatectl check FILE` works it out.",
                   "busy %.0f %% of its time: polls come late or are skipped (%" PRId64 " since the start)",
                   measured, v->skipped);
    else if (is_state(load, "over plan"))
        judge_tell(
            &at, JUDGE_WARNING,
            "Slow answers, time-outs or retries take it: look for the devices below that do not answer well.",
            "busy %.0f %% of its time, where %.0f %% were worked out", measured,
            100 * json_double(json_get(load, "planned"), 0));
}

/* ---- a unit ---- */

/* What is wrong with the readings of a device that answers. */
static void judge_readings(const struct judge_place *at, const struct json *d)
{
    const struct json *bad = json_get(d, "bad");
    const int64_t points = field_int(d, "points");

    if (field_int(bad, "sensor") > 0)
        judge_tell(at, JUDGE_FAULT,
                   "The device says so itself: the sensor's plug and cable, its age, its last calibration; "
                   "`riskgatectl "
                   "points` shows which.",
                   "sensor fault at %" PRId64 " of its %" PRId64 " points", field_int(bad, "sensor"), points);
    if (field_int(bad, "range") > 0)
        judge_tell(at, JUDGE_WARNING,
                   "If the process can't be there: type, order, `scale` and `range` of the points against "
                   "the device's "
                   "display (`riskgatectl probe`); or a sensor that is broken.",
                   "%" PRId64 " of its %" PRId64 " points read outside of their range",
                   field_int(bad, "range"), points);
    if (field_int(bad, "inhibited") > 0)
        judge_tell(
            at, JUDGE_WARNING, "Warm-up ends by itself; a calibration or an inhibit is ended at the device.",
            "%" PRId64 " of its %" PRId64 " points are inhibited (warm-up, calibration), and not watched",
            field_int(bad, "inhibited"), points);
}

static void judge_answering(const struct judge_place *at, const struct json *d, bool serial)
{
    const char *detail = json_string(json_get(d, "detail"));
    const int64_t recent = field_int(d, "recent_polls"), answered = field_int(d, "recent_answered");
    const int64_t blind = field_int(json_get(d, "bad"), "device") + field_int(json_get(d, "bad"), "comm");

    if (detail && (blind > 0 || field_int(d, "left_out") > 0))
        judge_tell(
            at, JUDGE_FAULT,
            judge_advise(
                unit_fault, detail,
                "Hold the points against the device's manual; `riskgatectl probe` reads them one by one."),
            "answers, but %" PRId64 " of its %" PRId64 " points cannot be read: %s", blind,
            field_int(d, "points"), detail);
    else if (recent >= RECENT_LEAST && answered * 100 < recent * RECENT_SHARE_PERCENT)
        judge_tell(at, JUDGE_WARNING,
                   serial ? "A bad contact, missing termination, noise from a drive, or a `timeout` that is "
                            "too short; two "
                            "masters on the line?"
                          : "A bad contact or an overloaded device: `ping` it for a while, poll it less "
                            "often, give it a "
                            "longer `timeout`.",
                   "only %" PRId64 " of its last %" PRId64 " polls were answered%s%s", answered, recent,
                   detail ? ": " : "", detail ? detail : "");
    if (field_int(d, "poll_late_ms") >= POLL_LATE_MS)
        judge_tell(at, JUDGE_WARNING,
                   "Its bus has too much to do: see LOAD of the bus, and those that are silent on it.",
                   "its last poll began %.1f s late, %" PRId64 " were skipped since the start",
                   (double)field_int(d, "poll_late_ms") / 1000, field_int(d, "skipped"));
    judge_readings(at, d);
}

static void judge_device(struct judgement *j, const struct bus_view *v, const struct json *d,
                         int64_t start_ms)
{
    const char *detail = field_text(d, "detail");
    char where[JUDGE_WHERE], last[FIELD_TIME];
    struct judge_place at = {.j = j,
                             .part = "device",
                             .name = field_text(d, "name"),
                             .bus = v->name,
                             .unit = field_int(d, "unit"),
                             .where = where};

    (void)text_format(where, sizeof where, "bus %s, unit %" PRId64, v->name, at.unit);
    if (is_silent(d)) {
        at.since_ms = field_int(d, "silent_since_ts") > 0 ? field_int(d, "silent_since_ts") : start_ms;
        judge_tell(&at, JUDGE_FAULT,
                   judge_advise(unit_fault, detail, v->serial ? unit_mute_serial : unit_mute_tcp),
                   "does not answer (%" PRId64 " polls in a row): %s; last answer: %s",
                   field_int(d, "misses"), detail, field_time(d, "last_ok_ts", last));
    } else if (is_state(d, "doubtful")) {
        at.since_ms = field_int(d, "silent_since_ts");
        judge_tell(&at, JUDGE_WARNING,
                   judge_advise(unit_fault, detail, v->serial ? unit_mute_serial : unit_mute_tcp),
                   "its last %" PRId64 " polls were not answered: %s", field_int(d, "misses"), detail);
    } else if (is_state(d, "online")) {
        judge_answering(&at, d, v->serial);
    }
}

void judge_buses(struct judgement *j, const struct json *status)
{
    const struct json *devices = json_get(status, "devices");
    const int64_t ts = field_int(status, "ts"); /* an older daemon does not say */
    const int64_t start_ms = ts > 0 ? ts - 1000 * field_int(status, "uptime_s") : 0;

    for (const struct json *b = json_first(json_get(status, "buses")); b; b = json_next(b)) {
        const struct bus_view v = view(b, devices);

        judge_bus(j, &v, start_ms);
    }
    for (const struct json *b = json_first(json_get(status, "buses")); b; b = json_next(b)) {
        const struct bus_view v = view(b, devices);

        for (const struct json *d = json_first(devices); d && !v.down && !is_mute(&v); d = json_next(d)) {
            if (strcmp(field_text(d, "bus"), v.name) == 0)
                judge_device(j, &v, d, start_ms);
        }
    }
}
