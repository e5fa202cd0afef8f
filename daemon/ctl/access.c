#include "ctl/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config/config.h"
#include "config/value.h"
#include "ctl/client.h"
#include "drivers/modbus/modbus_driver.h"

#define TIMEOUT_STANDARD_MS 1000 /* of an ad-hoc bus, as of a configured one */

struct access {
    const struct access_choice *choice;
    const char *socket;       /* NULL: opened here */
    struct config *config;    /* or NULL */
    struct driver_link *link; /* opened here */
    struct site_bus bus;      /* what is known of it; of the daemon's, kind and time-out only */
    char host[ENDPOINT_HOST_MAX];
    char place[512];
    struct access_device *devices;
    size_t device_count;
    struct access_output *outputs;
    size_t output_count;
};

static bool tell(const char *problem)
{
    (void)fprintf(stderr, "riskgatectl: %s\n", problem);
    return false;
}

/* ---- what is known of the bus ---- */

static bool note_site(struct access *a, const struct site *site, uint32_t bus)
{
    a->devices = calloc(site->device_count + 1, sizeof *a->devices);
    a->outputs = calloc(site->output_count + 1, sizeof *a->outputs);
    if (!a->devices || !a->outputs)
        return tell("out of memory");
    for (size_t i = 0; i < site->device_count; i++) {
        const struct site_device *d = &site->devices[i];

        if (d->bus != bus || d->derived)
            continue;
        a->devices[a->device_count] =
            (struct access_device){.unit = d->unit, .timeout_ms = d->timeout_ms, .gap_ms = d->gap_ms};
        (void)text_copy(a->devices[a->device_count++].name, sizeof a->devices->name, d->name);
    }
    for (size_t i = 0; i < site->output_count; i++) {
        const struct site_output *o = &site->outputs[i];

        if (site->devices[o->device].bus != bus)
            continue;
        a->outputs[a->output_count] = (struct access_output){
            .unit = site->devices[o->device].unit, .space = o->space, .address = o->address};
        (void)text_copy(a->outputs[a->output_count++].name, sizeof a->outputs->name, o->name);
    }
    return true;
}

static bool note_daemons(struct access *a, const struct json *result)
{
    const struct json *devices = json_get(result, "devices"), *outputs = json_get(result, "outputs");
    const char *kind = json_string(json_get(result, "kind"));
    const char *place = json_string(json_get(result, "place"));

    a->devices = calloc(json_size(devices) + 1, sizeof *a->devices);
    a->outputs = calloc(json_size(outputs) + 1, sizeof *a->outputs);
    if (!a->devices || !a->outputs)
        return tell("out of memory");
    a->bus.timeout_ms = json_int(json_get(result, "timeout_ms"), TIMEOUT_STANDARD_MS);
    for (int k = BUS_TCP; kind && k <= BUS_RTU_OVER_TCP; k++) {
        if (strcmp(kind, bus_kind_name((enum bus_kind)k)) == 0)
            a->bus.kind = (enum bus_kind)k;
    }
    (void)text_format(a->place, sizeof a->place, "bus %s (%s)", a->choice->bus, place ? place : "?");
    for (const struct json *d = json_first(devices); d; d = json_next(d)) {
        const char *name = json_string(json_get(d, "name"));

        (void)text_copy(a->devices[a->device_count].name, sizeof a->devices->name, name ? name : "?");
        a->devices[a->device_count++].unit = (uint8_t)json_int(json_get(d, "unit"), 0);
    }
    for (const struct json *o = json_first(outputs); o; o = json_next(o)) {
        const char *name = json_string(json_get(o, "name"));
        const char *space = json_string(json_get(o, "space"));

        a->outputs[a->output_count] =
            (struct access_output){.unit = (uint8_t)json_int(json_get(o, "unit"), 0),
                                   .space = space && strcmp(space, "coil") == 0 ? SPACE_COIL : SPACE_HOLDING,
                                   .address = (uint16_t)json_int(json_get(o, "address"), 0)};
        (void)text_copy(a->outputs[a->output_count++].name, sizeof a->outputs->name, name ? name : "?");
    }
    return true;
}

/* ---- opening ---- */

static enum exit_status open_here(struct access *a, const char *name)
{
    char place[SITE_BUS_PLACE_MAX];
    enum rg_err err;

    if (a->choice->timeout_ms > 0)
        a->bus.timeout_ms = a->choice->timeout_ms;
    if (name)
        (void)text_format(a->place, sizeof a->place, "bus %s (%s)", name, site_bus_place(&a->bus, place));
    else
        (void)text_copy(a->place, sizeof a->place, site_bus_place(&a->bus, place));
    err = modbus_driver.raw ? modbus_driver.link_create(&a->bus, &a->link) : RG_EUNSUPPORTED;
    if (err == RG_OK)
        return EXIT_DONE;
    (void)fprintf(stderr, "riskgatectl: %s: %s\n", a->place, rg_err_text(err));
    return EXIT_FAILED;
}

static enum exit_status open_adhoc(struct access *a)
{
    const struct access_choice *c = a->choice;
    const char *endpoint = c->tcp ? c->tcp : c->rtu_over_tcp;

    a->bus = (struct site_bus){.name = "line",
                               .kind = c->tcp   ? BUS_TCP
                                       : c->rtu ? BUS_RTU
                                                : BUS_RTU_OVER_TCP,
                               .path = c->rtu,
                               .baud = c->baud,
                               .parity = c->parity,
                               .stop_bits = c->stop_bits,
                               .timeout_ms = TIMEOUT_STANDARD_MS,
                               .where = "command line"};
    if (endpoint) {
        if (value_endpoint(endpoint, a->host, &a->bus.port) != ENDPOINT_GOOD) {
            (void)fprintf(stderr, "riskgatectl: `%s` is not HOST:PORT\n", endpoint);
            return EXIT_USAGE;
        }
        a->bus.host = a->host;
    }
    return open_here(a, NULL);
}

static bool load(struct access *a)
{
    if (config_load(a->choice->config, &a->config) != RG_OK)
        return tell("out of memory");
    if (a->config->site)
        return true;
    config_print(a->config, stderr);
    return tell("the configuration has errors");
}

static enum exit_status open_configured(struct access *a)
{
    const struct site *site = a->config ? a->config->site : NULL;

    for (uint32_t i = 0; site && i < site->bus_count; i++) {
        if (strcmp(site->buses[i].name, a->choice->bus) != 0)
            continue;
        a->bus = site->buses[i];
        return note_site(a, site, i) ? open_here(a, a->bus.name) : EXIT_FAILED;
    }
    (void)fprintf(stderr, "riskgatectl: %s has no bus %s\n", a->choice->config, a->choice->bus);
    return EXIT_FAILED;
}

static void ask_about_bus(const struct access *a, struct client_answer *answer)
{
    struct jsonw request;

    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", "bus");
    jsonw_key_string(&request, "bus", a->choice->bus);
    jsonw_object_end(&request);
    if (jsonw_error(&request) == RG_OK)
        client_ask(a->socket, &request, CLIENT_TIMEOUT_S, answer);
    else
        (void)text_copy(answer->problem, sizeof answer->problem, "out of memory");
    jsonw_free(&request);
}

/* Through the daemon, or here when nobody listens and the configuration says what to open. */
static enum exit_status open_shared(struct access *a)
{
    struct client_answer answer = {0};
    enum exit_status status = EXIT_DONE;
    bool nobody;

    ask_about_bus(a, &answer);
    nobody = answer.nobody && a->config;
    if (answer.problem[0] && !nobody) {
        (void)tell(answer.problem);
        status = answer.reached ? EXIT_FAILED : EXIT_NOT_REACHABLE;
        if (answer.nobody)
            (void)tell(
                "no daemon there; --config FILE, --tcp, --rtu or --rtu-over-tcp open the line without one");
    } else if (!nobody) {
        status = note_daemons(a, json_get(answer.answer, "result")) ? EXIT_DONE : EXIT_FAILED;
    }
    client_answer_free(&answer);
    if (!nobody)
        return status;
    (void)fprintf(stderr, "riskgatectl: no daemon at %s: opening bus %s here\n", a->socket, a->choice->bus);
    a->socket = NULL;
    return open_configured(a);
}

static enum exit_status open_any(struct access *a)
{
    const struct access_choice *c = a->choice;

    if (c->tcp || c->rtu || c->rtu_over_tcp)
        return open_adhoc(a);
    if (c->config && !load(a))
        return EXIT_FAILED;
    a->socket = c->socket;
    if (a->config && !c->socket_given)
        a->socket = a->config->site->control_socket;
    return a->socket ? open_shared(a) : open_configured(a);
}

enum exit_status access_open(const struct access_choice *c, struct access **out)
{
    struct access *a = calloc(1, sizeof *a);
    enum exit_status status;

    *out = NULL;
    if (!a) {
        (void)tell("out of memory");
        return EXIT_FAILED;
    }
    a->choice = c;
    status = open_any(a);
    if (status == EXIT_DONE)
        *out = a;
    else
        access_close(a);
    return status;
}

void access_close(struct access *a)
{
    if (!a)
        return;
    modbus_driver.link_destroy(a->link);
    config_free(a->config);
    free(a->devices);
    free(a->outputs);
    free(a);
}

/* ---- what it is ---- */

bool access_is_shared(const struct access *a)
{
    return a->socket != NULL;
}

const char *access_place(const struct access *a)
{
    return a->place;
}

const char *access_bus_name(const struct access *a)
{
    return a->choice->bus;
}

enum bus_kind access_kind(const struct access *a)
{
    return a->bus.kind;
}

int64_t access_timeout_ms(const struct access *a)
{
    return a->choice->timeout_ms > 0 ? a->choice->timeout_ms : a->bus.timeout_ms;
}

const struct access_device *access_next_device(const struct access *a, uint8_t unit, size_t *index)
{
    while (*index < a->device_count) {
        const struct access_device *d = &a->devices[(*index)++];

        if (d->unit == unit)
            return d;
    }
    return NULL;
}

const struct access_output *access_next_output(const struct access *a, uint8_t unit, enum point_space space,
                                               uint16_t address, uint16_t count, size_t *index)
{
    while (*index < a->output_count) {
        const struct access_output *o = &a->outputs[(*index)++];

        if (o->unit == unit && o->space == space && o->address >= address && o->address - address < count)
            return o;
    }
    return NULL;
}

/* ---- asking ---- */

/* The answer's "result"; NULL: told. */
static const struct json *ask_daemon(const struct access *a, const struct jsonw *request,
                                     struct client_answer *answer)
{
    if (jsonw_error(request) == RG_OK)
        client_ask(a->socket, request, CLIENT_LINE_TIMEOUT_S, answer);
    else
        (void)text_copy(answer->problem, sizeof answer->problem, "out of memory");
    if (!answer->problem[0])
        return json_get(answer->answer, "result");
    (void)tell(answer->problem);
    return NULL;
}

static bool read_shared(const struct access *a, const struct driver_raw *ask,
                        struct driver_raw_answer *answer)
{
    struct client_answer got = {0};
    const struct json *result;
    struct jsonw request;
    bool ok;

    jsonw_init(&request, 0);
    raw_write_read(&request, a->choice->bus, ask);
    result = ask_daemon(a, &request, &got);
    ok = result && raw_read_answer(result, answer);
    if (result && !ok)
        (void)tell("the daemon's answer is not understood; are both of one version?");
    client_answer_free(&got);
    jsonw_free(&request);
    return ok;
}

/* The daemon knows what its devices need; on a bus opened here it is added to the request. */
static struct driver_raw complete(const struct access *a, const struct driver_raw *ask)
{
    const struct access_device *d;
    struct driver_raw whole = *ask;
    int64_t longest_ms = a->bus.timeout_ms;

    if (whole.timeout_ms == 0)
        whole.timeout_ms = a->choice->timeout_ms;
    if (a->socket)
        return whole;
    for (size_t i = 0; (d = access_next_device(a, ask->unit, &i));) {
        longest_ms = d->timeout_ms > longest_ms ? d->timeout_ms : longest_ms;
        whole.gap_ms = d->gap_ms > whole.gap_ms ? d->gap_ms : whole.gap_ms;
    }
    if (whole.timeout_ms == 0)
        whole.timeout_ms = longest_ms;
    return whole;
}

bool access_ask(struct access *a, const struct driver_raw *ask, struct driver_raw_answer *answer,
                int64_t *took_ms)
{
    struct driver_raw whole = complete(a, ask);
    int64_t begun_us = clock_mono_us();
    bool ok = true;

    if (a->socket)
        ok = read_shared(a, &whole, answer);
    else
        modbus_driver.raw(a->link, &whole, answer);
    if (took_ms)
        *took_ms = (clock_mono_us() - begun_us) / 1000;
    return ok;
}

static bool write_shared(const struct access *a, const struct driver_raw *ask, const char *by,
                         struct raw_written *out)
{
    struct client_answer got = {0};
    const struct json *result;
    struct jsonw request;
    bool ok;

    jsonw_init(&request, 0);
    raw_write_write(&request, a->choice->bus, ask, by);
    result = ask_daemon(a, &request, &got);
    ok = result && raw_read_written(result, ask->count, out);
    if (result && !ok)
        (void)tell("the daemon's answer is not understood; are both of one version?");
    client_answer_free(&got);
    jsonw_free(&request);
    return ok;
}

static bool read_back(struct access *a, const struct driver_raw *write, uint16_t *values)
{
    struct driver_raw ask = {
        .unit = write->unit, .space = write->space, .address = write->address, .count = write->count};
    struct driver_raw_answer answer = {0};

    if (write->unit == 0)
        return false; /* all of them; nobody answers */
    if (!access_ask(a, &ask, &answer, NULL) || answer.result != DRIVER_OK || answer.count != write->count)
        return false;
    memcpy(values, answer.values, write->count * sizeof *values);
    return true;
}

bool access_write(struct access *a, const struct driver_raw *ask, const char *by, struct raw_written *out)
{
    struct driver_raw whole = complete(a, ask);

    memset(out, 0, sizeof *out);
    whole.write = true;
    if (a->socket)
        return write_shared(a, &whole, by, out);
    out->had_old = read_back(a, &whole, out->old);
    modbus_driver.raw(a->link, &whole, &out->answer);
    if (out->answer.result == DRIVER_OK)
        out->has_new = read_back(a, &whole, out->now);
    return true;
}
