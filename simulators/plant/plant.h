/* The running plant: one epoll loop over listeners, connections, pty lines and the control socket. */
#ifndef RG_PLANT_PLANT_H
#define RG_PLANT_PLANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plant/scenario.h"
#include "plant/timers.h"

#define PLANT_LINKS_MAX                                                                                      \
    8192u /* connections and lines at a time; a further one is closed at once, and counted */
#define PLANT_ANSWERS_MAX 8192u /* answers waiting for their time; a further one is lost, and counted */
#define PLANT_INPUT_BYTES 520u  /* two whole frames */

struct plant;

/* Whatever epoll watches; the first member of what it belongs to. */
struct source {
    int fd; /* -1: closed */
    void (*ready_cb)(struct plant *plant, struct source *source, uint32_t events);
};

struct listener_counters {
    uint64_t requests, answers, unknown_units, broadcasts, bad_frames, bad_bytes;
    uint64_t accepted, closed, overlapped, unsent;
    int64_t silence_min_us, silence_max_us, switch_silence_min_us; /* -1: none seen */
};

struct listener {
    struct source source; /* the listening socket; -1 for RTU and while it refuses */
    struct listener_config *config;
    uint16_t port; /* TCP: the one it has, kept while it refuses */
    int held;      /* TCP: has the port while nobody listens on it, so that nobody else gets it; -1: none */
    int slave;     /* RTU: our own end of the pty, so that it never hangs up; -1: none */
    char slave_name[64];
    bool open, complained;
    struct link *links; /* open ones */
    uint32_t link_count;
    struct listener_counters counters;
};

/* One stream of bytes: a connection, or a pty line. */
struct link {
    struct source source;
    struct listener *listener;
    struct link *next, *previous; /* of the listener; next also chains free and closed ones */
    uint32_t generation;          /* grows with each use of this slot */
    enum codec_framing framing;
    bool resync;      /* RTU: something broken came; all is skipped until silence */
    bool idle_armed;  /* a TIMER_IDLE is under way */
    int last_unit;    /* -1: none yet */
    uint32_t pending; /* its answers that wait for their time */
    int64_t first_us,
        silence_us;    /* of the frame being gathered: first byte, silence before it (-1: none before) */
    int64_t active_us; /* last byte either way; 0: none */
    size_t input_length;
    uint8_t input[PLANT_INPUT_BYTES];
};

struct answer {
    uint32_t link, generation, next_free;
    size_t length;
    struct unit *unit;
    uint8_t bytes[FAULT_BYTES_MAX];
};

struct control;

struct plant {
    struct scenario scenario;
    struct listener *listeners; /* [scenario.listener_count] */
    struct link *links;         /* [PLANT_LINKS_MAX] */
    struct link *free_links, *closed_links;
    struct answer *answers; /* [PLANT_ANSWERS_MAX] */
    uint32_t free_answer;   /* PLANT_ANSWERS_MAX: none */
    struct timers timers;
    struct source timer_source, signal_source;
    struct control *control; /* or NULL */
    int epoll;
    double speed;
    int64_t start_us;
    uint64_t random, links_refused, answers_lost;
    bool stop;
};

/* Takes over the scenario's memory, good or not. False: reported on standard error. Destroy in any case. */
bool plant_create(struct plant *plant, struct scenario *scenario, double speed);
bool plant_run(struct plant *plant); /* until SIGTERM, SIGINT or `quit` */
void plant_destroy(struct plant *plant);
int64_t plant_time(const struct plant *plant, int64_t now_us); /* plant time on the tick's grid */

bool plant_watch(struct plant *plant, struct source *source, uint32_t events); /* false: errno tells */
void plant_close(struct source *source); /* closes its fd; epoll forgets it by that */

/* listen.c */
bool listener_open(struct plant *plant,
                   struct listener *listener); /* false: reported, once until it is open again */
void listener_close(struct plant *plant, struct listener *listener);
void listener_update(struct plant *plant, struct listener *listener); /* opens or closes as its faults want */

/* link.c */
struct link *link_open(struct plant *plant, struct listener *listener,
                       int fd); /* NULL: no room; the fd stays the caller's */
void link_close(struct plant *plant, struct link *link);
void link_idle(struct plant *plant, const struct timer *timer);
void link_answer(struct plant *plant, uint32_t index); /* an answer's time has come */

#endif
