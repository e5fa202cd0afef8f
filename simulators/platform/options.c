#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static const char usage_text[] =
    "riskgate-platform: plays the regulator's platform and checks the contract message by message.\n"
    "\n"
    "  riskgate-platform [OPTION...]\n"
    "  riskgate-platform [OPTION...] ask ROOT/ENTERPRISE/GATEWAY '{\"command\": ...}'\n"
    "      asks one question, prints the reply, ends with 0 when it says ok\n"
    "\n"
    "The broker:\n"
    "  --broker HOST:PORT   127.0.0.1:1883; or mqtts://HOST:PORT, whose certificate and name are verified\n"
    "  --ca FILE --cert FILE --key FILE   PEM; --ca: the system's when not given\n"
    "  --username NAME --password TEXT\n"
    "  --client-id NAME     a session that the broker keeps for a day while the platform is away\n"
    "  --v311               MQTT 3.1.1 instead of 5\n"
    "  --root TOPIC         riskgate/v1\n"
    "\n"
    "What it shows and keeps:\n"
    "  --seconds N          end after N seconds (otherwise on SIGINT or SIGTERM)\n"
    "  --view               a live picture in the terminal\n"
    "  --plain              the same, appended each second instead of drawn in place\n"
    "  --quiet              only the verdict\n"
    "  --records FILE       write each record once, as a line: stream number text\n"
    "  --store FILE         keep everything in an SQLite file, and go on from it after a restart\n"
    "  --report FILE        write the verdict as JSON at the end\n"
    "  --require-complete   what is missing counts as a breach\n"
    "  --remember N         records of each stream that are compared without a store, when they come again "
    "(65536)\n"
    "\n"
    "What it says:\n"
    "  --receipts           tell the gateway what is durably stored (needs --store)\n"
    "  --accept-start       do not wait for what was before the first message\n"
    "  --ack[=RULE]         acknowledge alarms (of rules like RULE, a pattern); --ack-after 10s --by NAME\n"
    "  --backfill           ask for what is missing; --backfill-after 5s without progress\n"
    "  --read DEVICE.POINT  ask once for a point, when a gateway is there\n"
    "  --timeout 30s        of an answer\n"
    "\n"
    "Exit status: 0 the contract held (ask: done); 1 it did not (ask: refused, or no answer); 2 wrong usage; "
    "3 no broker.\n";

/* "250ms", "10s", "5m", "1h". */
static bool duration(const char *text, int64_t *out)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    char *end = NULL;
    long long n;

    errno = 0;
    n = strtoll(text, &end, 10);
    for (size_t i = 0; errno == 0 && end != text && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].name) == 0 && n >= 0 && n < 1000000) {
            *out = n * units[i].ms;
            return true;
        }
    }
    (void)fprintf(stderr, "riskgate-platform: %s is no duration (like 250ms, 10s, 5m)\n", text);
    return false;
}

static bool number(const char *text, int64_t *out)
{
    char *end = NULL;

    errno = 0;
    *out = strtoll(text, &end, 10);
    if (errno == 0 && end != text && !*end && *out >= 1)
        return true;
    (void)fprintf(stderr, "riskgate-platform: %s is no number above 0\n", text);
    return false;
}

enum {
    O_BROKER = 256,
    O_CA,
    O_CERT,
    O_KEY,
    O_USERNAME,
    O_PASSWORD,
    O_CLIENT_ID,
    O_ROOT,
    O_SECONDS,
    O_RECORDS,
    O_STORE,
    O_REPORT,
    O_REMEMBER,
    O_ACK,
    O_ACK_AFTER,
    O_BY,
    O_BACKFILL_AFTER,
    O_READ,
    O_TIMEOUT,
    O_HELP,
    O_FLAG /* and above: the flags */
};

static const struct {
    const char *name;
    size_t at;
} flags[] = {
    {"v311", offsetof(struct options, session.v311)},
    {"view", offsetof(struct options, view)},
    {"plain", offsetof(struct options, plain)},
    {"quiet", offsetof(struct options, quiet)},
    {"require-complete", offsetof(struct options, require_complete)},
    {"receipts", offsetof(struct options, receipts)},
    {"accept-start", offsetof(struct options, accept_start)},
    {"backfill", offsetof(struct options, backfill)},
};
#define FLAGS (sizeof flags / sizeof flags[0])

static const struct option valued[] = {
    {"broker", 1, NULL, O_BROKER},
    {"ca", 1, NULL, O_CA},
    {"cert", 1, NULL, O_CERT},
    {"key", 1, NULL, O_KEY},
    {"username", 1, NULL, O_USERNAME},
    {"password", 1, NULL, O_PASSWORD},
    {"client-id", 1, NULL, O_CLIENT_ID},
    {"root", 1, NULL, O_ROOT},
    {"seconds", 1, NULL, O_SECONDS},
    {"records", 1, NULL, O_RECORDS},
    {"store", 1, NULL, O_STORE},
    {"report", 1, NULL, O_REPORT},
    {"remember", 1, NULL, O_REMEMBER},
    {"ack", 2, NULL, O_ACK},
    {"ack-after", 1, NULL, O_ACK_AFTER},
    {"by", 1, NULL, O_BY},
    {"backfill-after", 1, NULL, O_BACKFILL_AFTER},
    {"read", 1, NULL, O_READ},
    {"timeout", 1, NULL, O_TIMEOUT},
    {"help", 0, NULL, O_HELP},
};
#define VALUED (sizeof valued / sizeof valued[0])

static const char **text_of(struct options *o, int option)
{
    switch (option) {
    case O_BROKER:
        return &o->session.broker;
    case O_CA:
        return &o->session.ca;
    case O_CERT:
        return &o->session.cert;
    case O_KEY:
        return &o->session.key;
    case O_USERNAME:
        return &o->session.username;
    case O_PASSWORD:
        return &o->session.password;
    case O_CLIENT_ID:
        return &o->session.client_id;
    case O_ROOT:
        return &o->root;
    case O_RECORDS:
        return &o->records;
    case O_STORE:
        return &o->store;
    case O_REPORT:
        return &o->report;
    case O_BY:
        return &o->by;
    case O_READ:
        return &o->read;
    default:
        return NULL;
    }
}

static bool take_option(struct options *o, int option, const char *value)
{
    const char **text = text_of(o, option);
    int64_t n = 0;

    if (text) {
        *text = value;
        return true;
    }
    switch (option) {
    case O_ACK:
        o->ack = value ? value : "*";
        return true;
    case O_SECONDS:
        return number(value, &o->seconds);
    case O_REMEMBER:
        if (!number(value, &n) || n > 1 << 24)
            return false;
        o->remember = (size_t)n;
        return true;
    case O_ACK_AFTER:
        return duration(value, &o->ack_after_ms);
    case O_BACKFILL_AFTER:
        return duration(value, &o->backfill_after_ms);
    case O_TIMEOUT:
        return duration(value, &o->timeout_ms);
    default:
        break;
    }
    if (option < O_FLAG)
        return false;
    memcpy((char *)o + flags[option - O_FLAG].at, &(bool){true}, sizeof(bool));
    return true;
}

static bool sensible(const struct options *o)
{
    const char *wrong = NULL;

    if (o->receipts && !o->store)
        wrong = "--receipts needs --store: a receipt says that it is stored";
    else if (o->ack && !o->by)
        wrong = "--ack needs --by: an acknowledgement has a name";
    else if (!o->session.cert != !o->session.key)
        wrong = "--cert and --key go together";
    if (wrong)
        (void)fprintf(stderr, "riskgate-platform: %s\n", wrong);
    return !wrong;
}

bool options_parse(struct options *o, int argc, char **argv)
{
    struct option all[VALUED + FLAGS + 1] = {0};
    int option;

    memcpy(all, valued, sizeof valued);
    for (size_t i = 0; i < FLAGS; i++)
        all[VALUED + i] = (struct option){flags[i].name, 0, NULL, O_FLAG + (int)i};
    while ((option = getopt_long(argc, argv, "", all, NULL)) != -1) {
        if (option == O_HELP) {
            (void)fputs(usage_text, stdout);
            exit(EXIT_HELD);
        }
        if (option == '?' || !take_option(o, option, optarg)) {
            (void)fputs("Try riskgate-platform --help.\n", stderr);
            return false;
        }
    }
    if (argc - optind == 3 && strcmp(argv[optind], "ask") == 0) {
        o->ask_root = argv[optind + 1];
        o->ask = argv[optind + 2];
    } else if (argc != optind) {
        (void)fputs(usage_text, stderr);
        return false;
    }
    return sensible(o);
}
