/* The platform at work: what comes, what is kept, and what it says itself. */
#ifndef PLATFORM_CLIENT_H
#define PLATFORM_CLIENT_H

#include "archive.h"
#include "gateway.h"
#include "session.h"

enum exit_status { EXIT_HELD = 0, EXIT_BROKEN = 1, EXIT_USAGE = 2, EXIT_NO_BROKER = 3 };

#define CLIENT_ASKS 256 /* questions that wait for an answer at one time */

struct options {
    struct session_options session;
    const char *root, *report, *records, *store;
    const char *ack, *by;       /* rules whose alarms are acknowledged, a pattern; who says so */
    const char *read;           /* a point asked for once, when a gateway is there */
    const char *ask_root, *ask; /* the one question of `ask` */
    int64_t seconds;            /* 0: until a signal */
    int64_t ack_after_ms, backfill_after_ms, timeout_ms;
    size_t remember;
    bool view, quiet, plain, require_complete, receipts, backfill, accept_start;
};
/* False: told on standard error. Ends the program after --help. */
bool options_parse(struct options *o, int argc, char **argv);

/* What the client keeps of a gateway (gateway.user). */
struct peer {
    struct stream_state {
        bool dirty;       /* since the last commit */
        bool receipt_due; /* something came again, or the gateway started anew */
        int64_t receipt;  /* sent last */
        int64_t base;     /* with --accept-start: the prev of the very first message; -1: none came yet */
        int64_t moved_ms; /* when its first hole last changed */
        struct ledger_span hole;
        int64_t asked_ms; /* when that hole was asked for; 0: not */
        bool promised;    /* the gateway said it would */
    } streams[KIND_COUNT];
    uint64_t receipts, asked, answered, refused, acks, fills, filled;
    bool read_asked;
};

enum ask_kind { ASK_ACK, ASK_BACKFILL, ASK_READ };
struct ask {
    char id[48];
    struct gateway *g; /* NULL: free */
    enum ask_kind kind;
    enum stream_kind stream;
    int64_t sent_ms;
};

struct client {
    const struct options *options;
    struct session *session;
    struct archive *archive; /* or NULL */
    FILE *records;           /* or NULL */
    struct gateway *gateways,
        **table; /* table: [table_size], by name; chained by gateway.next in `gateways` alone */
    size_t table_size, gateway_count;
    struct violations violations;
    uint64_t breaches_kept; /* of the violations, in the archive */
    struct ask asks[CLIENT_ASKS];
    unsigned long serial;
    uint64_t unanswered;
    int64_t mono_ms, wall_ms; /* of this turn */
    bool failed;              /* what it keeps can no longer be relied upon */
};

bool client_open(struct client *c, const struct options *options);
void client_close(struct client *c);
struct gateway *client_gateway(struct client *c, const char *ent, const char *id); /* NULL: no memory */
void client_take(struct client *c, const struct session_message *m);
/* Makes durable what came, then says so where receipts are given. */
void client_settle(struct client *c);

/* What it says itself (speak.c). */
void speak_receipts(struct client *c);
void speak_turn(struct client *c); /* acknowledges, asks for holes and points, gives up waiting */
void speak_reply(struct client *c, struct gateway *g, const cJSON *reply);
bool speak_publish(const struct client *c, const struct gateway *g, const char *below, const char *text);

enum exit_status report_write(struct client *c); /* the verdict, and the JSON where it is wanted */
enum exit_status one_shot(const struct options *options);

#endif
