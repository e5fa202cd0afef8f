#include "uplink/payload.h"

static void number_or_null(struct jsonw *w, const char *key, int64_t seq)
{
    if (seq > 0)
        jsonw_key_int(w, key, seq);
    else
        jsonw_key_null(w, key);
}

static void write_head(struct jsonw *w, const struct payload_head *head, bool stored)
{
    jsonw_key_int(w, "v", PAYLOAD_VERSION);
    jsonw_key_string(w, "ent", head->ent);
    jsonw_key_string(w, "gw", head->gw);
    jsonw_key_string(w, "stream", stream_name(head->stream));
    jsonw_key_bool(w, "backfill", head->backfill);
    number_or_null(w, "prev", stored ? head->prev : 0);
    number_or_null(w, "first", stored ? head->first : 0);
    number_or_null(w, "last", stored ? head->last : 0);
    if (!stored)
        jsonw_key_bool(w, "stored", false);
    if (head->unsynced)
        jsonw_key_string(w, "clock", "unsynced");
}

static enum rg_err write_message(struct jsonw *w, const struct payload_head *head, bool stored,
                                 const char *records, size_t length)
{
    jsonw_reset(w);
    jsonw_object_begin(w);
    write_head(w, head, stored);
    jsonw_key(w, "records");
    jsonw_array_begin(w);
    jsonw_raw(w, records, length);
    jsonw_array_end(w);
    jsonw_object_end(w);
    return jsonw_error(w);
}

enum rg_err payload_stored(struct jsonw *w, const struct payload_head *head, const char *records,
                           size_t length)
{
    return write_message(w, head, true, records, length);
}

enum rg_err payload_unstored(struct jsonw *w, const struct payload_head *head, const char *record,
                             size_t length)
{
    return write_message(w, head, false, record, length);
}
