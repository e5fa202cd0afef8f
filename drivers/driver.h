/* What poll/ knows of a driver: a small table of functions. Framework (poll/) owns timing, retries, health and back-off.
 *
 * A driver turns a device's points into a plan of requests (pure), and carries out one request at a time on a link,
 * blocking, on the bus's own thread. A link that does not open is an answer like any other, never an exit. */
#ifndef RG_DRIVERS_DRIVER_H
#define RG_DRIVERS_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/sample.h"
#include "model/site.h"

enum driver_result {
    DRIVER_OK,        /* a valid answer to this very request; samples hold values (each with its quality) */
    DRIVER_EXCEPTION, /* the device answered with an exception; exception holds its code */
    DRIVER_SILENT, /* no answer within the time-out, or a gateway's word that its target did not answer (0x0A, 0x0B) */
    DRIVER_MALFORMED, /* an answer that does not fit the request: foreign, late, cut, wrong CRC, wrong length */
    DRIVER_BROKEN,    /* the link failed while in use: connection dropped, line unplugged */
    DRIVER_UNREACHABLE, /* the link could not be opened */
};
const char *driver_result_name(
    enum driver_result result); /* "ok" "exception" "silent" "malformed" "broken" "unreachable" */

#define DRIVER_DETAIL_MAX 120

struct driver_answer {
    enum driver_result result;
    uint8_t exception;
    char detail
        [DRIVER_DETAIL_MAX]; /* for people, when result is not DRIVER_OK: "connection refused", "illegal data address" */
    size_t count;            /* samples of this request: all its points, in every case */
    /* Memory of the caller, room for plan_points of them; all bad unless DRIVER_OK, and bad even then where a status
     * says so or could not be read. */
    struct sample *samples;
};

/* The requests that read one device, in order: a request may rely on what an earlier one of the same poll has read
 * (a status). Immutable after planning; shared by loop and bus thread. Refers to no site: a reload may exchange the site
 * while the bus thread works by the plan. The same holds for links and memories. */
struct driver_plan;
struct driver_link; /* one bus's connection or line; used by one thread at a time */
/* What was learnt of one device while it was read: its status, heartbeat, decimals. Made for a device; fits all
 * plans of it, divided ones too. Only transact touches it, on the bus's thread. */
struct driver_memory;

/* One request of a plan, to be carried out. */
struct driver_ask {
    const struct driver_plan *plan;
    size_t request;
    struct driver_memory *memory;
    int64_t
        begun_us; /* monotonic: when this poll began, the same for all its requests. A status that was read before
                   * says nothing about it */
    int64_t timeout_ms;
};

/* One read or write beside the polls, as it stands: for operators, triggers and outputs. */
#define DRIVER_RAW_READ_MAX 125  /* registers, or bits */
#define DRIVER_RAW_WRITE_MAX 123 /* registers, or bits: MODBUS Application Protocol V1.1b3 §6.12 */
struct driver_raw {
    bool write;
    uint8_t unit;            /* 0, writes only: to all units of a serial line; nobody answers */
    enum point_space space;  /* writes: SPACE_COIL, SPACE_HOLDING */
    uint16_t address, count; /* count 1 is written by the function for one (5, 6), more by 15, 16 */
    uint16_t values[DRIVER_RAW_WRITE_MAX]; /* writes; bits: 0 or 1 */
    int64_t gap_ms;                        /* silence before it, when longer than the bus's */
    int64_t timeout_ms;
};
struct driver_raw_answer {
    enum driver_result result; /* of a write: DRIVER_OK when the unit confirmed it, or it was sent to all */
    uint8_t exception;
    /* It went out, or a part of it. A write that did may have been done, whatever the result is but DRIVER_EXCEPTION;
     * one that did not was not. The link never sends a write twice: only the caller knows whether it may be done twice. */
    bool sent;
    char detail[DRIVER_DETAIL_MAX];
    size_t count;                         /* reads that ended with DRIVER_OK: as many as asked for; else 0 */
    uint16_t values[DRIVER_RAW_READ_MAX]; /* bits: 0 or 1 */
};

struct driver {
    const char *name;
    /* Pure. points: the device's, count of them; first_point: index of points[0] in site.points, for samples. RG_ENOMEM, RG_EINVAL. */
    enum rg_err (*plan)(const struct site_device *device, const struct site_point *points, size_t count,
                        uint32_t first_point, struct driver_plan **out);
    void (*plan_destroy)(struct driver_plan *plan);
    size_t (*plan_requests)(const struct driver_plan *plan);
    /* Points that request reads; none when it reads only what decides on others (a status): its answer has no samples. */
    size_t (*plan_points)(const struct driver_plan *plan, size_t request);
    /* Pure; may be NULL. The same plan, but with that request, which the device refused with this exception,
     * divided in place into those that read through no unused addresses: one or more. Never more requests in all than
     * points, their decimals registers and gates together. RG_ENOTFOUND: that would not help, or it reads through
     * none; RG_ENOMEM. */
    enum rg_err (*plan_divide)(const struct driver_plan *plan, size_t request, uint8_t exception,
                               struct driver_plan **out);
    /* Pure; may be NULL. What a request reads, for people: "holding 100 to 109". */
    void (*plan_describe)(const struct driver_plan *plan, size_t request, char *out, size_t size);
    /* Bytes of request and answer on the wire, for the time budget of a line. */
    void (*plan_bytes)(const struct driver_plan *plan, size_t request, enum bus_kind kind, size_t *sent,
                       size_t *received);

    /* plan: the device's. RG_ENOMEM. May be NULL: then transact is given no memory. */
    enum rg_err (*memory_create)(const struct site_device *device, const struct driver_plan *plan,
                                 struct driver_memory **out);
    void (*memory_destroy)(struct driver_memory *memory); /* takes NULL */

    /* Allocates; opens nothing yet. */
    enum rg_err (*link_create)(const struct site_bus *bus, struct driver_link **out);
    /* On the bus thread: opens the link if it is closed, sends the request, waits at most timeout_ms for its answer, decodes it.
     * Bounded: returns within the time-out for the connection and the one for the answer, and the silences of the line;
     * after a unit's silence, where answers carry no number, also the wait for proof that its late answer is not taken for
     * this one (at most twice the time-out, at least 1 s). */
    void (*transact)(struct driver_link *link, const struct driver_ask *ask, struct driver_answer *answer);
    /* On the bus thread, bounded like transact. NULL: the driver cannot. What cannot be asked (a space that is not
     * written, too many, a read of unit 0 on a serial line) is DRIVER_MALFORMED and not sent. */
    void (*raw)(struct driver_link *link, const struct driver_raw *ask, struct driver_raw_answer *answer);
    /* Any thread: makes a transact that blocks return early (DRIVER_BROKEN); the link stays usable for destroy only. */
    void (*link_cancel)(struct driver_link *link);
    void (*link_destroy)(struct driver_link *link); /* closes; takes NULL */
};

#endif
