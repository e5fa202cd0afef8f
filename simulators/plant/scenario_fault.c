#include <string.h>

#include "plant/scenario_parts.h"

#define FAULTS_MAX 1000

const char *scenario_fault_refused(enum fault_kind kind, enum listener_kind where, bool of_listener)
{
    if (kind == FAULT_WRONG_CRC && where == LISTENER_TCP)
        return "wrong_crc is for RTU framing: a Modbus TCP frame has no CRC";
    if (kind == FAULT_WRONG_TID && where != LISTENER_TCP)
        return "wrong_tid is for Modbus TCP: an RTU frame has no transaction id";
    if (kind == FAULT_DROP && where == LISTENER_RTU)
        return "drop is for connections: a serial line has none (refuse on the listener unplugs it)";
    if (kind == FAULT_REFUSE && !of_listener)
        return "refuse is for a listener, not for one unit";
    return NULL;
}

static bool read_count(struct reader *reader, struct fy_node *map, const char *key, uint32_t *out)
{
    struct fy_node *node = reader_child(map, key);
    int64_t value = 0;
    if (node == NULL)
        return true;
    if (!reader_int(reader, node, 1, UINT32_MAX, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool read_times(struct reader *reader, struct fy_node *map, struct fault *fault)
{
    struct fy_node *from = reader_child(map, "from");
    struct fy_node *to = reader_child(map, "to");
    struct fy_node *loop = reader_child(map, "loop");
    fault->to_us = INT64_MAX;
    if ((from != NULL && !reader_duration(reader, from, &fault->from_us)) ||
        (to != NULL && !reader_duration(reader, to, &fault->to_us)) ||
        (loop != NULL && !reader_duration(reader, loop, &fault->loop_us)))
        return false;
    if (fault->to_us <= fault->from_us)
        reader_error(reader, to, "'to' must come after 'from'");
    return fault->to_us > fault->from_us;
}

static bool read_argument(struct reader *reader, struct fy_node *map, struct fault *fault)
{
    struct fault_argument range = fault_argument(fault->kind);
    const char *name = fault_argument_name(fault->kind);
    static const char *const names[] = {"by", "code", "bytes"};
    fault->argument = range.usual;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct fy_node *node = reader_child(map, names[i]);
        if (node == NULL)
            continue;
        if (name == NULL || strcmp(name, names[i]) != 0) {
            reader_error(reader, node, "'%s' has no '%s'", fault_kind_names[fault->kind], names[i]);
            return false;
        }
        if (fault->kind == FAULT_LATE) {
            int64_t late_us = 0;
            if (!reader_duration(reader, node, &late_us))
                return false;
            fault->argument = late_us / 1000;
            if (fault->argument < range.least || fault->argument > range.most)
                reader_error(reader, node, "must be from 1ms to 10m");
            return fault->argument >= range.least && fault->argument <= range.most;
        }
        return reader_int(reader, node, range.least, range.most, &fault->argument);
    }
    if (range.needed)
        reader_error(reader, map, "'%s' needs '%s'", fault_kind_names[fault->kind], name);
    return !range.needed;
}

static bool read_fault(struct reader *reader, struct fy_node *map, enum listener_kind where, bool of_listener,
                       struct fault *fault)
{
    static const char *const keys[] = {"kind",  "from", "to",   "loop",  "every",
                                       "times", "by",   "code", "bytes", NULL};
    if (!reader_mapping(reader, map, keys))
        return false;
    struct fy_node *node = reader_child(map, "kind");
    size_t kind = 0;
    if (node == NULL) {
        reader_error(reader, map, "'kind' is missing");
        return false;
    }
    if (!reader_choice(reader, node, fault_kind_names, FAULT_KIND_COUNT, &kind))
        return false;
    fault->kind = (enum fault_kind)kind;
    const char *refused = scenario_fault_refused(fault->kind, where, of_listener);
    if (refused != NULL) {
        reader_error(reader, node, "%s", refused);
        return false;
    }
    fault->every = 1;
    return read_times(reader, map, fault) && read_argument(reader, map, fault) &&
           read_count(reader, map, "every", &fault->every) && read_count(reader, map, "times", &fault->times);
}

bool scenario_read_faults(struct reader *reader, struct fy_node *list,
                          const struct scenario_defaults *defaults, enum listener_kind kind, bool of_listener,
                          struct fault_set *set)
{
    size_t count = 0;
    if (!reader_sequence(reader, list, &count))
        return false;
    if (count > FAULTS_MAX) {
        reader_error(reader, list, "at most %d faults", FAULTS_MAX);
        return false;
    }
    set->timed = pool_alloc(reader->pool, count, sizeof(*set->timed));
    if (set->timed == NULL) {
        reader_no_memory(reader, list);
        return false;
    }
    set->timed_count = count;
    size_t before = reader->errors;
    for (size_t i = 0; i < count; i++) {
        set->timed[i].loop_us = defaults->loop_us;
        (void)read_fault(reader, reader_item(list, i), kind, of_listener, &set->timed[i]);
    }
    return reader->errors == before;
}
