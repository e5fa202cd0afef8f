#include "drivers/modbus/reading.h"

static void learn(const struct reading *reading, const uint8_t *data, size_t length)
{
    const struct driver_plan *plan = reading->plan;
    const struct plan_request *r = &plan->requests[reading->request];

    for (size_t i = r->first_extra; i < r->first_extra + r->extra_count; i++) {
        const struct plan_extra *extra = &plan->extras[i];
        uint32_t value;

        if (codec_register(ask_is_bits(&r->ask), extra->offset, plan->registers[extra->reg].mask, data,
                           length, &value))
            memory_learn(reading->memory, extra->reg, value, reading->asked_us);
        else
            memory_miss(reading->memory, extra->reg, QUALITY_COMM, reading->asked_us);
    }
}

static void decode_decimals(const struct reading *reading, const struct plan_item *item, const uint8_t *data,
                            size_t length, struct sample *out)
{
    const struct codec_point *way = &reading->plan->ways[item->way];
    struct codec_decimals decimals = {QUALITY_COMM, 0};

    if (reading->memory)
        decimals = memory_decimals(reading->memory, way->decimals, reading->begun_us);
    codec_decode_like(way, item->point, item->offset, &decimals, data, length, out);
}

/* The same bad quality for all points of the request. */
static void fail(const struct driver_plan *plan, const struct plan_request *r, enum quality quality,
                 struct sample *samples)
{
    for (size_t i = 0; i < r->count; i++)
        samples[i] = (struct sample){.point = plan->items[r->first + i].point, .quality = quality};
}

void reading_decode(const struct reading *reading, const uint8_t *data, size_t length, struct sample *samples)
{
    const struct driver_plan *plan = reading->plan;
    const struct plan_request *r = &plan->requests[reading->request];
    const struct plan_item *items = plan->items + r->first;
    struct memory_verdict verdict = {QUALITY_GOOD, true};

    if (reading->memory) {
        learn(reading, data, length);
        verdict = memory_gates(reading->memory, reading->begun_us);
    } else if (plan->gate_count > 0) {
        verdict = (struct memory_verdict){QUALITY_COMM, false};
    }
    if (verdict.quality != QUALITY_GOOD && verdict.told) {
        fail(plan, r, verdict.quality, samples);
        return;
    }
    for (size_t i = 0; i < r->count; i++) {
        const struct codec_point *way = &plan->ways[items[i].way];

        if (way->decimals == CODEC_NO_DECIMALS)
            codec_decode_like(way, items[i].point, items[i].offset, NULL, data, length, &samples[i]);
        else
            decode_decimals(reading, &items[i], data, length, &samples[i]);
    }
    for (size_t i = 0; verdict.quality != QUALITY_GOOD && i < r->count; i++) {
        if (samples[i].quality == QUALITY_GOOD)
            samples[i] = (struct sample){.point = samples[i].point, .quality = verdict.quality};
    }
}

void reading_fail(const struct reading *reading, enum quality quality, struct sample *samples)
{
    const struct driver_plan *plan = reading->plan;
    const struct plan_request *r = &plan->requests[reading->request];

    for (size_t i = r->first_extra; reading->memory && i < r->first_extra + r->extra_count; i++)
        memory_miss(reading->memory, plan->extras[i].reg, quality, reading->asked_us);
    fail(plan, r, quality, samples);
}
