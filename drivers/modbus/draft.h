/* Inside the planner: stretches of addresses with their points, and how they become requests in an order in
 * which all that decides on a point is read by its request or before it. Pure. */
#ifndef RG_DRIVERS_MODBUS_DRAFT_H
#define RG_DRIVERS_MODBUS_DRAFT_H

#include "drivers/modbus/plan.h"

/* A point while planning. */
struct place {
    enum point_space space;
    uint32_t first, end; /* addresses: its first, one past its last */
    struct codec_point item;
};

/* A request to be. */
struct draft {
    enum point_space space;
    uint32_t first, end; /* addresses */
    size_t place, count; /* its points, together in the places; none: registers only */
    bool done;
};

/* Fills a plan request by request. */
struct builder {
    struct driver_plan *plan; /* items: room for all; the rest grows */
    struct ask pattern;       /* unit, limit, gap_us */
    uint32_t gap;             /* addresses that a request of registers only may read for nothing */
    const struct place *places;
    bool *read; /* [register_count]: a request that is in the plan reads it */
    size_t request_room, extra_room, way_room;
};

/* Addresses that one request of the plan may span in that space. */
uint32_t draft_limit(const struct driver_plan *plan, enum point_space space);
/* Whether the register lies within the draft. */
bool draft_holds(const struct draft *d, const struct site_register *at);

/* plan: empty but for its registers. RG_ENOMEM. Undone by builder_end, which leaves the plan. */
RG_NODISCARD enum rg_err builder_begin(struct builder *b, struct driver_plan *plan,
                                       const struct place *places, const struct ask *pattern, uint32_t gap);
void builder_end(struct builder *b);

/* All of them, and what is needed beside them, as requests. RG_ENOMEM. */
RG_NODISCARD enum rg_err builder_arrange(struct builder *b, struct draft *drafts, size_t count);
/* Requests for those of the count registers that no request reads yet. RG_ENOMEM. */
RG_NODISCARD enum rg_err builder_add_registers(struct builder *b, const struct plan_extra *registers,
                                               size_t count);
/* A request of another plan of the same device as it stands. RG_ENOMEM. */
RG_NODISCARD enum rg_err builder_copy(struct builder *b, const struct driver_plan *from, size_t request);

#endif
