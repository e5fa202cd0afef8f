/* Lines of the log about what comes and goes: each names what it is about in a regular form, "bus NAME: ", "device NAME (bus BUS, unit
 * N): ", "uplink NAME: ", "output NAME: ", "store: ", and as fields (log.h). The same fault of the same thing is told at once, then at
 * growing gaps with how often since, its end once (fault.h); the event stream is told of all of them. */
#ifndef RG_APP_SAY_H
#define RG_APP_SAY_H

#include "base/fault.h"
#include "base/log.h"
#include "model/alarm.h"
#include "model/site.h"
#include "model/stream.h"
#include "output/output.h"

struct pipeline;

#define SAY_FAULTS_MAX 8192 /* things that are, or lately were, at fault; of more each line is told */

enum say_kind {
    SAY_BUS,
    SAY_DEVICE,
    SAY_UPLINK,
    SAY_STORE,
    SAY_OUTPUT,
    SAY_OTHERWISE, /* an output found not as written */
    SAY_LOST,      /* records of a stream */
    SAY_ROLLUPS,
};

/* Zeroed at the start; outlives reloads, as things are known by their names. */
struct say {
    struct say_fault {
        enum say_kind kind;
        char name[TEXT_ID_MAX + 1];
        struct fault fault;
    } * faults;
    size_t count, capacity;
};
void say_destroy(struct say *s);

void say_device(struct pipeline *p, const struct site_device *d, bool online, const char *detail);
void say_note(struct pipeline *p, const struct site_device *d, const char *text);
void say_bus(struct pipeline *p, const char *bus, bool up, const char *detail);
void say_uplink(struct pipeline *p, const char *uplink, bool up, const char *detail);
void say_store(struct pipeline *p, bool ok, const char *detail);
void say_output(struct pipeline *p, uint32_t output, enum drive_news news, bool on, const char *detail);
void say_lost(struct pipeline *p, enum stream stream, uint64_t count, const char *cause);
void say_rollups(struct pipeline *p, size_t count);
void say_alarm(const struct alarm_change *change);
/* Every second: what goes on, and what has not come again. Also an uplink that never got through. */
void say_look(struct pipeline *p);

#endif
