#include <string.h>

#include "plant/scenario_parts.h"

#define REGISTERS_MAX 65536

static bool read_space(struct reader *reader, struct fy_node *map, size_t *space, struct fy_node **address)
{
    *address = NULL;
    for (size_t i = 0; i < BANK_SPACE_COUNT; i++) {
        struct fy_node *node = reader_child(map, bank_space_names[i]);
        if (node == NULL)
            continue;
        if (*address != NULL) {
            reader_error(reader, node, "'%s' and '%s' exclude each other", bank_space_names[*space],
                         bank_space_names[i]);
            return false;
        }
        *space = i;
        *address = node;
    }
    if (*address == NULL)
        reader_error(reader, map, "one of coil, discrete, input, holding (the address) is missing");
    return *address != NULL;
}

static bool read_count(struct reader *reader, struct fy_node *map, int64_t most, int64_t *out)
{
    struct fy_node *node = reader_child(map, "count");
    *out = 1;
    return node == NULL || reader_int(reader, node, 1, most, out);
}

static bool read_type(struct reader *reader, struct fy_node *map, bool bits, struct bank_register *reg)
{
    size_t type = bits ? VALUE_BOOL : VALUE_U16;
    size_t order = VALUE_ABCD;
    struct fy_node *type_node = reader_child(map, "type");
    struct fy_node *order_node = reader_child(map, "order");
    if ((type_node != NULL && !reader_choice(reader, type_node, value_type_names, VALUE_TYPE_COUNT, &type)) ||
        (order_node != NULL &&
         !reader_choice(reader, order_node, value_order_names, VALUE_ORDER_COUNT, &order)))
        return false;
    if (bits && type != VALUE_BOOL) {
        reader_error(reader, type_node, "coils and discrete inputs are bool");
        return false;
    }
    reg->type = (uint8_t)type;
    reg->order = (uint8_t)order;
    return true;
}

static bool read_scale(struct reader *reader, struct fy_node *map, struct bank_register *reg)
{
    struct fy_node *scale = reader_child(map, "scale");
    struct fy_node *offset = reader_child(map, "offset");
    reg->scale = 1;
    if ((scale != NULL && !reader_number(reader, scale, &reg->scale)) ||
        (offset != NULL && !reader_number(reader, offset, &reg->offset)))
        return false;
    if (!(reg->scale < 0 || reg->scale > 0)) {
        reader_error(reader, scale, "must not be 0");
        return false;
    }
    return true;
}

/* One mapping: `count` registers in a row, alike but for their addresses and noise. */
static bool read_register(struct reader *reader, struct fy_node *map,
                          const struct scenario_defaults *defaults, struct unit *unit, uint64_t unit_seed)
{
    static const char *const keys[] = {
        "holding", "input",  "coil",     "discrete",           "count", "type", "order",
        "scale",   "offset", "writable", SCENARIO_SIGNAL_KEYS, NULL};
    struct bank_register reg = {0};
    struct fy_node *address_node = NULL;
    size_t space = 0;
    int64_t address = 0;
    int64_t count = 0;
    if (!reader_mapping(reader, map, keys) || !read_space(reader, map, &space, &address_node) ||
        !reader_int(reader, address_node, 0, UINT16_MAX, &address) ||
        !read_count(reader, map, REGISTERS_MAX, &count) ||
        !read_type(reader, map, space == BANK_COIL || space == BANK_DISCRETE, &reg) ||
        !read_scale(reader, map, &reg))
        return false;
    struct fy_node *writable = reader_child(map, "writable");
    if (writable != NULL && !reader_bool(reader, writable, &reg.writable))
        return false;
    if (reg.writable && (space == BANK_DISCRETE || space == BANK_INPUT)) {
        reader_error(reader, writable, "Modbus has no function to write this space");
        return false;
    }
    unsigned words = value_words((enum value_type)reg.type);
    if (address + count * words > UINT16_MAX + 1) {
        reader_error(reader, address_node, "runs beyond address 65535");
        return false;
    }
    reg.wave = scenario_read_wave(reader, map, defaults);
    if (reg.wave == NULL)
        return false;
    struct bank_span *span = &unit->bank.spaces[space];
    for (int64_t i = 0; i < count; i++) {
        reg.address = (uint16_t)(address + i * words);
        reg.state.seed = wave_hash(unit_seed, (uint64_t)space << 16 | reg.address);
        span->registers[span->count++] = reg;
    }
    return true;
}

/* Room for the registers of each space; what is wrong with a mapping is found again, and reported, when it is read. */
static bool make_room(struct reader *reader, struct fy_node *list, size_t entries, struct unit *unit)
{
    size_t room[BANK_SPACE_COUNT] = {0};
    for (size_t i = 0; i < entries; i++) {
        struct fy_node *map = reader_item(list, i);
        struct fy_node *address = NULL;
        size_t space = 0;
        int64_t count = 0;
        if (!fy_node_is_mapping(map)) {
            reader_error(reader, map, "expected a mapping");
            return false;
        }
        if (!read_space(reader, map, &space, &address) || !read_count(reader, map, REGISTERS_MAX, &count))
            return false;
        room[space] += (size_t)count;
    }
    for (size_t space = 0; space < BANK_SPACE_COUNT; space++) {
        unit->bank.spaces[space].registers =
            pool_alloc(reader->pool, room[space], sizeof(struct bank_register));
        if (unit->bank.spaces[space].registers == NULL) {
            reader_no_memory(reader, list);
            return false;
        }
    }
    return true;
}

static bool read_registers(struct reader *reader, struct fy_node *list,
                           const struct scenario_defaults *defaults, struct unit *unit, uint64_t seed)
{
    size_t entries = 0;
    if (!reader_sequence(reader, list, &entries) || !make_room(reader, list, entries, unit))
        return false;
    size_t before = reader->errors;
    for (size_t i = 0; i < entries; i++)
        (void)read_register(reader, reader_item(list, i), defaults, unit, seed);
    if (reader->errors != before)
        return false;
    for (size_t space = 0; space < BANK_SPACE_COUNT; space++) {
        const struct bank_register *twice = bank_sort(&unit->bank.spaces[space]);
        if (twice != NULL)
            reader_error(reader, list, "%s %u is described twice", bank_space_names[space], twice->address);
    }
    return reader->errors == before;
}

static bool read_history(struct reader *reader, struct fy_node *at, uint32_t capacity, struct unit *unit)
{
    unit->history.capacity = capacity;
    unit->history.entries = pool_alloc(reader->pool, capacity, sizeof(*unit->history.entries));
    if (unit->history.entries == NULL)
        reader_no_memory(reader, at);
    return unit->history.entries != NULL;
}

static bool read_unit(struct reader *reader, struct fy_node *map, const struct scenario_defaults *defaults,
                      uint8_t id, struct listener_config *listener)
{
    struct unit *unit = pool_alloc(reader->pool, 1, sizeof(*unit));
    if (unit == NULL) {
        reader_no_memory(reader, map);
        return false;
    }
    unit->id = id;
    if (listener->by_id[id] != NULL) {
        reader_error(reader, map, "unit %u is described twice", id);
        return false;
    }
    listener->by_id[id] = unit;
    listener->units[listener->unit_count++] = unit;
    uint64_t seed = defaults->seed;
    for (const char *c = listener->name; *c != '\0'; c++)
        seed = wave_hash(seed, (uint8_t)*c);
    struct fy_node *registers = reader_child(map, "registers");
    struct fy_node *faults = reader_child(map, "faults");
    struct fy_node *fill = reader_child(map, "fill");
    size_t before = reader->errors; /* go on after a wrong part: all errors are to be told at once */
    if (registers != NULL)
        (void)read_registers(reader, registers, defaults, unit, wave_hash(seed, id));
    if (faults != NULL)
        (void)scenario_read_faults(reader, faults, defaults, listener->kind, false, &unit->faults);
    if (fill != NULL)
        (void)reader_bool(reader, fill, &unit->bank.fill);
    return read_history(reader, map, defaults->history, unit) && reader->errors == before;
}

/* A mapping: `count` units with ids in a row. Stops at the first that is wrong, since they are alike. */
static bool read_unit_row(struct reader *reader, struct fy_node *map,
                          const struct scenario_defaults *defaults, struct listener_config *listener)
{
    static const char *const keys[] = {"id", "count", "registers", "faults", "fill", NULL};
    int64_t id = 0;
    int64_t count = 0;
    if (!reader_mapping(reader, map, keys))
        return false;
    struct fy_node *node = reader_child(map, "id");
    if (node == NULL) {
        reader_error(reader, map, "'id' is missing");
        return false;
    }
    bool rtu = listener->kind != LISTENER_TCP; /* where 0 is the broadcast */
    if (!reader_int(reader, node, rtu ? 1 : 0, rtu ? 247 : 255, &id) || !read_count(reader, map, 256, &count))
        return false;
    if (id + count - 1 > (rtu ? 247 : 255)) {
        reader_error(reader, node, "the ids run beyond %d", rtu ? 247 : 255);
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        if (!read_unit(reader, map, defaults, (uint8_t)(id + i), listener))
            return false;
    }
    return true;
}

bool scenario_read_units(struct reader *reader, struct fy_node *list,
                         const struct scenario_defaults *defaults, struct listener_config *listener)
{
    size_t count = 0;
    if (!reader_sequence(reader, list, &count))
        return false;
    listener->units = pool_alloc(reader->pool, 256, sizeof(struct unit *));
    if (listener->units == NULL) {
        reader_no_memory(reader, list);
        return false;
    }
    size_t before = reader->errors;
    for (size_t i = 0; i < count; i++)
        (void)read_unit_row(reader, reader_item(list, i), defaults, listener);
    return reader->errors == before;
}
