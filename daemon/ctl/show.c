#include "ctl/show.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "ctl/field.h"
#include "ctl/table.h"

void show_points(const struct json *result, FILE *to)
{
    static const char *const titles[] = {"POINT", "VALUE", "UNIT", "QUALITY", "TIME", "LABEL"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *p = json_first(result); p; p = json_next(p)) {
        const struct json *value = json_get(p, "value");
        const char *quality = field_text(p, "quality");
        char when[FIELD_TIME];

        table_row(&t, strcmp(quality, "good") == 0 ? TABLE_PLAIN : TABLE_YELLOW);
        table_cell(&t, "%s", field_text(p, "point"));
        if (json_is_number(value) && json_get(p, "text"))
            table_cell(&t, "%.10g %s", json_double(value, NAN), field_text(p, "text"));
        else if (json_is_number(value))
            table_cell(&t, "%.10g", json_double(value, NAN));
        else
            table_cell(&t, "-");
        table_cell(&t, "%s", field_text(p, "unit"));
        table_cell(&t, "%s", quality);
        table_cell(&t, "%s", field_time(p, "ts", when));
        table_cell(&t, "%s", field_text(p, "label"));
    }
    table_print(&t, to);
    table_free(&t);
}

void show_outputs(const struct json *result, FILE *to)
{
    static const char *const titles[] = {"OUTPUT", "WANTED", "STATE",  "SINCE", "FOLLOWS",
                                         "FROM",   "LEVEL",  "REMARK", "LABEL"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *o = json_first(result); o; o = json_next(o)) {
        bool fault = json_bool(json_get(o, "fault"), false);
        bool silenced = json_bool(json_get(o, "silenced"), false);
        bool tested = json_bool(json_get(o, "tested"), false);
        const char *detail = json_string(json_get(o, "detail"));
        const char *area = json_string(json_get(o, "area"));
        char since[FIELD_TIME];

        table_row(&t, fault ? TABLE_RED : silenced || tested ? TABLE_YELLOW : TABLE_PLAIN);
        table_cell(&t, "%s", field_text(o, "name"));
        table_cell(&t, "%s", field_text(o, "wanted"));
        table_cell(&t, "%s", field_text(o, "state"));
        table_cell(&t, "%s", field_time(o, "since_ts", since));
        table_cell(&t, "%s", area ? area : field_text(o, "rule"));
        table_cell(&t, "%s", field_text(o, "from"));
        table_cell(&t, "%s", field_text(o, "level"));
        table_cell(&t, "%s%s%s",
                   fault      ? "FAULT "
                   : silenced ? "silenced "
                              : "",
                   tested ? "test " : "", detail ? detail : "");
        table_cell(&t, "%s", field_text(o, "label"));
    }
    table_print(&t, to);
    table_free(&t);
}

void show_risk(const struct json *result, FILE *to)
{
    static const char *const titles[] = {"AREA",        "LEVEL", "ALARMS",  "ASSESSED", "PARENT",
                                         "RESPONSIBLE", "PHONE", "MEASURE", "LABEL"};
    struct table t;

    (void)fprintf(to, "level %s\n\n", field_text(result, "level"));
    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *a = json_first(json_get(result, "areas")); a; a = json_next(a)) {
        table_row(&t, table_level_colour(field_text(a, "level")));
        table_cell(&t, "%s", json_key(a));
        table_cell(&t, "%s", field_text(a, "level"));
        table_cell(&t, "%" PRId64, field_int(a, "alarms"));
        table_cell(&t, "%s", field_text(a, "inherent"));
        table_cell(&t, "%s", field_text(a, "parent"));
        table_cell(&t, "%s", field_text(a, "responsible"));
        table_cell(&t, "%s", field_text(a, "phone"));
        table_cell(&t, "%s", field_text(a, "measure"));
        table_cell(&t, "%s", field_text(a, "label"));
    }
    table_print(&t, to);
    table_free(&t);
}
