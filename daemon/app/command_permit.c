#include "app/command_permit.h"

#include <string.h>

#include "base/text.h"

static void write_permit(const struct pipeline *p, uint32_t index, struct jsonw *w)
{
    const struct site_permit *permit = &p->site->permits[index];
    const struct permit_note *note = &p->permits.notes[index];
    int64_t until_ms = rules_permit_until(p->rules, index);
    struct moment now = pipeline_now(p);
    bool open = until_ms != INT64_MIN;

    jsonw_object_begin(w);
    jsonw_key_string(w, "permit", permit->name);
    jsonw_key_string(w, "label", permit->label);
    jsonw_key_bool(w, "open", open);
    jsonw_key_positive(w, "until_ts", open ? now.wall_ms + (until_ms - now.mono_ms) : 0);
    jsonw_key_string(w, "by", open ? note->by : NULL);
    jsonw_key_positive(w, "opened_ts", open ? note->opened_ms : 0);
    jsonw_key_int(w, "max_ms", permit->max_ms);
    jsonw_key(w, "rules");
    jsonw_array_begin(w);
    for (size_t i = 0; i < p->site->rule_count; i++) {
        if (p->site->rules[i].has_permit && p->site->rules[i].permit == index)
            jsonw_string(w, p->site->rules[i].name);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}

void command_permit_list(const struct pipeline *p, struct jsonw *w)
{
    jsonw_array_begin(w);
    for (uint32_t i = 0; i < p->site->permit_count; i++)
        write_permit(p, i, w);
    jsonw_array_end(w);
}

static enum rg_err open_permit(struct pipeline *p, uint32_t permit, int64_t for_ms, const char *by,
                               char *error, size_t error_size)
{
    const struct site_permit *conf = &p->site->permits[permit];
    char longest[32];

    if (for_ms < 1 || for_ms > conf->max_ms) {
        (void)text_format(error, error_size, "permit %s is opened for at least 1ms and at most %s",
                          conf->name, text_format_duration(conf->max_ms, longest));
        return RG_ERANGE;
    }
    pipeline_permit(p, permit, for_ms, by);
    return RG_OK;
}

static enum rg_err close_permit(struct pipeline *p, uint32_t permit, const char *by, char *error,
                                size_t error_size)
{
    if (rules_permit_until(p->rules, permit) == INT64_MIN) {
        (void)text_format(error, error_size, "permit %s is not open", p->site->permits[permit].name);
        return RG_ESTATE;
    }
    pipeline_permit(p, permit, 0, by);
    return RG_OK;
}

enum rg_err command_permit(struct pipeline *p, const struct json *request, struct jsonw *w, char *error,
                           size_t error_size)
{
    const char *action = json_string(json_get(request, "action"));
    const char *name = json_string(json_get(request, "permit"));
    const char *by = json_string(json_get(request, "by"));
    bool open = action && strcmp(action, "open") == 0;
    uint32_t permit;
    enum rg_err err;

    if (action && strcmp(action, "list") == 0) {
        command_permit_list(p, w);
        return RG_OK;
    }
    if (!open && (!action || strcmp(action, "close") != 0)) {
        (void)text_copy(error, error_size, "a permit is opened, closed or listed");
        return RG_EINVAL;
    }
    if (!name || !by || !by[0] || strlen(by) >= ALARM_WHO_MAX) {
        (void)text_copy(error, error_size,
                        by && by[0] && name ? "the name is too long"
                                            : "permit needs the permit and who answers for it");
        return RG_EINVAL;
    }
    permit = permits_find(p->site, name);
    if (permit == SITE_NONE) {
        (void)text_format(error, error_size, "there is no permit %.96s", name);
        return RG_ENOTFOUND;
    }
    err = open ? open_permit(p, permit, json_int(json_get(request, "for_ms"), 0), by, error, error_size)
               : close_permit(p, permit, by, error, error_size);
    if (err == RG_OK)
        write_permit(p, permit, w);
    return err;
}
