/* The rules of a test site. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support_line.h"
#include "support_signal.h"

static void parse_points(struct support_site *s, const struct line *line, char *text, struct site_rule *rule)
{
    bool *taken = line_room(s, s->site.point_count, sizeof *taken);
    uint32_t *points = line_room(s, s->site.point_count, sizeof *points);
    char *rest = NULL;

    for (char *glob = strtok_r(text, ",", &rest); glob; glob = strtok_r(NULL, ",", &rest)) {
        for (size_t i = 0; i < s->site.point_count; i++)
            taken[i] = taken[i] || text_glob(glob, s->site.points[i].full_name);
    }
    for (uint32_t i = 0; i < s->site.point_count; i++) {
        if (taken[i])
            points[rule->point_count++] = i;
    }
    if (rule->point_count == 0)
        line_refuse(line, "points match nothing");
    rule->points = points;
}

/* For each point of the rule the one of a name; a name that begins with a dot is of the same device. */
static const uint32_t *others(struct support_site *s, const struct site_rule *rule, const char *name)
{
    uint32_t *points = line_room(s, rule->point_count, sizeof *points);
    char full[2 * WORD_MAX];

    for (size_t i = 0; i < rule->point_count; i++) {
        const struct site_point *point = &s->site.points[rule->points[i]];

        (void)text_format(full, sizeof full, "%s%s", *name == '.' ? s->site.devices[point->device].name : "",
                          name);
        points[i] = support_site_point(&s->site, full);
    }
    return points;
}

/* "@d.base*1.2+5" */
static const struct site_reference *parse_reference(struct support_site *s, const struct line *line,
                                                    const struct site_rule *rule, char *text)
{
    struct site_reference *of = line_room(s, 1, sizeof *of);
    char *plus = strchr(text, '+'), *times = strchr(text, '*');

    if (rule->point_count == 0)
        line_refuse(line, "points= comes before limits that follow others");
    *of = (struct site_reference){.times = 1};
    if (plus) {
        *plus = '\0';
        of->plus = line_number(line, plus + 1);
    }
    if (times) {
        *times = '\0';
        of->times = line_number(line, times + 1);
    }
    of->points = others(s, rule, text + 1);
    return of;
}

/* "blue:10,red:@d.base*1.2" */
static void parse_limits(struct support_site *s, const struct line *line, char *text, struct site_rule *rule,
                         bool above)
{
    bool *has = above ? rule->has_above : rule->has_below;
    double *limits = above ? rule->above : rule->below;
    const struct site_reference **of = above ? rule->above_of : rule->below_of;
    char *rest = NULL;

    for (char *item = strtok_r(text, ",", &rest); item; item = strtok_r(NULL, ",", &rest)) {
        char *colon = strchr(item, ':');
        enum level found;

        if (!colon)
            line_refuse(line, "level:limit expected");
        *colon = '\0';
        found = line_level(line, item);
        has[found] = true;
        if (colon[1] == '@')
            of[found] = parse_reference(s, line, rule, colon + 1);
        else
            limits[found] = line_number(line, colon + 1);
    }
}

/* "2" or "2:holds" */
static void parse_vote(const struct line *line, char *text, struct site_rule *rule)
{
    char *colon = strchr(text, ':');

    if (colon) {
        *colon = '\0';
        if (strcmp(colon + 1, "holds") != 0 && strcmp(colon + 1, "counts") != 0)
            line_refuse(line, "vote=<need>[:counts|:holds] expected");
        rule->vote_bad = strcmp(colon + 1, "holds") == 0 ? VOTE_BAD_HOLDS : VOTE_BAD_COUNTS;
    }
    rule->vote_need = (uint32_t)line_number(line, text);
}

/* "d.fan:1|2", "d.flow>5", "d.flow<5" */
static void parse_guard(struct support_site *s, const struct line *line, char *text, struct site_rule *rule)
{
    size_t name = strcspn(text, ":<>");
    char how = text[name];
    double *is = line_room(s, strlen(text), sizeof *is);
    char *rest = NULL;

    if (rule->point_count == 0 || !how)
        line_refuse(line, "points=... when=<point>:<value>[|<value>], > or < expected");
    text[name] = '\0';
    rule->guard.points = others(s, rule, text);
    text += name + 1;
    if (how == '>') {
        rule->guard.has_above = true;
        rule->guard.above = line_number(line, text);
    } else if (how == '<') {
        rule->guard.has_below = true;
        rule->guard.below = line_number(line, text);
    } else {
        for (char *item = strtok_r(text, "|", &rest); item; item = strtok_r(NULL, "|", &rest))
            is[rule->guard.is_count++] = line_number(line, item);
        rule->guard.is = is;
    }
}

static void parse_permit(struct support_site *s, const struct line *line, const char *name,
                         struct site_rule *rule)
{
    rule->has_permit = true;
    for (rule->permit = 0; rule->permit < s->site.permit_count; rule->permit++) {
        if (strcmp(s->site.permits[rule->permit].name, name) == 0)
            return;
    }
    line_refuse(line, "no such permit");
}

void line_permit(struct support_site *s, struct line *line, const char *name)
{
    struct site_permit permit = {.name = name, .max_ms = 8LL * 3600000, .where = "test:1"};
    char word[WORD_MAX], *value;

    while (line_pair(line, word, &value)) {
        if (strcmp(word, "max") == 0)
            permit.max_ms = line_duration(line, value);
        else if (strcmp(word, "label") == 0)
            permit.label = line_keep(s, value);
        else
            line_refuse(line, "unknown key");
    }
    s->site.permits[s->site.permit_count++] = permit;
}

/* "3:red,2:blue" */
static void parse_is(struct support_site *s, const struct line *line, char *text, struct site_rule *rule)
{
    struct rule_is *is = line_room(s, strlen(text), sizeof *is);
    char *rest = NULL;

    for (char *item = strtok_r(text, ",", &rest); item; item = strtok_r(NULL, ",", &rest)) {
        char *colon = strchr(item, ':');

        if (!colon)
            line_refuse(line, "value:level expected");
        *colon = '\0';
        is[rule->is_count++] = (struct rule_is){line_number(line, item), line_level(line, colon + 1)};
    }
    rule->is = is;
}

void line_rule(struct support_site *s, struct line *line, const char *name)
{
    struct site_rule rule = {.name = name, .where = "test:1"};
    char word[WORD_MAX], *value;

    while (line_pair(line, word, &value)) {
        if (strcmp(word, "points") == 0)
            parse_points(s, line, value, &rule);
        else if (strcmp(word, "above") == 0)
            parse_limits(s, line, value, &rule, true);
        else if (strcmp(word, "below") == 0)
            parse_limits(s, line, value, &rule, false);
        else if (strcmp(word, "is") == 0)
            parse_is(s, line, value, &rule);
        else if (strcmp(word, "deadband") == 0)
            rule.deadband = line_number(line, value);
        else if (strcmp(word, "on") == 0)
            rule.on_delay_ms = line_duration(line, value);
        else if (strcmp(word, "off") == 0)
            rule.off_delay_ms = line_duration(line, value);
        else if (strcmp(word, "latch") == 0)
            rule.latch_from = line_level(line, value);
        else if (strcmp(word, "vote") == 0)
            parse_vote(line, value, &rule);
        else if (strcmp(word, "when") == 0)
            parse_guard(s, line, value, &rule);
        else if (strcmp(word, "permit") == 0)
            parse_permit(s, line, value, &rule);
        else if (strcmp(word, "message") == 0)
            rule.message = line_keep(s, value);
        else if (!support_signal_word(&rule.signal, word, value))
            line_refuse(line, "unknown key");
    }
    s->site.rules[s->site.rule_count++] = rule;
}
