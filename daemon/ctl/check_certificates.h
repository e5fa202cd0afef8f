/* Whether the certificates that a configuration names are still good, and for how long: what `check` tells beside the issues of
 * the configuration, which knows no time. */
#ifndef RG_CTL_CHECK_CERTIFICATES_H
#define RG_CTL_CHECK_CERTIFICATES_H

#include <stdint.h>

#include "model/site.h"

/* uplink->where: "file:line". Called for each that has ended or ends within 30 days; text: for people. */
typedef void (*check_certificate_cb)(void *arg, const struct site_uplink *uplink, const char *text);
/* Reads the files; those that cannot be read are told of elsewhere. */
void check_certificates(const struct site *site, int64_t now_ms, check_certificate_cb cb, void *arg);

#endif
