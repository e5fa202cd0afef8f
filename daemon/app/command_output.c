#include "app/command_output.h"

#include <string.h>

#include "app/actuate.h"
#include "base/text.h"

static const char *on_off(bool on)
{
    return on ? "on" : "off";
}

static const char *rule_name(const struct site *site, uint32_t rule)
{
    if (rule == SITE_RULE_SELF_TEST)
        return RULE_SELF_TEST;
    return rule == SITE_NONE ? NULL : site->rules[rule].name;
}

static void write_output(const struct pipeline *p, uint32_t index, struct jsonw *w)
{
    const struct site_output *o = &p->site->outputs[index];
    struct output_status s;

    outputs_status(p->outputs, index, &s);
    jsonw_object_begin(w);
    jsonw_key_string(w, "name", o->name);
    jsonw_key_string(w, "label", o->label);
    jsonw_key_string(w, "device", p->site->devices[o->device].name);
    jsonw_key_string(w, "area", o->area == SITE_NONE ? NULL : p->site->areas[o->area].name);
    jsonw_key_string(w, "rule", rule_name(p->site, o->rule));
    jsonw_key_string(w, "from", level_name(o->from));
    jsonw_key_string(w, "level", level_name(s.level));
    jsonw_key_string(w, "wanted", on_off(s.wanted));
    /* What a module held that does not answer any more is no state. */
    jsonw_key_string(w, "state", s.known && !s.faulty ? on_off(s.on) : NULL);
    jsonw_key_positive(w, "since_ts", s.since_ms);
    jsonw_key_positive(w, "read_ts", s.read_ms);
    jsonw_key_bool(w, "fault", s.faulty);
    jsonw_key_bool(w, "silenceable", o->silenceable);
    jsonw_key_bool(w, "silenced", s.silenced);
    jsonw_key_bool(w, "tested", s.tested);
    jsonw_key_int(w, "writes", (int64_t)s.writes);
    jsonw_key_int(w, "errors", (int64_t)s.errors);
    jsonw_key_int(w, "otherwise", (int64_t)s.otherwise);
    jsonw_key_string(w, "detail", s.detail);
    jsonw_object_end(w);
}

void command_output_list(const struct pipeline *p, struct jsonw *w)
{
    jsonw_array_begin(w);
    for (uint32_t i = 0; i < p->site->output_count; i++)
        write_output(p, i, w);
    jsonw_array_end(w);
}

/* Who asks, or NULL with the error said. */
static const char *who(const struct json *request, const char *command, char *error, size_t error_size)
{
    const char *by = json_string(json_get(request, "by"));

    if (by && by[0] && strlen(by) < ALARM_WHO_MAX)
        return by;
    (void)text_format(error, error_size, by && by[0] ? "the name is too long" : "%s needs who asks for it",
                      command);
    return NULL;
}

/* SITE_NONE, with the error said, when there is none of that name. */
static uint32_t find(const struct pipeline *p, const char *name, char *error, size_t error_size)
{
    for (uint32_t i = 0; i < p->site->output_count; i++) {
        if (strcmp(p->site->outputs[i].name, name) == 0)
            return i;
    }
    (void)text_format(error, error_size, "there is no output %.96s", name);
    return SITE_NONE;
}

static enum rg_err silence_all(struct pipeline *p, const char *by, struct jsonw *w)
{
    jsonw_array_begin(w);
    for (uint32_t i = 0; i < p->site->output_count; i++) {
        if (actuate_silence(p, i, by) == RG_OK)
            jsonw_string(w, p->site->outputs[i].name);
    }
    jsonw_array_end(w);
    return RG_OK;
}

enum rg_err command_output_silence(struct pipeline *p, const struct json *request, struct jsonw *w,
                                   char *error, size_t error_size)
{
    const char *name = json_string(json_get(request, "output"));
    const char *by = who(request, "silence", error, error_size);
    uint32_t output;
    enum rg_err err;

    if (!by)
        return RG_EINVAL;
    if (!name)
        return silence_all(p, by, w);
    output = find(p, name, error, error_size);
    if (output == SITE_NONE)
        return RG_ENOTFOUND;
    err = actuate_silence(p, output, by);
    if (err == RG_EPERM)
        (void)text_format(error, error_size, "output %s is not silenceable (see its configuration)", name);
    else if (err == RG_ESTATE)
        (void)text_format(error, error_size, "output %s is not on, or silenced already", name);
    if (err != RG_OK)
        return err;
    jsonw_array_begin(w);
    jsonw_string(w, name);
    jsonw_array_end(w);
    return RG_OK;
}

enum rg_err command_output_test(struct pipeline *p, const struct json *request, struct jsonw *w, char *error,
                                size_t error_size)
{
    const char *name = json_string(json_get(request, "output"));
    const char *by = who(request, "test", error, error_size);
    uint32_t output;
    enum rg_err err;

    if (!by)
        return RG_EINVAL;
    if (!name) {
        (void)text_copy(error, error_size, "test needs an output");
        return RG_EINVAL;
    }
    output = find(p, name, error, error_size);
    if (output == SITE_NONE)
        return RG_ENOTFOUND;
    err = actuate_test(p, output, json_int(json_get(request, "for_ms"), 0), by);
    if (err == RG_ERANGE)
        (void)text_format(error, error_size, "a test lasts at most %d minutes", OUTPUT_TEST_MAX_MS / 60000);
    else if (err == RG_OK)
        jsonw_string(w, name);
    return err;
}
