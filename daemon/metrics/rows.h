/* Which figure of the status is which metric. */
#ifndef RG_METRICS_ROWS_H
#define RG_METRICS_ROWS_H

#include <stddef.h>

/* Where a figure stands: at the top, or in each entry of a list, which labels tell apart. */
enum metrics_place {
    PLACE_TOP,
    PLACE_BUS,
    PLACE_DEVICE,
    PLACE_OUTPUT,
    PLACE_PERMIT,
    PLACE_UPLINK,
    PLACE_SELF_TEST,
    PLACE_COUNT
};

enum metrics_kind {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_FLAG,    /* true: 1, false: 0 */
    METRIC_SECONDS, /* milliseconds */
    METRIC_TIME,    /* wall, milliseconds since 1970; null: no sample */
    METRIC_LEVEL,   /* none 0, blue 1, yellow 2, orange 3, red 4 */
    METRIC_ON_OFF,  /* "on": 1, "off": 0 */
    METRIC_IS,      /* 1 when it is the word in `value`, else 0 */
    METRIC_STATE,   /* 1, with the word as the label `state` */
    METRIC_OF_EACH, /* a gauge for each member of the object, which the label `stream` names */
    METRIC_INFO,    /* 1, with the text as a label that is called like its member */
};

struct metrics_row {
    enum metrics_place place;
    enum metrics_kind kind;
    const char *name;          /* of the family; rows of one family stand together */
    const char *path;          /* inside the place: members, with dots */
    const char *label, *value; /* of this row within its family, or NULL; METRIC_IS: the word */
    const char *help;          /* of the family: the first row's */
};

extern const struct metrics_row metrics_rows[];
extern const size_t metrics_row_count;

struct metrics_list {
    const char *member;          /* of the status; NULL: the status itself */
    const char *from[2], *to[2]; /* the members of an entry that name it, and their labels */
};
extern const struct metrics_list metrics_lists[PLACE_COUNT];

#endif
