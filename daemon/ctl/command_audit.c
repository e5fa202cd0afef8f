/* Whether a store is what was recorded, and the story of one alarm: without a daemon, from the file. */
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "ctl/catalogue.h"
#include "ctl/options.h"
#include "ctl/show_audit.h"
#include "store/audit.h"
#include "store/trace.h"

#define ANSWER_MAX (64u << 20)
#define WHY_MAX 512

enum { OPTION_STORE = 1 };

static const struct command_option options[] = {
    {"store", "DB", OPTION_STORE,
     "the daemon's store, also while it runs, or a copy of it; nothing in it is changed", COMPLETES_FILE},
    COMMAND_JSON,
    COMMAND_NO_OPTION,
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

static enum exit_status look(const struct asked *a)
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

static bool take_operands(struct asked *asked, const struct arguments *a)
{
    if (a->operand_count == 2 && strcmp(a->operands[0], "trace") == 0) {
        asked->alarm = a->operands[1];
        return true;
    }
    if (a->operand_count == 1 && strcmp(a->operands[0], "verify") == 0)
        return true;
    (void)fputs("riskgatectl: audit takes `verify`, or `trace` and an alarm\n", stderr);
    return false;
}

static enum exit_status run(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    struct asked asked = {.store = NULL};
    struct options o;
    int code;

    options_begin(&o, &command_audit, &own, argc, argv);
    while ((code = options_next(&o)) > 0)
        asked.store = optarg;
    if (code == OPTIONS_WRONG || !take_operands(&asked, &own))
        return EXIT_USAGE;
    if (!asked.store) {
        (void)fputs("riskgatectl: audit needs --store DB\n", stderr);
        return EXIT_USAGE;
    }
    asked.json = own.json;
    return look(&asked);
}

const struct command command_audit = {
    .name = "audit",
    .group = GROUP_OFFLINE,
    .synopsis = "verify --store DB\n"
                "trace ALARM --store DB",
    .sentence = "whether anything recorded was changed since; the whole story of one alarm",
    .about = "verify: whether every record has its number, its text and a hash that follows from the one "
             "before; names\n"
             "the first one of each stream that does not. Ends with 0 when all is as it was recorded.\n"
             "trace: all records of one alarm: values, limits, who acknowledged it with which words, whether "
             "their\n"
             "hashes hold, the configuration in force, the readings around it, which uplinks have it. Ends "
             "with 0 when\n"
             "the hashes hold.\n",
    .options = options,
    .least = 1,
    .most = 2,
    .completes = "verify trace|@alarm",
    .run_own = run,
};
