/* The uplinks of the site in force: made, and over a reload those kept that did not change. Private to app/.
 *
 * An uplink that a configuration leaves as it is goes on as if nothing had happened: its connection, its window, its back-fill, the answers
 * that wait. Only one that changed, or is gone, says goodbye, and what takes its place begins once all of those have. All that can
 * fail comes before the configuration is taken. */
#ifndef RG_APP_UPLINKS_H
#define RG_APP_UPLINKS_H

#include "app/pipeline.h"
#include "config/diff.h"

/* For each uplink of the site `next` its index in the site `before`, of which it is an unchanged one, or SITE_NONE. Pure, for any thread. kin has
 * room for next->uplink_count. */
void uplinks_compare(const struct site *before, const struct site *next, const struct config_diff *diff,
                     uint32_t *kin);

/* For each uplink of the site a number that tells the state of the files with its secrets (TLS and password): another one once one of them was
 * written or replaced. Reads their inodes only. For any thread; stamps has room for site->uplink_count. */
void uplinks_stamp(const struct site *site, uint64_t *stamps);

struct uplinks_plan;

/* Makes what the next site needs: uplinks that are new or changed, documents for all. kin: from uplinks_compare, or NULL: none is kept. about: the stamp
 * of that document, 0: not known, so that all publish it. *out is freed by uplinks_plan_free or used up by uplinks_switch. */
RG_NODISCARD enum rg_err uplinks_prepare(struct pipeline *p, const struct site *next,
                                         const char *config_sha256, const uint32_t *kin, uint64_t about,
                                         struct uplinks_plan **out);
void uplinks_plan_free(struct uplinks_plan *plan); /* takes NULL */
/* The site of the plan is in force: those kept follow it; the others are in p->leaving, and to be stopped. Uses the plan up. */
void uplinks_switch(struct pipeline *p, struct uplinks_plan *plan);
/* Those in p->leaving have left (or there are none): frees them and begins the new ones, whose cursors are in the store. RG_ENOMEM: some
 * do without a document for a while, or without commands. */
RG_NODISCARD enum rg_err uplinks_begin(struct pipeline *p);

/* The one of that name, at work; NULL: there is none, or none yet. */
struct uplink *uplinks_named(const struct pipeline *p, const char *name);

#endif
