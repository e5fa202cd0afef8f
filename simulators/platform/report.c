/* The verdict: on the terminal, as exit status, and as JSON where it is wanted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static cJSON *report_stream(const struct gateway *g, enum stream_kind kind)
{
    const struct ledger *l = &g->ledgers[kind];
    const struct peer *peer = g->user;
    cJSON *s = cJSON_CreateObject();

    (void)cJSON_AddNumberToObject(s, "top", (double)l->top);
    (void)cJSON_AddNumberToObject(s, "received", (double)(l->records - l->resent));
    (void)cJSON_AddNumberToObject(s, "resent", (double)l->resent);
    (void)cJSON_AddNumberToObject(s, "messages", (double)l->messages);
    (void)cJSON_AddNumberToObject(s, "backfill_messages", (double)l->backfill_messages);
    (void)cJSON_AddNumberToObject(s, "holes", (double)ledger_holes(l));
    (void)cJSON_AddNumberToObject(s, "missing_prev", (double)ledger_hole_count(l));
    (void)cJSON_AddNumberToObject(s, "upto", (double)ledger_upto(l));
    (void)cJSON_AddNumberToObject(s, "lost", (double)l->lost);
    (void)cJSON_AddNumberToObject(s, "receipt", (double)peer->streams[kind].receipt);
    if (l->hashed) {
        (void)cJSON_AddNumberToObject(s, "verified", (double)l->verified);
        (void)cJSON_AddNumberToObject(s, "unverified", (double)l->unverified);
    }
    return s;
}

static cJSON *report_gateway(const struct gateway *g)
{
    const struct peer *peer = g->user;
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {
        {"unstored", g->unstored},
        {"unstored_settled", g->unstored_alarms.settled},
        {"unstored_open", g->unstored_alarms.open_count},
        {"unsynced", g->unsynced},
        {"lost_unnumbered", g->lost_unnumbered},
        {"readings", g->readings},
        {"bad_readings", g->bad_readings},
        {"self_tests", g->self_tests},
        {"zero_reports", g->zero_reports},
        {"active_alarms", g->alarms.active},
        {"heard", g->heard},
        {"heard_wrong", g->heard_wrong},
        {"receipts", peer->receipts},
        {"asked", peer->asked},
        {"answered", peer->answered},
        {"refused", peer->refused},
        {"acks", peer->acks},
        {"fills", peer->fills},
        {"filled", peer->filled},
    };
    cJSON *one = cJSON_CreateObject(), *streams;

    (void)cJSON_AddStringToObject(one, "enterprise", g->ent);
    (void)cJSON_AddStringToObject(one, "gateway", g->id);
    (void)cJSON_AddBoolToObject(one, "online", g->online);
    (void)cJSON_AddStringToObject(one, "level", platform_level_name(g->level));
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        (void)cJSON_AddNumberToObject(one, counts[i].name, (double)counts[i].count);
    streams = cJSON_AddObjectToObject(one, "streams");
    for (int kind = 0; kind < KIND_COUNT; kind++)
        (void)cJSON_AddItemToObject(streams, stream_kinds[kind], report_stream(g, (enum stream_kind)kind));
    return one;
}

static bool report_json(const struct client *c)
{
    FILE *f = fopen(c->options->report, "w");
    cJSON *report = cJSON_CreateObject();
    cJSON *gateways = cJSON_AddArrayToObject(report, "gateways");
    cJSON *breaches = cJSON_AddArrayToObject(report, "breaches");
    char *text;
    bool ok;

    (void)cJSON_AddNumberToObject(report, "breach_count", (double)c->violations.count);
    (void)cJSON_AddNumberToObject(report, "unanswered", (double)c->unanswered);
    for (size_t i = 0; i < c->violations.kept; i++)
        (void)cJSON_AddItemToArray(breaches, cJSON_CreateString(c->violations.text[i]));
    for (const struct gateway *g = c->gateways; g; g = g->next)
        (void)cJSON_AddItemToArray(gateways, report_gateway(g));
    text = cJSON_Print(report);
    ok = f && text && fputs(text, f) >= 0;
    if (f && fclose(f) != 0)
        ok = false;
    if (!ok)
        (void)fprintf(stderr, "riskgate-platform: cannot write %s: %s\n", c->options->report,
                      strerror(errno));
    cJSON_free(text);
    cJSON_Delete(report);
    return ok;
}

enum exit_status report_write(struct client *c)
{
    struct violations *v = &c->violations;
    bool written;

    for (struct gateway *g = c->gateways; g; g = g->next)
        gateway_finish(g, c->options->require_complete, v);
    if (c->options->require_complete && !c->gateways)
        violation(v, NULL, "no gateway was seen");
    written = !c->options->report || report_json(c);
    for (size_t i = 0; i < v->kept && i < 20 && !v->tell; i++)
        (void)fprintf(stderr, "BREACH %s\n", v->text[i]);
    if (v->count == 0)
        (void)puts("The contract held.");
    else
        (void)printf("The contract was broken %llu times.\n", (unsigned long long)v->count);
    return v->count == 0 && written && !c->failed ? EXIT_HELD : EXIT_BROKEN;
}
