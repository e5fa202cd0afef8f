#include "ctl/probe_print.h"

#include <inttypes.h>

#include "ctl/probe_view.h"
#include "ctl/table.h"
#include "drivers/modbus/ask.h"

static const enum word_order float_orders[] = {ORDER_ABCD, ORDER_CDAB, ORDER_BADC, ORDER_DCBA};
static const enum word_order int_orders[] = {ORDER_ABCD,
                                             ORDER_CDAB}; /* words change places, bytes never do */

static bool is_bits(enum point_space space)
{
    return space == SPACE_COIL || space == SPACE_DISCRETE;
}

/* Cells from i on that share its state and exception. */
static size_t stretch(const struct probe_reading *r, size_t i)
{
    size_t end = i + 1;

    while (end < r->range.count && r->cells[end].state == r->cells[i].state &&
           r->cells[end].exception == r->cells[i].exception)
        end++;
    return end - i;
}

static uint16_t address_of(const struct probe_reading *r, size_t i)
{
    return (uint16_t)(r->range.first + i);
}

static const char *why_of(const struct probe_reading *r, size_t i, char *out, size_t size)
{
    const struct probe_cell *c = &r->cells[i];

    if (c->state == CELL_REFUSED)
        (void)snprintf(out, size, "refused: %s (exception %u)", exception_text(c->exception), c->exception);
    else
        (void)snprintf(out, size, "not read");
    return out;
}

/* ---- for people ---- */

static void print_stretch(struct table *t, const struct probe_reading *r, size_t i, size_t count)
{
    char from[VIEW_TEXT_MAX], to[VIEW_TEXT_MAX], why[DRIVER_DETAIL_MAX];
    uint16_t first = address_of(r, i);
    uint16_t last = address_of(r, i + count - 1);

    (void)view_register(r->range.space, first, from);
    (void)view_register(r->range.space, last, to);
    table_row(t, TABLE_YELLOW);
    if (count == 1) {
        table_cell(t, "%u", first);
        table_cell(t, "%s", from);
    } else {
        table_cell(t, "%u-%u", first, last);
        table_cell(t, "%s-%s", from, to);
    }
    table_cell(t, "%s", why_of(r, i, why, sizeof why));
}

static void print_pair(struct table *t, uint16_t first, uint16_t second)
{
    for (size_t k = 0; k < RG_COUNT(float_orders); k++) {
        float value = view_f32(first, second, float_orders[k]);
        char text[VIEW_TEXT_MAX];

        table_cell(t, "%s%s", view_f32_text(value, text), plausible_mark(plausible_f32(value)));
    }
    for (size_t k = 0; k < RG_COUNT(int_orders); k++) {
        uint32_t value = view_u32(first, second, int_orders[k]);
        const char *mark = plausible_mark(plausible_i32((int32_t)value));

        if (value > INT32_MAX)
            table_cell(t, "%" PRIu32 "/%" PRId32 "%s", value, (int32_t)value, mark);
        else
            table_cell(t, "%" PRIu32 "%s", value, mark);
    }
}

static void print_register(struct table *t, const struct probe_reading *r, size_t i)
{
    const struct probe_cell *cell = &r->cells[i];
    bool pair = i + 1 < r->range.count && cell[1].state == CELL_READ;
    char text[VIEW_TEXT_MAX];

    table_row(t, TABLE_PLAIN);
    table_cell(t, "%u", address_of(r, i));
    table_cell(t, "%s", view_register(r->range.space, address_of(r, i), text));
    table_cell(t, "0x%04x", cell->value);
    table_cell(t, "%u", cell->value);
    table_cell(t, "%d", (int16_t)cell->value);
    table_cell(t, "%s", view_ascii(cell->value, text));
    table_cell(t, "%s", view_bits(cell->value, text));
    if (pair)
        print_pair(t, cell->value, cell[1].value);
}

static void print_registers(const struct probe_reading *r, FILE *to)
{
    static const char *const titles[] = {"ADDRESS",  "REGISTER", "HEX",      "U16",      "I16",
                                         "TEXT",     "BITS",     "F32 ABCD", "F32 CDAB", "F32 BADC",
                                         "F32 DCBA", "32 ABCD",  "32 CDAB"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (size_t i = 0; i < r->range.count;) {
        size_t count = r->cells[i].state == CELL_READ ? 1 : stretch(r, i);

        if (r->cells[i].state == CELL_READ)
            print_register(&t, r, i);
        else
            print_stretch(&t, r, i, count);
        i += count;
    }
    table_print(&t, to);
    table_free(&t);
}

static void print_bits(const struct probe_reading *r, FILE *to)
{
    static const char *const titles[] = {"ADDRESS", "REGISTER", "+0", "+1", "+2",
                                         "+3",      "+4",       "+5", "+6", "+7"};
    char text[VIEW_TEXT_MAX];
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (size_t i = 0; i < r->range.count;) {
        size_t count = stretch(r, i);

        if (r->cells[i].state != CELL_READ)
            print_stretch(&t, r, i, count);
        for (size_t k = 0; r->cells[i].state == CELL_READ && k < count; k++) {
            if (k % 8 == 0) {
                table_row(&t, TABLE_PLAIN);
                table_cell(&t, "%u", address_of(r, i + k));
                table_cell(&t, "%s", view_register(r->range.space, address_of(r, i + k), text));
            }
            table_cell(&t, "%u", r->cells[i + k].value);
        }
        i += count;
    }
    table_print(&t, to);
    table_free(&t);
}

void probe_print(const struct probe_reading *r, FILE *to)
{
    if (is_bits(r->range.space))
        print_bits(r, to);
    else
        print_registers(r, to);
}

/* ---- for tools ---- */

static const char *mark_name(enum plausible p)
{
    static const char *const names[] = {
        [PLAUSIBLE_NO] = "no", [PLAUSIBLE_MAYBE] = "maybe", [PLAUSIBLE_LIKELY] = "likely"};

    return names[p];
}

static void write_pair(struct jsonw *w, uint16_t first, uint16_t second)
{
    jsonw_key(w, "f32");
    jsonw_object_begin(w);
    for (size_t k = 0; k < RG_COUNT(float_orders); k++) {
        float value = view_f32(first, second, float_orders[k]);

        jsonw_key(w, word_order_name(float_orders[k]));
        jsonw_object_begin(w);
        jsonw_key(w, "value");
        jsonw_float(w, value); /* null for what is no number */
        jsonw_key_string(w, "plausible", mark_name(plausible_f32(value)));
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
    jsonw_key(w, "int32");
    jsonw_object_begin(w);
    for (size_t k = 0; k < RG_COUNT(int_orders); k++) {
        uint32_t value = view_u32(first, second, int_orders[k]);

        jsonw_key(w, word_order_name(int_orders[k]));
        jsonw_object_begin(w);
        jsonw_key_int(w, "u32", (int64_t)value);
        jsonw_key_int(w, "i32", (int32_t)value);
        jsonw_key_string(w, "plausible", mark_name(plausible_i32((int32_t)value)));
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
}

static void write_register(struct jsonw *w, const struct probe_reading *r, size_t i)
{
    const struct probe_cell *cell = &r->cells[i];
    char text[VIEW_TEXT_MAX];

    jsonw_object_begin(w);
    jsonw_key_int(w, "address", address_of(r, i));
    jsonw_key_string(w, "register", view_register(r->range.space, address_of(r, i), text));
    jsonw_key_int(w, "u16", cell->value);
    jsonw_key_int(w, "i16", (int16_t)cell->value);
    jsonw_key_string(w, "text", view_ascii(cell->value, text));
    jsonw_key_string(w, "bits", view_bits(cell->value, text));
    if (i + 1 < r->range.count && cell[1].state == CELL_READ)
        write_pair(w, cell->value, cell[1].value);
    jsonw_object_end(w);
}

static void write_bit(struct jsonw *w, const struct probe_reading *r, size_t i)
{
    char text[VIEW_TEXT_MAX];

    jsonw_object_begin(w);
    jsonw_key_int(w, "address", address_of(r, i));
    jsonw_key_string(w, "register", view_register(r->range.space, address_of(r, i), text));
    jsonw_key_int(w, "value", r->cells[i].value);
    jsonw_object_end(w);
}

static void write_stretches(struct jsonw *w, const struct probe_reading *r, enum cell_state state)
{
    jsonw_array_begin(w);
    for (size_t i = 0; i < r->range.count;) {
        size_t count = stretch(r, i);

        if (r->cells[i].state == state) {
            jsonw_object_begin(w);
            jsonw_key_int(w, "address", address_of(r, i));
            jsonw_key_int(w, "count", (int64_t)count);
            if (state == CELL_REFUSED) {
                jsonw_key_int(w, "exception", r->cells[i].exception);
                jsonw_key_string(w, "detail", exception_text(r->cells[i].exception));
            }
            jsonw_object_end(w);
        }
        i += count;
    }
    jsonw_array_end(w);
}

void probe_write_json(const struct probe_reading *r, struct jsonw *w)
{
    bool bits = is_bits(r->range.space);

    jsonw_object_begin(w);
    jsonw_key_string(w, "space", point_space_name(r->range.space));
    jsonw_key_int(w, "first", r->range.first);
    jsonw_key_int(w, "count", r->range.count);
    jsonw_key_int(w, "requests", (int64_t)r->requests);
    jsonw_key_string(w, "result", driver_result_name(r->result));
    jsonw_key_string(w, "detail", r->detail[0] ? r->detail : NULL);
    jsonw_key(w, bits ? "bits" : "registers");
    jsonw_array_begin(w);
    for (size_t i = 0; i < r->range.count; i++) {
        if (r->cells[i].state != CELL_READ)
            continue;
        if (bits)
            write_bit(w, r, i);
        else
            write_register(w, r, i);
    }
    jsonw_array_end(w);
    jsonw_key(w, "refused");
    write_stretches(w, r, CELL_REFUSED);
    jsonw_key(w, "unread");
    write_stretches(w, r, CELL_UNREAD);
    jsonw_object_end(w);
}
