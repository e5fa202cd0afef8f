/* Inside the app: what app.c (start, control, stop) and reload.c (another configuration, taken while all goes on) share. */
#ifndef RG_APP_APP_IMPL_H
#define RG_APP_APP_IMPL_H

#include "app/app.h"
#include "app/asked.h"
#include "app/command.h"
#include "app/door.h"
#include "app/prime.h"
#include "app/supervise.h"
#include "config/diff.h"
#include "control/control.h"

enum app_state {
    APP_RUNNING,
    APP_LOADING,   /* a new configuration is being read off the loop; all else goes on */
    APP_YIELDING,  /* it is good: outputs that it has no more are brought to their on_stop states */
    APP_SWITCHING, /* it was taken; the old uplinks say goodbye before the new ones begin */
    APP_RETURNING, /* a stop came meanwhile or right after: the new ones connect first, since the old ones said "online" */
    APP_RELEASING, /* stopping: the outputs are brought to their on_stop states */
    APP_FLUSHING,  /* stopping: the store commits the last records */
    APP_LEAVING,   /* stopping: the uplinks send what waits */
    APP_STOPPED,
};

#define APP_REASON_MAX 64

/* What the worker makes of the file; the loop keeps its hands off it meanwhile. */
struct reload {
    struct config *config; /* read, not judged yet; NULL: out of memory */
    /* If it has no errors: */
    struct config_diff diff; /* of what is in force to it; while switching: of the retired to that in force */
    uint32_t *kin;           /* uplinks_compare; none where the files with its secrets are others now */
    uint64_t *stamps;        /* uplinks_stamp */
    size_t renewed;          /* so many have others */
    uint64_t about;          /* stamp of its document */
    struct jsonw described;  /* config_describe */
    enum rg_err error;       /* of these */
    struct prime *prime;     /* then; NULL: no window wants history */
};

struct app {
    struct loop *loop;
    struct pipeline pipeline;
    enum app_state state;
    struct config *config; /* in force */
    struct reload reload;
    uint64_t *stamps;       /* of the uplinks in force: uplinks_stamp */
    struct config *retired; /* still referred to by uplinks that are leaving */
    struct loop_worker *loader;
    struct control *control;
    struct control *control_next; /* of the configuration that is being taken, at another place; or NULL */
    struct supervise *supervise;
    struct door door;
    struct command_context context;
    char *store_path;        /* the context's */
    size_t leaving;          /* uplinks that have not said goodbye yet */
    struct loop_timer *left; /* fires once all have: an uplink is not freed inside its own callback */
    struct asked
        asked; /* who asked for the reload that is under way; the worker's while it is loading, but for calls */
    struct asked asked_next; /* who asked while one was under way */
    char stop_reason[APP_REASON_MAX];
    bool stop_wanted;        /* carried out at once, or after switching */
    int64_t return_until_ms; /* monotonic: so long new uplinks have to connect; 0: never switched */
    void (*stopped)(void *arg);
    void *stopped_arg;
};

/* ---- app.c ---- */

/* A stop is wanted and nothing stands in its way any more. */
void app_stop_now(struct app *a);
/* Sends uplinks off with their final state document: a platform that hears no more must not take the gateway for alive. Some may be NULL. */
void app_uplinks_leave(struct app *a, struct uplink **uplinks, size_t count, bool online, int64_t timeout_ms);
/* Makes the control socket of a site, *out NULL when it has none. What is wrong is logged. */
RG_NODISCARD enum rg_err app_control_create(struct app *a, const struct site *site, struct control **out);

/* ---- reload.c ---- */

/* Once a->config is there. */
RG_NODISCARD enum rg_err reload_init(struct app *a);
void reload_free(struct app *a);
/* The worker's job and its end. */
void reload_load_cb(void *arg);
void reload_loaded_cb(void *arg, const struct loop_worker_time *time);
/* The uplinks of before have left. */
void reload_left(struct app *a);
/* `reload`: answered once it is over, with {outcome, sha256, by, changes: [{what, before, after}], more?, errors: [{file, line, column, text}]};
 * outcome: "applied", "refused" (what was in force stays, and errors says why) or "unchanged". more: changes that did not find
 * room. */
RG_NODISCARD enum rg_err reload_command(struct app *a, struct control_call *call, uint32_t uid, char *error,
                                        size_t error_size);
/* Keeps what the next start compares with, once its event is on its way and while no uplink is at work that it means anything for: what it means for
 * their cursors, too. described: of the configuration in force, or NULL: it is made here. */
void reload_keep(struct app *a, const struct config_diff *diff, struct jsonw *described);
/* Who waits for a reload is told that there will be none. */
void reload_give_up(struct app *a);

#endif
