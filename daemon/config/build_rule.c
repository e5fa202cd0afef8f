/* rules: what is dangerous. */
#include <string.h>

#include "base/text.h"
#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/value.h"
#include "model/alarm.h"

#define BASIS_BYTES 256

bool rule_value(const char *text, double *out)
{
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *out = text[0] == 't';
        return true;
    }
    return value_number(text, out) == VALUE_GOOD;
}

static void take_is(struct build *b, const struct node *map, struct site_rule *rule)
{
    struct rule_is *values;

    if (!map)
        return;
    if (map->count == 0 || map->count > RULE_VALUES_MAX) {
        issue_error(b->ld, node_key_place(map), "`is` must give 1 to %d values", RULE_VALUES_MAX);
        return;
    }
    values = load_keep(b->ld, map->count, sizeof *values);
    if (!values)
        return;
    rule->is = values;
    for (const struct node *node = map->first; node; node = node->next) {
        struct rule_is *value = &values[rule->is_count];
        size_t i = 0;

        if (!rule_value(node->key, &value->value)) {
            issue_error(b->ld, node_key_place(node),
                        "a value in `is` must be a number, true or false, not `%s`", shown(node->key).text);
            continue;
        }
        if (!fill_level(b->ld, "is", node, &value->level))
            continue;
        while (i < rule->is_count && values[i].value != value->value)
            i++;
        if (i < rule->is_count)
            issue_error(b->ld, node_key_place(node), "the value `%s` is given twice in `is`",
                        shown(node->key).text);
        else
            rule->is_count++;
    }
}

/* Whether the rule has a limit or a value of that level. */
static bool gives_level(const struct rule_item *item, const struct site_rule *rule, enum level level)
{
    bool gives = item->above.limit[level] || item->below.limit[level];

    for (size_t i = 0; i < rule->is_count; i++)
        gives = gives || rule->is[i].level == level;
    return gives;
}

static void take_latch(struct build *b, const struct rule_item *item, struct site_rule *rule)
{
    const struct node *node = item->latch;
    enum level most = LEVEL_RED;

    if (!node)
        return;
    if (!node->quoted && strcmp(node->text, "true") == 0)
        rule->latch_from = LEVEL_BLUE;
    else if (node->quoted || strcmp(node->text, "false") != 0)
        (void)fill_latch(b->ld, node, &rule->latch_from);
    while (most > LEVEL_NONE && !gives_level(item, rule, most))
        most--;
    if (rule->latch_from > most && most != LEVEL_NONE)
        issue_error(b->ld, node_place(node), "`latch` begins at %s, which the rule never gives",
                    level_name(rule->latch_from));
}

static const char *take_text(struct build *b, const struct node *node)
{
    if (node->kind == NODE_SCALAR && node->text[0] == '\0' && node->quoted)
        issue_error(b->ld, node_place(node), "`basis` must not be empty");
    else if (node->kind != NODE_SCALAR || node_is_null(node))
        issue_error(b->ld, node_place(node), "`basis` must be a text, not %s", node_kind_words(node));
    else if (strlen(node->text) > BASIS_BYTES)
        issue_error(b->ld, node_place(node), "`basis` is longer than %d bytes", BASIS_BYTES);
    else
        return load_keep_text(b->ld, node->text);
    return NULL;
}

static void take_basis(struct build *b, const struct rule_item *item, struct site_rule *rule)
{
    const struct node *map = item->basis;

    if (!map)
        return;
    if (map->kind == NODE_SCALAR) {
        rule->basis[LEVEL_NONE] = take_text(b, map);
        return;
    }
    for (const struct node *node = map->first; node; node = node->next) {
        enum level level;

        if (!fill_level_key(b->ld, "basis", node, &level))
            continue;
        if (rule->basis[level])
            issue_error(b->ld, node_key_place(node), "`%s` is given twice in `basis`", node->key);
        else if (!gives_level(item, rule, level))
            issue_error(b->ld, node_key_place(node), "`basis` names %s, which the rule never gives",
                        level_name(level));
        rule->basis[level] = take_text(b, node);
    }
}

static void take_name(struct build *b, uint32_t entry, const struct node *node, const struct site_rule *rule)
{
    static const struct {
        const char *name, *what;
    } reserved[] = {{RULE_OFFLINE, "the silence of devices"},
                    {RULE_SELF_TEST, "self tests that failed"},
                    {RULE_OUTPUT, "the faults of outputs"},
                    {RULE_DOUBT, "readings that are not to be believed"}};
    struct place at;

    if (!rule->name)
        return;
    at = node_place(node_get(node, "name"));
    for (size_t i = 0; i < RG_COUNT(reserved); i++)
        if (strcmp(rule->name, reserved[i].name) == 0)
            issue_error(b->ld, at, "the name `%s` is reserved for %s", reserved[i].name, reserved[i].what);
    names_add(b->ld, &b->rules, entry, rule->name, at);
}

/* false: the rule is optional and watches nothing here, so it is no part of the site. */
static bool build_rule(struct build *b, struct match *m, uint32_t entry, struct site_rule *out)
{
    const struct node *node = b->entries[SECTION_RULE].nodes[entry];
    struct rule_item item = {.points = NULL};
    struct site_rule *rule = &item.rule;
    bool points;

    fill_map(b->ld, SECTION_RULE, node, &item);
    rule->where = load_where(b->ld, node_place(node));
    take_name(b, entry, node, rule);
    points = rule_points(b, m, entry + 1, &item, rule);
    rule_limits(b, &item, points, rule);
    take_is(b, item.is, rule);
    rule_signal(b, &item, node, rule);
    take_latch(b, &item, rule);
    take_basis(b, &item, rule);
    rule_arming(b, &item, node, points, rule);
    if (points)
        rule_check(b, rule, node);
    *out = *rule;
    return points;
}

void build_rules(struct build *b)
{
    const struct entries *entries = &b->entries[SECTION_RULE];
    struct config *config = b->ld->config;
    struct match *m;

    b->site->rules = load_keep(b->ld, (size_t)entries->count + 1, sizeof *b->site->rules);
    config->left_out = load_keep(b->ld, (size_t)entries->count + 1, sizeof *config->left_out);
    b->rule_of = load_scratch(b->ld, (size_t)entries->count + 1, sizeof *b->rule_of);
    if (!match_begin(b, &m) || !b->site->rules || !b->rule_of || !config->left_out ||
        !names_begin(b->ld, &b->rules, "rule", entries->count))
        return;
    for (uint32_t i = 0; i < entries->count && !b->ld->oom; i++) {
        struct site_rule *rule = &b->site->rules[b->site->rule_count];
        bool taken = build_rule(b, m, i, rule);

        if (!taken && rule->name)
            config->left_out[config->left_out_count++] = rule->name;
        b->rule_of[i] = taken ? (uint32_t)b->site->rule_count : SITE_NONE;
        b->site->rule_count += taken;
    }
}
