/* A recorded past in memory, written down as the daemon does it: for tests of the replay. */
#ifndef RG_TESTS_PAST_H
#define RG_TESTS_PAST_H

#include "base/json_write.h"
#include "model/alarm.h"
#include "model/sample.h"
#include "model/site.h"
#include "replay/source.h"

struct past {
    struct past_record {
        enum stream stream;
        int64_t seq, ts, mono, turn, every_ms;
        char kind[16];
        char device[TEXT_ID_MAX + 1];
        char *body;
        size_t length;
    } * records;
    size_t count, room;
    int64_t seqs[STREAM_COUNT], turn;
    int64_t every_ms; /* of the frames that follow: their device is recorded so often at least */
    struct jsonw w;
};

void past_init(struct past *p);
void past_free(struct past *p);
void past_frame(struct past *p, const struct site *site, const struct frame *frame);
void past_alarm(struct past *p, const struct alarm_change *change);
/* more: further members, as text: ",\"clean\":true". turn: from past_turn, or 0. */
void past_event(struct past *p, const char *kind, const char *more, struct moment at, int64_t turn);
int64_t past_turn(struct past *p);
/* Takes away all telemetry before turn, as the retention does. */
void past_prune(struct past *p, int64_t turn);
/* As a source for the replay: p must stay as it is meanwhile. */
struct replay_past past_open(struct past *p);

#endif
