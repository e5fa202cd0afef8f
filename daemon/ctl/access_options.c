#include <stdio.h>
#include <string.h>

#include "ctl/access.h"
#include "ctl/parse.h"

#define TIMEOUT_MOST_MS 30000

void access_choice_init(struct access_choice *c, const struct arguments *a)
{
    memset(c, 0, sizeof *c);
    c->socket = a->socket;
    c->socket_given = a->socket_given;
    c->json = a->json;
    c->stop_bits = 1;
}

static bool take_baud(struct access_choice *c, const char *value)
{
    long baud = 0;
    bool ok = parse_number(value, 50, 4000000, &baud);

    c->baud = (uint32_t)baud;
    return ok;
}

static bool take_stop_bits(struct access_choice *c, const char *value)
{
    long bits = 0;
    bool ok = parse_number(value, 1, 2, &bits);

    c->stop_bits = (uint8_t)bits;
    return ok;
}

static bool wrong(const char *option, const char *value, const char *wanted)
{
    (void)fprintf(stderr, "riskgatectl: --%s: `%s` is not %s\n", option, value, wanted);
    return false;
}

static bool take_timeout(struct access_choice *c, const char *value)
{
    if (text_duration(value, &c->timeout_ms) == RG_OK && c->timeout_ms >= 1 &&
        c->timeout_ms <= TIMEOUT_MOST_MS)
        return true;
    return wrong("timeout", value, "a time such as 500ms or 2s, up to 30s");
}

bool access_option(struct access_choice *c, int option, const char *value)
{
    switch ((enum access_option_number)option) {
    case ACCESS_SOCKET:
        c->socket = value;
        c->socket_given = true;
        return true;
    case ACCESS_CONFIG:
        c->config = value;
        return true;
    case ACCESS_BUS:
        c->bus = value;
        return true;
    case ACCESS_TCP:
        c->tcp = value;
        return true;
    case ACCESS_RTU:
        c->rtu = value;
        return true;
    case ACCESS_RTU_OVER_TCP:
        c->rtu_over_tcp = value;
        return true;
    case ACCESS_BAUD:
        return take_baud(c, value) || wrong("baud", value, "a speed such as 9600");
    case ACCESS_PARITY:
        return parse_parity(value, &c->parity) || wrong("parity", value, "none, even or odd");
    case ACCESS_STOP_BITS:
        return take_stop_bits(c, value) || wrong("stop-bits", value, "1 or 2");
    case ACCESS_TIMEOUT:
        return take_timeout(c, value);
    case ACCESS_JSON:
        c->json = true;
        return true;
    }
    return false; /* getopt has told */
}

bool access_choice_check(const struct access_choice *c)
{
    int adhoc = !!c->tcp + !!c->rtu + !!c->rtu_over_tcp;
    const char *problem = NULL;

    if (adhoc > 1)
        problem = "one of --tcp, --rtu and --rtu-over-tcp";
    else if (adhoc == 1 && (c->bus || c->config))
        problem = "either a --bus of a configuration, or --tcp, --rtu, --rtu-over-tcp";
    else if (adhoc == 0 && !c->bus)
        problem = "which line? --bus NAME, or --tcp, --rtu, --rtu-over-tcp";
    else if (c->rtu && c->baud == 0)
        problem = "--rtu needs --baud N";
    else if (c->tcp && c->baud != 0)
        problem = "--baud means nothing with --tcp";
    if (problem)
        (void)fprintf(stderr, "riskgatectl: %s\n", problem);
    return !problem;
}
