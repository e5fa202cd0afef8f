/* What happens to the gateway itself: each is a line in the log and a record of the `event` stream (contract §3). */
#ifndef RG_APP_EVENT_H
#define RG_APP_EVENT_H

#include "app/act.h"
#include "app/asked.h"
#include "app/pipeline.h"

struct config;
struct config_diff;

void event_start(struct pipeline *p, bool clean);
void event_stop(struct pipeline *p, const char *reason, struct moment now);
/* A configuration was taken. */
void event_config_applied(struct pipeline *p, const struct config *config, const struct config_diff *diff,
                          const struct asked *asked);
/* The one in force was read again: nothing changes. */
void event_config_unchanged(struct pipeline *p, const struct config *config, const struct asked *asked);
/* One was refused; what was in force still is. */
void event_config_refused(struct pipeline *p, const struct config *config, const char *why,
                          const struct asked *asked);
/* Its errors as one array of {file, line, column, text}, at most so many; without any: why, of the file as a whole, unless that is NULL. config may be NULL. */
void event_config_errors(struct jsonw *w, const struct config *config, const char *file, const char *why,
                         size_t most);
/* poll_cbs; arg is the pipeline. */
void event_device(void *arg, uint32_t device, enum unit_state state, const char *detail);
void event_bus(void *arg, uint32_t bus, enum bus_state state, const char *detail);
void event_note(void *arg, uint32_t device, const char *text); /* a line in the log only */
void event_uplink(struct pipeline *p, const char *uplink, bool up, const char *detail);
void event_lost(struct pipeline *p, enum stream stream, int64_t first, int64_t last, uint64_t count,
                const char *cause);
/* The store took no records from then to then (wall), and takes them again. */
void event_store(struct pipeline *p, int64_t from_ms, int64_t to_ms, const char *why);
void event_clock(struct pipeline *p, int64_t step_ms, bool synced);
/* The live level of an area (SITE_NONE: of the gateway) changed, at the instant of the alarm that led to it. */
void event_level(struct pipeline *p, uint32_t area, enum level level, enum level was, struct moment at);
/* It was carried out. */
void event_command_alarm(struct pipeline *p, const struct act *act);
/* An operator wrote to a unit, or tried to. */
struct event_write {
    const char *by;
    uint32_t uid; /* of the process that asked */
    const char *bus;
    const char *device; /* that the unit is, or NULL */
    const struct driver_raw *ask;
    const struct driver_raw_answer *answer;
    const uint16_t *old, *now; /* ask->count words before and after, or NULL: could not be read */
};
void event_command_write(struct pipeline *p, const struct event_write *e);
/* A member: an array of count words, or null for NULL. */
void event_words(struct jsonw *w, const char *key, const uint16_t *words, size_t count);
/* A permit was opened for so long, or closed (0), at an instant; turn: from store_turn. The store finds it at the next start. */
void event_command_permit(struct pipeline *p, uint32_t permit, int64_t for_ms, const char *by,
                          struct moment at, int64_t turn);
/* `silence`, or `test` for so long. */
void event_command_output(struct pipeline *p, const char *command, uint32_t output, int64_t for_ms,
                          const char *by);
/* What came of a self test through an uplink; of: what it was waited for, "puback" or "receipt"; detail: why it failed, NULL: it
 * did not. */
struct past_test;
void event_self_test(struct pipeline *p, const struct past_test *test, const char *of, const char *alarm,
                     const char *detail, struct moment now);
/* Somebody asked for one now; uplink: or NULL, all. */
void event_command_self_test(struct pipeline *p, const char *uplink, const char *by);

#endif
