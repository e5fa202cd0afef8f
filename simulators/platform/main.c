/* riskgate-platform: plays the regulator's platform. Subscribes, checks every message against the contract, shows what it sees. */
#include <MQTTClient.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway.h"
#include "view.h"

enum exit_status { EXIT_HELD = 0, EXIT_BROKEN = 1, EXIT_USAGE = 2, EXIT_NO_BROKER = 3 };

#define RECEIVE_MS 100
#define CONNECT_TRIES 50

struct platform {
    const char *broker, *root, *report, *records_file, *username, *password;
    int64_t seconds; /* 0: until a signal */
    bool view, quiet, plain, v311, require_complete;
    MQTTClient client;
    struct gateway *gateways;
    struct violations violations;
    FILE *records;
};

static volatile sig_atomic_t ended;

static void end_cb(int signum)
{
    (void)signum;
    ended = 1;
}

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void usage(FILE *to)
{
    (void)fputs(
        "riskgate-platform: plays the regulator's platform and checks the contract message by message.\n"
        "\n"
        "  --broker HOST:PORT   127.0.0.1:1883\n"
        "  --root TOPIC         riskgate/v1\n"
        "  --username NAME --password TEXT\n"
        "  --seconds N          end after N seconds (otherwise on SIGINT or SIGTERM)\n"
        "  --view               a live picture in the terminal\n"
        "  --plain              the same, appended each second instead of drawn in place\n"
        "  --quiet              only the verdict\n"
        "  --records FILE       write each record once, as a line: stream number text\n"
        "  --report FILE        write the verdict as JSON at the end\n"
        "  --require-complete   what is missing counts as a breach\n"
        "  --v311               MQTT 3.1.1 instead of 5\n"
        "\n"
        "Exit status: 0 the contract held; 1 it did not; 2 wrong usage; 3 no broker.\n",
        to);
}

static struct gateway *gateway_of(struct platform *p, const char *ent, const char *id)
{
    struct gateway **link = &p->gateways;

    while (*link && (strcmp((*link)->ent, ent) != 0 || strcmp((*link)->id, id) != 0))
        link = &(*link)->next;
    if (!*link)
        *link = gateway_create(ent, id);
    return *link;
}

/* root/ent/gateway/kind */
static bool split_topic(const struct platform *p, const char *topic, char *ent, char *id, const char **kind)
{
    size_t root = strlen(p->root);
    const char *a, *b;

    if (strncmp(topic, p->root, root) != 0 || topic[root] != '/')
        return false;
    topic += root + 1;
    a = strchr(topic, '/');
    b = a ? strchr(a + 1, '/') : NULL;
    if (!b || a - topic >= GATEWAY_NAME || b - a - 1 >= GATEWAY_NAME)
        return false;
    memcpy(ent, topic, (size_t)(a - topic));
    ent[a - topic] = '\0';
    memcpy(id, a + 1, (size_t)(b - a - 1));
    id[b - a - 1] = '\0';
    *kind = b + 1;
    return true;
}

static void take_message(struct platform *p, const char *topic, const MQTTClient_message *message)
{
    char ent[GATEWAY_NAME], id[GATEWAY_NAME];
    struct platform_message m = {.payload = message->payload,
                                 .length = (size_t)message->payloadlen,
                                 .qos = message->qos,
                                 .retained = message->retained != 0};
    struct gateway *g;

    if (m.length == 0)
        return; /* a retained message being removed */
    if (!split_topic(p, topic, ent, id, &m.topic)) {
        violation(&p->violations, NULL, "topic %.100s does not fit", topic);
        return;
    }
    g = gateway_of(p, ent, id);
    if (!g) {
        violation(&p->violations, NULL, "out of memory");
        return;
    }
    gateway_take(g, &m, &p->violations, p->records);
    if (p->records)
        (void)fflush(p->records);
}

static int connect_once(struct platform *p)
{
    char topic[256];
    int rc;

    if (p->v311) {
        MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;

        options.MQTTVersion = MQTTVERSION_3_1_1;
        options.username = p->username;
        options.password = p->password;
        rc = MQTTClient_connect(p->client, &options);
    } else {
        MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
        MQTTResponse response;

        options.MQTTVersion = MQTTVERSION_5;
        options.username = p->username;
        options.password = p->password;
        response = MQTTClient_connect5(p->client, &options, NULL, NULL);
        rc = (int)response.reasonCode;
        MQTTResponse_free(response);
    }
    if (rc != 0)
        return rc;
    (void)snprintf(topic, sizeof topic, "%s/#", p->root);
    if (p->v311)
        return MQTTClient_subscribe(p->client, topic, 1);
    MQTTResponse response = MQTTClient_subscribe5(p->client, topic, 1, NULL, NULL);
    rc = response.reasonCode == MQTTREASONCODE_GRANTED_QOS_1 ? 0 : (int)response.reasonCode;
    MQTTResponse_free(response);
    return rc;
}

/* Tries until it works, a signal comes, or the tries are used up (0: no limit). */
static bool connect_patiently(struct platform *p, int tries)
{
    for (int i = 0; !ended && (tries == 0 || i < tries); i++) {
        const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};

        if (connect_once(p) == 0)
            return true;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

static void show(const struct platform *p, int64_t started)
{
    view_draw(stdout, p->gateways, &p->violations, (now_ms() - started) / 1000, p->view);
}

static void run(struct platform *p)
{
    int64_t started = now_ms(), drawn = 0;

    while (!ended && (p->seconds == 0 || now_ms() - started < p->seconds * 1000)) {
        MQTTClient_message *message = NULL;
        char *topic = NULL;
        int length = 0;
        int rc = MQTTClient_receive(p->client, &topic, &length, &message, RECEIVE_MS);

        if (message) {
            take_message(p, topic, message);
            MQTTClient_freeMessage(&message);
            MQTTClient_free(topic);
        }
        if (rc != MQTTCLIENT_SUCCESS && rc != MQTTCLIENT_TOPICNAME_TRUNCATED &&
            !MQTTClient_isConnected(p->client) && !connect_patiently(p, 0))
            break;
        if ((p->view || p->plain) && now_ms() - drawn >= (p->view ? 200 : 1000)) {
            drawn = now_ms();
            show(p, started);
        }
    }
    if (p->view || p->plain)
        show(p, started);
}

static cJSON *report_streams(const struct gateway *g)
{
    cJSON *streams = cJSON_CreateObject();

    for (int kind = 0; kind < KIND_COUNT; kind++) {
        const struct ledger *l = &g->ledgers[kind];
        cJSON *s = cJSON_AddObjectToObject(streams, stream_kinds[kind]);
        int64_t some[1];
        size_t n;

        (void)cJSON_AddNumberToObject(s, "top", (double)l->top);
        (void)cJSON_AddNumberToObject(s, "received", (double)(l->records - l->resent));
        (void)cJSON_AddNumberToObject(s, "resent", (double)l->resent);
        (void)cJSON_AddNumberToObject(s, "messages", (double)l->messages);
        (void)cJSON_AddNumberToObject(s, "backfill_messages", (double)l->backfill_messages);
        (void)cJSON_AddNumberToObject(s, "holes", (double)ledger_holes(l));
        (void)cJSON_AddNumberToObject(s, "missing_prev", (double)ledger_missing(l, some, 1, &n));
    }
    return streams;
}

static void write_report(const struct platform *p)
{
    FILE *f = fopen(p->report, "w");
    cJSON *report = cJSON_CreateObject();
    cJSON *gateways = cJSON_AddArrayToObject(report, "gateways");
    cJSON *breaches = cJSON_AddArrayToObject(report, "breaches");
    char *text;

    (void)cJSON_AddNumberToObject(report, "breach_count", (double)p->violations.count);
    for (size_t i = 0; i < p->violations.kept; i++)
        (void)cJSON_AddItemToArray(breaches, cJSON_CreateString(p->violations.text[i]));
    for (const struct gateway *g = p->gateways; g; g = g->next) {
        cJSON *one = cJSON_CreateObject();

        (void)cJSON_AddStringToObject(one, "gateway", g->id);
        (void)cJSON_AddBoolToObject(one, "online", g->online);
        (void)cJSON_AddStringToObject(one, "level", platform_level_name(g->level));
        (void)cJSON_AddNumberToObject(one, "unstored", (double)g->unstored);
        (void)cJSON_AddItemToObject(one, "streams", report_streams(g));
        (void)cJSON_AddItemToArray(gateways, one);
    }
    text = cJSON_Print(report);
    if (!f || !text || fputs(text, f) < 0)
        (void)fprintf(stderr, "riskgate-platform: cannot write %s: %s\n", p->report, strerror(errno));
    if (f)
        (void)fclose(f);
    cJSON_free(text);
    cJSON_Delete(report);
}

static enum exit_status verdict(struct platform *p)
{
    enum exit_status status;

    for (struct gateway *g = p->gateways; g; g = g->next)
        gateway_finish(g, p->require_complete, &p->violations);
    if (p->require_complete && !p->gateways)
        violation(&p->violations, NULL, "no gateway was seen");
    status = p->violations.count == 0 ? EXIT_HELD : EXIT_BROKEN;
    if (p->report)
        write_report(p);
    for (size_t i = 0; i < p->violations.kept && i < 20 && !p->violations.tell; i++)
        (void)fprintf(stderr, "BREACH %s\n", p->violations.text[i]);
    if (status == EXIT_HELD)
        (void)puts("The contract held.");
    else
        (void)printf("The contract was broken %llu times.\n", (unsigned long long)p->violations.count);
    return status;
}

/* Opened once the subscription stands: its appearance tells a test that from now on nothing is missed. */
static bool open_records(struct platform *p)
{
    if (!p->records_file)
        return true;
    p->records = fopen(p->records_file, "w");
    if (!p->records)
        (void)fprintf(stderr, "riskgate-platform: cannot write %s: %s\n", p->records_file, strerror(errno));
    return p->records != NULL;
}

static enum exit_status play(struct platform *p)
{
    MQTTClient_createOptions options = MQTTClient_createOptions_initializer;
    enum exit_status status = EXIT_NO_BROKER;
    char uri[300], id[64];

    options.MQTTVersion = p->v311 ? MQTTVERSION_3_1_1 : MQTTVERSION_5;
    (void)snprintf(uri, sizeof uri, "tcp://%s", p->broker);
    (void)snprintf(id, sizeof id, "riskgate-platform-%ld", (long)getpid());
    if (MQTTClient_createWithOptions(&p->client, uri, id, MQTTCLIENT_PERSISTENCE_NONE, NULL, &options) !=
        MQTTCLIENT_SUCCESS)
        return status;
    if (connect_patiently(p, CONNECT_TRIES)) {
        if (!open_records(p))
            ended = 1;
        if (p->view)
            (void)fputs("\033[2J", stdout);
        run(p);
        status = verdict(p);
        if (p->v311)
            (void)MQTTClient_disconnect(p->client, 500);
        else
            (void)MQTTClient_disconnect5(p->client, 500, MQTTREASONCODE_SUCCESS, NULL);
    } else {
        (void)fprintf(stderr, "riskgate-platform: no broker at %s\n", p->broker);
    }
    MQTTClient_destroy(&p->client);
    return status;
}

static bool parse_arguments(struct platform *p, int argc, char **argv)
{
    static const struct option options[] = {
        {"broker", 1, NULL, 'b'},
        {"root", 1, NULL, 'r'},
        {"seconds", 1, NULL, 's'},
        {"view", 0, NULL, 'v'},
        {"plain", 0, NULL, 'p'},
        {"quiet", 0, NULL, 'q'},
        {"records", 1, NULL, 'o'},
        {"report", 1, NULL, 'j'},
        {"v311", 0, NULL, '3'},
        {"username", 1, NULL, 'u'},
        {"require-complete", 0, NULL, 'c'},
        {"password", 1, NULL, 'w'},
        {"help", 0, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        char *end = NULL;

        switch (option) {
        case 'b':
            p->broker = optarg;
            break;
        case 'r':
            p->root = optarg;
            break;
        case 'v':
            p->view = true;
            break;
        case 'p':
            p->plain = true;
            break;
        case 'q':
            p->quiet = true;
            break;
        case 'o':
            p->records_file = optarg;
            break;
        case 'j':
            p->report = optarg;
            break;
        case '3':
            p->v311 = true;
            break;
        case 'u':
            p->username = optarg;
            break;
        case 'w':
            p->password = optarg;
            break;
        case 'c':
            p->require_complete = true;
            break;
        case 's':
            p->seconds = strtoll(optarg, &end, 10);
            if (*end || p->seconds < 1)
                return false;
            break;
        case 'h':
            usage(stdout);
            exit(EXIT_HELD);
        default:
            return false;
        }
    }
    return optind == argc;
}

int main(int argc, char **argv)
{
    static struct platform p = {.broker = "127.0.0.1:1883", .root = "riskgate/v1"};
    const struct sigaction action = {.sa_handler = end_cb};
    enum exit_status status;

    if (!parse_arguments(&p, argc, argv)) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0)
        return EXIT_BROKEN;
    if (!p.quiet && !p.view)
        p.violations.tell = stderr;
    status = play(&p);
    if (p.records && fclose(p.records) != 0)
        status = EXIT_BROKEN;
    while (p.gateways) {
        struct gateway *next = p.gateways->next;

        gateway_free(p.gateways);
        p.gateways = next;
    }
    return (int)status;
}
