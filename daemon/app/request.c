#include "app/request.h"

#include <string.h>

#include "base/json_read.h"
#include "base/text.h"
#include "uplink/uplink.h"

#define ID_FIRST '!' /* printable ASCII without the space */
#define ID_LAST '~'
#define NEW_LINE_ALLOWED true

static const struct {
    const char *name;
    unsigned needs;
} commands[] = {
    [REQUEST_NONE] = {NULL, 0},
    [REQUEST_ACK] = {"ack", SITE_MAY_ACK},
    [REQUEST_SHELVE] = {"shelve", SITE_MAY_SHELVE},
    [REQUEST_UNSHELVE] = {"unshelve", SITE_MAY_SHELVE},
    [REQUEST_BACKFILL] = {"backfill", SITE_MAY_BACKFILL},
    [REQUEST_READ] = {"read", SITE_MAY_READ},
};

/* Which commands a member goes with. */
#define WITH(command) (1u << REQUEST_##command)
#define WITH_ACTS (WITH(ACK) | WITH(SHELVE) | WITH(UNSHELVE))
#define WITH_ALL (WITH_ACTS | WITH(BACKFILL) | WITH(READ))
static const struct {
    const char *name;
    unsigned with;
} members[] = {
    {"v", WITH_ALL},       {"ent", WITH_ALL},          {"gw", WITH_ALL},         {"id", WITH_ALL},
    {"command", WITH_ALL}, {"by", WITH_ALL},           {"alarm", WITH_ACTS},     {"comment", WITH_ACTS},
    {"for", WITH(SHELVE)}, {"stream", WITH(BACKFILL)}, {"from", WITH(BACKFILL)}, {"to", WITH(BACKFILL)},
    {"point", WITH(READ)}, {"device", WITH(READ)},
};

const char *request_command_name(enum request_command command)
{
    return (size_t)command < RG_COUNT(commands) ? commands[command].name : NULL;
}

unsigned request_needs(enum request_command command)
{
    return (size_t)command < RG_COUNT(commands) ? commands[command].needs : 0;
}

struct reader {
    const struct json *root;
    const struct site_gateway *gateway;
    struct request *out;
    char *error;
    size_t error_size;
};

/* false, so that a reader can say so and go. */
static bool wrong(const struct reader *r, const char *what)
{
    (void)text_format(r->error, r->error_size, "malformed: %s", what);
    return false;
}

static bool wrong_member(const struct reader *r, const char *name, const char *what)
{
    char shown[65]; /* as much of a name that somebody made up as an answer should hold */

    (void)text_copy(shown, sizeof shown, name);
    (void)text_format(r->error, r->error_size, "malformed: `%s` %s", shown, what);
    return false;
}

/* ---- texts ---- */

/* What changes how the text around it is shown: control characters of ASCII and Latin-1, line and paragraph separators, and
 * those that turn the direction of writing (Unicode Bidi_Control): a name must be what it looks like. */
static bool is_control(const unsigned char *c, size_t length, bool new_line)
{
    const uint32_t three = length == 3 ? (uint32_t)c[0] << 16 | (uint32_t)c[1] << 8 | c[2] : 0;

    if (length == 1)
        return c[0] == 0x7f || (c[0] < 0x20 && !(new_line && (c[0] == '\n' || c[0] == '\t')));
    if (length == 2)
        return (c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xd8 && c[1] == 0x9c); /* to U+009F; U+061C */
    return (three >= 0xe2808e && three <= 0xe2808f) ||                          /* U+200E, 200F */
           (three >= 0xe280a8 && three <= 0xe280ae) ||                          /* U+2028 to 202E */
           (three >= 0xe281a6 && three <= 0xe281a9);                            /* U+2066 to 2069 */
}

static bool is_plain(const char *text, bool new_line)
{
    for (size_t left = strlen(text); left > 0;) {
        size_t length = text_utf8_length(text, left);

        if (length == 0 || is_control((const unsigned char *)text, length, new_line))
            return false;
        text += length;
        left -= length;
    }
    return true;
}

static bool read_text(const struct reader *r, const char *name, char *out, size_t size, bool new_line)
{
    const struct json *member = json_get(r->root, name);
    const char *text = json_string(member);

    if (!member)
        return wrong_member(r, name, "is missing");
    if (!text)
        return wrong_member(r, name, "must be a text");
    if (!text[0])
        return wrong_member(r, name, "must not be empty");
    if (strlen(text) >= size)
        return wrong_member(r, name, "is too long");
    if (!is_plain(text, new_line))
        return wrong_member(r, name, "holds control characters");
    return text_copy(out, size, text);
}

static bool read_id(const struct reader *r)
{
    const struct json *member = json_get(r->root, "id");
    const char *text = json_string(member);
    size_t length = text ? strlen(text) : 0;

    if (!member)
        return wrong_member(r, "id", "is missing");
    for (size_t i = 0; i < length; i++) {
        if (text[i] < ID_FIRST || text[i] > ID_LAST)
            length = 0;
    }
    if (length == 0 || length > REQUEST_ID_MAX)
        return wrong_member(r, "id", "must be a text of 1 to 64 printable ASCII characters without spaces");
    return text_copy(r->out->id, sizeof r->out->id, text);
}

/* ---- who it is for, and what it is ---- */

static bool is_for_us(const struct reader *r)
{
    const struct json *v = json_get(r->root, "v");
    const struct json *ent = json_get(r->root, "ent");
    const struct json *gw = json_get(r->root, "gw");
    const char *ent_code = json_string(ent);
    const char *gw_id = json_string(gw);

    if (v && json_int(v, 0) != 1)
        return wrong_member(r, "v", "must be 1");
    if (ent && (!ent_code || strcmp(ent_code, r->gateway->ent_code) != 0))
        return wrong_member(r, "ent", "is not this gateway's");
    if (gw && (!gw_id || strcmp(gw_id, r->gateway->id) != 0))
        return wrong_member(r, "gw", "is not this gateway's");
    return true;
}

static bool read_command(const struct reader *r)
{
    const struct json *member = json_get(r->root, "command");
    const char *text = json_string(member);

    if (!member)
        return wrong_member(r, "command", "is missing");
    for (size_t i = REQUEST_NONE + 1; text && i < RG_COUNT(commands); i++) {
        if (strcmp(text, commands[i].name) == 0)
            r->out->command = (enum request_command)i;
    }
    if (r->out->command == REQUEST_NONE)
        return wrong_member(r, "command", "must be one of ack, shelve, unshelve, backfill, read");
    return true;
}

/* A member that is misspelt would be ignored in silence. */
static bool members_fit(const struct reader *r)
{
    for (const struct json *m = json_first(r->root); m; m = json_next(m)) {
        const char *name = json_key(m);
        size_t i = 0;

        while (i < RG_COUNT(members) && strcmp(members[i].name, name) != 0)
            i++;
        if (i == RG_COUNT(members))
            return wrong_member(r, is_plain(name, false) ? name : "?", "is no member of a command");
        if (!(members[i].with & 1u << r->out->command))
            return wrong_member(r, name, "does not go with this command");
    }
    return true;
}

/* ---- what belongs to each ---- */

static bool read_by(const struct reader *r, bool needed)
{
    if (!needed && !json_get(r->root, "by"))
        return true;
    return read_text(r, "by", r->out->by, sizeof r->out->by, false);
}

static bool read_act(const struct reader *r)
{
    struct request *out = r->out;
    const char *text = json_string(json_get(r->root, "for"));
    const char *comment = json_string(json_get(r->root, "comment"));

    if (!read_text(r, "alarm", out->alarm, sizeof out->alarm, false) || !read_by(r, true))
        return false;
    /* An empty one is what a form sends that nobody filled in. */
    out->has_comment = json_get(r->root, "comment") != NULL && !(comment && !comment[0]);
    if (out->has_comment && !read_text(r, "comment", out->comment, sizeof out->comment, NEW_LINE_ALLOWED))
        return false;
    if (out->command != REQUEST_SHELVE)
        return true;
    if (!json_get(r->root, "for"))
        return wrong_member(r, "for", "is missing");
    if (!text || text_duration(text, &out->for_ms) != RG_OK || out->for_ms <= 0)
        return wrong_member(r, "for", "must be a duration such as 30m");
    return true;
}

static bool read_backfill(const struct reader *r)
{
    struct request *out = r->out;
    const char *text = json_string(json_get(r->root, "stream"));
    int stream = 0;

    while (text && stream < STREAM_COUNT && strcmp(text, stream_name((enum stream)stream)) != 0)
        stream++;
    if (!text || stream == STREAM_COUNT)
        return wrong_member(r, "stream", "must be one of alarm, telemetry, event, report");
    out->stream = (enum stream)stream;
    out->from = json_int(json_get(r->root, "from"), 0);
    out->to = json_int(json_get(r->root, "to"), 0);
    if (out->from < 1 || out->to < out->from)
        return wrong(r, "`from` and `to` must be sequence numbers, 1 <= from <= to");
    return read_by(r, false);
}

static bool read_read(const struct reader *r)
{
    struct request *out = r->out;
    const bool point = json_get(r->root, "point") != NULL;

    if (point == (json_get(r->root, "device") != NULL))
        return wrong(r, "exactly one of `point` and `device` must be given");
    if (point && !read_text(r, "point", out->point, sizeof out->point, false))
        return false;
    if (!point && !read_text(r, "device", out->device, sizeof out->device, false))
        return false;
    return read_by(r, false);
}

static bool read_all(const struct reader *r)
{
    if (!json_is_object(r->root))
        return wrong(r, "it is no JSON object");
    if (!read_id(r) || !is_for_us(r) || !read_command(r) || !members_fit(r))
        return false;
    switch (r->out->command) {
    case REQUEST_ACK:
    case REQUEST_SHELVE:
    case REQUEST_UNSHELVE:
        return read_act(r);
    case REQUEST_BACKFILL:
        return read_backfill(r);
    case REQUEST_READ:
        return read_read(r);
    case REQUEST_NONE:
        break;
    }
    return false;
}

enum rg_err request_parse(const char *text, size_t length, const struct site_gateway *gateway,
                          struct request *out, char *error, size_t error_size)
{
    struct reader r = {.gateway = gateway, .out = out, .error = error, .error_size = error_size};
    struct json *root = NULL;
    enum rg_err err;
    bool good;

    *out = (struct request){.command = REQUEST_NONE};
    if (!text || length > UPLINK_COMMAND_BYTES) {
        (void)text_format(error, error_size, "malformed: longer than %u bytes", UPLINK_COMMAND_BYTES);
        return RG_EINVAL;
    }
    err = json_parse(text, length, UPLINK_COMMAND_BYTES, &root);
    if (err != RG_OK) {
        (void)wrong(&r, err == RG_ERANGE ? "it is nested too deep" : "it is not one valid JSON value");
        return err == RG_ENOMEM ? RG_ENOMEM : RG_EINVAL;
    }
    r.root = root;
    good = read_all(&r);
    json_free(root);
    return good ? RG_OK : RG_EINVAL;
}
