/* Reads and writes that an operator asks for, for commissioning: carried out between the polls (poll_errand), answered
 * later, one transaction or one write at a time for each who asks. Nothing here runs for long: a scan is many requests of
 * the client, and ends with the client. */
#ifndef RG_APP_COMMAND_PROBE_H
#define RG_APP_COMMAND_PROBE_H

#include "app/pipeline.h"
#include "app/raw_request.h"
#include "control/control.h"

struct probe_peer {
    struct control_call *call;
    uint32_t uid;
};

/* {"command":"bus","bus":B} -> {name, kind, place, timeout_ms, devices: [{name, unit}], outputs: [{name, unit, space, address}]} */
RG_NODISCARD enum rg_err command_bus(const struct pipeline *p, const struct json *request, struct jsonw *w,
                                     char *error, size_t error_size);
/* raw_request.h has the requests. RG_OK: the answer comes later:
 * raw: {"result":"ok","exception":null,"detail":null,"values":[...]}; values are null unless result is ok.
 * write: reads, writes, reads again: {"result", "exception", "detail", "old", "new"}, old and new null where they could not be
 * read. Also told in the event stream, by whom, whatever came of it. When who asked goes away before the write
 * was handed over, nothing is written. */
RG_NODISCARD enum rg_err command_raw(struct pipeline *p, struct probe_peer peer, const struct json *request,
                                     char *error, size_t error_size);
RG_NODISCARD enum rg_err command_write(struct pipeline *p, struct probe_peer peer, const struct json *request,
                                       char *error, size_t error_size);

#endif
