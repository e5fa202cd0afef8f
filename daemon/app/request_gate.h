/* What of one platform's commands is let in and told: their pace, the ids that are used up, and which refusals have a record of their
 * own. Pure: time is an argument, and nothing is allocated after creation. Numbers and reasons are request.h's. */
#ifndef RG_APP_REQUEST_GATE_H
#define RG_APP_REQUEST_GATE_H

#include "app/request.h"

/* So many at once, then one in a time (the generic cell rate algorithm, ITU-T I.371). */
struct gate_pace {
    int64_t clear_ms; /* monotonic: when all that was taken is worked off */
};
bool gate_pace_take(struct gate_pace *pace, int64_t now_ms, int burst, int64_t every_ms);

/* What came of an id. */
struct gate_outcome {
    char id[REQUEST_ID_MAX + 1]; /* empty: none */
    bool done;                   /* else it is being carried out */
    bool ok;
    int64_t ts;      /* wall ms */
    char error[128]; /* cut where it was longer */
};

struct gate {
    struct gate_outcome *outcomes; /* [REQUEST_IDS], a ring */
    size_t next;
    struct gate_pace heard, told_busy;
    int64_t minute_ms;                /* monotonic: when the minute of tells began */
    unsigned tells;                   /* in it */
    int64_t since_ms;                 /* wall: when the first of those below came */
    int64_t counting_ms;              /* monotonic: the same */
    uint64_t unrecorded, unheard;     /* since the last record that counts them */
    uint64_t came, refused, too_many; /* ever */
    uint64_t unanswered;
};

RG_NODISCARD enum rg_err gate_create(struct gate *g); /* RG_ENOMEM */
void gate_destroy(struct gate *g);                    /* takes a zeroed one */

/* NULL: the id is free. */
const struct gate_outcome *gate_find(const struct gate *g, const char *id);
/* The id is being carried out; the oldest is forgotten. */
void gate_enter(struct gate *g, const char *id);
/* It is done; nothing when it has been forgotten. */
void gate_done(struct gate *g, const char *id, bool ok, const char *error, int64_t wall_ms);
/* The same of a run before. */
void gate_restore(struct gate *g, const struct store_command *command);

/* One that is not ok: whether it gets a record of its own; else it is counted. */
bool gate_tell(struct gate *g, int64_t now_ms, int64_t wall_ms);
/* One that was not even heard. */
void gate_unheard(struct gate *g, int64_t now_ms, int64_t wall_ms);
/* Something was counted and a minute has passed since the first of it (or `now` is to be told whatever is there): it is the caller's to tell, and
 * forgotten. */
struct gate_count {
    int64_t since_ms;
    uint64_t unrecorded, unheard;
};
bool gate_count(struct gate *g, int64_t now_ms, bool now, struct gate_count *out);

#endif
