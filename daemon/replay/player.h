/* The recorded past, put through the rules of one site: exactly what the daemon would have done with that configuration.
 *
 * What goes in, in the order in which the daemon took it in:
 *   - the starts of the daemon: alarms that stand go on in a new engine, whose windows are filled from what was recorded before;
 *   - frames; points that the site does not know are left out, and told of once;
 *   - what people did to an alarm (ack, shelve, unshelve), for the alarm of the same rule and point, if it is active now;
 *   - faults of outputs, as they were found then;
 *   - permits;
 *   - how far the daemon's own clock had come: every recorded transition says so.
 * Reloads are no input: the engine goes on over them where nothing has changed, and here nothing does.
 *
 * When the oldest telemetry has been taken by the retention, the engine begins in the middle of a run, at the first frame that is left, with
 * the alarms that the records say stood then; delays and windows fill from there on.
 *
 * Not safe for threads; different players are independent. */
#ifndef RG_REPLAY_PLAYER_H
#define RG_REPLAY_PLAYER_H

#include "model/alarm.h"
#include "model/site.h"
#include "replay/gaps.h"
#include "replay/source.h"
#include "rules/rules.h"

struct step;
struct block;

/* Any may be NULL. What is pointed to is borrowed for the length of the call. */
struct replay_cbs {
    /* unsynced: the clock was not synchronised then. */
    void (*change)(void *arg, const struct alarm_change *change, bool unsynced);
    /* A transition as it was recorded then; of the alarm only id, rule, point, level and suppressed are there. */
    void (*recorded)(void *arg, const struct alarm_change *change);
    void (*gap)(void *arg, const struct gap *gap);
    /* Recorded, but not configured; point: of a configured device, or NULL: the device itself. */
    void (*unknown)(void *arg, const char *device, const char *point);
    /* A run of the daemon; to_ms: its last record. stopped: it ended properly. */
    void (*run)(void *arg, int64_t from_ms, int64_t to_ms, bool stopped);
    /* Records that the daemon itself lost (cause: "memory" "age" "size" "disk"). */
    void (*lost)(void *arg, int64_t at_ms, const char *stream, int64_t count, const char *cause);
};

struct replay_figures {
    uint64_t frames, readings; /* that the site knows */
    uint64_t damaged;          /* records that could not be read */
    uint64_t acts;             /* of people, on alarms that were not active here */
    uint64_t recorded;         /* alarm transitions in the records */
    uint64_t configs;          /* another configuration was taken while running */
    uint64_t meanings;         /* of them gave points another meaning: their windows began anew */
    int64_t first_ms, last_ms; /* wall: of the first and last step that counted; 0: none */
    bool midway;       /* it began in the middle of a run: what was before has been taken by the retention */
    enum rg_err error; /* RG_OK, or why it could not go on: RG_ENOMEM, or windows could not be filled */
    char why[REPLAY_WHY];
};

struct replay_player;

/* past: for the windows at a start, or NULL: they stay empty. begin_turn: what was taken in before it only says which alarms stood (0:
 * everything counts). site must outlive it. RG_ENOMEM; RG_EEXIST: names in the site are not unique. */
RG_NODISCARD enum rg_err replay_player_create(const struct site *site, const struct replay_past *past,
                                              int64_t begin_turn, const struct replay_cbs *cbs, void *arg,
                                              struct replay_player **out);
void replay_player_destroy(struct replay_player *p); /* takes NULL */
/* The steps of a block, in order. After an error it does nothing. */
void replay_player_play(struct replay_player *p, const struct block *block);
/* The past is at its end. */
void replay_player_end(struct replay_player *p);

const struct replay_figures *replay_player_figures(const struct replay_player *p);
/* Configured, but never recorded. */
bool replay_player_has_point(const struct replay_player *p, uint32_t point);
/* Whether a recorded value is a float here: 1 or 0; -1: the site does not know the point. From any thread. */
int replay_player_single(const struct replay_player *p, const char *device, const char *point);
const struct rules *replay_player_rules(const struct replay_player *p); /* NULL: it never began */

#endif
