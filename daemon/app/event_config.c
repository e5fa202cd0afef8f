/* What was made of a configuration: taken, refused, or found to be the one in force already. */
#include <string.h>

#include "app/event.h"
#include "app/message_id.h"
#include "base/log.h"
#include "config/config.h"
#include "config/diff.h"
#include "record/record.h"
#include "replay/meaning.h"

#define CHANGES_IN_EVENT 500
#define ISSUES_IN_EVENT 20

/* How urgently a change is told. */
enum telling {
    TELL_LIMIT, /* what decides whether people are warned: limits, dead-bands, delays, the outputs */
    TELL_MEANING, /* what a point's readings mean, other than before: which may be taken together with those of before */
    TELL_PART, /* a device or an uplink is there, or not any more, or is another one */
    TELL_REST, /* which points a rule watches follows from names and globs; what is new or gone means nothing else */
};

/* What every point has is only new or gone together with it; of the rest there may be some more now, or less. */
static bool means_other_than_before(const struct config_change *c)
{
    return meaning_key(c->what) && ((c->before && c->after) || strstr(c->what, ".convert") ||
                                    strstr(c->what, ".derived") || strstr(c->what, ".decimals_from"));
}

/* What else belongs to a device that is new or gone follows from its being so; so does that an uplink tells of it. */
static bool is_part(const struct config_change *c)
{
    static const char bus[] = ".bus";
    const size_t length = strlen(c->what);

    if (strncmp(c->what, "uplink.", 7) == 0)
        return !strstr(c->what, ".telemetry.devices.");
    return strncmp(c->what, "device.", 7) == 0 &&
           ((c->before && c->after) || strcmp(c->what + length - (sizeof bus - 1), bus) == 0);
}

static enum telling telling(const struct config_change *c)
{
    const char *text = c->after ? c->after : c->before;

    if ((strncmp(c->what, "rule.", 5) == 0 && strcmp(text, "watched") != 0) ||
        strncmp(c->what, "output.", 7) == 0)
        return TELL_LIMIT;
    if (means_other_than_before(c))
        return TELL_MEANING;
    return is_part(c) ? TELL_PART : TELL_REST;
}

/* What all of them say first. by is for the log, too. */
static const char *config_begin(struct pipeline *p, bool applied, const struct config *config,
                                const struct asked *asked, int64_t now, char by[ASKED_BY_MAX])
{
    struct jsonw *w = &p->event;
    uint32_t uid;

    (void)asked_by(asked, by);
    record_begin(w, now);
    jsonw_key_string(w, "kind", "config");
    jsonw_key_bool(w, "applied", applied);
    jsonw_key_string(w, "file", config->file);
    jsonw_key_string(w, "sha256", config->sha256);
    jsonw_key_string(w, "by", by);
    if (asked_uid(asked, &uid))
        jsonw_key_int(w, "uid", uid);
    return by;
}

static void applied_begin(struct pipeline *p, const struct config *config, const struct asked *asked)
{
    char by[ASKED_BY_MAX];

    (void)config_begin(p, true, config, asked, p->taken.at.wall_ms, by);
    jsonw_key(&p->event, "changes");
    jsonw_array_begin(&p->event);
}

static void applied_end(struct pipeline *p, size_t more)
{
    jsonw_array_end(&p->event);
    if (more > 0)
        jsonw_key_int(&p->event, "more", (int64_t)more);
    pipeline_append_event_at(p, "config", p->taken.at, p->taken.turn);
    p->taken.turn = 0;
}

static void write_change(struct jsonw *w, const struct config_change *c)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "what", c->what);
    jsonw_key_string(w, "old", c->before);
    jsonw_key_string(w, "new", c->after);
    jsonw_object_end(w);
}

/* Every changed limit, every changed meaning, every device and uplink is told, in as many events as that takes, the limits before all else; other changes as
 * far as the event still holds them. */
void event_config_applied(struct pipeline *p, const struct config *config, const struct config_diff *diff,
                          const struct asked *asked)
{
    size_t written = 0;
    size_t left = diff->count;
    char by[ASKED_BY_MAX];

    log_tell(LOG_LEVEL_INFO, &(struct log_about){.message_id = MESSAGE_CONFIG_TAKEN},
             "configuration %s taken (%zu changes, asked by %s)", config->file, diff->count,
             asked_by(asked, by));
    applied_begin(p, config, asked);
    for (enum telling which = TELL_LIMIT; which <= TELL_REST; which++) {
        for (size_t i = 0; i < diff->count; i++) {
            if (telling(&diff->changes[i]) != which)
                continue;
            if (written == CHANGES_IN_EVENT && which == TELL_REST)
                break;
            if (written == CHANGES_IN_EVENT) {
                applied_end(p, 0);
                applied_begin(p, config, asked);
                written = 0;
            }
            write_change(&p->event, &diff->changes[i]);
            written++;
            left--;
        }
    }
    applied_end(p, left);
}

/* At its own instant: the rules go on as they are. */
void event_config_unchanged(struct pipeline *p, const struct config *config, const struct asked *asked)
{
    int64_t now = loop_wall_ms(p->loop);
    char by[ASKED_BY_MAX];

    log_info("configuration %s is the one in force, nothing changes (asked by %s)", config->file,
             config_begin(p, true, config, asked, now, by));
    jsonw_key(&p->event, "changes");
    jsonw_array_begin(&p->event);
    jsonw_array_end(&p->event);
    pipeline_append_event(p, "config", now);
}

static void write_error(struct jsonw *w, const char *file, unsigned line, unsigned column, const char *text)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "file", file);
    jsonw_key_int(w, "line", line);
    jsonw_key_int(w, "column", column);
    jsonw_key_string(w, "text", text);
    jsonw_object_end(w);
}

void event_config_errors(struct jsonw *w, const struct config *config, const char *file, const char *why,
                         size_t most)
{
    size_t written = 0;

    jsonw_array_begin(w);
    for (size_t i = 0; config && i < config->issue_count && written < most; i++) {
        const struct config_issue *issue = &config->issues[i];

        if (issue->severity != CONFIG_ERROR)
            continue;
        write_error(w, issue->file, issue->line, issue->column, issue->text);
        written++;
    }
    if (written == 0 && why)
        write_error(w, file, 0, 0, why);
    jsonw_array_end(w);
}

void event_config_refused(struct pipeline *p, const struct config *config, const char *why,
                          const struct asked *asked)
{
    int64_t now = loop_wall_ms(p->loop);
    struct jsonw *w = &p->event;
    char by[ASKED_BY_MAX];

    log_tell(LOG_LEVEL_ERROR, &(struct log_about){.message_id = MESSAGE_CONFIG_REFUSED},
             "configuration %s refused, the one in force stays: %s (asked by %s)", config->file, why,
             config_begin(p, false, config, asked, now, by));
    jsonw_key_string(w, "error", why);
    jsonw_key_int(w, "errors", (int64_t)config->error_count);
    jsonw_key(w, "issues");
    event_config_errors(w, config, config->file, NULL, ISSUES_IN_EVENT);
    pipeline_append_event(p, "config", now);
}
