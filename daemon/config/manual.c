#include "config/manual.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/load.h"
#include "config/manual_text.h"
#include "config/table.h"

#define PATH_BYTES 96
#define EXAMPLE_SHORT 60 /* bytes of an example that is taken as it comes; of longer ones the shortest */

struct manual {
    struct load ld;
    struct config config;
    char path[SECTION_COUNT][PATH_BYTES]; /* "uplinks[].tls"; "" for the two roots */
    bool reached[SECTION_COUNT];
    enum section order[SECTION_COUNT]; /* of the page */
    size_t count;
    char *example[SECTION_COUNT][TABLE_KEYS_MAX]; /* heap; NULL: none */
};

/* ---- sections and where they stand ---- */

/* The section that a key's value is a mapping of; the top level is nowhere: SECTION_ROOT says none. */
static enum section section_of(const struct key_row *row, size_t which)
{
    bool operand = row->kind == KIND_OPERAND || row->kind == KIND_OPERANDS;

    if (which == 0)
        return row->kind == KIND_LIKE ? SECTION_ROOT : row->of;
    return which == 1 && operand ? SECTION_OPERAND : SECTION_ROOT;
}

static bool is_list(const struct key_row *row)
{
    return row->kind == KIND_ITEMS || row->kind == KIND_PARTS || row->kind == KIND_OPERANDS;
}

static void put_path(char out[PATH_BYTES], const char *parent, const struct key_row *row)
{
    (void)text_format(out, PATH_BYTES, "%s%s%s%s", parent, parent[0] ? "." : "", row->name,
                      is_list(row) ? "[]" : "");
}

static bool reach(struct manual *m, const struct key_row *row, enum section section)
{
    if (section == SECTION_ROOT || m->reached[section])
        return false;
    m->reached[section] = true;
    put_path(m->path[section], m->path[row->section], row);
    return true;
}

/* The sections of a section's keys that were not reached yet, in order; their number. */
static size_t reach_all(struct manual *m, enum section section, enum section *news)
{
    size_t found = 0;
    size_t count;
    const struct key_row *rows = table_rows(section, &count);

    for (size_t i = 0; i < count; i++)
        for (size_t which = 0; which < 2; which++)
            if (reach(m, &rows[i], section_of(&rows[i], which)))
                news[found++] = section_of(&rows[i], which);
    return found;
}

/* Depth first: what belongs to a key stands right behind the section of the key. */
static void walk_sections(struct manual *m, enum section root)
{
    enum section stack[SECTION_COUNT] = {root};
    enum section news[SECTION_COUNT];
    size_t depth = 1;

    m->reached[root] = true;
    while (depth > 0) {
        enum section section = stack[--depth];

        m->order[m->count++] = section;
        for (size_t found = reach_all(m, section, news); found > 0; found--)
            stack[depth++] = news[found - 1];
    }
}

/* ---- examples ---- */

struct visit {
    enum section section;
    const struct node *map;
};

struct visits {
    struct visit *all;
    size_t count, room;
    bool oom;
};

static void push(struct visits *v, enum section section, const struct node *map)
{
    if (section == SECTION_ROOT || map->kind != NODE_MAP)
        return;
    if (v->count == v->room) {
        size_t room = v->room ? 2 * v->room : 64;
        struct visit *all = realloc(v->all, room * sizeof *all);

        if (!all) {
            v->oom = true;
            return;
        }
        v->all = all;
        v->room = room;
    }
    v->all[v->count++] = (struct visit){section, map};
}

/* The mappings that a value is made of. */
static void push_value(struct visits *v, const struct key_row *row, const struct node *node)
{
    enum section section = section_of(row, 0);
    enum section second = section_of(row, 1);

    if (node->kind == NODE_LIST) {
        for (const struct node *item = node->first; item; item = item->next)
            push(v, second != SECTION_ROOT ? second : section, item);
    } else {
        bool other = second != SECTION_ROOT && (section == SECTION_ROOT || node_get(node, "of"));

        push(v, other ? second : section, node);
    }
}

/* The first example that is short, or the shortest one. */
static void keep_example(struct manual *m, const struct key_row *row, const struct node *node)
{
    size_t count;
    size_t index = (size_t)(row - table_rows(row->section, &count));
    char **kept = &m->example[row->section][index];
    char *flow = *kept && strlen(*kept) <= EXAMPLE_SHORT ? NULL : manual_flow(row, node);

    if (flow && (!*kept || strlen(flow) < strlen(*kept))) {
        free(*kept);
        *kept = flow;
    } else {
        free(flow);
    }
}

static enum rg_err take_examples(struct manual *m, enum section root, const struct node *top)
{
    struct visits v = {0};

    v.all = calloc(64, sizeof *v.all);
    if (!v.all)
        return RG_ENOMEM;
    v.room = 64;
    v.all[v.count++] = (struct visit){root, top};
    while (v.count > 0) {
        const struct visit at = v.all[--v.count];

        for (const struct node *child = at.map->first; child; child = child->next) {
            const struct key_row *row = table_key(at.section, child->key);

            if (!row)
                continue;
            keep_example(m, row, child);
            if (row->kind == KIND_LIKE)
                row = table_key(row->of, row->name);
            if (row)
                push_value(&v, row, child);
        }
    }
    free(v.all);
    return v.oom ? RG_ENOMEM : RG_OK;
}

/* ---- the page ---- */

static void put_group(FILE *to, enum section section, unsigned flag, const char *word)
{
    size_t count;
    const struct key_row *rows = table_rows(section, &count);
    const char *between = "";

    (void)fprintf(to, "; %s one of ", word);
    for (size_t i = 0; i < count; i++) {
        if (!(rows[i].flags & flag))
            continue;
        (void)fprintf(to, "%s\\fB%s\\fR", between, rows[i].name);
        between = ", ";
    }
}

static void put_presence(FILE *to, const struct key_row *row)
{
    if (row->standard) {
        (void)fputs("; default \\fB", to);
        manual_put_literal(to, row->standard);
        (void)fputs("\\fR", to);
    } else if (row->flags & KEY_REQUIRED) {
        (void)fputs("; required", to);
    } else if (row->flags & KEY_ONE_OF) {
        put_group(to, row->section, KEY_ONE_OF, "exactly");
    } else if (row->flags & KEY_ANY_OF) {
        put_group(to, row->section, KEY_ANY_OF, "at least");
    } else {
        (void)fputs("; optional", to);
    }
}

/* Where the mapping of a value is described. */
static void put_reference(FILE *to, const struct manual *m, const struct key_row *row)
{
    if (row->kind == KIND_LIKE) {
        (void)fprintf(to, ", see \\fB%s\\fR", m->path[row->of]);
        return;
    }
    for (size_t which = 0; which < 2; which++) {
        enum section section = section_of(row, which);

        if (section != SECTION_ROOT)
            (void)fprintf(to, "%s \\fB%s\\fR", which && section_of(row, 0) != SECTION_ROOT ? " or" : ", see",
                          m->path[section]);
    }
}

static void put_key(FILE *to, const struct manual *m, const struct key_row *row, const char *example)
{
    (void)fputs(".TP\n.B ", to);
    manual_put_literal(to, row->name);
    (void)fputc('\n', to);
    manual_put_type(to, row);
    put_reference(to, m, row);
    put_presence(to, row);
    (void)fputs(".\n.br\n", to);
    manual_put_words(to, row->doc);
    (void)fputc('\n', to);
    if (row->flags & KEY_LATER)
        (void)fputs("Not carried out by this version: refused.\n", to);
    else
        manual_put_example(to, row, example);
}

/* The other keys whose mappings are of this section. */
static void put_likewise(FILE *to, const struct manual *m, enum section section)
{
    char path[PATH_BYTES];
    const char *between = "The same stands under ";

    for (size_t s = 0; s < m->count; s++) {
        size_t count;
        const struct key_row *rows = table_rows(m->order[s], &count);

        for (size_t i = 0; i < count; i++) {
            if (section_of(&rows[i], 0) != section && section_of(&rows[i], 1) != section)
                continue;
            put_path(path, m->path[m->order[s]], &rows[i]);
            if (strcmp(path, m->path[section]) == 0)
                continue;
            (void)fprintf(to, "%s\\fB%s\\fR", between, path);
            between = ", ";
        }
    }
    if (between[0] == ',')
        (void)fputs(".\n", to);
}

static enum rg_err put_section(FILE *to, const struct manual *m, enum section section, char *missing)
{
    size_t count;
    const struct key_row *rows = table_rows(section, &count);

    if (section == SECTION_ROOT)
        (void)fputs(".SH KEYS\n.SS \"the top level\"\n", to);
    else if (section == SECTION_PROFILE)
        (void)fputs(".SH \"KEYS OF A PROFILE\"\n.SS \"the top level\"\n", to);
    else
        (void)fprintf(to, ".SS %s\n", m->path[section]);
    if (section != SECTION_ROOT)
        put_likewise(to, m, section);
    for (size_t i = 0; i < count; i++) {
        if (!m->example[section][i] && !(rows[i].flags & KEY_LATER)) {
            (void)text_format(missing, 256, "no example of `%s` in %s", rows[i].name, table_title(section));
            return RG_EINVAL;
        }
        put_key(to, m, &rows[i], m->example[section][i]);
    }
    return RG_OK;
}

static enum rg_err put_page(FILE *to, const struct manual *m, char *missing)
{
    enum rg_err err = RG_OK;

    for (size_t i = 0; i < m->count && err == RG_OK; i++)
        err = put_section(to, m, m->order[i], missing);
    return err;
}

static enum rg_err take_file(struct manual *m, enum section root, const char *file, char *missing)
{
    uint32_t index = 0;

    if (!load_profile(&m->ld, file, (struct place){0}, &index) || !m->ld.sources[index].root) {
        (void)text_format(missing, 256, "cannot read %s", file);
        return m->ld.oom ? RG_ENOMEM : RG_EINVAL;
    }
    return take_examples(m, root, m->ld.sources[index].root);
}

static bool begin(struct manual *m)
{
    arena_init(&m->config.arena, 0);
    arena_init(&m->ld.scratch, 0);
    m->ld.config = &m->config;
    m->ld.arena = &m->config.arena;
    m->ld.sources = load_scratch(&m->ld, CONFIG_FILES, sizeof *m->ld.sources);
    return m->ld.sources != NULL;
}

static void end(struct manual *m)
{
    for (uint32_t i = 0; i < m->ld.source_count; i++)
        free(m->ld.sources[i].text);
    for (size_t s = 0; s < SECTION_COUNT; s++)
        for (size_t i = 0; i < TABLE_KEYS_MAX; i++)
            free(m->example[s][i]);
    intern_end(&m->ld.texts);
    arena_destroy(&m->ld.scratch);
    arena_destroy(&m->config.arena);
    free(m);
}

enum rg_err config_write_manual(const char *config_file, const char *profile_file, FILE *to, char *missing)
{
    struct manual *m = calloc(1, sizeof *m);
    enum rg_err err;

    missing[0] = '\0';
    if (!m)
        return RG_ENOMEM;
    walk_sections(m, SECTION_ROOT);
    walk_sections(m, SECTION_PROFILE);
    err = begin(m) ? RG_OK : RG_ENOMEM;
    if (err == RG_OK)
        err = take_file(m, SECTION_ROOT, config_file, missing);
    if (err == RG_OK)
        err = take_file(m, SECTION_PROFILE, profile_file, missing);
    if (err == RG_OK)
        err = put_page(to, m, missing);
    end(m);
    return err;
}
