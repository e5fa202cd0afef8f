#include "drivers/modbus/memory.h"

#include <stdlib.h>

/* One register. */
struct remembered {
    bool tried; /* ever */
    int64_t at_us;
    enum quality missed; /* why the last try gave no value; QUALITY_GOOD: it did */
    uint32_t value;      /* the last one that was read */
    /* Heartbeats. */
    bool beating;    /* a value was seen */
    int64_t seen_us; /* when it was last */
    int64_t unchanged_us;
};

struct driver_memory {
    struct site_gate *gates; /* copies: the site may be exchanged while a bus thread decodes */
    struct gate_case *cases;
    size_t gate_count, count;
    int64_t period_us; /* INT64_MAX: not known */
    struct remembered registers[];
};

static enum rg_err copy_gates(struct driver_memory *m, const struct site_device *device)
{
    size_t count = 0;

    for (size_t i = 0; i < device->gate_count; i++)
        count += device->gates[i].case_count;
    m->gates = calloc(device->gate_count + 1, sizeof *m->gates);
    m->cases = calloc(count + 1, sizeof *m->cases);
    if (!m->gates || !m->cases)
        return RG_ENOMEM;
    count = 0;
    for (size_t i = 0; i < device->gate_count; i++) {
        m->gates[i] = device->gates[i];
        m->gates[i].cases = m->cases + count;
        for (size_t k = 0; k < device->gates[i].case_count; k++)
            m->cases[count++] = device->gates[i].cases[k];
    }
    return RG_OK;
}

enum rg_err memory_create(const struct site_device *device, size_t decimals, struct driver_memory **out)
{
    const size_t count = device->gate_count + decimals;
    struct driver_memory *m = calloc(1, sizeof *m + count * sizeof m->registers[0]);

    *out = NULL;
    if (!m || copy_gates(m, device) != RG_OK) {
        memory_destroy(m);
        return RG_ENOMEM;
    }
    *out = m;
    m->gate_count = device->gate_count;
    m->count = count;
    m->period_us = device->poll_ms > 0 ? device->poll_ms * 1000 : INT64_MAX;
    return RG_OK;
}

void memory_destroy(struct driver_memory *m)
{
    if (!m)
        return;
    free(m->gates);
    free(m->cases);
    free(m);
}

static void beat(struct remembered *r, uint32_t value, int64_t at_us, int64_t period_us)
{
    const int64_t passed_us = r->beating ? at_us - r->seen_us : 0;

    if (!r->beating || r->value != value)
        r->unchanged_us = 0;
    else if (passed_us > 0)
        r->unchanged_us += passed_us < period_us ? passed_us : period_us;
    r->beating = true;
    r->seen_us = at_us;
}

void memory_learn(struct driver_memory *m, uint32_t reg, uint32_t value, int64_t at_us)
{
    struct remembered *r;

    if (reg >= m->count)
        return;
    r = &m->registers[reg];
    if (reg < m->gate_count && m->gates[reg].kind == GATE_HEARTBEAT)
        beat(r, value, at_us, m->period_us);
    r->tried = true;
    r->at_us = at_us;
    r->missed = QUALITY_GOOD;
    r->value = value;
}

void memory_miss(struct driver_memory *m, uint32_t reg, enum quality why, int64_t at_us)
{
    if (reg >= m->count)
        return;
    m->registers[reg].tried = true;
    m->registers[reg].at_us = at_us;
    m->registers[reg].missed = why;
}

/* QUALITY_GOOD: its value is of this poll. */
static enum quality why_unread(const struct remembered *r, int64_t begun_us)
{
    return r->tried && r->at_us >= begun_us ? r->missed : QUALITY_COMM;
}

static enum quality judge(const struct site_gate *gate, const struct remembered *r)
{
    switch (gate->kind) {
    case GATE_VALUES:
        for (size_t i = 0; i < gate->case_count; i++) {
            if (gate->cases[i].value == r->value)
                return gate->cases[i].quality;
        }
        return gate->otherwise;
    case GATE_BITS:
        for (size_t i = 0; i < gate->case_count; i++) {
            if (gate->cases[i].value < 16 && (r->value >> gate->cases[i].value & 1u))
                return gate->cases[i].quality;
        }
        return QUALITY_GOOD;
    case GATE_HEARTBEAT:
        return r->unchanged_us > gate->within_ms * 1000 ? QUALITY_STALE : QUALITY_GOOD;
    }
    return QUALITY_SENSOR;
}

struct memory_verdict memory_gates(const struct driver_memory *m, int64_t begun_us)
{
    struct memory_verdict verdict = {QUALITY_GOOD, true};

    for (size_t i = 0; i < m->gate_count && verdict.quality == QUALITY_GOOD; i++) {
        const struct remembered *r = &m->registers[i];

        verdict.quality = why_unread(r, begun_us);
        verdict.told = verdict.quality == QUALITY_GOOD;
        if (verdict.told)
            verdict.quality = judge(&m->gates[i], r);
    }
    return verdict;
}

struct codec_decimals memory_decimals(const struct driver_memory *m, uint32_t reg, int64_t begun_us)
{
    struct codec_decimals decimals = {QUALITY_COMM, 0};
    const struct remembered *r;

    if (reg >= m->count)
        return decimals;
    r = &m->registers[reg];
    decimals.quality = why_unread(r, begun_us);
    if (decimals.quality == QUALITY_GOOD && r->value > CODEC_DECIMALS_MAX)
        decimals.quality = QUALITY_SENSOR;
    if (decimals.quality == QUALITY_GOOD)
        decimals.count = (uint8_t)r->value;
    return decimals;
}
