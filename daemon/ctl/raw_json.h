/* Reads and writes beside the polls, as riskgatectl and the daemon speak of them over the control socket. Pure. */
#ifndef RG_CTL_RAW_JSON_H
#define RG_CTL_RAW_JSON_H

#include "base/json_read.h"
#include "base/json_write.h"
#include "drivers/driver.h"

/* {"command":"raw","bus":B,"unit":7,"timeout_ms":500,"read":{"holding":0,"count":21}}; timeout_ms 0: the bus's own. */
void raw_write_read(struct jsonw *w, const char *bus, const struct driver_raw *ask);
/* {"command":"write","bus":B,"unit":7,"by":NAME,"write":{"coil":3,"values":[1]}} */
void raw_write_write(struct jsonw *w, const char *bus, const struct driver_raw *ask, const char *by);

/* The daemon's answer to raw, or to write but for its values. False: it is none (of another version). */
bool raw_read_answer(const struct json *result, struct driver_raw_answer *out);

/* A write and what was there before and after it. */
struct raw_written {
    struct driver_raw_answer answer;                               /* of the write */
    bool had_old, has_new;                                         /* they could be read */
    uint16_t old[DRIVER_RAW_WRITE_MAX], now[DRIVER_RAW_WRITE_MAX]; /* as many as were written */
};
bool raw_read_written(const struct json *result, uint16_t count, struct raw_written *out);

#endif
