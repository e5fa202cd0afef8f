#include <string.h>

#include "base/text.h"
#include "ctl/profile_show.h"

static void write_register(struct jsonw *w, const struct site_register *at)
{
    jsonw_key_int(w, point_space_name(at->space), at->address);
    if (at->mask)
        jsonw_key_int(w, "mask", at->mask);
}

static void write_point(struct jsonw *w, const struct site_point *p)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "name", p->name);
    jsonw_key_int(w, point_space_name(p->space), p->address);
    jsonw_key_string(w, "type", point_type_name(p->type));
    jsonw_key_string(w, "order", p->order == ORDER_NONE ? NULL : word_order_name(p->order));
    if (p->bit >= 0)
        jsonw_key_int(w, "bit", p->bit);
    if (p->mask)
        jsonw_key_int(w, "mask", p->mask);
    jsonw_key_double(w, "scale", p->scaling.num / p->scaling.den);
    jsonw_key_double(w, "offset", p->scaling.add / p->scaling.den);
    jsonw_key_string(w, "unit", p->unit);
    jsonw_key_string(w, "label", p->label);
    if (p->has_decimals) {
        jsonw_key(w, "decimals_from");
        jsonw_object_begin(w);
        write_register(w, &p->decimals);
        jsonw_object_end(w);
    }
    if (p->word_count > 0) {
        jsonw_key(w, "values");
        jsonw_object_begin(w);
        for (size_t i = 0; i < p->word_count; i++) {
            char value[32];

            (void)text_format(value, sizeof value, "%.10g", p->words[i].value);
            jsonw_key_string(w, value, p->words[i].text);
        }
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
}

static void write_gate(struct jsonw *w, const struct site_gate *gate)
{
    jsonw_object_begin(w);
    write_register(w, &gate->at);
    if (gate->kind == GATE_HEARTBEAT) {
        jsonw_key_int(w, "within_ms", gate->within_ms);
    } else {
        jsonw_key(w, gate->kind == GATE_BITS ? "bits" : "is");
        jsonw_object_begin(w);
        for (size_t i = 0; i < gate->case_count; i++) {
            char value[16];

            (void)text_format(value, sizeof value, "%u", gate->cases[i].value);
            jsonw_key_string(w, value, quality_name(gate->cases[i].quality));
        }
        jsonw_object_end(w);
        if (gate->kind == GATE_VALUES)
            jsonw_key_string(w, "otherwise", quality_name(gate->otherwise));
    }
    jsonw_object_end(w);
}

static void write_trigger(struct jsonw *w, const struct site_trigger *trigger)
{
    if (!trigger->enabled) {
        jsonw_null(w);
        return;
    }
    jsonw_object_begin(w);
    jsonw_key_int(w, point_space_name(trigger->space), trigger->address);
    jsonw_key_int(w, "value", trigger->value);
    jsonw_key_int(w, "wait_ms", trigger->wait_ms);
    jsonw_object_end(w);
}

/* {"holding": {"2": 0, ...}, ...}: those of one space lie together. */
static void write_answers(struct jsonw *w, const struct profile_vector *vector)
{
    jsonw_object_begin(w);
    for (size_t i = 0; i < vector->answer_count; i++) {
        const struct profile_answer *answer = &vector->answers[i];
        char address[16];

        if (i == 0 || answer[-1].space != answer->space) {
            if (i > 0)
                jsonw_object_end(w);
            jsonw_key(w, point_space_name(answer->space));
            jsonw_object_begin(w);
        }
        (void)text_format(address, sizeof address, "%u", answer->address);
        jsonw_key_int(w, address, answer->value);
    }
    if (vector->answer_count > 0)
        jsonw_object_end(w);
    jsonw_object_end(w);
}

static void write_vector(struct jsonw *w, const struct profile_vector *vector)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "about", vector->about);
    jsonw_key_bool(w, "derived", vector->derived);
    jsonw_key(w, "give");
    jsonw_object_begin(w);
    for (size_t i = 0; i < vector->give_count; i++)
        jsonw_key_string(w, vector->gives[i].key, vector->gives[i].text);
    jsonw_object_end(w);
    jsonw_key(w, "answers");
    write_answers(w, vector);
    jsonw_key(w, "expect");
    jsonw_object_begin(w);
    for (size_t i = 0; i < vector->expect_count; i++) {
        const struct profile_expect *expect = &vector->expects[i];

        if (expect->quality == QUALITY_GOOD)
            jsonw_key_double(w, expect->point, expect->value);
        else
            jsonw_key_string(w, expect->point, quality_name(expect->quality));
    }
    jsonw_object_end(w);
    jsonw_object_end(w);
}

void profile_write_head(const struct profile *profile, struct jsonw *w)
{
    jsonw_key_string(w, "name", profile->name);
    jsonw_key_string(w, "maker", profile->maker);
    jsonw_key_string(w, "device", profile->device);
    jsonw_key_string(w, "reads", profile->reads);
}

void profile_write_json(const struct config *config, struct jsonw *w)
{
    const struct profile *profile = config->profile;
    const struct site_device *device = &config->site->devices[0];

    jsonw_object_begin(w);
    profile_write_head(profile, w);
    jsonw_key_string(w, "source", profile->source);
    jsonw_key_string(w, "note", profile->note);
    jsonw_key_string(w, "line", profile->line);
    jsonw_key(w, "asks");
    jsonw_object_begin(w);
    for (size_t i = 0; i < profile->ask_count; i++)
        jsonw_key_string(w, profile->asks[i].key, profile->asks[i].why);
    jsonw_object_end(w);
    jsonw_key(w, "points");
    jsonw_array_begin(w);
    for (size_t i = 0; i < config->site->point_count; i++)
        write_point(w, &config->site->points[i]);
    jsonw_array_end(w);
    jsonw_key(w, "trigger");
    write_trigger(w, &device->trigger);
    jsonw_key(w, "status");
    jsonw_array_begin(w);
    for (size_t i = 0; i < device->gate_count; i++)
        write_gate(w, &device->gates[i]);
    jsonw_array_end(w);
    jsonw_key(w, "vectors");
    jsonw_array_begin(w);
    for (size_t i = 0; i < profile->vector_count; i++)
        write_vector(w, &profile->vectors[i]);
    jsonw_array_end(w);
    jsonw_object_end(w);
}
