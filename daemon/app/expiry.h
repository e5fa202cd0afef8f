/* Watches how long the certificates of the uplinks are still good: each one's own, and those of its authorities (`tls.cert`, `tls.ca`).
 * Their end is told from 30 days ahead (expiry_stage.h): a warning in the log, an event `uplink` with state "certificate", and in
 * the status. Files are read off the loop: at the start, with a new configuration, and every hour, so that one that was renewed is
 * found so. A file with more than EXPIRY_AUTHORITIES certificates is a collection of authorities such as the system's, of
 * which some end all the time and none need matter: it is not watched. */
#ifndef RG_APP_EXPIRY_H
#define RG_APP_EXPIRY_H

#include "base/error.h"
#include "base/json_write.h"

#define EXPIRY_AUTHORITIES 16
#define EXPIRY_READ_MS 3600000
#define EXPIRY_JUDGE_MS 60000 /* what was read is held against the clock */

struct pipeline;
struct expiry;

RG_NODISCARD enum rg_err expiry_create(struct pipeline *p, struct expiry **out);
void expiry_destroy(struct expiry *e); /* takes NULL */
/* Takes the uplinks of the site in force, and begins to read their files. What was told of a file stays told. */
RG_NODISCARD enum rg_err expiry_follow(struct expiry *e);
/* Nothing is told any more until the next expiry_follow. Takes NULL. */
void expiry_halt(struct expiry *e);
/* The member `certificate` of an uplink: {file, subject, expires, days} of the one that ends first, with `error` for one that cannot be
 * read; null when there is none. */
void expiry_write(const struct expiry *e, const char *uplink, struct jsonw *w);

#endif
