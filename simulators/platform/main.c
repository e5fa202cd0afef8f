/* riskgate-platform: plays the regulator's platform. Subscribes, checks every message against the contract, shows and keeps what it
 * sees. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "view.h"

#define RECEIVE_MS 100
#define CONNECT_TRIES 50
#define SETTLE_MS 200       /* what came waits so long at most until it is kept, */
#define SETTLE_MESSAGES 500 /* or for so many */
#define LAST_TURNS 20       /* at its end, of those that bring something */

static volatile sig_atomic_t ended;

static void end_cb(int signum)
{
    (void)signum;
    ended = 1;
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void look_at_clocks(struct client *c)
{
    c->mono_ms = clock_ms(CLOCK_MONOTONIC);
    c->wall_ms = clock_ms(CLOCK_REALTIME);
}

/* Tries until it works, a signal comes, or the tries are used up (0: no limit). */
static bool connect_patiently(struct client *c, int tries)
{
    char topic[512];

    (void)snprintf(topic, sizeof topic, "%s/#", c->options->root);
    for (int i = 0; !ended && (tries == 0 || i < tries); i++) {
        const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};

        if (session_connect(c->session, topic, NULL))
            return true;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

static void show(const struct client *c, int64_t started)
{
    view_draw(stdout, c->gateways, &c->violations, (c->mono_ms - started) / 1000, c->options->view);
}

/* Takes what is there. Returns when nothing more waits, or it is time to keep what came. */
static bool gather(struct client *c)
{
    struct session_message m;
    int64_t until = 0;
    int count = 0;

    while (session_receive(c->session, count ? 0 : RECEIVE_MS, &m)) {
        look_at_clocks(c);
        if (count++ == 0)
            until = c->mono_ms + SETTLE_MS;
        client_take(c, &m);
        session_done(&m);
        if (count == SETTLE_MESSAGES || c->mono_ms >= until)
            break;
    }
    look_at_clocks(c);
    return count > 0;
}

static void run(struct client *c)
{
    const struct options *o = c->options;
    int64_t started = clock_ms(CLOCK_MONOTONIC), drawn = 0, spoken = 0;

    while (!ended && !c->failed && (o->seconds == 0 || c->mono_ms - started < o->seconds * 1000)) {
        if (gather(c) || c->mono_ms - spoken >= SETTLE_MS)
            client_settle(c);
        if (!session_connected(c->session) && !connect_patiently(c, 0))
            break;
        if (c->mono_ms - spoken >= SETTLE_MS) {
            spoken = c->mono_ms;
            speak_turn(c);
        }
        if ((o->view || o->plain) && c->mono_ms - drawn >= (o->view ? 200 : 1000)) {
            drawn = c->mono_ms;
            show(c, started);
        }
    }
    /* What the broker has passed on by now belongs to what was received: a goodbye above all. */
    for (int turn = 0; ended && turn < LAST_TURNS && session_connected(c->session) && gather(c); turn++)
        client_settle(c);
    client_settle(c);
    if (o->view || o->plain)
        show(c, started);
}

/* Opened once the subscription stands: its appearance tells a test that from now on nothing is missed. */
static bool open_records(struct client *c)
{
    if (!c->options->records)
        return true;
    c->records = fopen(c->options->records, "w");
    if (!c->records)
        (void)fprintf(stderr, "riskgate-platform: cannot write %s: %s\n", c->options->records,
                      strerror(errno));
    return c->records != NULL;
}

static enum exit_status play(struct client *c, const struct options *o)
{
    if (!client_open(c, o))
        return c->session ? EXIT_BROKEN : EXIT_USAGE;
    if (!o->quiet && !o->view)
        c->violations.tell = stderr;
    if (!connect_patiently(c, CONNECT_TRIES)) {
        (void)fprintf(stderr, "riskgate-platform: no broker at %s: %s\n", o->session.broker,
                      session_error(c->session));
        return EXIT_NO_BROKER;
    }
    look_at_clocks(c);
    if (!open_records(c))
        return EXIT_BROKEN;
    if (o->view)
        (void)fputs("\033[2J", stdout);
    run(c);
    return report_write(c);
}

int main(int argc, char **argv)
{
    static struct client client;
    struct options options = {.session.broker = "127.0.0.1:1883",
                              .root = "riskgate/v1",
                              .backfill_after_ms = 5000,
                              .timeout_ms = 30000};
    const struct sigaction action = {.sa_handler = end_cb};
    enum exit_status status;

    if (!options_parse(&options, argc, argv))
        return EXIT_USAGE;
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0)
        return EXIT_BROKEN;
    if (options.ask)
        return (int)one_shot(&options);
    status = play(&client, &options);
    client_close(&client);
    return (int)status;
}
