#include "config/yaml.h"

#include <libfyaml.h>
#include <string.h>

#include "config/issue.h"
#include "config/utf8.h"

/* One open list or mapping. */
struct frame {
    struct node *node;
    struct node *last;    /* child so far */
    struct node *pending; /* mapping: the key was read, its value was not */
};

struct parse {
    struct load *ld;
    struct source *source;
    uint32_t file;
    unsigned depth;
    unsigned documents;
    size_t fed;         /* bytes handed to libfyaml */
    size_t settled;     /* as many as were handed over when it last answered with an event */
    struct place where; /* of the last event that had a place */
    struct {
        size_t offset;
        int line, column; /* from 0, column in characters: as libfyaml counts */
    } cursor;             /* the last mark that was looked up */
    bool too_far;         /* CONFIG_LOOKAHEAD was reached */
    struct frame frames[CONFIG_DEPTH];
};

/* Gives libfyaml a text piece by piece: while it waits for the end of what might be a key it queues every
 * token, 250 bytes for each byte of a hostile file. Cutting the text off ends that, with memory bounded. */
static ssize_t feed_cb(void *user, void *into, size_t room)
{
    struct parse *p = user;
    size_t length = p->source->length - p->fed;

    if (p->fed - p->settled > CONFIG_LOOKAHEAD) {
        p->too_far = true;
        return 0;
    }
    if (length > room)
        length = room;
    memcpy(into, p->source->text + p->fed, length);
    p->fed += length;
    return (ssize_t)length;
}

/* Whether libfyaml may have the whole text at once: no flow collection seems to go on for longer than we let it look ahead (brackets in
 * quotes count as well, which does no harm). Piece by piece it reads on into a buffer that may move, and in a text in quotes goes on
 * where the buffer was. */
static bool is_bounded(const struct source *source)
{
    size_t depth = 0, since = 0;

    for (size_t i = 0; i < source->length; i++) {
        char c = source->text[i];

        if (c == '[' || c == '{')
            since = depth++ == 0 ? i : since;
        else if ((c == ']' || c == '}') && depth > 0)
            depth--;
        if (depth > 0 && i - since > CONFIG_LOOKAHEAD)
            return false;
    }
    return true;
}

static bool set_input(struct parse *p, struct fy_parser *parser)
{
    if (is_bounded(p->source))
        return fy_parser_set_string(parser, p->source->text, p->source->length) == 0;
    return fy_parser_set_input_callback(parser, p, feed_cb) == 0;
}

/* libfyaml writes to stderr unless told otherwise. */
static void discard_cb(struct fy_diag *diag, void *user, const char *text, size_t length)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)length;
}

static bool ends_line(const struct source *source, size_t at)
{
    char next = at + 1 < source->length ? source->text[at + 1] : '\0';

    return source->text[at] == '\n' || (source->text[at] == '\r' && next != '\n');
}

static bool continues_character(const struct source *source, size_t at)
{
    return at < source->length && ((unsigned char)source->text[at] & 0xc0u) == 0x80u;
}

/* Back to the mark's line, or on the same line to its column. */
static void cursor_back(struct parse *p, const struct fy_mark *mark)
{
    const struct source *source = p->source;
    size_t at = p->cursor.offset;

    if (mark->line < p->cursor.line) {
        for (; at > 0 && !(ends_line(source, at - 1) && p->cursor.line == mark->line); at--)
            p->cursor.line -= ends_line(source, at - 1);
        p->cursor.column = 0;
    }
    for (; at > 0 && p->cursor.line == mark->line && p->cursor.column > mark->column; p->cursor.column--) {
        do
            at--;
        while (at > 0 && continues_character(source, at));
    }
    p->cursor.offset = at;
}

/* Where a mark is in the text. libfyaml's own input_pos begins anew when it has read some 64 KiB piece by piece; its lines and columns
 * do not. Marks come nearly in the order of the text, so each character is passed about once. */
static size_t mark_offset(struct parse *p, const struct fy_mark *mark)
{
    const struct source *source = p->source;

    cursor_back(p, mark);
    while (p->cursor.offset < source->length &&
           (p->cursor.line < mark->line || p->cursor.column < mark->column)) {
        size_t at = p->cursor.offset++;

        if (ends_line(source, at)) {
            p->cursor.line++;
            p->cursor.column = 0;
        } else if (!continues_character(source, at + 1)) {
            p->cursor.column++; /* the character's last byte */
        }
    }
    return p->cursor.offset;
}

static struct place token_place(struct parse *p, struct fy_token *token, size_t before)
{
    const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;

    size_t offset;

    if (!mark || mark->line < 0)
        return p->where;
    offset = mark_offset(p, mark);
    return (struct place){.file = p->file,
                          .line = (uint32_t)mark->line + 1,
                          .offset = (uint32_t)(offset > before ? offset - before : 0)};
}

static struct node *node_create(struct parse *p, enum node_kind kind)
{
    struct node *node;

    if (p->ld->node_count >= CONFIG_NODES) {
        issue_error(p->ld, p->where, "more than %u values in all files", CONFIG_NODES);
        return NULL;
    }
    node = load_scratch(p->ld, 1, sizeof *node);
    if (!node)
        return NULL;
    p->ld->node_count++;
    node->kind = (uint8_t)kind;
    node->file = p->file;
    node->text = "";
    return node;
}

/* A mapping waits for a key. */
static bool wants_key(const struct parse *p)
{
    const struct frame *top = p->depth ? &p->frames[p->depth - 1] : NULL;

    return top && top->node->kind == NODE_MAP && !top->pending;
}

/* The node for the value that begins here: the one its key made, or a new one in its list. */
static struct node *place_value(struct parse *p, enum node_kind kind, struct place at)
{
    struct frame *top = p->depth ? &p->frames[p->depth - 1] : NULL;
    struct node *node = top && top->pending ? top->pending : node_create(p, kind);

    if (!node)
        return NULL;
    node->kind = (uint8_t)kind;
    node->line = at.line;
    node->offset = at.offset;
    if (!top) {
        p->source->root = node;
        return node;
    }
    if (top->pending) {
        top->pending = NULL;
        return node;
    }
    if (top->last)
        top->last->next = node;
    else
        top->node->first = node;
    top->last = node;
    top->node->count++;
    return node;
}

static bool place_key(struct parse *p, const char *text, size_t length, struct place at)
{
    struct frame *top = &p->frames[p->depth - 1];
    struct node *node = node_create(p, NODE_SCALAR);

    if (!node)
        return false;
    node->key = load_scratch_text(p->ld, text, length);
    if (!node->key)
        return false;
    node->key_line = node->line = at.line;
    node->key_offset = node->offset = at.offset;
    if (top->last)
        top->last->next = node;
    else
        top->node->first = node;
    top->last = node;
    top->node->count++;
    top->pending = node;
    return true;
}

/* Escapes in double quotes can bring in what the scan of the bytes kept out. */
static bool is_clean(const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        uint32_t code;
        size_t step = utf8_decode(text + i, length - i, &code);

        if (step == 0 || !utf8_is_allowed(code))
            return false;
        i += step;
    }
    return true;
}

/* The text of a scalar; NULL: out of memory. libfyaml 0.7.12 leaks some memory for each single-quoted text
 * with many doubled quotes (its issue 233), which a reload would repeat for ever, and reads some that have
 * four together wrongly: they are taken from the file's own text. */
static const char *token_text(struct parse *p, struct fy_token *token, size_t *length)
{
    const struct fy_mark *start = fy_token_start_mark(token);
    const struct fy_mark *end = fy_token_end_mark(token);
    const char *raw;
    char *text;
    size_t from, raw_length;

    if (fy_token_scalar_style(token) != FYSS_SINGLE_QUOTED || !start || !end)
        return fy_token_get_text(token, length);
    from = mark_offset(p, start);
    raw = p->source->text + from;
    raw_length = mark_offset(p, end) - from;
    text = load_scratch(p->ld, raw_length + 1, 1);
    if (text)
        *length = yaml_unquote(raw, raw_length, text);
    return text;
}

static bool take_scalar(struct parse *p, struct fy_token *token)
{
    enum fy_scalar_style style = fy_token_scalar_style(token);
    bool quoted = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
    struct place at = token_place(p, token, quoted ? 1 : 0);
    size_t length = 0;
    const char *text = token_text(p, token, &length);
    struct node *node;

    if (!text) {
        p->ld->oom = true;
        return false;
    }
    /* An empty value has no place of its own: its key's is nearest. */
    if (length > 0 || quoted)
        p->where = at;
    if (!is_clean(text, length)) {
        issue_error(p->ld, at, "an escape makes a control character or no character at all");
        return false;
    }
    if (wants_key(p))
        return place_key(p, text, length, at);
    node = place_value(p, NODE_SCALAR, p->where);
    if (!node)
        return false;
    node->quoted = style != FYSS_PLAIN;
    node->text = load_scratch_text(p->ld, text, length);
    return node->text != NULL;
}

static bool take_begin(struct parse *p, enum node_kind kind, struct fy_token *token)
{
    struct place at = token_place(p, token, 0);
    struct node *node;

    p->where = at;
    if (wants_key(p)) {
        issue_error(p->ld, at, "a key must be a plain word, not a list or a mapping");
        return false;
    }
    if (p->depth == CONFIG_DEPTH) {
        issue_error(p->ld, at, "nested deeper than %d", CONFIG_DEPTH);
        return false;
    }
    node = place_value(p, kind, at);
    if (!node)
        return false;
    p->frames[p->depth++] = (struct frame){.node = node};
    return true;
}

/* What is YAML but not ours. */
static bool refuse_extras(struct parse *p, struct fy_token *anchor, struct fy_token *tag)
{
    if (anchor)
        issue_error(p->ld, token_place(p, anchor, 1),
                    "a value that begins with & must be in quotes (anchors are not taken)");
    if (tag)
        issue_error(p->ld, token_place(p, tag, 0),
                    "a value that begins with ! must be in quotes (tags are not taken)");
    return !anchor && !tag;
}

static bool take_document(struct parse *p, struct fy_token *token)
{
    if (p->documents++ == 0)
        return true;
    issue_error(p->ld, token_place(p, token, 0),
                "a second YAML document begins here; a configuration file holds one");
    return false;
}

static bool take_event(struct parse *p, const struct fy_event *event)
{
    switch (event->type) {
    case FYET_DOCUMENT_START:
        return take_document(p, event->document_start.document_start);
    case FYET_MAPPING_START:
        return refuse_extras(p, event->mapping_start.anchor, event->mapping_start.tag) &&
               take_begin(p, NODE_MAP, event->mapping_start.mapping_start);
    case FYET_SEQUENCE_START:
        return refuse_extras(p, event->sequence_start.anchor, event->sequence_start.tag) &&
               take_begin(p, NODE_LIST, event->sequence_start.sequence_start);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        p->depth -= p->depth > 0;
        return true;
    case FYET_SCALAR:
        return refuse_extras(p, event->scalar.anchor, event->scalar.tag) &&
               take_scalar(p, event->scalar.value);
    case FYET_ALIAS:
        issue_error(p->ld, token_place(p, event->alias.anchor, 1),
                    "a value that begins with * must be in quotes (aliases are not taken)");
        return false;
    case FYET_NONE:
    case FYET_STREAM_START:
    case FYET_STREAM_END:
    case FYET_DOCUMENT_END:
        break;
    }
    return true;
}

/* A place from libfyaml's line and column, both from 1 and in characters. */
static struct place find_place(const struct parse *p, int line, int column)
{
    const char *text = p->source->text;
    const char *end = text + p->source->length;
    const char *at = text;
    struct place place = {.file = p->file, .line = 1};

    while (place.line < (uint32_t)line) {
        const char *next = memchr(at, '\n', (size_t)(end - at));

        if (!next || next + 1 == end)
            break; /* an error at the very end is shown at the end of the last line */
        at = next + 1;
        place.line++;
    }
    if (place.line < (uint32_t)line)
        column = INT32_MAX;
    for (; column > 1 && at < end && *at != '\n'; column--) {
        uint32_t code;
        size_t step = utf8_decode(at, (size_t)(end - at), &code);

        at += step ? step : 1;
    }
    place.offset = (uint32_t)(at - text);
    return place;
}

/* A tab among the blanks that begin the line of `place` or the one after it, where libfyaml gives up on
 * it. */
static bool has_tab_indent(const struct parse *p, struct place *place)
{
    const char *text = p->source->text;
    size_t at = place->offset;
    struct place found = *place;

    while (at > 0 && text[at - 1] != '\n')
        at--;
    for (unsigned lines = 0; lines < 2 && at < p->source->length; lines++, found.line++) {
        const char *end = memchr(text + at, '\n', p->source->length - at);

        for (; at < p->source->length && (text[at] == ' ' || text[at] == '\t'); at++) {
            if (text[at] != '\t')
                continue;
            found.offset = (uint32_t)at;
            *place = found;
            return true;
        }
        at = end ? (size_t)(end - text) + 1 : p->source->length;
    }
    return false;
}

static void report(struct parse *p, struct fy_diag *diag)
{
    void *state = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &state);
    struct place at = p->where;

    if (p->too_far) {
        issue_error(p->ld, at,
                    "no value ends within the next %u KiB: write long lists and mappings one entry a line",
                    CONFIG_LOOKAHEAD >> 10);
        return;
    }
    if (error && error->line > 0)
        at = find_place(p, error->line, error->column);
    if (has_tab_indent(p, &at))
        issue_error(p->ld, at, "a tab in the indentation: YAML wants spaces");
    else
        issue_error(p->ld, at, "not valid YAML: %s", error && error->msg ? error->msg : "the parser gave up");
}

static bool run(struct parse *p, struct fy_parser *parser, struct fy_diag *diag)
{
    struct fy_event *event;
    bool good = true;

    while (good && (event = fy_parser_parse(parser)) != NULL) {
        p->settled = p->fed;
        good = take_event(p, event);
        fy_parser_event_free(parser, event);
    }
    if (!good)
        return false;
    if (fy_parser_get_stream_error(parser) || p->too_far) {
        report(p, diag);
        return false;
    }
    return true;
}

bool yaml_parse(struct load *ld, uint32_t file)
{
    struct parse p = {.ld = ld, .file = file, .source = &ld->sources[file]};
    struct fy_diag_cfg diag_conf;
    struct fy_diag *diag;
    struct fy_parse_cfg conf = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_MMAP_OPT |
                                         FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE |
                                         FYPCF_SLOPPY_FLOW_INDENTATION};
    struct fy_parser *parser = NULL;
    bool good = false;

    p.where = (struct place){.file = file, .line = 1};
    fy_diag_cfg_default(&diag_conf);
    diag_conf.fp = NULL;
    diag_conf.output_fn = discard_cb;
    diag = fy_diag_create(&diag_conf);
    if (diag) {
        fy_diag_set_collect_errors(diag, true);
        conf.diag = diag;
        parser = fy_parser_create(&conf);
    }
    if (!parser || !set_input(&p, parser))
        ld->oom = true;
    else
        good = run(&p, parser, diag);
    if (parser)
        fy_parser_destroy(parser);
    if (diag)
        fy_diag_destroy(diag);
    if (!good)
        p.source->root = NULL;
    return good;
}
