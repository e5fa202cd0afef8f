/* Readings that were recorded before a point was given another meaning (another register, scale, unit, device) say nothing about it
 * now: windows of rules must not mix the two. Which points those are is told by the changes of the `config` events, and, at a start, by
 * what differs from the configuration of the run before. */
#ifndef RG_REPLAY_MEANING_H
#define RG_REPLAY_MEANING_H

#include "base/json_read.h"
#include "model/site.h"
#include "rules/rules.h"

struct meaning;

/* Whether the change of this key of the configuration ("point.d.co.scaling") gives readings another meaning. Keys are those of
 * config/diff.h. */
bool meaning_key(const char *what);

/* site must outlive it. RG_ENOMEM; RG_EEXIST: names in the site are not unique. */
RG_NODISCARD enum rg_err meaning_create(const struct site *site, struct meaning **out);
void meaning_destroy(struct meaning *m); /* takes NULL */
/* Notes whose meaning the change of a key gives up, if any. */
void meaning_note(struct meaning *m, const char *what);
/* The same for each of the changes of a `config` event that was applied; others, and NULL, are passed over. True: there was one. */
bool meaning_note_event(struct meaning *m, const struct json *event);
void meaning_note_all(struct meaning *m); /* nothing is known of what it was */
/* The windows of the points noted, and of those worked out from them, begin anew; nothing is noted any more. told, which may be NULL, is
 * called for each point of which something was forgotten. How many those are. */
size_t meaning_forget(struct meaning *m, struct rules *r,
                      void (*told)(void *arg, const struct site_point *point), void *arg);

#endif
