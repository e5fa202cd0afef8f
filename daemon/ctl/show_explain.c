#include "ctl/show_explain.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "ctl/table.h"
#include "ctl/words.h"

/* One thing that watches, with what is needed to speak of it. */
struct watch {
    const struct json *json;
    bool again; /* the alarm was told of: a vote's, of its members one after another */
    const char *rule, *point, *state, *level, *reading;
    const char *unit; /* with a blank before it, or empty */
    const struct json *alarm;
    int64_t now_ms;
};

static const char *string_of(const struct json *json, const char *key)
{
    const char *text = json_string(json_get(json, key));

    return text ? text : "";
}

static int64_t int_of(const struct json *json, const char *key)
{
    return json_int(json_get(json, key), 0);
}

static double number_of(const struct json *json, const char *key)
{
    return json_double(json_get(json, key), NAN);
}

static void print_samples(const struct json *samples, const char *unit, int64_t now_ms, FILE *to)
{
    char when[WORDS_MAX];

    for (const struct json *s = json_first(samples); s; s = json_next(s)) {
        const struct json *value = json_get(s, "value");

        (void)fprintf(to, "    %s  ", words_time(int_of(s, "ts"), now_ms, when));
        if (json_is_number(value))
            (void)fprintf(to, "%.10g%s\n", json_double(value, NAN), unit);
        else
            (void)fprintf(to, "bad: %s\n", string_of(s, "quality"));
    }
}

/* ---- the alarm and what led to it ---- */

static void print_cause(const struct watch *w, FILE *to)
{
    const struct json *c = json_get(w->alarm, "last_change");
    const char *event = string_of(c, "event");
    char when[WORDS_MAX], delay[WORDS_MAX];
    int64_t delay_ms = int_of(w->json, strcmp(event, "deescalate") == 0 ? "off_delay_ms" : "on_delay_ms");

    if (!event[0]) {
        (void)fputs(
            "  why now: its level is from before the daemon's last start; the readings of then are in the "
            "store\n",
            to);
        return;
    }
    (void)fprintf(to, "  why now: %s %s to %s at %s",
                  strcmp(event, "raise") == 0      ? "raised from"
                  : strcmp(event, "escalate") == 0 ? "escalated from"
                                                   : "stepped down from",
                  string_of(c, "was"), string_of(c, "level"), words_time(int_of(c, "ts"), w->now_ms, when));
    if (json_is_number(json_get(c, "value")))
        (void)fprintf(to, ", %s %.10g%s",
                      strcmp(string_of(w->json, "signal"), "value") == 0 ? "the reading was"
                                                                         : string_of(w->json, "signal"),
                      number_of(c, "value"), w->unit);
    if (json_is_number(json_get(c, "limit")))
        (void)fprintf(to, ", the limit %.10g%s", number_of(c, "limit"), w->unit);
    if (delay_ms > 0)
        (void)fprintf(to, ", held for the %s of %s",
                      strcmp(event, "deescalate") == 0 ? "off-delay" : "on-delay",
                      words_duration(delay_ms, delay));
    (void)fputc('\n', to);
    if (json_size(json_get(c, "samples")) > 0) {
        (void)fputs("  readings up to then:\n", to);
        print_samples(json_get(c, "samples"), w->unit, w->now_ms, to);
    }
}

static void print_alarm(const struct watch *w, FILE *to)
{
    char when[WORDS_MAX];

    if (!json_string(json_get(w->alarm, "alarm"))) {
        (void)fputs("no alarm\n", to);
        return;
    }
    table_colour_begin(to, table_level_colour(w->level));
    (void)fputs(w->level, to);
    table_colour_end(to, table_level_colour(w->level));
    (void)fprintf(to, ", alarm %s, raised %s, ", string_of(w->alarm, "alarm"),
                  words_time(int_of(w->alarm, "raised_ts"), w->now_ms, when));
    if (json_bool(json_get(w->alarm, "acked"), false))
        (void)fprintf(to, "acknowledged by %s", string_of(w->alarm, "acked_by"));
    else
        (void)fputs("not acknowledged", to);
    if (json_bool(json_get(w->alarm, "shelved"), false))
        (void)fprintf(to, ", shelved until %s",
                      words_time(int_of(w->alarm, "shelved_until_ts"), w->now_ms, when));
    if (json_bool(json_get(w->alarm, "suppressed"), false))
        (void)fputs(", suppressed", to);
    (void)fputc('\n', to);
    print_cause(w, to);
}

/* ---- what goes on ---- */

/* The condition of that level that the reading is nearest to; NULL: it has none. */
static const struct json *limit_of(const struct watch *w, const char *level)
{
    const struct json *nearest = NULL;
    double value = number_of(w->json, "value");

    for (const struct json *l = json_first(json_get(w->json, "limits")); l; l = json_next(l)) {
        if (strcmp(string_of(l, "level"), level) == 0 &&
            (!nearest || fabs(number_of(l, "limit") - value) < fabs(number_of(nearest, "limit") - value)))
            nearest = l;
    }
    return nearest;
}

static void print_clocks(const struct watch *w, bool up, FILE *to)
{
    for (const struct json *c = json_first(json_get(w->json, "clocks")); c; c = json_next(c)) {
        const char *level = string_of(c, "level");
        char since[WORDS_MAX], end[WORDS_MAX], left[WORDS_MAX];

        (void)fprintf(
            to, "    %s: readings have been %s since %s; %s at %s (%s) unless a reading breaks it\n", level,
            up ? "that high" : "that low", words_time(int_of(c, "since_ts"), w->now_ms, since),
            strcmp(level, "none") == 0      ? "it clears"
            : !up                           ? "it steps down"
            : strcmp(w->level, "none") == 0 ? "it is raised"
                                            : "it escalates",
            words_time(int_of(c, "end_ts"), w->now_ms, end),
            words_until(int_of(c, "end_ts"), w->now_ms, left));
    }
}

static void print_frozen(const struct watch *w, FILE *to)
{
    for (const struct json *c = json_first(json_get(w->json, "clocks")); c; c = json_next(c)) {
        char since[WORDS_MAX], end[WORDS_MAX];

        (void)fprintf(to, "    %s: readings were that high from %s on; the delay alone would end at %s\n",
                      string_of(c, "level"), words_time(int_of(c, "since_ts"), w->now_ms, since),
                      words_time(int_of(c, "end_ts"), w->now_ms, end));
    }
}

static void print_band(const struct watch *w, FILE *to)
{
    const struct json *l = limit_of(w, w->level);

    (void)fprintf(
        to,
        "  why not lower: the reading is back past the limit, but not by more than the dead-band of "
        "%.10g%s",
        number_of(w->json, "deadband"), w->unit);
    if (l)
        (void)fprintf(to, ": %s holds until it is %s %.10g%s", w->level,
                      strcmp(string_of(l, "side"), "below") == 0 ? "above" : "below", number_of(l, "leaves"),
                      w->unit);
    (void)fputc('\n', to);
}

/* How far the next higher level is away. */
static void print_next(const struct watch *w, FILE *to)
{
    static const char *const levels[] = {"none", "blue", "yellow", "orange", "red"};
    double value = number_of(w->json, "value");
    size_t at = 0;

    while (at < RG_COUNT(levels) && strcmp(levels[at], w->level) != 0)
        at++;
    for (at++; at < RG_COUNT(levels); at++) {
        const struct json *l = limit_of(w, levels[at]);

        if (!l)
            continue;
        (void)fprintf(to, "  why not %s: ", levels[at]);
        if (strcmp(string_of(l, "side"), "is") == 0)
            (void)fprintf(to, "that needs a reading of %.10g\n", number_of(l, "limit"));
        else
            (void)fprintf(to, "that needs %.10g%s or %s, which is %.6g%s away\n", number_of(l, "limit"),
                          w->unit, strcmp(string_of(l, "side"), "below") == 0 ? "less" : "more",
                          fabs(number_of(l, "limit") - value), w->unit);
        return;
    }
}

/* What the delays that run lead to in the end: the last of them. */
static const char *aim_of(const struct watch *w)
{
    const char *level = w->reading;

    for (const struct json *c = json_first(json_get(w->json, "clocks")); c; c = json_next(c))
        level = string_of(c, "level");
    return level;
}

static void print_unarmed(const struct watch *w, FILE *to)
{
    const struct json *guard = json_get(w->json, "guard"), *permit = json_get(w->json, "permit");

    (void)fprintf(to, "  why not: the rule is not armed");
    if (json_is_object(guard) && !json_bool(json_get(guard, "holds"), true)) {
        (void)fprintf(to, "; %s must be", string_of(guard, "point"));
        for (const struct json *is = json_first(json_get(guard, "is")); is; is = json_next(is))
            (void)fprintf(to, "%s %.10g", is == json_first(json_get(guard, "is")) ? "" : " or",
                          json_double(is, NAN));
        if (json_is_number(json_get(guard, "above")))
            (void)fprintf(to, " at least %.10g", number_of(guard, "above"));
        if (json_is_number(json_get(guard, "below")))
            (void)fprintf(to, " at most %.10g", number_of(guard, "below"));
    }
    if (json_is_object(permit) && !json_bool(json_get(permit, "open"), true))
        (void)fprintf(to, "; permit %s is closed", string_of(permit, "name"));
    (void)fprintf(to, "; %s\n",
                  json_string(json_get(w->alarm, "alarm"))
                      ? "its alarm stands as it is and counts for nothing"
                      : "nothing is raised and no delay runs");
}

static void print_state(const struct watch *w, FILE *to)
{
    const char *state = w->state, *aim = aim_of(w);

    if (strcmp(state, "unarmed") == 0) {
        print_unarmed(w, to);
    } else if (strcmp(state, "unknown") == 0) {
        (void)fprintf(
            to, "  why not yet: no good reading since the daemon started or took this rule%s\n",
            json_string(json_get(w->alarm, "alarm")) ? "; what stood before stands until there is one" : "");
    } else if (strcmp(state, "quiet") == 0 || strcmp(state, "held") == 0) {
        if (strcmp(state, "held") == 0)
            (void)fprintf(to, "  why not lower: readings still give %s\n", w->level);
        print_next(w, to);
    } else if (strcmp(state, "band") == 0) {
        print_band(w, to);
        print_next(w, to);
    } else if (strcmp(state, "rising") == 0) {
        (void)fprintf(to, "  why not %s yet: the on-delay still runs\n", aim);
        print_clocks(w, true, to);
    } else if (strcmp(state, "frozen") == 0) {
        (void)fprintf(to,
                      "  why not %s yet: the on-delay runs, but the last reading was bad; the next good one "
                      "decides\n",
                      aim);
        print_frozen(w, to);
    } else if (strcmp(state, "falling") == 0) {
        (void)fprintf(to, "  why not %s yet: readings give %s, but the off-delay still runs\n",
                      strcmp(aim, "none") == 0 ? "cleared" : aim,
                      strcmp(aim, "none") == 0 ? "no level" : aim);
        print_clocks(w, false, to);
    } else if (strcmp(state, "latched") == 0) {
        (void)fprintf(to,
                      "  why not lower: it latches; it stands until somebody acknowledges it (riskgatectl "
                      "ack %s --by NAME), "
                      "then what the off-delays allow is done\n",
                      string_of(w->alarm, "alarm"));
    } else if (strcmp(state, "waiting") == 0) {
        (void)fputs(
            "  why not lower: the last reading was bad, and a bad one lowers nothing; the off-delay begins "
            "anew with the next good one\n",
            to);
    }
}

static void print_limit(const struct json *l, const char *unit, FILE *to)
{
    const char *of = json_string(json_get(l, "of"));
    double plus = number_of(l, "plus");

    (void)fprintf(to, "    %s %s ", string_of(l, "level"), string_of(l, "side"));
    if (json_is_number(json_get(l, "limit")))
        (void)fprintf(to, "%.10g%s", number_of(l, "limit"), unit);
    else
        (void)fputs("a limit that is not known now", to);
    if (of)
        (void)fprintf(to, ", which is %s * %.10g %c %.10g", of, number_of(l, "times"), plus < 0 ? '-' : '+',
                      fabs(plus));
}

static void print_limits(const struct watch *w, FILE *to)
{
    for (const struct json *l = json_first(json_get(w->json, "limits")); l; l = json_next(l)) {
        const char *side = string_of(l, "side"), *basis = json_string(json_get(l, "basis"));

        print_limit(l, w->unit, to);
        if (json_bool(json_get(l, "reached"), false) && strcmp(side, "is") != 0)
            (void)fprintf(to, ", reached, held until %s %.10g",
                          strcmp(side, "below") == 0 ? "above" : "below", number_of(l, "leaves"));
        else if (json_bool(json_get(l, "holds"), false))
            (void)fputs(", holds", to);
        if (basis)
            (void)fprintf(to, " (%s)", basis);
        (void)fputc('\n', to);
    }
}

/* Of a window: whether enough of it was seen. */
static void print_coverage(const struct watch *w, FILE *to)
{
    int64_t covered = int_of(w->json, "covered_ms"), need = int_of(w->json, "need_ms");
    const char *bound = json_string(json_get(w->json, "bound"));
    char seen[WORDS_MAX], wanted[WORDS_MAX];

    if (need > 0)
        (void)fprintf(to, "; good readings cover %s of it, %s are needed", words_duration(covered, seen),
                      words_duration(need, wanted));
    if (bound)
        (void)fprintf(to, ": known is that it is %s that, which may raise and lowers nothing", bound);
    else if (covered < need)
        (void)fputs(": not known now, which changes nothing", to);
}

static void print_rule(const struct watch *w, FILE *to)
{
    const char *signal = string_of(w->json, "signal");
    char window[WORDS_MAX], on[WORDS_MAX], off[WORDS_MAX];

    const struct json *vote = json_get(w->json, "vote"), *permit = json_get(w->json, "permit");

    print_state(w, to);
    if (json_is_object(vote))
        (void)fprintf(to,
                      "  one of %" PRId64 " members of a vote: %" PRId64
                      " at a level give it; one that is bad %s\n",
                      int_of(vote, "members"), int_of(vote, "need"),
                      strcmp(string_of(vote, "bad"), "counts") == 0 ? "lowers that need by one"
                                                                    : "keeps the level that it had");
    if (json_bool(json_get(permit, "open"), false))
        (void)fprintf(to, "  permit %s is open until %s\n", string_of(permit, "name"),
                      words_time(int_of(permit, "until_ts"), w->now_ms, window));
    (void)fputs("  watches ", to);
    if (strcmp(signal, "value") == 0)
        (void)fputs("the reading", to);
    else
        (void)fprintf(to, "%s over %s", signal, words_duration(int_of(w->json, "window_ms"), window));
    if (json_is_number(json_get(w->json, "value")))
        (void)fprintf(to, ", last known %.10g%s, which gives %s", number_of(w->json, "value"), w->unit,
                      strcmp(w->reading, "none") == 0 ? "no level" : w->reading);
    print_coverage(w, to);
    (void)fprintf(to, "%s; dead-band %.10g%s, on-delay %s, off-delay %s\n",
                  json_bool(json_get(w->json, "bad"), false) &&
                          int_of(w->json, "covered_ms") >= int_of(w->json, "need_ms")
                      ? "; the last one was bad and changes nothing"
                      : "",
                  number_of(w->json, "deadband"), w->unit, words_duration(int_of(w->json, "on_delay_ms"), on),
                  words_duration(int_of(w->json, "off_delay_ms"), off));
    print_limits(w, to);
}

static void print_silence(const struct watch *w, FILE *to)
{
    int64_t due = int_of(w->json, "due_ts");
    char heard[WORDS_MAX], end[WORDS_MAX], left[WORDS_MAX], after[WORDS_MAX];

    (void)fprintf(to, "  last heard %s\n", words_time(int_of(w->json, "heard_ts"), w->now_ms, heard));
    if (strcmp(w->state, "silent") == 0)
        (void)fputs("  why not cleared: it has not answered since\n", to);
    else if (due > 0)
        (void)fprintf(to, "  why not yet: it is raised after %s of silence, at %s (%s) if nothing is heard\n",
                      words_duration(int_of(w->json, "after_ms"), after), words_time(due, w->now_ms, end),
                      words_until(due, w->now_ms, left));
    else
        (void)fputs("  its silence raises nothing (offline: {level: none})\n", to);
}

static void print_doubt(const struct watch *w, FILE *to)
{
    const char *doubt = json_string(json_get(w->json, "doubt"));
    char after[WORDS_MAX];

    if (!doubt) {
        (void)fputs("  why not: nothing about its readings is doubted\n", to);
        return;
    }
    (void)fprintf(to, "  doubted because of: %s\n", doubt);
    if (strcmp(w->state, "held") == 0)
        (void)fputs("  why not cleared: no good reading has shown that it is over\n", to);
    else
        (void)fprintf(to, "  why not yet: it is raised when that lasts for %s%s\n",
                      words_duration(int_of(w->json, "after_ms"), after),
                      strcmp(w->state, "frozen") == 0 ? "; what was read last says neither yes nor no" : "");
}

static void print_watch(const struct watch *w, FILE *to)
{
    const char *message = json_string(json_get(w->json, "message"));

    (void)fprintf(to, "\nrule %s on %s, %s: ", w->rule, w->point, string_of(w->json, "where"));
    if (w->again)
        (void)fputs("the next member\n", to);
    else
        print_alarm(w, to);
    if (message && !w->again)
        (void)fprintf(to, "  says: %s\n", message);
    if (strcmp(w->rule, "offline") == 0)
        print_silence(w, to);
    else if (strcmp(w->rule, "output") == 0)
        (void)fprintf(to, "  the output %s brought to its state\n",
                      strcmp(w->state, "faulty") == 0 ? "cannot be" : "is");
    else if (strcmp(w->rule, "self_test") == 0)
        (void)fprintf(to, "  the last test alarm %s through\n",
                      strcmp(w->state, "faulty") == 0 ? "did not come" : "came, as far as is known,");
    else if (strcmp(w->rule, "doubt") == 0)
        print_doubt(w, to);
    else
        print_rule(w, to);
}

/* ---- the whole ---- */

static void print_point(const struct json *p, int64_t now_ms, FILE *to)
{
    const char *label = json_string(json_get(p, "label")), *area = json_string(json_get(p, "area"));
    const char *unit = json_string(json_get(p, "unit"));
    char with_blank[WORDS_MAX] = "";

    if (unit)
        (void)text_format(with_blank, sizeof with_blank, " %s", unit);
    (void)fprintf(to, "%s%s%s%s%s%s, %s\n", string_of(p, "point"), label ? " (" : "", label ? label : "",
                  label ? ")" : "", area ? " in " : "", area ? area : "", string_of(p, "where"));
    if (json_size(json_get(p, "samples")) == 0)
        (void)fputs("  no reading yet\n", to);
    else
        (void)fputs("  last readings:\n", to);
    print_samples(json_get(p, "samples"), with_blank, now_ms, to);
}

static const char *unit_of(const struct json *points, const char *point)
{
    for (const struct json *p = json_first(points); p; p = json_next(p)) {
        if (strcmp(string_of(p, "point"), point) == 0)
            return string_of(p, "unit");
    }
    return "";
}

void show_explain(const struct json *result, FILE *to)
{
    const struct json *points = json_get(result, "points"), *watches = json_get(result, "watches");
    int64_t now_ms = int_of(result, "now_ts");
    const char *before = ""; /* the rule of the watch before, when it was a vote */

    for (const struct json *p = json_first(points); p; p = json_next(p))
        print_point(p, now_ms, to);
    for (const struct json *json = json_first(watches); json; json = json_next(json)) {
        char unit[WORDS_MAX] = "";
        struct watch w = {.json = json,
                          .rule = string_of(json, "rule"),
                          .point = string_of(json, "point"),
                          .state = string_of(json, "state"),
                          .level = string_of(json, "level"),
                          .reading = string_of(json, "reading_level"),
                          .unit = unit,
                          .alarm = json_get(json, "alarm"),
                          .now_ms = now_ms};

        if (unit_of(points, w.point)[0])
            (void)text_format(unit, sizeof unit, " %s", unit_of(points, w.point));
        w.again = before[0] && strcmp(before, w.rule) == 0;
        before = json_is_object(json_get(json, "vote")) ? w.rule : "";
        print_watch(&w, to);
    }
}
