/* The stage's state, shared by setup.c (build, inherit), convert.c (frames) and derive.c (one point). Private to this folder. */
#ifndef RG_CONVERT_STAGE_H
#define RG_CONVERT_STAGE_H

#include "convert/convert.h"
#include "model/site_order.h"

/* The last that is known of a point that others are worked out from, or that is itself worked out. */
struct state {
    enum quality quality; /* QUALITY_STALE before the first */
    double value;         /* 0 unless good */
    bool counted;         /* increases: counter is the last good reading of the operand */
    double counter;
};

/* Where a point stands while a frame goes through. */
struct link {
    uint64_t generation; /* of the frame that it last came with */
    uint32_t next;       /* in the list that it is in */
    uint32_t sample;     /* its place among the frame's own samples */
};

struct point_list {
    uint32_t first, last; /* first: SITE_NONE when empty */
};

struct convert {
    const struct site *site;
    bool
        idle; /* nothing is converted and nothing worked out: frames go through, and there is no more than this */
    uint64_t generation;
    struct state *states;  /* by point */
    struct link *links;    /* by point */
    bool *matters;         /* by point: it is converted, or something is worked out from it */
    uint32_t *levels;      /* by point: site_order() */
    uint32_t *users_begin; /* [points + 1]: where the derived points that are worked out from each begin */
    uint32_t *users;
    struct point_list waiting[SITE_DEPTH_MAX + 1]; /* by level: to be worked out in this frame */
    struct point_list *derived;                    /* by device: those worked out in this frame */
    uint32_t *touched;                             /* derived devices with such, in the order they were met */
    size_t touched_count;
    struct sample *own; /* room for the points of any device */
    size_t own_count;
    struct sample *out;
};

/* The reading becomes what it means, in place, and is remembered. */
void convert_point(struct convert *c, uint32_t point, struct sample *sample);
/* Works a derived point out anew. */
void derive_point(struct convert *c, uint32_t point);

#endif
