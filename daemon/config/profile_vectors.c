/* What a profile says of itself, and its vectors: for the operator's tool and the tests. A daemon that only uses a
 * profile does not look at these. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/fill.h"
#include "config/issue.h"
#include "config/profile_parts.h"
#include "config/value.h"

#define ADDRESSES 65536

static void take_asks(struct load *ld, const struct node *map, struct profile *out)
{
    struct profile_ask *asks = load_keep(ld, (size_t)(map ? map->count : 0) + 1, sizeof *asks);

    out->asks = asks;
    for (const struct node *child = map ? map->first : NULL; asks && child; child = child->next)
        asks[out->ask_count++] = (struct profile_ask){.key = load_keep_text(ld, child->key),
                                                      .why = load_keep_text(ld, child->text)};
}

static void write_text(FILE *to, const struct node *node)
{
    if (!node->quoted) {
        (void)fputs(node->text, to);
        return;
    }
    (void)fputc('"', to);
    for (const char *c = node->text; *c; c++) {
        if (*c == '"' || *c == '\\')
            (void)fputc('\\', to);
        (void)fputc(*c, to);
    }
    (void)fputc('"', to);
}

/* A value in the flow style of YAML, so that it can be written into another file. Its depth is bounded by the
 * parser's, CONFIG_DEPTH. */
static void write_node(FILE *to, const struct node *node)
{
    if (node->kind == NODE_SCALAR) {
        write_text(to, node);
        return;
    }
    (void)fputc(node->kind == NODE_MAP ? '{' : '[', to);
    for (const struct node *child = node->first; child; child = child->next) {
        if (child->key)
            (void)fprintf(to, "%s: ", child->key);
        write_node(to, child);
        if (child->next)
            (void)fputs(", ", to);
    }
    (void)fputc(node->kind == NODE_MAP ? '}' : ']', to);
}

/* The same as a text of the config; NULL when out of memory. */
static const char *written(struct load *ld, const struct node *node)
{
    const char *kept = NULL;
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);

    if (!to) {
        ld->oom = true;
        return NULL;
    }
    write_node(to, node);
    if (fclose(to) == 0)
        kept = load_keep_text(ld, text);
    else
        ld->oom = true;
    free(text);
    return kept;
}

static void take_gives(struct load *ld, const struct node *map, struct profile_vector *out)
{
    struct profile_give *gives = load_keep(ld, (size_t)(map ? map->count : 0) + 1, sizeof *gives);

    out->gives = gives;
    for (const struct node *child = map ? map->first : NULL; gives && child; child = child->next) {
        gives[out->give_count++] =
            (struct profile_give){.key = load_keep_text(ld, child->key), .text = written(ld, child)};
    }
}

/* One value at one address; false, told, when it is none. */
static bool take_answer(struct load *ld, const struct node *node, enum point_space space, int64_t address,
                        struct profile_answer *out)
{
    int64_t most = space == SPACE_COIL || space == SPACE_DISCRETE ? 1 : UINT16_MAX;
    int64_t value = 0;

    if (node->kind != NODE_SCALAR || node->quoted || value_int(node->text, &value) != VALUE_GOOD ||
        value < 0 || value > most) {
        issue_error(ld, node_place(node), "a %s holds 0 to %lld", point_space_name(space), (long long)most);
        return false;
    }
    if (address >= ADDRESSES) {
        issue_error(ld, node_place(node), "the last address is %d", ADDRESSES - 1);
        return false;
    }
    *out = (struct profile_answer){.space = space, .address = (uint16_t)address, .value = (uint16_t)value};
    return true;
}

/* Where a key of `holding:` and the like, or of `register:`, points to. */
static bool take_key(struct load *ld, const struct node *child, bool one_based, enum point_space *space,
                     int64_t *address)
{
    uint16_t zero_based = 0;

    if (one_based && value_register(child->key, space, &zero_based)) {
        *address = zero_based;
        return true;
    }
    if (!one_based && value_int(child->key, address) == VALUE_GOOD && *address >= 0 && *address < ADDRESSES)
        return true;
    issue_error(ld, node_key_place(child), "`%s` is no address", shown(child->key).text);
    return false;
}

static size_t count_answers(const struct node *map)
{
    size_t count = 0;

    for (const struct node *child = map ? map->first : NULL; child; child = child->next)
        count += child->kind == NODE_LIST ? child->count : 1;
    return count;
}

static void take_space(struct load *ld, const struct node *map, bool one_based, enum point_space space,
                       struct profile_answer *answers, size_t *count)
{
    for (const struct node *child = map ? map->first : NULL; child; child = child->next) {
        const struct node *value = child->kind == NODE_LIST ? child->first : child;
        int64_t address = 0;

        if (!take_key(ld, child, one_based, &space, &address))
            continue;
        for (; value; value = child->kind == NODE_LIST ? value->next : NULL)
            *count += take_answer(ld, value, space, address++, &answers[*count]);
    }
}

static int by_address(const void *left, const void *right)
{
    const struct profile_answer *a = left;
    const struct profile_answer *b = right;

    if (a->space != b->space)
        return a->space < b->space ? -1 : 1;
    return (int)a->address - (int)b->address;
}

static void take_answers(struct load *ld, const struct vector_item *item, const struct node *node,
                         struct profile_vector *out)
{
    size_t room = count_answers(item->reg);
    struct profile_answer *answers;

    for (unsigned space = 0; space < RG_COUNT(item->at); space++)
        room += count_answers(item->at[space]);
    answers = load_keep(ld, room + 1, sizeof *answers);
    if (!answers)
        return;
    take_space(ld, item->reg, true, SPACE_HOLDING, answers, &out->answer_count);
    for (unsigned space = 0; space < RG_COUNT(item->at); space++)
        take_space(ld, item->at[space], false, (enum point_space)space, answers, &out->answer_count);
    qsort(answers, out->answer_count, sizeof *answers, by_address);
    for (size_t i = 1; i < out->answer_count; i++)
        if (by_address(&answers[i - 1], &answers[i]) == 0)
            issue_error(ld, node_place(node), "%s %u is given twice", point_space_name(answers[i].space),
                        answers[i].address);
    out->answers = answers;
}

static bool take_expectation(struct load *ld, const struct node *node, struct profile_expect *out)
{
    if (node->kind == NODE_SCALAR && !node->quoted) {
        for (unsigned quality = 0; quality < QUALITY_COUNT; quality++)
            if (quality != QUALITY_GOOD && strcmp(node->text, quality_name((enum quality)quality)) == 0) {
                out->quality = (enum quality)quality;
                return true;
            }
        if (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0) {
            out->value = node->text[0] == 't';
            return true;
        }
    }
    return fill_number(ld, "expect", node, &out->value);
}

static void take_expects(struct load *ld, const struct node *map, struct profile_vector *out)
{
    struct profile_expect *expects = load_keep(ld, (size_t)(map ? map->count : 0) + 1, sizeof *expects);

    out->expects = expects;
    for (const struct node *child = map ? map->first : NULL; expects && child; child = child->next) {
        struct profile_expect *expect = &expects[out->expect_count];

        expect->point = load_keep_text(ld, child->key);
        out->expect_count += take_expectation(ld, child, expect);
    }
}

static void take_vectors(struct load *ld, const struct node *list, struct profile *out)
{
    struct profile_vector *vectors = load_keep(ld, (size_t)(list ? list->count : 0) + 1, sizeof *vectors);

    out->vectors = vectors;
    for (const struct node *node = list ? list->first : NULL; vectors && node; node = node->next) {
        struct profile_vector *vector = &vectors[out->vector_count];
        struct vector_item item = {0};

        if (node->kind != NODE_MAP) {
            issue_error(ld, node_place(node), "an entry of `vectors` must be a mapping, not %s",
                        node_kind_words(node));
            continue;
        }
        fill_map(ld, SECTION_VECTOR, node, &item);
        vector->about = item.about;
        vector->derived = item.derived;
        take_gives(ld, item.give, vector);
        take_answers(ld, &item, node, vector);
        take_expects(ld, item.expect, vector);
        out->vector_count++;
    }
}

/* The point of "point.key", or the whole key of one of the device's own. */
static size_t owner_length(const struct profile_give *give)
{
    return strcspn(give->key, ".");
}

static bool same_owner(const struct profile_give *a, const struct profile_give *b)
{
    return owner_length(a) == owner_length(b) && strncmp(a->key, b->key, owner_length(a)) == 0;
}

static void write_points(FILE *to, const struct profile_vector *vector)
{
    bool begun = false;

    for (size_t i = 0; i < vector->give_count; i++) {
        const struct profile_give *give = &vector->gives[i];
        bool told = false;

        if (!strchr(give->key, '.'))
            continue;
        for (size_t k = 0; k < i; k++)
            told = told || same_owner(&vector->gives[k], give);
        if (told)
            continue;
        (void)fprintf(to, "%s{name: %.*s", begun ? ", " : ", points: [", (int)owner_length(give), give->key);
        for (size_t k = i; k < vector->give_count; k++)
            if (same_owner(&vector->gives[k], give) && strchr(vector->gives[k].key, '.'))
                (void)fprintf(to, ", %s: %s", strchr(vector->gives[k].key, '.') + 1, vector->gives[k].text);
        (void)fputc('}', to);
        begun = true;
    }
    if (begun)
        (void)fputc(']', to);
}

void profile_write_site(FILE *to, const struct profile *profile, const struct profile_vector *vector)
{
    (void)fputs("gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: profile}}\n"
                "buses: [{name: bus, tcp: \"127.0.0.1:502\"}]\n",
                to);
    (void)fprintf(to, "devices: [{name: device, bus: bus, unit: 1, profile: %s", profile->name);
    for (size_t i = 0; vector && i < vector->give_count; i++)
        if (!strchr(vector->gives[i].key, '.'))
            (void)fprintf(to, ", %s: %s", vector->gives[i].key, vector->gives[i].text);
    if (vector)
        write_points(to, vector);
    (void)fputs("}]\n", to);
}

/* x of .../x.yaml. */
static const char *stem_of(struct load *ld, const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;
    const char *dot = strrchr(name, '.');

    return load_scratch_text(ld, name, dot ? (size_t)(dot - name) : strlen(name));
}

static const struct profile *describe(struct load *ld, const struct known_profile *known)
{
    const struct node *line = node_get(known->root, "line");
    struct profile *profile = load_keep(ld, 1, sizeof *profile);

    if (!profile)
        return NULL;
    *profile = (struct profile){.file = ld->config->file,
                                .name = known->item.name,
                                .maker = known->item.maker,
                                .device = known->item.device,
                                .reads = known->item.reads,
                                .source = known->item.source,
                                .note = known->item.note};
    if (line)
        profile->line = written(ld, line);
    take_asks(ld, known->item.asks, profile);
    take_vectors(ld, known->item.vectors, profile);
    return profile;
}

void profile_begin(struct load *ld, const char *file)
{
    const char *name = stem_of(ld, file);
    const struct known_profile *known = name ? profile_take_file(ld, name, file) : NULL;
    const struct profile *profile = known ? describe(ld, known) : NULL;
    char *text = NULL;
    size_t length = 0;
    FILE *to;

    if (!profile || ld->oom || ld->config->error_count > 0)
        return;
    ld->config->profile = profile;
    to = open_memstream(&text, &length);
    if (!to) {
        ld->oom = true;
        return;
    }
    profile_write_site(to, profile, profile->vector_count > 0 ? &profile->vectors[0] : NULL);
    if (fclose(to) != 0)
        ld->oom = true;
    else if (!load_text(ld, "a configuration made for it", text, length))
        ld->incomplete = true;
    free(text);
}
