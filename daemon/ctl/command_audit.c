/* Whether a store is what was recorded, and the story of one alarm: without a daemon, from the file. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "ctl/command.h"
#include "ctl/show_audit.h"
#include "store/audit.h"
#include "store/trace.h"

#define ANSWER_MAX (64u << 20)
#define WHY_MAX 512

static void help(FILE *to)
{
    (void)fputs(
        "riskgatectl audit verify --store DB [--json]\n"
        "    whether every record has its number, its text and a hash that follows from the one before;\n"
        "    names the first one of each stream that does not. Ends with 0 when all is as it was recorded.\n"
        "riskgatectl audit trace ALARM --store DB [--json]\n"
        "    all records of one alarm: values, limits, who acknowledged it with which words, whether their\n"
        "    hashes hold, the configuration in force, the readings around it, which uplinks have it.\n"
        "    Ends with 0 when the hashes hold.\n"
        "\n"
        "  --store DB   the daemon's store, also while it runs, or a copy of it; nothing in it is changed\n"
        "  --json       the answer as JSON\n",
        to);
}

static const struct option options[] = {
    {"store", required_argument, NULL, 's'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* ---- verify ---- */

static void write_stream(struct jsonw *w, enum stream stream, const struct audit_stream *s)
{
    jsonw_key(w, stream_name(stream));
    jsonw_object_begin(w);
    jsonw_key_bool(w, "ok", s->fault == AUDIT_NONE);
    jsonw_key_int(w, "records", (int64_t)s->count);
    jsonw_key_positive(w, "first", s->first);
    jsonw_key_positive(w, "last", s->last);
    jsonw_key_int(w, "begins", s->begins);
    if (s->start_unknown)
        jsonw_key_bool(w, "start_unknown", true);
    if (s->told_lost > 0)
        jsonw_key_int(w, "told_lost", (int64_t)s->told_lost);
    if (s->fault != AUDIT_NONE) {
        jsonw_key(w, "bad");
        jsonw_object_begin(w);
        jsonw_key_int(w, "first", s->bad_first);
        jsonw_key_int(w, "last", s->bad_last);
        jsonw_key_string(w, "what", audit_fault_name(s->fault));
        jsonw_key_string(w, "text", s->words);
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
}

/* false: it could not be looked at. *ok: all holds. */
static bool verify(const char *store, struct jsonw *w, bool *ok, char *why)
{
    static const enum stream order[] = {STREAM_ALARM, STREAM_EVENT, STREAM_REPORT, STREAM_TELEMETRY};
    struct audit *audit = NULL;
    struct audit_stream found[RG_COUNT(order)];
    enum rg_err err = audit_open(store, &audit, why, WHY_MAX);

    *ok = true;
    for (size_t i = 0; i < RG_COUNT(order) && err == RG_OK; i++) {
        err = audit_check(audit, order[i], &found[i]);
        if (err != RG_OK)
            (void)snprintf(why, WHY_MAX, "%s", audit_why(audit));
        else
            *ok = *ok && found[i].fault == AUDIT_NONE;
    }
    audit_close(audit);
    if (err != RG_OK)
        return false;
    jsonw_object_begin(w);
    jsonw_key_bool(w, "ok", *ok);
    jsonw_key_string(w, "store", store);
    jsonw_key(w, "streams");
    jsonw_object_begin(w);
    for (size_t i = 0; i < RG_COUNT(order); i++)
        write_stream(w, order[i], &found[i]);
    jsonw_object_end(w);
    jsonw_object_end(w);
    return true;
}

/* ---- trace ---- */

static bool hashes_hold(const struct json *trace)
{
    for (const struct json *e = json_first(json_get(trace, "records")); e; e = json_next(e)) {
        if (!json_string(json_get(e, "hash")) || strcmp(json_string(json_get(e, "hash")), "broken") == 0)
            return false;
    }
    return json_bool(json_get(json_get(trace, "chain"), "ok"), false);
}

/* ---- both ---- */

struct asked {
    const char *store; /* or NULL */
    const char *alarm; /* NULL: verify */
    bool json;
};

static bool answer(const struct asked *a, const struct jsonw *w, bool *ok)
{
    struct json *json = NULL;

    if (jsonw_error(w) != RG_OK || json_parse(w->text, w->length, ANSWER_MAX, &json) != RG_OK) {
        (void)fputs("riskgatectl: out of memory\n", stderr);
        return false;
    }
    if (a->alarm)
        *ok = hashes_hold(json);
    if (a->json)
        (void)puts(w->text);
    else if (a->alarm)
        show_trace(json, stdout);
    else
        show_verify(json, stdout);
    json_free(json);
    return true;
}

static enum exit_status run(const struct asked *a)
{
    char why[WHY_MAX] = "";
    struct jsonw w;
    bool ok = false;
    bool good;

    jsonw_init(&w, ANSWER_MAX);
    good = a->alarm ? trace_alarm(a->store, a->alarm, &w, why, sizeof why) == RG_OK
                    : verify(a->store, &w, &ok, why);
    if (!good)
        (void)fprintf(stderr, "riskgatectl: %s\n", why);
    good = good && answer(a, &w, &ok);
    jsonw_free(&w);
    return good && ok ? EXIT_DONE : EXIT_FAILED;
}

/* EXIT_DONE: go on. */
static enum exit_status parse(struct asked *a, int argc, char **argv, bool *wants_help)
{
    int option;

    optind = 0; /* getopt begins anew */
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            a->store = optarg;
        else if (option == 'j')
            a->json = true;
        else if (option == 'h')
            *wants_help = true;
        else
            return EXIT_USAGE;
    }
    if (*wants_help)
        return EXIT_DONE;
    argv += optind;
    argc -= optind;
    if (argc == 2 && strcmp(argv[0], "trace") == 0)
        a->alarm = argv[1];
    else if (argc != 1 || strcmp(argv[0], "verify") != 0)
        return EXIT_USAGE;
    if (!a->store)
        (void)fputs("riskgatectl: audit needs --store DB\n", stderr);
    return a->store ? EXIT_DONE : EXIT_USAGE;
}

enum exit_status command_audit(const struct arguments *a, int argc, char **argv)
{
    struct asked asked = {.json = a->json};
    bool wants_help = false;
    enum exit_status status = parse(&asked, argc, argv, &wants_help);

    if (status != EXIT_DONE || wants_help) {
        help(status == EXIT_DONE ? stdout : stderr);
        return status;
    }
    return run(&asked);
}
