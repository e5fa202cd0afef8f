/* Permits to work. */
#include "ctl/show.h"

#include "base/text.h"
#include "ctl/field.h"
#include "ctl/table.h"

void show_permit(const struct json *result, FILE *to)
{
    char until[FIELD_TIME];

    if (json_bool(json_get(result, "open"), false))
        (void)fprintf(to, "permit %s open until %s\n", field_text(result, "permit"),
                      field_time(result, "until_ts", until));
    else
        (void)fprintf(to, "permit %s closed: its rules are not armed\n", field_text(result, "permit"));
}

void show_permits(const struct json *result, FILE *to)
{
    static const char *const titles[] = {"PERMIT", "STATE", "UNTIL", "OPENED BY", "AT MOST", "LABEL"};
    struct table t;

    if (json_size(result) == 0) {
        (void)fputs("no permits are configured\n", to);
        return;
    }
    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *p = json_first(result); p; p = json_next(p)) {
        bool open = json_bool(json_get(p, "open"), false);
        char until[FIELD_TIME], most[32];

        table_row(&t, open ? TABLE_YELLOW : TABLE_PLAIN);
        table_cell(&t, "%s", field_text(p, "permit"));
        table_cell(&t, "%s", open ? "open" : "closed");
        table_cell(&t, "%s", open ? field_time(p, "until_ts", until) : "-");
        table_cell(&t, "%s", field_text(p, "by"));
        table_cell(&t, "%s", text_format_duration(field_int(p, "max_ms"), most));
        table_cell(&t, "%s", field_text(p, "label"));
    }
    table_print(&t, to);
    table_free(&t);
}
