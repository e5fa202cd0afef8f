#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "plant/control.h"
#include "plant/plant.h"
#include "plant/report.h"

#define EXIT_USAGE 2

struct options {
    const char *config, *port_file, *control;
    double speed;
    uint64_t seed;
};

static const char usage_text[] =
    "Usage: riskgate-plant --config FILE [--speed X] [--seed N] [--port-file FILE] [--control PATH]\n"
    "Plays a whole plant: many Modbus TCP, RTU (pty) and RTU-over-TCP devices from a YAML scenario, with "
    "faults.\n"
    "\n"
    "  --config FILE     the scenario; its form is described in simulators/plant/README.md, in short:\n"
    "      loop: 30s                     # optional: timelines, stuck times and faults repeat\n"
    "      listeners:\n"
    "        - name: shop\n"
    "          tcp: 127.0.0.1:0          # or rtu: /path/of/link, or rtu_over_tcp: host:port (0: any free "
    "port)\n"
    "          units:\n"
    "            - id: 1\n"
    "              registers:            # space (holding input coil discrete): address; type, order, scale, "
    "offset\n"
    "                - {holding: 0, type: u16, scale: 0.1, noise: 0.2,\n"
    "                   timeline: [{at: 0s, step: 2}, {at: 5s, ramp: [2, 60], over: 10s}]}\n"
    "                - {input: 30, type: f32, order: CDAB, sine: {mean: 20, amplitude: 5, period: 60s}}\n"
    "                - {coil: 0, value: 0, writable: true}\n"
    "              faults:               # mute late exception wrong_unit wrong_crc wrong_tid cut drop "
    "refuse\n"
    "                - {kind: mute, from: 12s, to: 20s}      # garbage foreign wrong_length; every: N, "
    "times: N\n"
    "  --speed X         the plant's time runs X times as fast (1)\n"
    "  --seed N          of noise, random walks and garbage (1)\n"
    "  --port-file FILE  writes {\"name\": port or \"path\"} there, in one step, when all is open\n"
    "  --control PATH    a Unix socket for one-line commands:\n"
    "      fault LISTENER UNIT|* KIND [ARGUMENT] [every=N] [times=N]   clear [LISTENER UNIT|*]\n"
    "      set LISTENER UNIT SPACE ADDRESS VALUE   release LISTENER UNIT SPACE ADDRESS\n"
    "      stats   history LISTENER UNIT   reset   quit\n"
    "  --version, --help\n"
    "\n"
    "Ends with 0 on SIGTERM, SIGINT or quit; 1: the scenario is wrong or can't be played; 2: wrong usage.\n";

static bool read_speed(const char *text, double *speed)
{
    char *end = NULL;
    *speed = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*speed) && *speed > 0 && *speed <= 100000;
}

static bool read_seed(const char *text, uint64_t *seed)
{
    char *end = NULL;
    errno = 0;
    *seed = strtoull(text, &end, 0);
    return end != text && *end == '\0' && errno == 0 && text[0] != '-';
}

/* EXIT_SUCCESS: go on; EXIT_USAGE: wrong; -1: done. */
static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},  {"speed", required_argument, NULL, 'x'},
        {"seed", required_argument, NULL, 's'},    {"port-file", required_argument, NULL, 'p'},
        {"control", required_argument, NULL, 'k'}, {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
        bool good = true;
        switch (option) {
        case 'c':
            options->config = optarg;
            break;
        case 'x':
            good = read_speed(optarg, &options->speed);
            break;
        case 's':
            good = read_seed(optarg, &options->seed);
            break;
        case 'p':
            options->port_file = optarg;
            break;
        case 'k':
            options->control = optarg;
            break;
        case 'v':
            puts("riskgate-plant " RG_VERSION);
            return -1;
        case 'h':
            fputs(usage_text, stdout);
            return -1;
        default:
            return EXIT_USAGE;
        }
        if (!good) {
            fprintf(stderr, "riskgate-plant: not a valid value: %s\n", optarg);
            return EXIT_USAGE;
        }
    }
    if (options->config == NULL || optind != argc) {
        fprintf(stderr, "riskgate-plant: %s; --help tells more\n",
                options->config == NULL ? "--config FILE is needed" : "there are words too many");
        return EXIT_USAGE;
    }
    return EXIT_SUCCESS;
}

/* Each device takes two descriptors: listener and connection. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* if refused, opening tells */
}

static void print_listeners(const struct plant *plant)
{
    for (size_t i = 0; i < plant->scenario.listener_count; i++) {
        const struct listener *listener = &plant->listeners[i];
        const char *kind = listener_kind_names[listener->config->kind];
        if (listener->config->kind == LISTENER_RTU)
            printf("%s %s %s -> %s\n", listener->config->name, kind, listener->config->path,
                   listener->slave_name);
        else
            printf("%s %s %s:%u\n", listener->config->name, kind, listener->config->host, listener->port);
    }
    (void)fflush(stdout); /* whoever does not read this has the port file */
}

static bool play(struct plant *plant, const struct options *options)
{
    if (options->control != NULL) {
        plant->control = control_create(plant, options->control);
        if (plant->control == NULL)
            return false;
    }
    if (options->port_file != NULL && !report_ports(plant, options->port_file))
        return false;
    print_listeners(plant);
    return plant_run(plant);
}

int main(int argc, char **argv)
{
    struct options options = {.speed = 1, .seed = 1};
    struct scenario scenario;
    struct plant plant;
    int status = read_options(argc, argv, &options);
    if (status != EXIT_SUCCESS)
        return status < 0 ? EXIT_SUCCESS : status;
    if (!scenario_load(options.config, options.seed, &scenario)) {
        scenario_free(&scenario);
        return EXIT_FAILURE;
    }
    raise_file_limit();
    bool good = plant_create(&plant, &scenario, options.speed) && play(&plant, &options);
    plant_destroy(&plant);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
