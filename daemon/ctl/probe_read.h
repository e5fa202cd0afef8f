/* Reads a range of one unit in several requests, whatever parts of it there are. Pure but for the asking.
 *
 * At most `max` registers a request. A request that is refused for its range (illegal data address or value; a failure, which is
 * how some devices say it) is divided, down to single registers, so that all that can be read is read: at most
 * 2n - 1 requests for n registers. It is divided at an even distance from its beginning, because some devices refuse half of a
 * 32-bit value. Another refusal holds for all that was asked. After a request without a proper answer that also its repetition
 * did not get, nothing more is asked. */
#ifndef RG_CTL_PROBE_READ_H
#define RG_CTL_PROBE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "drivers/driver.h"

#define PROBE_COUNT_MAX 2000 /* registers or bits of one range */

struct probe_range {
    enum point_space space;
    uint16_t first;
    uint16_t count; /* 1 to PROBE_COUNT_MAX; first + count <= 65536 */
};

/* False: asking itself failed (the daemon is gone, ...), which the asker tells. */
typedef bool (*probe_ask_cb)(void *arg, const struct driver_raw *ask, struct driver_raw_answer *answer);

enum cell_state {
    CELL_UNREAD, /* not asked, or without an answer */
    CELL_READ,
    CELL_REFUSED, /* answered with an exception */
};

struct probe_cell {
    enum cell_state state;
    uint8_t exception; /* CELL_REFUSED */
    uint16_t value;    /* CELL_READ; bits: 0 or 1 */
};

struct probe_reading {
    struct probe_range range;
    struct probe_cell *cells; /* range.count of them */
    unsigned requests;
    size_t read;                    /* cells */
    enum driver_result result;      /* DRIVER_OK, or what ended it early */
    char detail[DRIVER_DETAIL_MAX]; /* why, then */
    bool failed;                    /* asking itself did */
};

/* model: unit, time-out and gap of every request. RG_ENOMEM. Free with probe_reading_free. */
RG_NODISCARD enum rg_err probe_read(const struct probe_range *range, uint16_t max,
                                    const struct driver_raw *model, probe_ask_cb ask, void *arg,
                                    struct probe_reading *out);
void probe_reading_free(struct probe_reading *r);

#endif
