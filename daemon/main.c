/* riskgated: arguments, load, run. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "drivers/modbus/modbus_driver.h"
#include "service/journal.h"
#include "uplink/paho.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct daemon {
    struct loop *loop;
    struct app *app;
};

static void usage(FILE *to)
{
    (void)fputs(
        "riskgated: reads detectors over Modbus, evaluates risk, stores, and tells the platform over MQTT.\n"
        "\n"
        "  riskgated --config FILE   run in the foreground\n"
        "  riskgated --version\n"
        "  riskgated --help\n"
        "\n"
        "SIGTERM and SIGINT end it after flushing; SIGHUP reads the configuration again.\n"
        "Check a file first: riskgatectl check FILE\n",
        to);
}

static void stopped_cb(void *arg)
{
    struct daemon *d = arg;

    loop_stop(d->loop);
}

static void signal_cb(void *arg, int signum)
{
    struct daemon *d = arg;

    if (signum == SIGHUP)
        app_reload(d->app, "signal");
    else
        app_stop(d->app, signum == SIGTERM ? "SIGTERM" : "SIGINT", stopped_cb, d);
}

/* A connection is a descriptor, and so is what ends its wait; the usual limit of 1,024 is there for programs that use
 * select, which nothing here does. If refused, opening tells. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void follow_clock(void)
{
    const char *told = getenv("RISKGATE_CLOCK");

    if (clock_follow(told) != RG_OK)
        log_warning("the clock counts as not synchronised: the kernel may not be asked whether it is, and %s",
                    told ? "the file of RISKGATE_CLOCK cannot be read; does riskgate-clock run?"
                         : "RISKGATE_CLOCK names no file");
}

static const int signums[] = {SIGTERM, SIGINT, SIGHUP};

/* While a large configuration is read nobody hears a signal yet, and the usual answer to one would be the end: they wait. */
static bool hold_signals(int how)
{
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < RG_COUNT(signums); i++)
        (void)sigaddset(&set, signums[i]);
    return sigprocmask(how, &set, NULL) == 0;
}

static enum exit_status run(struct daemon *d, struct config *config)
{
    struct loop_signal *signals[RG_COUNT(signums)] = {NULL};
    const struct pipeline_env env = {
        .driver = &modbus_driver,
        .transport = &paho_transport,
        .version = RG_VERSION,
        .seed = random_system_seed(),
    };
    enum rg_err err = RG_OK;

    for (size_t i = 0; err == RG_OK && i < RG_COUNT(signums); i++) {
        err = loop_signal_create(d->loop, signums[i], signal_cb, d, &signals[i]);
        if (err != RG_OK)
            log_error("cannot start: signals: %s", rg_err_text(err));
    }
    (void)hold_signals(SIG_UNBLOCK);
    if (err == RG_OK)
        err = app_create(d->loop, &env, config, &d->app);
    else
        config_free(config);
    if (err == RG_OK)
        loop_run(d->loop);
    for (size_t i = 0; i < RG_COUNT(signums); i++)
        loop_signal_destroy(signals[i]);
    if (app_destroy(d->app) != RG_OK && err == RG_OK) {
        log_error("store: the last records could not be committed");
        err = RG_EIO;
    }
    return err == RG_OK ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status start(const char *file)
{
    struct daemon d = {0};
    struct config *config = NULL;
    enum exit_status status;

    if (config_load(file, &config) != RG_OK) {
        log_error("cannot start: out of memory");
        return EXIT_FAILED;
    }
    /* For people with the line and a caret under it; the journal takes one line an event, with its level. */
    if (log_is_journal())
        app_log_issues(config);
    else
        config_print(config, stderr);
    memory_give_back(); /* what the parser used */
    if (!config->site) {
        log_error("cannot start: %s has errors", file);
        config_free(config);
        return EXIT_FAILED;
    }
    if (log_start() != RG_OK)
        log_warning("the log has no thread of its own: where it is not read, all waits for it");
    if (loop_create(&d.loop) != RG_OK) {
        log_error("cannot start: no event loop");
        log_stop();
        config_free(config);
        return EXIT_FAILED;
    }
    status = run(&d, config);
    if (loop_destroy(d.loop) != RG_OK)
        log_error("a handle of the event loop was left open");
    if (status == EXIT_DONE)
        log_info("riskgated ended");
    log_stop();
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *file = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "c:vh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            file = optarg;
            break;
        case 'v':
            (void)puts("riskgated " RG_VERSION);
            return (int)EXIT_DONE;
        case 'h':
            usage(stdout);
            return (int)EXIT_DONE;
        default:
            usage(stderr);
            return (int)EXIT_USAGE;
        }
    }
    if (!file || optind != argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    /* A peer that goes away, or a file that may not grow any more, is an error code, not the end of the daemon. */
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return EXIT_FAILED;
    if (journal_is_there())
        log_set_sink(journal_send);
    if (!hold_signals(SIG_BLOCK))
        return EXIT_FAILED;
    raise_file_limit();
    follow_clock();
    memory_setup();
    return (int)start(file);
}
