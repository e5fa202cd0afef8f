#include "poll/same.h"

#include <stddef.h>
#include <string.h>

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_rs485(const struct site_rs485 *a, const struct site_rs485 *b)
{
    return a->enabled == b->enabled && a->send_low == b->send_low && a->before_ms == b->before_ms &&
           a->after_ms == b->after_ms;
}

bool same_bus(const struct site_bus *a, const struct site_bus *b)
{
    return same_text(a->name, b->name) && a->kind == b->kind && same_text(a->host, b->host) &&
           a->port == b->port && same_text(a->path, b->path) && a->baud == b->baud &&
           a->parity == b->parity && a->stop_bits == b->stop_bits && a->timeout_ms == b->timeout_ms &&
           a->gap_ms == b->gap_ms && a->retry_ms == b->retry_ms && a->echo == b->echo &&
           same_rs485(&a->rs485, &b->rs485);
}

static bool same_register(const struct site_register *a, const struct site_register *b)
{
    return a->space == b->space && a->address == b->address && a->mask == b->mask;
}

static bool same_trigger(const struct site_trigger *a, const struct site_trigger *b)
{
    return a->enabled == b->enabled && a->space == b->space && a->address == b->address &&
           a->value == b->value && a->broadcast == b->broadcast && a->wait_ms == b->wait_ms;
}

static bool same_gate(const struct site_gate *a, const struct site_gate *b)
{
    if (a->kind != b->kind || !same_register(&a->at, &b->at) || a->case_count != b->case_count ||
        a->otherwise != b->otherwise || a->within_ms != b->within_ms)
        return false;
    for (size_t i = 0; i < a->case_count; i++)
        if (a->cases[i].value != b->cases[i].value || a->cases[i].quality != b->cases[i].quality)
            return false;
    return true;
}

static bool same_words(const struct site_point *a, const struct site_point *b)
{
    if (a->word_count != b->word_count)
        return false;
    for (size_t i = 0; i < a->word_count; i++)
        if (a->words[i].value != b->words[i].value)
            return false;
    return true;
}

static bool same_invalid(const struct site_point *a, const struct site_point *b)
{
    if (a->invalid_count != b->invalid_count)
        return false;
    for (size_t i = 0; i < a->invalid_count; i++)
        if (a->invalid[i] != b->invalid[i])
            return false;
    return true;
}

/* convert: only whether there is one, for the range is then that of its outcome. */
static bool same_point(const struct site_point *a, const struct site_point *b)
{
    return same_text(a->name, b->name) && a->space == b->space && a->address == b->address &&
           a->type == b->type && a->order == b->order && a->bit == b->bit && a->mask == b->mask &&
           a->scaling.num == b->scaling.num && a->scaling.add == b->scaling.add &&
           a->scaling.den == b->scaling.den && a->has_range == b->has_range && a->range_min == b->range_min &&
           a->range_max == b->range_max && same_invalid(a, b) && a->has_decimals == b->has_decimals &&
           same_register(&a->decimals, &b->decimals) && same_words(a, b) &&
           (a->convert == NULL) == (b->convert == NULL);
}

static bool same_manner(const struct site_device *a, const struct site_device *b)
{
    return a->unit == b->unit && a->poll_ms == b->poll_ms && a->timeout_ms == b->timeout_ms &&
           a->retries == b->retries && a->max_registers == b->max_registers && a->max_gap == b->max_gap &&
           a->gap_ms == b->gap_ms && a->start_up_ms == b->start_up_ms && a->misses == b->misses &&
           a->probe_ms == b->probe_ms && same_trigger(&a->trigger, &b->trigger) &&
           a->gate_count == b->gate_count && a->point_count == b->point_count;
}

bool same_device(const struct site *a, const struct site_device *x, const struct site *b,
                 const struct site_device *y)
{
    if (x->derived || y->derived || !same_text(x->name, y->name) || !same_manner(x, y))
        return false;
    for (size_t i = 0; i < x->gate_count; i++)
        if (!same_gate(&x->gates[i], &y->gates[i]))
            return false;
    for (uint32_t i = 0; i < x->point_count; i++)
        if (!same_point(&a->points[x->first_point + i], &b->points[y->first_point + i]))
            return false;
    return true;
}
