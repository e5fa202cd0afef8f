#include "app/document.h"

static void document_begin(struct jsonw *w, const struct site *site)
{
    jsonw_reset(w);
    jsonw_object_begin(w);
    jsonw_key_int(w, "v", 1);
    jsonw_key_string(w, "ent", site->gateway.ent_code);
    jsonw_key_string(w, "gw", site->gateway.id);
}

static void document_clock(struct jsonw *w, int64_t ts, bool unsynced)
{
    jsonw_key_int(w, "ts", ts);
    if (unsynced)
        jsonw_key_string(w, "clock", "unsynced");
}

void document_state(struct jsonw *w, const struct site *site, const struct document_state *state)
{
    document_begin(w, site);
    jsonw_key_bool(w, "online", state->online);
    document_clock(w, state->ts, state->unsynced);
    jsonw_key_int(w, "boot", state->boot);
    jsonw_key_string(w, "version", state->version);
    jsonw_key_string(w, "config", state->config);
    jsonw_object_end(w);
}

void document_risk(struct jsonw *w, const struct site *site, const struct rules *rules, int64_t ts,
                   bool unsynced)
{
    document_begin(w, site);
    document_clock(w, ts, unsynced);
    jsonw_key_string(w, "level", level_name(rules_level(rules)));
    jsonw_key(w, "areas");
    jsonw_object_begin(w);
    for (uint32_t i = 0; i < site->area_count; i++) {
        size_t alarms = 0;
        enum level level = rules_area_level(rules, i, &alarms);

        jsonw_key(w, site->areas[i].name);
        jsonw_object_begin(w);
        jsonw_key_string(w, "level", level_name(level));
        jsonw_key_string(w, "inherent", level_name(site->areas[i].inherent));
        jsonw_key_int(w, "alarms", (int64_t)alarms);
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
    jsonw_object_end(w);
}
