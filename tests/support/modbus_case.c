#include "modbus_case.h"

#include <stdio.h>
#include <string.h>

#include "modbus_model.h"

#define FIRST 1000    /* index of the device's first point in the site */
#define ADDRESSES 400 /* the lowest ones, */
#define LAST 300      /* and the highest */
#define CASES 4
#define POLLS 12

struct trial {
    struct image image; /* first: see clear */
    const struct case_choices *choices;
    struct model model;
    struct site_device device;
    struct site_point points[MODEL_POINTS];
    struct site_gate gates[MODEL_GATES];
    struct gate_case cases[MODEL_GATES][CASES];
    double invalid[MODEL_POINTS][POINT_INVALID_MAX];
    struct driver_plan *plan;
    struct driver_memory *memory;
    struct case_tally *tally;
    char *where;
    size_t size;
};

static uint64_t below(const struct trial *t, uint64_t bound)
{
    return t->choices->below(t->choices->arg, bound);
}

static bool chance(const struct trial *t, unsigned one_in)
{
    return below(t, one_in) == 0;
}

/* ---- the device ---- */

/* Mostly near each other, so that spans meet and overlap. */
static uint16_t some_address(const struct trial *t)
{
    return (uint16_t)(chance(t, 16)  ? 65536 - 1 - below(t, LAST)
                      : chance(t, 3) ? below(t, ADDRESSES)
                                     : below(t, 50));
}

static struct site_register some_register(const struct trial *t)
{
    struct site_register at = {.space = chance(t, 3) ? (enum point_space)below(t, 4) : SPACE_HOLDING,
                               .address = some_address(t)};

    if (chance(t, 3))
        at.mask = (uint16_t)(0x0f << below(t, 12));
    return at;
}

static void make_gate(struct trial *t, size_t g)
{
    struct site_gate *gate = &t->gates[g];

    gate->kind = (enum gate_kind)below(t, 3);
    gate->at = some_register(t);
    gate->cases = t->cases[g];
    gate->case_count = below(t, CASES + 1);
    for (size_t i = 0; i < gate->case_count; i++) {
        t->cases[g][i].value = (uint32_t)below(t, 16);
        t->cases[g][i].quality = (enum quality)below(t, QUALITY_COUNT);
    }
    gate->otherwise = chance(t, 4) ? QUALITY_SENSOR : QUALITY_GOOD;
    gate->within_ms = 1 + (int64_t)below(t, 8000);
}

static const struct point_word words[] = {{0, "none"}, {1, "one"}, {2, "two"}, {12.3, "part"}};

static void make_point(struct trial *t, size_t i)
{
    static const double tens[] = {1, 1, 10, 100};
    static const struct site_convert table = {.kind = CONVERT_TABLE};
    struct site_point *p = &t->points[i];
    enum point_space space = SPACE_HOLDING;
    enum point_type type = TYPE_BOOL;

    *p = (struct site_point){.name = "p", .bit = -1, .scaling = {1, 0, 1}};
    if (chance(t, 3))
        space = (enum point_space)below(t, SPACE_DERIVED + 1);
    if (space > SPACE_DISCRETE)
        type = (enum point_type)below(t, TYPE_BYTES8_8 + 1);
    p->space = space;
    p->type = type;
    p->order = (enum word_order)(ORDER_ABCD + below(t, 4));
    p->address = some_address(t);
    if (p->space != SPACE_DERIVED && p->address + point_type_words(p->type) > 65536)
        p->address = 0;
    if (p->space >= SPACE_INPUT && p->type <= TYPE_I32 && chance(t, 4)) {
        p->bit = chance(t, 2) ? (int8_t)below(t, 16) : -1;
        p->mask = p->bit < 0 ? (uint32_t)(0x3f << below(t, 10)) : 0;
    }
    if (chance(t, 3))
        p->scaling = (struct scaling){1, (double)below(t, 1000) - 500, tens[below(t, 4)]};
    p->has_range = chance(t, 3);
    p->range_min = -100;
    p->range_max = (double)below(t, 5000);
    p->invalid_count = chance(t, 3) ? (uint8_t)below(t, 3) : 0;
    p->invalid = t->invalid[i];
    for (size_t k = 0; k < p->invalid_count; k++)
        t->invalid[i][k] = chance(t, 2) ? 32768 : (double)below(t, 70000) - 35000;
    p->has_decimals = chance(t, 3);
    p->decimals = some_register(t);
    if (chance(t, 8)) {
        p->words = words;
        p->word_count = (uint16_t)(1 + below(t, RG_COUNT(words)));
    }
    p->convert = chance(t, 8) ? &table : NULL;
}

static uint16_t some_word(const struct trial *t)
{
    static const uint16_t edges[] = {0x8000, 0x8001, 0xFFFF, 0x7FFF, 0x7FC0, 0x7F80, 0x1409, 0x0063};

    switch (below(t, 4)) {
    case 0:
        return (uint16_t)below(t, 16);
    case 1:
        return edges[below(t, RG_COUNT(edges))];
    case 2:
        return (uint16_t)below(t, 1000);
    default:
        return (uint16_t)below(t, 65536);
    }
}

/* What is read, and nothing else: registers of points, gates and decimals. */
static void change_registers(struct trial *t)
{
    for (size_t i = 0; i < t->model.count; i++) {
        const struct site_point *p = &t->points[i];

        for (unsigned k = 0; p->space != SPACE_DERIVED && k < point_type_words(p->type); k++) {
            if (chance(t, 2))
                t->image.words[p->space][p->address + k] = some_word(t);
        }
        if (chance(t, 4))
            t->image.words[p->decimals.space][p->decimals.address] = (uint16_t)below(t, 12);
    }
    for (size_t g = 0; g < t->device.gate_count; g++) {
        if (chance(t, 3))
            t->image.words[t->gates[g].at.space][t->gates[g].at.address] = some_word(t);
    }
}

static const char *make(struct trial *t)
{
    const size_t count = below(t, chance(t, 4) ? MODEL_POINTS + 1 : 12);

    t->device = (struct site_device){.unit = 1,
                                     .poll_ms = 1000,
                                     .max_registers = (uint16_t)(chance(t, 4) ? 1 : 1 + below(t, 125)),
                                     .max_gap = (uint16_t)below(t, 20),
                                     .gap_ms = (int64_t)below(t, 300),
                                     .gates = t->gates,
                                     .gate_count = chance(t, 4) ? 0 : below(t, MODEL_GATES + 1)};
    for (size_t g = 0; g < t->device.gate_count; g++)
        make_gate(t, g);
    for (size_t i = 0; i < count; i++)
        make_point(t, i);
    model_init(&t->model, &t->device, t->points, count, &t->image);
    if (modbus_driver.plan(&t->device, t->points, count, FIRST, &t->plan) != RG_OK)
        return "not planned";
    if (modbus_driver.memory_create(&t->device, t->plan, &t->memory) != RG_OK)
        return "not remembered";
    return NULL;
}

/* ---- the plan ---- */

/* Whether requests 0 to last read the register. */
static bool is_read(const struct driver_plan *plan, size_t last, const struct site_register *at)
{
    for (size_t q = 0; q <= last; q++) {
        const struct plan_request *r = &plan->requests[q];

        for (size_t e = r->first_extra; e < r->first_extra + r->extra_count; e++) {
            const struct site_register *held = &plan->registers[plan->extras[e].reg];

            if (held->space == at->space && held->address == at->address && held->mask == at->mask)
                return true;
        }
    }
    return false;
}

static bool request_holds(const struct plan_request *r, const struct site_register *at)
{
    return at->space == image_space(&r->ask) && at->address >= r->ask.address &&
           at->address < (uint32_t)r->ask.address + r->ask.count;
}

/* What is read with it would have fitted, and is not: only of the first gate, which has no other before it. */
static bool gate_is_missed(const struct trial *t, const struct plan_request *r, uint32_t limit)
{
    const struct site_register *at = &t->gates[0].at;
    const uint32_t begin = r->ask.address, end = begin + r->ask.count;

    if (t->device.gate_count != 1 || r->count == 0 || at->space != image_space(&r->ask) ||
        request_holds(r, at))
        return false;
    for (size_t i = r->first; i < r->first + r->count; i++) {
        if (t->plan->ways[t->plan->items[i].way].decimals != CODEC_NO_DECIMALS)
            return false; /* those may have taken the room */
    }
    return (end > at->address + 1u ? end : at->address + 1u) - (begin < at->address ? begin : at->address) <=
           limit;
}

static const char *check_request(const struct trial *t, size_t q, unsigned *seen, bool whole)
{
    const struct driver_plan *plan = t->plan;
    const struct plan_request *r = &plan->requests[q];
    const bool bits = ask_is_bits(&r->ask);
    const uint32_t room = t->device.max_registers;
    const uint32_t limit = bits && room > 1 ? 16 * room : room;
    size_t sent, received;

    if (r->count + r->extra_count == 0 || r->ask.count == 0 ||
        (uint32_t)r->ask.address + r->ask.count > 65536)
        return "an empty request";
    if (r->ask.count > limit &&
        (r->count == 0 || r->ask.count != plan->ways[plan->items[r->first].way].words))
        return "a request over its limit";
    if (r->ask.gap_us != t->device.gap_ms * 1000 || r->ask.limit != room || r->ask.unit != 1)
        return "a request without its device's habits";
    for (size_t i = r->first; i < r->first + r->count; i++) {
        const struct plan_item *item = &plan->items[i];
        const struct codec_point *way = &plan->ways[item->way];
        const struct site_point *p = &t->points[item->point - FIRST];

        seen[item->point - FIRST]++;
        if (p->space != image_space(&r->ask) || r->ask.address + item->offset != p->address ||
            item->offset + way->words > r->ask.count)
            return "a point that is not where its request is";
        for (size_t g = 0; g < t->device.gate_count; g++) {
            if (!is_read(plan, q, &t->gates[g].at))
                return "a value without its gate";
        }
        if (p->has_decimals && !is_read(plan, q, &p->decimals))
            return "a value without its decimals";
    }
    for (size_t e = r->first_extra; e < r->first_extra + r->extra_count; e++) {
        const struct site_register *at = &plan->registers[plan->extras[e].reg];

        if (!request_holds(r, at) || r->ask.address + plan->extras[e].offset != at->address)
            return "a register that is not where its request is";
    }
    if (whole && gate_is_missed(t, r, limit))
        return "a gate that would have fitted";
    modbus_driver.plan_bytes(plan, q, BUS_TCP, &sent, &received);
    return sent != 12 || received > 260 ? "a frame that cannot be" : NULL;
}

static const char *check_plan(const struct trial *t, bool whole)
{
    unsigned seen[MODEL_POINTS] = {0};
    size_t most = t->device.gate_count;

    for (size_t q = 0; q < t->plan->request_count; q++) {
        const char *wrong = check_request(t, q, seen, whole);

        if (wrong) {
            (void)snprintf(t->where, t->size, "request %zu", q);
            return wrong;
        }
    }
    for (size_t i = 0; i < t->model.count; i++) {
        most += t->points[i].has_decimals ? 2 : 1;
        if (seen[i] != (t->points[i].space == SPACE_DERIVED ? 0 : 1)) {
            (void)snprintf(t->where, t->size, "point %zu", i);
            return "a point that is not read once";
        }
    }
    return t->plan->request_count > most ? "more requests than there may be" : NULL;
}

/* Whether the request reads through addresses that neither points nor registers use. */
static bool reads_through(const struct driver_plan *plan, const struct plan_request *r)
{
    for (uint32_t at = 0; at < r->ask.count; at++) {
        bool used = false;

        for (size_t i = r->first; i < r->first + r->count; i++)
            used |= at >= plan->items[i].offset &&
                    at < (uint32_t)plan->items[i].offset + plan->ways[plan->items[i].way].words;
        for (size_t e = r->first_extra; e < r->first_extra + r->extra_count; e++)
            used |= at == plan->extras[e].offset;
        if (!used)
            return true;
    }
    return false;
}

static const char *divide(struct trial *t)
{
    const size_t q = below(t, t->plan->request_count);
    const size_t before = t->plan->request_count;
    const bool could = reads_through(t->plan, &t->plan->requests[q]);
    struct driver_plan *divided = NULL;
    const enum rg_err err = modbus_driver.plan_divide(t->plan, q, 2, &divided);

    if (err != (could ? RG_OK : RG_ENOTFOUND))
        return "divided where nothing is read through, or the other way round";
    if (err)
        return divided ? "a plan beside an error" : NULL;
    modbus_driver.plan_destroy(t->plan);
    t->plan = divided;
    t->tally->divisions++;
    if (divided->request_count < before)
        return "fewer requests than before";
    for (size_t k = q; k < q + 1 + divided->request_count - before; k++) {
        if (reads_through(divided, &divided->requests[k]))
            return "a part that reads through something";
    }
    return check_plan(t, false);
}

/* ---- polls ---- */

static const char *ask(struct trial *t, size_t q, int64_t begun_us, int64_t asked_us)
{
    struct sample samples[MODEL_POINTS];
    const struct plan_request *r = &t->plan->requests[q];
    const struct image_poll poll = {&t->image, t->plan, t->memory, begun_us, FIRST};
    const enum quality fail = !chance(t, 8) ? QUALITY_GOOD : chance(t, 2) ? QUALITY_COMM : QUALITY_DEVICE;

    for (size_t i = 0; i < MODEL_POINTS; i++)
        samples[i] = (struct sample){.quality = QUALITY_STALE, .value = -1};
    image_ask(&poll, q, asked_us, fail, samples);
    model_asked(&t->model, &r->ask, asked_us, fail);
    for (size_t k = r->first; k < r->first + r->count; k++) {
        const size_t i = t->plan->items[k].point - FIRST;
        struct model_sample expected = {.quality = fail};

        if (fail == QUALITY_GOOD)
            expected = model_expect(&t->model, i, begun_us);
        t->tally->samples++;
        t->tally->good += samples[i].quality == QUALITY_GOOD ? 1 : 0;
        if (samples[i].point == FIRST + i && model_agrees(&expected, &samples[i]))
            continue;
        (void)snprintf(t->where, t->size, "point %zu of request %zu: %s %.17g instead of %s %.17g", i, q,
                       quality_name(samples[i].quality), samples[i].value, quality_name(expected.quality),
                       expected.value);
        return "another sample than the model's";
    }
    return NULL;
}

static const char *poll_once(struct trial *t, int64_t begun_us)
{
    const size_t count = t->plan->request_count;
    int64_t now_us = begun_us;
    const char *wrong = NULL;
    size_t q = 0, end = count;

    if (chance(t, 6)) { /* a probe */
        q = below(t, count);
        end = q + 1;
    }
    for (; !wrong && q < end; q++) {
        if (chance(t, 12))
            continue; /* left out */
        wrong = ask(t, q, begun_us, now_us);
        now_us += 1000;
        if (!wrong && chance(t, 8)) { /* tried again */
            wrong = ask(t, q, begun_us, now_us);
            now_us += 1000;
        }
        if (chance(t, 4))
            change_registers(t); /* the device lives on between two requests */
    }
    return wrong;
}

/* All but what no address of a trial reaches: a fuzzer runs many a second. */
static void clear(struct trial *t)
{
    for (size_t space = SPACE_COIL; space <= SPACE_HOLDING; space++) {
        memset(t->image.words[space], 0, (ADDRESSES + 8) * sizeof(uint16_t));
        memset(&t->image.words[space][65536 - LAST], 0, LAST * sizeof(uint16_t));
    }
    memset((char *)t + sizeof t->image, 0, sizeof *t - sizeof t->image);
}

const char *case_run(const struct case_choices *choices, struct case_tally *tally, char *where, size_t size)
{
    static struct trial one;
    struct trial *const t = &one;
    const char *wrong;
    int64_t now_us = 5000000;

    clear(t);
    t->choices = choices;
    t->tally = tally;
    t->where = where;
    t->size = size;
    where[0] = '\0';
    wrong = make(t);
    if (!wrong)
        wrong = check_plan(t, true);
    for (int i = 0; !wrong && t->plan->request_count > 0 && i < POLLS; i++) {
        now_us += chance(t, 6) ? (int64_t)below(t, 20000) * 1000 : 1000000;
        if (!chance(t, 3))
            change_registers(t);
        wrong = poll_once(t, now_us);
        now_us += 200000;
        if (!wrong && chance(t, 4))
            wrong = divide(t);
    }
    modbus_driver.memory_destroy(t->memory);
    modbus_driver.plan_destroy(t->plan);
    return wrong;
}
