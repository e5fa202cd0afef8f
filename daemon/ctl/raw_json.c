#include "ctl/raw_json.h"

#include <string.h>

#include "base/text.h"

static void begin(struct jsonw *w, const char *command, const char *bus, const struct driver_raw *ask)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "command", command);
    jsonw_key_string(w, "bus", bus);
    jsonw_key_int(w, "unit", ask->unit);
    if (ask->timeout_ms > 0)
        jsonw_key_int(w, "timeout_ms", ask->timeout_ms);
}

void raw_write_read(struct jsonw *w, const char *bus, const struct driver_raw *ask)
{
    begin(w, "raw", bus, ask);
    jsonw_key(w, "read");
    jsonw_object_begin(w);
    jsonw_key_int(w, point_space_name(ask->space), ask->address);
    jsonw_key_int(w, "count", ask->count);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

void raw_write_write(struct jsonw *w, const char *bus, const struct driver_raw *ask, const char *by)
{
    begin(w, "write", bus, ask);
    jsonw_key_string(w, "by", by);
    jsonw_key(w, "write");
    jsonw_object_begin(w);
    jsonw_key_int(w, point_space_name(ask->space), ask->address);
    jsonw_key(w, "values");
    jsonw_array_begin(w);
    for (size_t i = 0; i < ask->count; i++)
        jsonw_int(w, ask->values[i]);
    jsonw_array_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

/* True: an array of at most room words, of *count. */
static bool read_words(const struct json *array, size_t room, uint16_t *out, size_t *count)
{
    *count = 0;
    if (!json_is_array(array) || json_size(array) > room)
        return false;
    for (const struct json *v = json_first(array); v; v = json_next(v)) {
        int64_t word = json_int(v, -1);

        if (word < 0 || word > UINT16_MAX)
            return false;
        out[(*count)++] = (uint16_t)word;
    }
    return true;
}

static bool read_result(const struct json *result, enum driver_result *out)
{
    const char *name = json_string(json_get(result, "result"));

    for (int i = DRIVER_OK; name && i <= DRIVER_UNREACHABLE; i++) {
        if (strcmp(name, driver_result_name((enum driver_result)i)) == 0) {
            *out = (enum driver_result)i;
            return true;
        }
    }
    return false;
}

static bool read_outcome(const struct json *result, struct driver_raw_answer *out)
{
    int64_t exception = json_int(json_get(result, "exception"), 0);
    const char *detail = json_string(json_get(result, "detail"));

    memset(out, 0, sizeof *out);
    if (!read_result(result, &out->result) || exception < 0 || exception > UINT8_MAX)
        return false;
    out->exception = (uint8_t)exception;
    (void)text_copy(out->detail, sizeof out->detail, detail ? detail : "");
    return true;
}

bool raw_read_answer(const struct json *result, struct driver_raw_answer *out)
{
    if (!read_outcome(result, out))
        return false;
    return out->result != DRIVER_OK ||
           read_words(json_get(result, "values"), DRIVER_RAW_READ_MAX, out->values, &out->count);
}

bool raw_read_written(const struct json *result, uint16_t count, struct raw_written *out)
{
    const struct json *old = json_get(result, "old");
    const struct json *now = json_get(result, "new");
    size_t got = 0;

    memset(out, 0, sizeof *out);
    if (!read_outcome(result, &out->answer))
        return false;
    out->had_old = read_words(old, DRIVER_RAW_WRITE_MAX, out->old, &got) && got == count;
    out->has_new = read_words(now, DRIVER_RAW_WRITE_MAX, out->now, &got) && got == count;
    return true;
}
