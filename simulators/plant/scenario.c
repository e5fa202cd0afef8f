#include "plant/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plant/scenario_parts.h"

#define IDLE_USUAL_US 20000
#define TICK_USUAL_US 10000
#define HISTORY_USUAL 4096
#define HISTORY_MAX 1000000

const char *const listener_kind_names[] = {"tcp", "rtu", "rtu_over_tcp"};

static bool is_name(const char *text)
{
    size_t length = strlen(text);
    return length >= 1 && length <= SCENARIO_NAME_MAX &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}

/* host:port or [v6 address]:port */
static bool read_address(struct reader *reader, struct fy_node *node, struct listener_config *listener)
{
    const char *text = NULL;
    if (!reader_text(reader, node, &text))
        return false;
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    long port = colon != NULL ? strtol(colon + 1, &end, 10) : -1;
    size_t length = colon != NULL ? (size_t)(colon - text) : 0;
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length == 0 || end == colon + 1 || *end != '\0' || port < 0 || port > UINT16_MAX) {
        reader_error(reader, node, "expected host:port, port 0 to 65535 (0: any free one)");
        return false;
    }
    listener->host = pool_text(reader->pool, text, length);
    listener->port = (uint16_t)port;
    if (listener->host == NULL)
        reader_no_memory(reader, node);
    return listener->host != NULL;
}

static bool read_place(struct reader *reader, struct fy_node *map, struct listener_config *listener)
{
    struct fy_node *found = NULL;
    for (size_t i = 0; i < 3; i++) {
        struct fy_node *node = reader_child(map, listener_kind_names[i]);
        if (node == NULL)
            continue;
        if (found != NULL) {
            reader_error(reader, node, "one of tcp, rtu, rtu_over_tcp, not two");
            return false;
        }
        found = node;
        listener->kind = (enum listener_kind)i;
    }
    if (found == NULL) {
        reader_error(reader, map, "one of tcp, rtu, rtu_over_tcp is missing");
        return false;
    }
    return listener->kind == LISTENER_RTU ? reader_text(reader, found, &listener->path)
                                          : read_address(reader, found, listener);
}

static bool read_line(struct reader *reader, struct fy_node *map, struct listener_config *listener)
{
    struct fy_node *baud = reader_child(map, "baud");
    struct fy_node *idle = reader_child(map, "idle");
    struct fy_node *echo = reader_child(map, "echo");
    struct fy_node *unknown = reader_child(map, "unknown");
    int64_t number = 0;
    if (listener->kind == LISTENER_TCP && (baud != NULL || idle != NULL || echo != NULL)) {
        reader_error(reader, baud != NULL ? baud : idle != NULL ? idle : echo, "is for RTU framing");
        return false;
    }
    if (echo != NULL && !reader_bool(reader, echo, &listener->echo))
        return false;
    listener->idle_us = IDLE_USUAL_US;
    if (idle != NULL && !reader_duration(reader, idle, &listener->idle_us))
        return false;
    if (baud != NULL && !reader_int(reader, baud, 300, 10000000, &number))
        return false;
    listener->baud = (uint32_t)number;
    number = 0;
    if (unknown != NULL && !reader_int(reader, unknown, 0, 255, &number))
        return false;
    listener->unknown = (uint8_t)number;
    return true;
}

static bool name_taken(const struct scenario *scenario, const char *name)
{
    for (size_t i = 0; i < scenario->listener_count; i++) {
        if (strcmp(scenario->listeners[i].name, name) == 0)
            return true;
    }
    return false;
}

/* The index-th of `count` alike; index -1: there is only this one. */
static bool read_listener(struct reader *reader, struct fy_node *map,
                          const struct scenario_defaults *defaults, const char *name, int64_t index,
                          struct scenario *scenario)
{
    struct listener_config *listener = &scenario->listeners[scenario->listener_count];
    *listener = (struct listener_config){0};
    if (index < 0)
        (void)snprintf(listener->name, sizeof(listener->name), "%s", name);
    else
        (void)snprintf(listener->name, sizeof(listener->name), "%s-%lld", name, (long long)index);
    if (name_taken(scenario, listener->name)) {
        reader_error(reader, map, "listener '%s' is described twice", listener->name);
        return false;
    }
    if (!read_place(reader, map, listener) || !read_line(reader, map, listener))
        return false;
    if (index > 0 && listener->port != 0 && listener->port + index > UINT16_MAX) {
        reader_error(reader, map, "the ports run beyond 65535");
        return false;
    }
    if (index > 0 && listener->port != 0)
        listener->port = (uint16_t)(listener->port + index);
    if (index >= 0 && listener->kind == LISTENER_RTU) {
        reader_error(reader, map, "'count' is for listeners on a network");
        return false;
    }
    struct fy_node *faults = reader_child(map, "faults");
    struct fy_node *units = reader_child(map, "units");
    if (units == NULL) {
        reader_error(reader, map, "'units' is missing");
        return false;
    }
    if ((faults != NULL &&
         !scenario_read_faults(reader, faults, defaults, listener->kind, true, &listener->faults)) ||
        !scenario_read_units(reader, units, defaults, listener))
        return false;
    for (size_t i = 0; i < listener->faults.timed_count; i++)
        listener->refuses = listener->refuses || listener->faults.timed[i].kind == FAULT_REFUSE;
    scenario->listener_count++;
    return true;
}

static bool read_listener_row(struct reader *reader, struct fy_node *map,
                              const struct scenario_defaults *defaults, struct scenario *scenario)
{
    static const char *const keys[] = {"name", "count", "tcp",     "rtu",   "rtu_over_tcp", "baud",
                                       "idle", "echo",  "unknown", "units", "faults",       NULL};
    const char *name = NULL;
    int64_t count = 0;
    if (!reader_mapping(reader, map, keys))
        return false;
    struct fy_node *name_node = reader_child(map, "name");
    struct fy_node *count_node = reader_child(map, "count");
    if (name_node == NULL) {
        reader_error(reader, map, "'name' is missing");
        return false;
    }
    if (!reader_text(reader, name_node, &name))
        return false;
    if (!is_name(name)) {
        reader_error(reader, name_node, "a name is 1 to %d of A-Z a-z 0-9 . _ -", SCENARIO_NAME_MAX);
        return false;
    }
    int64_t room = (int64_t)(SCENARIO_LISTENERS_MAX - scenario->listener_count);
    if (room == 0) {
        reader_error(reader, map, "more than %d listeners", SCENARIO_LISTENERS_MAX);
        return false;
    }
    if (count_node == NULL)
        return read_listener(reader, map, defaults, name, -1, scenario);
    if (!reader_int(reader, count_node, 1, room, &count))
        return false;
    for (int64_t i = 0; i < count; i++) {
        if (!read_listener(reader, map, defaults, name, i, scenario))
            return false;
    }
    return true;
}

static bool read_top(struct reader *reader, struct fy_node *root, struct scenario_defaults *defaults,
                     struct scenario *scenario)
{
    static const char *const keys[] = {"loop", "history", "tick", "listeners", NULL};
    struct fy_node *loop = reader_child(root, "loop");
    struct fy_node *history = reader_child(root, "history");
    struct fy_node *tick = reader_child(root, "tick");
    int64_t capacity = HISTORY_USUAL;
    scenario->tick_us = TICK_USUAL_US;
    if (!reader_mapping(reader, root, keys) ||
        (loop != NULL && !reader_duration(reader, loop, &defaults->loop_us)) ||
        (history != NULL && !reader_int(reader, history, 0, HISTORY_MAX, &capacity)) ||
        (tick != NULL && !reader_duration(reader, tick, &scenario->tick_us)))
        return false;
    defaults->history = (uint32_t)capacity;
    if (scenario->tick_us == 0)
        reader_error(reader, tick, "must be longer than 0");
    return scenario->tick_us > 0;
}

static bool read_listeners(struct reader *reader, struct fy_node *root, struct scenario *scenario)
{
    struct scenario_defaults defaults = {.seed = scenario->seed};
    size_t count = 0;
    if (!fy_node_is_mapping(root)) {
        reader_error(reader, root, "expected a mapping");
        return false;
    }
    if (!read_top(reader, root, &defaults, scenario))
        return false;
    struct fy_node *list = reader_child(root, "listeners");
    if (list == NULL) {
        reader_error(reader, root, "'listeners' is missing");
        return false;
    }
    if (!reader_sequence(reader, list, &count))
        return false;
    scenario->listeners = pool_alloc(&scenario->pool, SCENARIO_LISTENERS_MAX, sizeof(*scenario->listeners));
    if (scenario->listeners == NULL) {
        reader_no_memory(reader, list);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        (void)read_listener_row(reader, reader_item(list, i), &defaults, scenario);
    if (reader->errors == 0 && scenario->listener_count == 0)
        reader_error(reader, list, "there is no listener");
    return reader->errors == 0;
}

bool scenario_load(const char *file, uint64_t seed, struct scenario *scenario)
{
    struct reader reader;
    *scenario = (struct scenario){.seed = seed};
    bool good = reader_open(&reader, file, &scenario->pool) &&
                read_listeners(&reader, fy_document_root(reader.document), scenario);
    reader_close(&reader);
    return good;
}

void scenario_free(struct scenario *scenario)
{
    pool_free(&scenario->pool);
    *scenario = (struct scenario){0};
}
